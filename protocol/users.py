"""A person, as others see one, and as the person sees oneself."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from protocol.base import Body, DisplayName, Entity
from protocol.ids import UserId

UserKind = Literal["guest", "person", "bot"]
Instant = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
"""RFC 3339 in UTC with milliseconds: how REST answers write an instant."""

Bio = Annotated[str, Meta(max_length=500)]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1, two capital letters."""
Locale = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$", max_length=35)]
"""BCP 47, as in `fa` or `de-AT`."""


class Person(Entity, frozen=True, kw_only=True):
    """Who did something: enough to show a name without a look-up."""

    user_id: UserId
    display_name: DisplayName
    kind: UserKind = "person"


class User(Person, frozen=True, kw_only=True):
    """The caller's own account. A guest has no user name."""

    username: str | None = None
    bio: Bio = ""
    country: Country | None = None
    locale: Locale | None = None
    created_at: Instant


class UserPatch(Body, frozen=True, kw_only=True):
    """What is absent stays; null takes country or locale away."""

    display_name: DisplayName | UnsetType = UNSET
    bio: Bio | UnsetType = UNSET
    country: Country | UnsetType | None = UNSET
    locale: Locale | UnsetType | None = UNSET


class UserSettings(Entity, frozen=True, kw_only=True):
    """What the caller lets others know."""

    show_history: bool


class UserSettingsBody(Body, frozen=True, kw_only=True):
    """All of `UserSettings`, as they are to be."""

    show_history: bool
    """Whether others may see what the person heard."""
