"""The whole public state of a room at one seq. It *is* the room's state: there is no other."""

from protocol.base import Count, State
from protocol.chat import ChatMessage
from protocol.ids import Lineage, UserId
from protocol.members import Member
from protocol.moderation import Ban
from protocol.playback import Playback
from protocol.queue import Entry
from protocol.rooms import Room, RoomSettings, RoomSummary
from protocol.slash import SlashBot
from protocol.users import Person


class Snapshot(State, kw_only=True):
    """Everything a newcomer needs; the same bytes for every member at a seq."""

    room: Room
    lineage: Lineage
    seq: Count = 0
    """The last event that is folded in."""
    suspended: bool = False
    members: dict[UserId, Member] = {}
    """Members with a role above listener, or with a mute. Other members are listed over REST; who
    is present comes as presence."""
    bans: dict[UserId, Ban] = {}
    queue: list[Entry] = []
    playback: Playback
    chat: list[ChatMessage] = []
    slash: dict[UserId, SlashBot] = {}
    """What the bots of the room can be asked for in its chat."""


def new_room(room: Room, lineage: str, owner: Person, now_ms: int) -> Snapshot:
    """The snapshot at seq 0 of a room that was just made; suspended until somebody comes."""
    return Snapshot(
        room=room,
        lineage=lineage,
        suspended=not room.settings.always_on,
        members={owner.user_id: Member(person=owner, role="owner", joined_at_ms=now_ms)},
        playback=Playback(),
    )


class RoomDetails(RoomSummary, frozen=True, kw_only=True):
    """A room as REST tells it: the list's row and the live state at one seq."""

    settings: RoomSettings
    suspended: bool
    lineage: Lineage
    seq: Count
    you: Member | None
    """The caller's durable place; None for who has none."""
    members: list[Member]
    """The first hundred; all of them: `/members`."""
    member_count: Count
    queue_length: Count
    playback: Playback
