"""What an edge needs from others; `node.py` plugs it in."""

from typing import Protocol

from msgspec import Struct

from protocol.frames import Hello
from protocol.ids import LoginId
from protocol.tokens import Scope
from protocol.users import Person


class Caller(Struct, frozen=True):
    """Who a connection belongs to, and by which login."""

    person: Person
    login_id: LoginId
    scopes: frozenset[Scope] | None = None
    """What a bot token is good for; None: a person, who may do all that a person may."""


class Authenticator(Protocol):
    """Finds out who says hello."""

    async def authenticate(self, hello: Hello, cookie: str | None) -> Caller:
        """The caller behind a token, a ticket or the page's cookie header.

        `cookie` is None unless the request came from our own page. Rejects: unauthenticated,
        unavailable.
        """
        ...
