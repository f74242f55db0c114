"""Signing a bot in, over REST, with the standard library."""

import asyncio
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec
from msgspec import Struct

from protocol.auth import GuestBody, LoggedIn, LoginBody, RefreshBody
from protocol.base import Body
from protocol.errors import ErrorCode, Rejected

PATIENCE_S: Final = 30.0
EARLY_MS: Final = 60_000
"""A token is renewed so long before it runs out."""


class _Problem(Struct):
    """An RFC 9457 problem, as far as a bot needs it."""

    code: ErrorCode
    detail: str = ""


async def guest(base_url: str, display_name: str) -> str:
    """A new guest's access token; it opens connections for 15 minutes. Raises Rejected."""
    return (await Login.guest(base_url, display_name)).access_token


async def sign_in(base_url: str, login: str, password: str) -> "Login":
    """Sign in with an account: user name or e-mail address, and password. Raises Rejected."""
    return await Login.begin(base_url, "login", LoginBody(login=login, password=password))


class Login:
    """A login that renews its token: give it to `connect` as `token` if a bot is to stay.

    Await a call of it for a token that is good for another minute at least.
    """

    def __init__(self, base_url: str, told: LoggedIn) -> None:
        self.base_url = base_url
        self.user = told.user
        self._take(told)

    @classmethod
    async def begin(cls, base_url: str, how: str, body: Body) -> "Login":
        """Sign in by one of the ways of `/api/auth`. Raises Rejected."""
        return cls(base_url, await _post(base_url, how, body))

    @classmethod
    async def guest(cls, base_url: str, display_name: str) -> "Login":
        """Come in by a name alone. Raises Rejected."""
        return await cls.begin(base_url, "guest", GuestBody(display_name=display_name))

    async def __call__(self) -> str:
        """A good access token. Raises Rejected where the login has ended."""
        if asyncio.get_running_loop().time() > self._renew_at_s:
            body = RefreshBody(refresh_token=self._refresh_token)
            self._take(await _post(self.base_url, "refresh", body))
        return self.access_token

    def expire(self) -> None:
        """The server did not take the token: get another one at the next call."""
        self._renew_at_s = 0.0

    def _take(self, told: LoggedIn) -> None:
        if not (told.access_token and told.refresh_token and told.expires_in_ms):
            raise Rejected(ErrorCode.INTERNAL, "The server gave no token.")
        self.access_token = told.access_token
        self._refresh_token = told.refresh_token
        lasts_ms = max(0, told.expires_in_ms - EARLY_MS)
        self._renew_at_s = asyncio.get_running_loop().time() + lasts_ms / 1_000


async def _post(base_url: str, how: str, body: Body) -> LoggedIn:
    return await asyncio.to_thread(_post_and_wait, base_url, how, body)


def _post_and_wait(base_url: str, how: str, body: Body) -> LoggedIn:
    request = Request(
        f"{base_url.rstrip('/')}/api/auth/{how}",
        msgspec.json.encode(body),
        {"Content-Type": "application/json"},
    )
    try:
        with urlopen(request, timeout=PATIENCE_S) as answer:
            return msgspec.json.decode(answer.read(), type=LoggedIn)
    except HTTPError as refusal:
        with refusal:
            raise _rejected(refusal.read(), refusal.headers.get("Retry-After")) from None
    except (HTTPException, msgspec.DecodeError):
        # Cut off in the middle, or not our server that answers: maybe a proxy before it.
        raise Rejected(ErrorCode.UNAVAILABLE) from None


def _rejected(text: bytes, retry_after_s: str | None) -> Rejected:
    try:
        problem = msgspec.json.decode(text, type=_Problem)
    except msgspec.DecodeError:
        return Rejected(ErrorCode.UNAVAILABLE)
    wait_ms = int(retry_after_s) * 1_000 if retry_after_s and retry_after_s.isdigit() else None
    return Rejected(problem.code, problem.detail or None, retry_after_ms=wait_ms)
