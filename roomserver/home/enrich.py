"""What the letters of one turn need from the database: at most one query a kind."""

from typing import Final, NamedTuple

from msgspec import Struct

from protocol.cluster import Arrive, Depart, Party, Submit
from protocol.ids import TrackId, cmd_id
from protocol.queue import QueueAdd
from protocol.tracks import Track
from roomserver.home.acquire import EVENTS_BETWEEN
from roomserver.home.here import Here
from roomserver.home.recent import Done, Key
from sql import queries
from sql.pool import Database


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


class FoundRow(NamedTuple):
    """What is known of a command, and the highest number that its client used."""

    user_id: str
    cmd_id: str
    first_seq: int | None
    last_seq: int | None
    highest: int


TRACKS: Final = queries.many("enrich.tracks", TrackRow)
FIND_COMMANDS: Final = queries.many("room_log.find_commands", FoundRow)


class Rows(Struct):
    """What was looked up."""

    tracks: dict[TrackId, Track] = {}
    done: dict[Key, Done] = {}
    older: list[bytes] = []
    """Events before the ring, encoded; the first has seq `older_from`."""
    older_from: int = 0


def key_of(submit: Submit) -> Key:
    """The name of a command."""
    return submit.person.user_id, cmd_id(submit.client_id, submit.id)


def wanted_tracks(letters: list[Letter]) -> list[TrackId]:
    """The tracks that the letters name."""
    commands = (x.message.command for x in letters if isinstance(x.message, Submit))
    return list({c.track_id for c in commands if isinstance(c, QueueAdd)})


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


def needs_rows(here: Here, letters: list[Letter], most_events: int) -> bool:
    """Whether anything must be looked up."""
    return bool(
        wanted_tracks(letters)
        or doubtful(here, letters)
        or oldest_gap(here, letters, most_events) is not None
    )


async def look_up(database: Database, here: Here, letters: list[Letter], most_events: int) -> Rows:
    """Ask the database. Raises `sql.faults.FAULTS`."""
    rows = Rows()
    if track_ids := wanted_tracks(letters):
        found = await TRACKS(database, track_ids=track_ids, room_id=here.room_id)
        rows.tracks = {row.track_id: Track(**row._asdict()) for row in found}
    if keys := doubtful(here, letters):
        for row in await find(database, here, keys):
            key = (row.user_id, row.cmd_id)
            here.recent.learn(key, row.highest)
            if row.first_seq is not None and row.last_seq is not None:
                rows.done[key] = Done(row.first_seq, row.last_seq)
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
