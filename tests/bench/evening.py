"""An evening to measure with: 10,000 commands of all kinds in a room with 200 members.

Made by a seed, so that every run does the same: people say and react the most, queue, vote, steer
the music a little and moderate rarely; each quarter of the evening has another mode of the queue.
"""

import random
from collections.abc import Callable
from math import ceil
from typing import Final, NamedTuple, get_args

from protocol import codec
from protocol.catalog import ClientCommand, RoomCommand
from protocol.chat import ChatDelete, ChatEdit, ChatReact, ChatSend, Emoji
from protocol.errors import Rejected
from protocol.frames import Cmd
from protocol.members import MemberAdd, MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnban, MemberUnmute
from protocol.owner import OwnerTransfer
from protocol.permissions import Permissions
from protocol.playback import (
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.queue import QueueAdd, QueueClear, QueueMove, QueueRemove, QueueShuffle, QueueUndo
from protocol.reactions import ReactionSend
from protocol.rooms import Room as RoomRow
from protocol.rooms import RoomResume, RoomSettings, RoomUpdate, SettingsChange, Wake
from protocol.snapshot import new_room
from protocol.tracks import Track
from protocol.users import Person
from protocol.votes import VotesCast, VotesRetract, VotesSkip
from roomserver.home.context import COUNTING, RECOUNTING
from roomserver.room.context import SYSTEM, Context
from roomserver.room.room import Room

MEMBERS: Final = 200
COMMANDS: Final = 10_000
EVERY_MS: Final = 1_440
"""Four hours in all."""
NOON_MS: Final = 1_790_000_000_000
MODES: Final = ("open", "votes", "fair", "djs")
EVENING: Final = RoomSettings(permissions=Permissions(skip="dj", control="dj"))
"""In so large a room not everybody skips and pauses: people vote."""
QUEUED: Final = 60
"""So many entries wait on the average."""


class Told(NamedTuple):
    """One thing that the room was told."""

    command: RoomCommand
    context: Context
    frame: bytes | None
    """As the client sent it; None: the home's own command."""


def name(number: int) -> str:
    """A UUID."""
    return f"00000000-0000-4000-8000-{number:012x}"


def person(number: int) -> Person:
    """Each fourth is a guest."""
    kind = "guest" if number % 4 == 3 else "person"
    return Person(user_id=name(number), display_name=f"Person {number}", kind=kind)  # type: ignore[arg-type]


def track(number: int) -> Track:
    """Three to five minutes."""
    samples = 48_000 * 180 + (number * 7_919_993) % (48_000 * 120)
    return Track(
        track_id=name(0x7000_0000 + number),
        title=f"A track of the usual length, number {number}",
        artist="Somebody",
        duration_ms=round(samples / 48),
        duration_samples=samples,
    )


def room_of(members: int, settings: RoomSettings) -> Room:
    """A room with people in it, awake, with nothing queued."""
    people = [person(number) for number in range(members)]
    row = RoomRow(
        room_id=name(0x9000_0000), name="Bench", owner_id=people[0].user_id, settings=settings
    )
    room = Room(new_room(row, name(0x9000_0001), people[0], NOON_MS))
    context = Context(SYSTEM, NOON_MS, present=members)
    for one in people[1:]:
        room.apply(MemberAdd(person=one), context)
    if room.public.suspended:
        room.apply(RoomResume(), context)
    return room


class Evening:
    """Thinks of one command after the other, as people would."""

    def __init__(self, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        self.people = [person(number) for number in range(MEMBERS)]
        self.room = room_of(MEMBERS, EVENING)
        self.now_ms = NOON_MS
        self.tracks = 0
        self.told: list[Told] = []
        self.here = frozenset(one.user_id for one in self.people)
        likely = [(weight, think) for think, weight in THINK.items()]
        self.weights, self.thoughts = zip(*likely, strict=True)

    def play(self) -> list[Told]:
        """The whole evening."""
        for number in range(COMMANDS):
            self.now_ms += EVERY_MS
            while (due_ms := self.room.next_wake()) is not None and due_ms <= self.now_ms:
                self._tell(Wake(), SYSTEM, ceil(due_ms), None)
            quarter, first = divmod(number, COMMANDS // len(MODES))
            if first == 0:
                change = SettingsChange(queue_mode=MODES[quarter])
                self._do(RoomUpdate(settings=change), self.people[0])
            (think,) = self.chance.choices(self.thoughts, self.weights)
            command, actor = think(self)
            self._do(command, actor or self.chance.choice(self.people))
        return self.told

    def _do(self, command: ClientCommand, actor: Person) -> None:
        frame = Cmd(id=len(self.told) + 1, room=self.room.public.room.room_id, cmd=command)
        self._tell(command, actor, self.now_ms, codec.encode(frame))

    def _tell(self, command: RoomCommand, actor: Person, now_ms: int, frame: bytes | None) -> None:
        named = getattr(command, "user_id", None)
        is_counted = isinstance(command, COUNTING) or (
            self.room.public.playback.skip is not None and isinstance(command, RECOUNTING)
        )
        context = Context(
            actor,
            now_ms,
            present=MEMBERS,
            track=track(self.tracks) if isinstance(command, QueueAdd) else None,
            seed=len(self.told),
            here=self.here if is_counted else frozenset(),
            target=next((one for one in self.people if one.user_id == named), None),
        )
        self.told.append(Told(command, context, frame))
        try:
            self.room.apply(command, context)
        except Rejected:
            return

    # -- what people think of ------------------------------------------------------------------

    def say(self) -> tuple[ClientCommand, Person | None]:
        said = self.room.public.chat
        answers = bool(said) and self.chance.random() < 0.2
        text = "la " * self.chance.randrange(1, 40)
        return ChatSend(content=text, reply_to=said[-1].message_id if answers else None), None

    def react_to_a_message(self) -> tuple[ClientCommand, Person | None]:
        on = self.chance.random() < 0.8
        return ChatReact(message_id=self._message(), emoji=self._emoji(), on=on), None

    def react_to_the_music(self) -> tuple[ClientCommand, Person | None]:
        return ReactionSend(emoji=self._emoji()), None

    def edit(self) -> tuple[ClientCommand, Person | None]:
        said = self.room.public.chat
        author = said[-1].by if said else None
        message_id = said[-1].message_id if said else name(1)
        return ChatEdit(message_id=message_id, content=f"la, {len(self.told)}"), author

    def delete(self) -> tuple[ClientCommand, Person | None]:
        return ChatDelete(message_id=self._message()), self.people[0]

    def add(self) -> tuple[ClientCommand, Person | None]:
        self.tracks += 1
        if len(self.room.public.queue) > QUEUED:
            return QueueRemove(entry_id=self._entry()), self.people[0]
        return QueueAdd(track_id=name(0x7000_0000 + self.tracks)), None

    def move(self) -> tuple[ClientCommand, Person | None]:
        return QueueMove(entry_id=self._entry(), after=self._entry()), self.people[0]

    def remove(self) -> tuple[ClientCommand, Person | None]:
        return QueueRemove(entry_id=self._entry()), None

    def arrange(self) -> tuple[ClientCommand, Person | None]:
        chance = self.chance.random()
        return QueueClear() if chance < 0.02 else QueueShuffle(), self.people[0]

    def undo(self) -> tuple[ClientCommand, Person | None]:
        return QueueUndo(), self.people[0]

    def vote(self) -> tuple[ClientCommand, Person | None]:
        entry_id = self._entry()
        if self.chance.random() < 0.2:
            return VotesRetract(entry_id=entry_id), None
        return VotesCast(entry_id=entry_id), None

    def vote_to_skip(self) -> tuple[ClientCommand, Person | None]:
        return VotesSkip(entry_id=self._current()), None

    def steer(self) -> tuple[ClientCommand, Person | None]:
        current = self._current()
        position_ms = float(self.chance.randrange(180_000))
        commands: tuple[ClientCommand, ...] = (
            PlaybackPause(entry_id=current),
            PlaybackPlay(),
            PlaybackPlay(entry_id=current),
            PlaybackSeek(entry_id=current, position_ms=position_ms),
            PlaybackNext(entry_id=current),
            PlaybackPlayEntry(entry_id=self._entry()),
        )
        return self.chance.choice(commands), None

    def moderate(self) -> tuple[ClientCommand, Person | None]:
        whom = self.chance.choice(self.people[1:]).user_id
        commands: tuple[ClientCommand, ...] = (
            MemberMute(user_id=whom, duration_ms=60_000, reason="loud"),
            MemberUnmute(user_id=whom),
            MemberKick(user_id=whom),
            MemberBan(user_id=whom, duration_ms=600_000),
            MemberUnban(user_id=whom),
            MemberSetRole(user_id=whom, role="dj"),
            MemberSetRole(user_id=whom, role="listener"),
        )
        return self.chance.choice(commands), self.people[0]

    def tune(self) -> tuple[ClientCommand, Person | None]:
        if self.chance.random() < 0.2:
            return OwnerTransfer(user_id=self.people[0].user_id), self.people[0]
        change = SettingsChange(skip_share=self.chance.choice((0.3, 0.5)))
        return RoomUpdate(settings=change), self.people[0]

    def _message(self) -> str:
        said = self.room.public.chat
        return self.chance.choice(said).message_id if said else name(1)

    def _entry(self) -> str:
        queue = self.room.public.queue
        return self.chance.choice(queue).entry_id if queue else name(1)

    def _current(self) -> str:
        entry = self.room.public.playback.entry
        return entry.entry_id if entry else name(1)

    def _emoji(self) -> Emoji:
        return self.chance.choice(get_args(Emoji))


Thought = Callable[[Evening], tuple[ClientCommand, Person | None]]
THINK: Final[dict[Thought, int]] = {
    Evening.say: 300,
    Evening.react_to_the_music: 200,
    Evening.react_to_a_message: 150,
    Evening.vote: 120,
    Evening.add: 90,
    Evening.vote_to_skip: 25,
    Evening.steer: 25,
    Evening.edit: 20,
    Evening.move: 20,
    Evening.remove: 20,
    Evening.delete: 8,
    Evening.undo: 8,
    Evening.moderate: 8,
    Evening.arrange: 4,
    Evening.tune: 2,
}
"""How often each comes, in a thousand."""
