"""What the private half remembers of the queue: the last change, the voters, copies and turns.

All of it is learnt from the public events and the few facts beside them, before the public half
takes the event.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from protocol.base import Event
from protocol.ids import EntryId, UserId
from protocol.playback import (
    SAMPLES_PER_MS,
    PlaybackEnded,
    PlaybackPaused,
    PlaybackSeeked,
    PlaybackStarted,
    PlaybackWaiting,
)
from protocol.queue import (
    Entry,
    QueueAdded,
    QueueCleared,
    QueueMoved,
    QueueOrdered,
    QueueRemoved,
    QueueRestored,
    place,
)
from protocol.rooms import QueueMode, RoomClosed, RoomSuspended, RoomUpdated
from protocol.snapshot import Snapshot
from protocol.votes import VotesChanged
from roomserver.room.fairness import Turns, begin

if TYPE_CHECKING:
    from roomserver.room.private import Private

RULED: Final[frozenset[QueueMode]] = frozenset({"votes", "fair"})
"""Modes in which the room finds the place of an entry."""


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last change that a person made to the queue, and what it takes to undo it."""

    by: UserId
    kind: Literal["add", "remove", "move", "shuffle"]
    """To clear is to remove many."""
    entry_id: EntryId = ""
    """What was added or moved."""
    after: EntryId | None = None
    """Behind what the moved entry, or those that were taken out, stood."""
    entries: list[Entry] = []
    """What was taken out, in its order."""
    since: dict[EntryId, int] = {}
    voters: dict[EntryId, list[UserId]] = {}
    tags: dict[EntryId, int] = {}
    order: list[EntryId] = []
    """What was shuffled, as it stood before."""


class QueueMemory(Struct, kw_only=True):
    """The private half of the queue."""

    change: Change | None = None
    since: dict[EntryId, int] = {}
    """The seq that added each waiting entry: a clock cannot tell two of a batch apart."""
    voters: dict[EntryId, list[UserId]] = {}
    """Who votes for the entries that wait; the public half tells how many."""
    skippers: list[UserId] = []
    """Who votes for skipping the current entry."""
    loop: list[EntryId] = []
    """Copies of the current entry at the head of the queue (repeat `one`)."""
    turns: Turns = field(default_factory=Turns)
    """Kept up only in the mode `fair`."""
    loose: bool = False
    """The order may not be that of the mode: something has changed on which it depends. Never
    False while it is not, so that most commands need not look."""

    def rank(self, entry: Entry) -> tuple[int, int]:
        """What the mode `votes` orders by: most votes first, then the older."""
        return -entry.votes, self.since.get(entry.entry_id, 0)

    def is_in_order(self, mode: QueueMode, queue: list[Entry]) -> bool:
        """Whether entries stand as the mode would have them; copies of a loop always do."""
        if mode not in RULED:
            return True
        key: Callable[[Entry], Any] = self.turns.tag if mode == "fair" else self.rank
        return all(one <= two for one, two in pairwise(map(key, queue[len(self.loop) :])))


class Voted(Struct, frozen=True, kw_only=True, tag_field="type", tag="voted"):
    """Whose vote it was that changed the number."""

    user_id: UserId
    on: bool


class Undone(Struct, frozen=True, kw_only=True, tag_field="type", tag="undone"):
    """The event takes back the last change, and is none that could be taken back."""


QueueFact = Voted | Undone


def learn_queue(private: "Private", public: Snapshot, event: Event, fact: Struct | None) -> None:
    """Fold one row into the memory; `public` is the room before the event."""
    if isinstance(fact, Voted) and isinstance(event, VotesChanged):
        _learn_vote(private.queue, public, event, fact)
        return
    learn = LEARN_QUEUE.get(type(event))
    if learn is not None:
        learn(private, public, event)
        if isinstance(fact, Undone):
            private.queue.change = None


def _learn_vote(memory: QueueMemory, public: Snapshot, event: VotesChanged, fact: Voted) -> None:
    if event.needed is None:
        voters = memory.voters.setdefault(event.entry_id, [])
        index = place(public.queue, event.entry_id)
        if index is not None and public.room.settings.queue_mode == "votes":
            around = public.queue[max(0, index - 1) : index + 2]
            around[min(1, index)] = replace(public.queue[index], votes=event.votes)
            ranks = [memory.rank(entry) for entry in around]
            memory.loose = memory.loose or ranks != sorted(ranks)
    else:
        voters = memory.skippers
    if fact.on:
        voters.append(fact.user_id)
    elif fact.user_id in voters:
        voters.remove(fact.user_id)
    if not voters:
        memory.voters.pop(event.entry_id, None)


def learn_added(private: "Private", public: Snapshot, event: QueueAdded) -> None:
    """Somebody's wish, or the room's own copy."""
    memory, entry = private.queue, event.entry
    settings = public.room.settings
    memory.since[entry.entry_id] = public.seq + 1
    if entry.again and settings.repeat == "one":
        memory.loop.append(entry.entry_id)
        return
    if not entry.again:
        memory.change = Change(by=entry.added_by.user_id, kind="add", entry_id=entry.entry_id)
    if settings.queue_mode == "fair":
        # A copy was put at the end, whatever its tag is: the room moves it.
        floor = 0 if entry.again or event.after is None else memory.turns.tags.get(event.after, 0)
        memory.turns.add(entry, floor)
        memory.loose = memory.loose or entry.again


def learn_removed(private: "Private", public: Snapshot, event: QueueRemoved) -> None:
    """Taken out by a person, or by the room, which leaves a loop."""
    memory, index = private.queue, place(public.queue, event.entry_id)
    if event.entry_id in memory.loop:
        memory.loop.remove(event.entry_id)
        memory.since.pop(event.entry_id, None)
        memory.voters.pop(event.entry_id, None)
    elif index is not None:
        gone, before = [public.queue[index]], memory.change
        _take_out(memory, public.queue, gone, event.by.user_id)
        if event.reason == "track_gone":
            # Nobody's wish, and nobody can take it back.
            memory.change = before


def learn_cleared(private: "Private", public: Snapshot, event: QueueCleared) -> None:
    """Many at once."""
    kept = set(event.kept)
    gone = [entry for entry in public.queue if entry.entry_id not in kept]
    if gone:
        _take_out(private.queue, public.queue, gone, event.by.user_id)
    private.queue.loop = [entry_id for entry_id in private.queue.loop if entry_id in kept]


def _take_out(memory: QueueMemory, queue: list[Entry], gone: list[Entry], by: UserId) -> None:
    names = dict.fromkeys(entry.entry_id for entry in gone)
    before = place(queue, gone[0].entry_id)
    memory.change = Change(
        by=by,
        kind="remove",
        after=queue[before - 1].entry_id if before else None,
        entries=gone,
        since={name: memory.since[name] for name in names if name in memory.since},
        voters={name: memory.voters[name] for name in names if name in memory.voters},
        tags={name: memory.turns.tags[name] for name in names if name in memory.turns.tags},
    )
    for name in names:
        memory.since.pop(name, None)
        memory.voters.pop(name, None)
    if memory.turns.remove(gone, queue):
        left = [entry for entry in queue if entry.entry_id not in names]
        memory.loose = not memory.is_in_order("fair", left)


def learn_restored(private: "Private", public: Snapshot, event: QueueRestored) -> None:
    """Back with their age and their votes, and to their turns."""
    memory = private.queue
    tags: dict[EntryId, int] = {}
    if memory.change is not None:
        memory.since.update(memory.change.since)
        memory.voters.update(memory.change.voters)
        tags = memory.change.tags
    if public.room.settings.queue_mode == "fair":
        memory.turns.restore(event.entries, tags, public.queue)
    memory.loose = True


def learn_moved(private: "Private", public: Snapshot, event: QueueMoved) -> None:
    """By a person; or by the room, which has put the order right."""
    memory, index = private.queue, place(public.queue, event.entry_id)
    if event.by is None:
        memory.loose = False
    elif index is not None:
        after = public.queue[index - 1].entry_id if index else None
        memory.change = Change(
            by=event.by.user_id, kind="move", entry_id=event.entry_id, after=after
        )


def learn_ordered(private: "Private", public: Snapshot, event: QueueOrdered) -> None:
    """As above."""
    memory = private.queue
    if event.by is None:
        memory.loose = False
    else:
        order = [entry.entry_id for entry in public.queue]
        memory.change = Change(by=event.by.user_id, kind="shuffle", order=order)


def learn_current(
    private: "Private", public: Snapshot, event: PlaybackStarted | PlaybackWaiting
) -> None:
    """An entry leaves the queue for the player; or goes on there."""
    memory, index = private.queue, place(public.queue, event.entry_id)
    if index is None:
        learn_anchor(private, public, event)
        return
    entry = public.queue[index]
    memory.since.pop(event.entry_id, None)
    memory.voters.pop(event.entry_id, None)
    if event.entry_id in memory.loop:
        memory.loop.remove(event.entry_id)
    memory.turns.start(entry, public.queue)
    if memory.loose or entry.entry_id in memory.turns.tags:
        mode = public.room.settings.queue_mode
        left = [*public.queue[:index], *public.queue[index + 1 :]]
        memory.loose = not memory.is_in_order(mode, left)


def learn_anchor(
    private: "Private",
    public: Snapshot,
    event: PlaybackStarted | PlaybackWaiting | PlaybackPaused | PlaybackSeeked | RoomSuspended,
) -> None:
    """The current entry will be heard for so long in all, if nothing else happens."""
    entry = public.playback.entry
    if entry is not None:
        left = entry.track.duration_samples - _samples(event.position_ms)
        _charge(private.queue, entry, _samples(private.heard_ms) + left, public.queue)


def learn_ended(private: "Private", public: Snapshot, event: PlaybackEnded) -> None:
    """So much was heard, and no more; a vote for skipping it is over."""
    memory, entry = private.queue, public.playback.entry
    memory.skippers = []
    if entry is not None:
        _charge(memory, entry, _samples(event.heard_ms), public.queue)
        memory.turns.end(entry)


def learn_updated(private: "Private", public: Snapshot, event: RoomUpdated) -> None:
    """A new mode orders what waits."""
    memory, mode = private.queue, event.room.settings.queue_mode
    if mode == public.room.settings.queue_mode:
        return
    memory.turns = Turns()
    if mode == "fair":
        playback = public.playback
        left_ms = playback.duration_ms() - playback.position_ms
        memory.turns = begin(playback.entry, _samples(private.heard_ms + left_ms), public.queue)
    memory.loose = not memory.is_in_order(mode, public.queue)


def learn_closed(private: "Private", public: Snapshot, event: RoomClosed) -> None:
    """Nothing waits any more."""
    private.queue = QueueMemory()


def _samples(length_ms: float) -> int:
    return round(length_ms * SAMPLES_PER_MS)


def _charge(memory: QueueMemory, entry: Entry, heard: int, queue: list[Entry]) -> None:
    if memory.turns.charge(entry, heard, queue):
        memory.loose = not memory.is_in_order("fair", queue)


LEARN_QUEUE: Final[dict[type[Event], Callable[["Private", Snapshot, Any], None]]] = {
    QueueAdded: learn_added,
    QueueRemoved: learn_removed,
    QueueCleared: learn_cleared,
    QueueRestored: learn_restored,
    QueueMoved: learn_moved,
    QueueOrdered: learn_ordered,
    PlaybackWaiting: learn_current,
    PlaybackStarted: learn_current,
    PlaybackPaused: learn_anchor,
    PlaybackSeeked: learn_anchor,
    PlaybackEnded: learn_ended,
    RoomSuspended: learn_anchor,
    RoomUpdated: learn_updated,
    RoomClosed: learn_closed,
}
"""What a public event means to the memory."""
