"""Rows of users, and what is told of them to themselves."""

from datetime import datetime

from msgspec import Struct

from httpapi.instants import written
from protocol.users import Person, User, UserKind
from sql import queries


class UserRow(Struct, frozen=True):
    """A user as the database gives it."""

    user_id: str
    display_name: str
    kind: UserKind
    username: str | None
    bio: str
    country: str | None
    locale: str | None
    created_at: datetime

    def user(self) -> User:
        """What the person sees of oneself."""
        return User(
            user_id=self.user_id,
            display_name=self.display_name,
            kind=self.kind,
            username=self.username,
            bio=self.bio,
            country=self.country,
            locale=self.locale,
            created_at=written(self.created_at),
        )

    def person(self) -> Person:
        """What others see."""
        return Person(user_id=self.user_id, display_name=self.display_name, kind=self.kind)


class SettingsRow(Struct, frozen=True):
    """What a person lets others know, as the database gives it."""

    show_history: bool


class Candidate(Struct, frozen=True):
    """Somebody who may be meant at sign-in."""

    user_id: str
    password_hash: str


ADD_GUEST = queries.one("users.add_guest", UserRow)
ADD_ACCOUNT = queries.maybe("users.add_account", UserRow)
UPGRADE_GUEST = queries.maybe("users.upgrade_guest", UserRow)
GET = queries.maybe("users.get", UserRow)
CHANGE = queries.maybe("users.change", UserRow)
SETTINGS = queries.maybe("users.settings", SettingsRow)
CHANGE_SETTINGS = queries.maybe("users.change_settings", SettingsRow)
NAMED = queries.maybe("users.named", UserRow)
CANDIDATES = queries.many("users.candidates", Candidate)
REHASH = queries.scalar("users.rehash", str)
