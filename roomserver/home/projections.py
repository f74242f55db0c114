"""What people query about rooms, as rows: chat, members, plays; written with the events."""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from protocol.chat import ChatSent
from protocol.ids import EntryId, MessageId, TrackId, UserId
from protocol.members import MemberAdded, MemberRemoved
from protocol.playback import PlaybackEnded, PlaybackStarted
from protocol.queue import Entry

Current = tuple[Entry | None, Entry | None]
"""The entry that was current before a command and the one that is after it."""


class ChatRow(Struct, frozen=True):
    """A row of `chat_messages`."""

    message_id: MessageId
    seq: int
    user_id: UserId
    display_name: str
    content: str
    reply_to: MessageId | None
    entry_id: EntryId | None
    position_ms: float | None
    sent_at_ms: int


class MemberRow(Struct, frozen=True):
    """A row of `room_members`; with `left_at_ms`, role and joining are not known."""

    user_id: UserId
    role: str
    joined_at_ms: int
    left_at_ms: int | None


class PlayRow(Struct, frozen=True):
    """A row of `plays` that began in this batch."""

    play_id: EntryId
    track_id: TrackId
    added_by: UserId
    started_at_ms: int
    ended_at_ms: int | None = None
    heard_ms: int | None = None


class EndRow(Struct, frozen=True):
    """The end of a play that began in an earlier batch."""

    play_id: EntryId
    ended_at_ms: int
    heard_ms: int


class Projections:
    """Rows of one batch; one row a key, since one statement cannot touch a row twice."""

    __slots__ = ("chat", "ends", "members", "plays")

    def __init__(self) -> None:
        self.chat: list[ChatRow] = []
        self.members: dict[UserId, MemberRow] = {}
        self.plays: dict[EntryId, PlayRow] = {}
        self.ends: dict[EntryId, EndRow] = {}

    def add(self, seq: int, event: Any, current: Current) -> None:
        """Take the rows that an event means."""
        project = PROJECT.get(type(event))
        if project is not None:
            project(self, seq, event, current)


def project_chat_sent(rows: Projections, seq: int, event: ChatSent, current: Current) -> None:
    """A message."""
    rows.chat.append(
        ChatRow(
            event.message_id,
            seq,
            event.by.user_id,
            event.by.display_name,
            event.content,
            event.reply_to,
            event.entry_id,
            event.position_ms,
            event.at_ms,
        )
    )


def project_member_added(rows: Projections, seq: int, event: MemberAdded, current: Current) -> None:
    """A place."""
    member = event.member
    joined_at_ms = event.at_ms if member.joined_at_ms is None else member.joined_at_ms
    rows.members[member.person.user_id] = MemberRow(
        member.person.user_id, member.role, joined_at_ms, None
    )


def project_member_removed(
    rows: Projections, seq: int, event: MemberRemoved, current: Current
) -> None:
    """A place given up."""
    added = rows.members.get(event.user_id)
    joined_at_ms = event.at_ms if added is None else added.joined_at_ms
    rows.members[event.user_id] = MemberRow(
        event.user_id, "listener" if added is None else added.role, joined_at_ms, event.at_ms
    )


def project_started(rows: Projections, seq: int, event: PlaybackStarted, current: Current) -> None:
    """A play begins; a start after a pause or a seek leaves the row as it is."""
    entry = next((e for e in current if e is not None and e.entry_id == event.entry_id), None)
    if entry is not None and event.entry_id not in rows.plays:
        rows.plays[event.entry_id] = PlayRow(
            event.entry_id,
            entry.track.track_id,
            entry.added_by.user_id,
            round(event.started_at_ms),
        )


def project_ended(rows: Projections, seq: int, event: PlaybackEnded, current: Current) -> None:
    """A play ends."""
    ended_at_ms, heard_ms = round(event.ended_at_ms), round(event.heard_ms)
    begun = rows.plays.get(event.entry_id)
    if begun is not None:
        rows.plays[event.entry_id] = replace(begun, ended_at_ms=ended_at_ms, heard_ms=heard_ms)
    else:
        rows.ends[event.entry_id] = EndRow(event.entry_id, ended_at_ms, heard_ms)


PROJECT: Final[dict[type, Callable[[Projections, int, Any, Current], None]]] = {
    ChatSent: project_chat_sent,
    MemberAdded: project_member_added,
    MemberRemoved: project_member_removed,
    PlaybackStarted: project_started,
    PlaybackEnded: project_ended,
}
