"""Permissions: which action of a room takes which grade; a table that each room can change."""

from typing import TYPE_CHECKING, Final, Literal, get_args

from protocol.base import Entity

if TYPE_CHECKING:
    from protocol.snapshot import Snapshot
    from protocol.users import Person

Grade = Literal["guest", "listener", "dj", "moderator", "owner"]
"""A person's standing in a room, the lowest first: the role, but a listener without an account is
a guest. Who has a grade may do all that the lower ones may."""
Action = Literal[
    "chat",
    "react",
    "vote",
    "add",
    "place",
    "arrange",
    "control",
    "skip",
    "moderate",
    "ban",
    "set_role",
    "update",
]

GRADES: Final[tuple[Grade, ...]] = get_args(Grade)
RANK: Final = {grade: rank for rank, grade in enumerate(GRADES)}


class Permissions(Entity, frozen=True, kw_only=True):
    """The lowest grade that may do each action. To close the room and to hand it over is the
    owner's alone and cannot be given away."""

    chat: Grade = "guest"
    """Say something, and edit or delete what oneself said."""
    react: Grade = "guest"
    """React to a message, or to the music."""
    vote: Grade = "guest"
    """Vote for an entry, or for skipping the current one."""
    add: Grade = "guest"
    """Queue a track (in `djs` mode: dj at least); take out one's own entries."""
    place: Grade = "guest"
    """Choose the place of one's own entries: play next, behind another, move."""
    arrange: Grade = "dj"
    """Move and take out anybody's entries; clear and shuffle the queue; undo anybody's change."""
    control: Grade = "guest"
    """Play, pause and seek."""
    skip: Grade = "guest"
    """Leave the current entry at once, for the next or another. Without it: by vote."""
    moderate: Grade = "moderator"
    """Delete anybody's message; kick, mute and unmute people of a lower grade."""
    ban: Grade = "moderator"
    """Ban people of a lower grade, and take bans back."""
    set_role: Grade = "moderator"
    """Give people of a lower grade a role below one's own."""
    update: Grade = "owner"
    """Change the room's name, description and settings."""


def grade(public: "Snapshot", person: "Person") -> Grade:
    """Somebody's standing here; who has no row is a listener, or a guest."""
    member = public.members.get(person.user_id)
    if member is not None and member.role != "listener":
        return member.role
    return "guest" if person.kind == "guest" else "listener"


def may(public: "Snapshot", person: "Person", action: Action) -> bool:
    """Whether the room's table lets a person do it."""
    takes: Grade = getattr(public.room.settings.permissions, action)
    return takes == GRADES[0] or RANK[grade(public, person)] >= RANK[takes]
