"""A person, as others see one."""

from typing import Literal

from protocol.base import DisplayName, Entity
from protocol.ids import UserId

UserKind = Literal["guest", "person", "bot"]


class Person(Entity, frozen=True, kw_only=True):
    """Who did something: enough to show a name without a look-up."""

    user_id: UserId
    display_name: DisplayName
    kind: UserKind = "person"
