"""What the letters of one turn need from the database: at most one query a kind."""

import heapq
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from protocol.catalog import RoomCommand
from protocol.chat import (
    ChatDelete,
    ChatDeleted,
    ChatEdit,
    ChatEdited,
    ChatMessage,
    ChatSend,
    reworded,
)
from protocol.cluster import Arrive, Depart, Party, Submit
from protocol.ids import MessageId, TrackId, UserId, cmd_id
from protocol.members import MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnmute
from protocol.owner import OwnerSucceed, OwnerTransfer
from protocol.queue import QueueAdd, QueueUndo
from protocol.rooms import RoomRelock
from protocol.tracks import Track
from protocol.users import Person, UserKind
from roomserver.home.acquire import EVENTS_BETWEEN
from roomserver.home.here import Here
from roomserver.home.recent import Done, Key
from roomserver.home.tracks import gone_of, undoable
from roomserver.room.state import Step
from sql import queries
from sql.pool import Database

NAMING: Final = (MemberSetRole, MemberKick, MemberMute, MemberUnmute, MemberBan, OwnerTransfer)
"""Commands that name somebody."""
ASKING: Final = frozenset({QueueAdd, OwnerSucceed, QueueUndo, RoomRelock, *NAMING})
"""Commands for which something may have to be looked up; besides those that are about a message."""
HEIRS: Final = 100
"""So many members are looked at for one who can own the room."""


class Letter(NamedTuple):
    """A message that waits for its turn, and whoever sent it."""

    sender: Party
    message: Arrive | Submit | Depart


class TrackRow(NamedTuple):
    """What `queue.add` needs to know of a track."""

    track_id: str
    title: str
    artist: str
    duration_ms: int
    duration_samples: int
    has_cover: bool


class PersonRow(NamedTuple):
    """An account, as others see it."""

    user_id: str
    display_name: str
    kind: UserKind


class MessageRow(NamedTuple):
    """What a rule needs to know of an old message; `mentions` is JSON."""

    message_id: str
    user_id: str
    display_name: str
    kind: UserKind
    content: str
    mentions: str
    sent_at_ms: int
    is_deleted: bool


class FoundRow(NamedTuple):
    """What is known of a command, and the highest number that its client used."""

    user_id: str
    cmd_id: str
    first_seq: int | None
    last_seq: int | None
    highest: int


TRACKS: Final = queries.many("enrich.tracks", TrackRow)
PEOPLE: Final = queries.many("enrich.people", PersonRow)
MESSAGES: Final = queries.many("enrich.messages", MessageRow)
IS_LOCKED: Final = queries.scalar("enrich.is_locked", bool)
FIND_COMMANDS: Final = queries.many("room_log.find_commands", FoundRow)


class Rows(Struct):
    """What was looked up."""

    tracks: dict[TrackId, Track] = {}
    people: dict[UserId, Person] = {}
    """Those of other rooms, and those who were here when the look-up began."""
    messages: dict[MessageId, ChatMessage] = {}
    done: dict[Key, Done] = {}
    older: list[bytes] = []
    """Events before the ring, encoded; the first has seq `older_from`."""
    older_from: int = 0
    gone: set[TrackId] = set()
    """Deleted tracks that may be about to come back."""
    is_locked: bool = False
    """Whether the room has a password, if a letter says that this may be another now."""

    def follow(self, steps: list[Step]) -> None:
        """What a turn decides of a looked-up message holds for the rest of the turn: what was
        deleted is not edited after that."""
        for event in (step.event for step in steps):
            if not isinstance(event, ChatEdited | ChatDeleted):
                continue
            if (message := self.messages.get(event.message_id)) is not None:
                self.messages[event.message_id] = reworded(message, event)


def key_of(submit: Submit) -> Key:
    """The name of a command."""
    return submit.person.user_id, cmd_id(submit.client_id, submit.id)


def is_orphaned(command: RoomCommand) -> bool:
    """Whether the room looks for an owner, and any member may be the one."""
    return isinstance(command, OwnerSucceed) and command.reason == "account_deleted"


def message_of(command: RoomCommand) -> MessageId | None:
    """The message that a command is about, where it need not be one of the last."""
    if isinstance(command, ChatSend):
        return command.reply_to
    return command.message_id if isinstance(command, ChatEdit | ChatDelete) else None


def heirs(here: Here) -> list[UserId]:
    """Who may follow an owner whose account is gone: members, the longest-serving first."""
    public, since = here.public, here.loaded.room.private.members
    others = ((at_ms, user_id) for user_id, at_ms in since.items())
    line = heapq.nsmallest(HEIRS + 1, others)
    return [user_id for _, user_id in line if user_id != public.room.owner_id][:HEIRS]


def known_person(here: Here, user_id: UserId) -> Person | None:
    """Somebody of whom the room knows: who is here, or stands out."""
    person = here.presence.person(user_id)
    if person is None and (member := here.public.members.get(user_id)) is not None:
        person = member.person
    return person


def wanted_tracks(letters: list[Letter]) -> list[TrackId]:
    """The tracks that the letters name."""
    return list({c.track_id for c in _commands(letters) if isinstance(c, QueueAdd)})


def wanted_people(here: Here, letters: list[Letter]) -> list[UserId]:
    """The people whom the letters name and of whom the room does not know."""
    named = {c.user_id for c in _commands(letters) if isinstance(c, NAMING)}
    if any(is_orphaned(command) for command in _commands(letters)):
        named.update(heirs(here))
    return [user_id for user_id in named if known_person(here, user_id) is None]


def wanted_messages(here: Here, letters: list[Letter]) -> list[MessageId]:
    """The messages that the letters name, but for those that the room will remember then."""
    named = {m for command in _commands(letters) if (m := message_of(command)) is not None}
    if named:
        # What the letters say pushes the oldest out.
        said = sum(isinstance(command, ChatSend) for command in _commands(letters))
        named -= {message.message_id for message in here.public.chat[said:]}
    return list(named)


def doubtful(here: Here, letters: list[Letter]) -> list[Key]:
    """Commands that may have been carried out before: the memory cannot tell."""
    keys = (key_of(x.message) for x in letters if isinstance(x.message, Submit))
    recent = here.recent
    return [key for key in keys if recent.find(key) is None and not recent.is_new(key)]


def oldest_gap(here: Here, letters: list[Letter], most_events: int) -> int | None:
    """The lowest seq that somebody who comes back has, of those behind the ring."""
    ring = here.shown.ring
    seqs = [
        x.message.have.seq
        for x in letters
        if isinstance(x.message, Arrive)
        and x.message.have is not None
        and x.message.have.lineage == here.shown.lineage
        and ring.seq - most_events <= x.message.have.seq < ring.first_seq - 1
    ]
    return min(seqs, default=None)


def may_bring_back(here: Here, letters: list[Letter]) -> bool:
    """Whether somebody undoes what took entries out: their tracks may have been deleted since."""
    return bool(undoable(here)) and any(isinstance(c, QueueUndo) for c in _commands(letters))


def is_relocked(letters: list[Letter]) -> bool:
    """Whether the password may be another now."""
    return any(isinstance(command, RoomRelock) for command in _commands(letters))


def needs_rows(here: Here, letters: list[Letter], most_events: int) -> bool:
    """Whether anything must be looked up."""
    # Asked for every turn, and most of what people do needs nothing.
    asks = any(type(c) in ASKING or message_of(c) is not None for c in _commands(letters))
    return bool(
        doubtful(here, letters)
        or oldest_gap(here, letters, most_events) is not None
        or (
            asks
            and (
                wanted_tracks(letters)
                or wanted_people(here, letters)
                or wanted_messages(here, letters)
                or may_bring_back(here, letters)
                or is_relocked(letters)
            )
        )
    )


async def look_up(database: Database, here: Here, letters: list[Letter], most_events: int) -> Rows:
    """Ask the database. Raises `sql.faults.FAULTS`."""
    rows = Rows()
    # Who is here now may be gone when the answers have come.
    for command in _commands(letters):
        names = (command.user_id,) if isinstance(command, NAMING) else ()
        for user_id in heirs(here) if is_orphaned(command) else names:
            if (known := known_person(here, user_id)) is not None:
                rows.people[user_id] = known
    if user_ids := wanted_people(here, letters):
        for person in await PEOPLE(database, user_ids=user_ids):
            rows.people[person.user_id] = Person(**person._asdict())
    if message_ids := wanted_messages(here, letters):
        for row in await MESSAGES(database, room_id=here.room_id, message_ids=message_ids):
            rows.messages[row.message_id] = _message(row)
    if track_ids := wanted_tracks(letters):
        found = await TRACKS(database, track_ids=track_ids, room_id=here.room_id)
        rows.tracks = {track.track_id: Track(**track._asdict()) for track in found}
    if keys := doubtful(here, letters):
        for command_row in await find(database, here, keys):
            key = (command_row.user_id, command_row.cmd_id)
            here.recent.learn(key, command_row.highest)
            if command_row.first_seq is not None and command_row.last_seq is not None:
                rows.done[key] = Done(command_row.first_seq, command_row.last_seq)
    if may_bring_back(here, letters):
        rows.gone = await gone_of(database, here)
    if is_relocked(letters):
        rows.is_locked = bool(await IS_LOCKED(database, room_id=here.room_id))
    seq = oldest_gap(here, letters, most_events)
    if seq is not None:
        events = await EVENTS_BETWEEN(
            database, room_id=here.room_id, after_seq=seq, to_seq=here.shown.ring.seq
        )
        rows.older = [event.public.encode() for event in events]
        rows.older_from = seq + 1
    return rows


async def find(database: Database, here: Here, keys: list[Key]) -> list[FoundRow]:
    """What the log knows of commands. Raises `sql.faults.FAULTS`."""
    return await FIND_COMMANDS(
        database,
        room_id=here.room_id,
        user_ids=[user_id for user_id, _ in keys],
        cmd_ids=[name for _, name in keys],
    )


def _commands(letters: list[Letter]) -> Iterator[RoomCommand]:
    return (x.message.command for x in letters if isinstance(x.message, Submit))


def _message(row: MessageRow) -> ChatMessage:
    return ChatMessage(
        message_id=row.message_id,
        by=Person(user_id=row.user_id, display_name=row.display_name, kind=row.kind),
        content=row.content,
        mentions=msgspec.json.decode(row.mentions, type=list[str]),
        at_ms=row.sent_at_ms,
        deleted=row.is_deleted,
    )
