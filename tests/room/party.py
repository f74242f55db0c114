"""A room in full swing, and one example of everything that can be done in it.

Somebody of every grade is there twice, to act and to be acted on; an entry plays, and everybody who
acts has one waiting and has said something.
"""

from collections.abc import Callable
from typing import Final

from protocol.catalog import RoomCommand
from protocol.chat import ChatDelete, ChatEdit, ChatReact, ChatSend, ChatSent
from protocol.errors import ErrorCode, Rejected
from protocol.members import MemberAdd, MemberRemove, MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnban, MemberUnmute
from protocol.owner import OwnerSucceed, OwnerTransfer
from protocol.permissions import Grade
from protocol.playback import (
    LoadingDone,
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.queue import QueueAdd, QueueClear, QueueMove, QueueRemove, QueueShuffle, QueueUndo
from protocol.reactions import ReactionsCount, ReactionSend
from protocol.rooms import (
    RoomClose,
    RoomRelock,
    RoomResume,
    RoomSettings,
    RoomSuspend,
    RoomUpdate,
    Wake,
)
from protocol.slash import SlashOffer, SlashRegister
from protocol.tracks import TrackGone
from protocol.users import Person
from protocol.votes import VotesCast, VotesCount, VotesRetract, VotesSkip
from tests.room.people import ANN, BOB, DAN, EVE, minutes, uid
from tests.room.refusals import check_promised
from tests.room.scenario import Scenario

MEG: Final = Person(user_id=uid(0x3E), display_name="Meg")
ACTORS: Final[dict[Grade, Person]] = {
    "guest": BOB,
    "listener": EVE,
    "dj": DAN,
    "moderator": MEG,
    "owner": ANN,
}
"""Who does it."""
TARGETS: Final[dict[Grade, Person]] = {
    "guest": Person(user_id=uid(0x1B), display_name="Gus", kind="guest"),
    "listener": Person(user_id=uid(0x1E), display_name="Liv"),
    "dj": Person(user_id=uid(0x1D), display_name="Deb"),
    "moderator": Person(user_id=uid(0x1A), display_name="Mo"),
    "owner": ANN,
}
"""To whom it is done: somebody of the grade, but not the one who does it; except the owner."""
SKIP: Final = SlashOffer(name="skip", description="Vote for the next track")
NOBODY: Final = uid(0xF0F0)
"""No person, entry or message is called so."""


class Party:
    """The scene, and the names of what is in it."""

    def __init__(self, settings: RoomSettings | None = None) -> None:
        self.scene = scene = Scenario(settings)
        for person in (*ACTORS.values(), *TARGETS.values()):
            scene.lookups.accounts[person.user_id] = person
            scene.here.add(person)
        for people in (ACTORS, TARGETS):
            scene.do(ANN, MemberSetRole(user_id=people["dj"].user_id, role="dj"))
            scene.do(ANN, MemberSetRole(user_id=people["moderator"].user_id, role="moderator"))
        self.current = scene.add(ANN, minutes(3))
        scene.loaded()
        scene.advance(1_000)
        self.entries = {
            person.user_id: scene.add(person, minutes(3, number))
            for number, person in enumerate(ACTORS.values(), 2)
        }
        """Whose, and which entry."""
        self.said = {person.user_id: self._say(person) for person in ACTORS.values()}
        """Whose, and which message."""
        self.anns, self.bobs = self.entries[ANN.user_id], self.entries[BOB.user_id]
        self.ann_said = self.said[ANN.user_id]

    def weigh(self, actor: Person, command: RoomCommand) -> ErrorCode | None:
        """Why the room would refuse it, or None; nothing happens."""
        try:
            track = minutes(3, 4)
            self.scene.room.weigh(command, self.scene.context(actor, command, track=track))
        except Rejected as refusal:
            check_promised(command, refusal)
            return refusal.code
        return None

    def _say(self, person: Person) -> str:
        (said,) = self.scene.do(person, ChatSend(content="hello"))
        assert isinstance(said, ChatSent)
        return said.message_id


EXAMPLES: Final[dict[type[RoomCommand], Callable[[Party], RoomCommand]]] = {
    RoomUpdate: lambda party: RoomUpdate(description="Where we dance."),
    RoomClose: lambda party: RoomClose(),
    RoomRelock: lambda party: RoomRelock(),
    RoomSuspend: lambda party: RoomSuspend(vacant_since_ms=float(party.scene.now_ms)),
    RoomResume: lambda party: RoomResume(),
    Wake: lambda party: Wake(),
    MemberAdd: lambda party: MemberAdd(person=EVE),
    MemberRemove: lambda party: MemberRemove(user_id=TARGETS["dj"].user_id),
    MemberSetRole: lambda party: MemberSetRole(user_id=TARGETS["listener"].user_id, role="dj"),
    OwnerTransfer: lambda party: OwnerTransfer(user_id=TARGETS["listener"].user_id),
    OwnerSucceed: lambda party: OwnerSucceed(reason="absent"),
    MemberKick: lambda party: MemberKick(user_id=TARGETS["listener"].user_id),
    MemberMute: lambda party: MemberMute(user_id=TARGETS["listener"].user_id),
    MemberUnmute: lambda party: MemberUnmute(user_id=TARGETS["listener"].user_id),
    MemberBan: lambda party: MemberBan(user_id=TARGETS["listener"].user_id),
    MemberUnban: lambda party: MemberUnban(user_id=TARGETS["listener"].user_id),
    QueueAdd: lambda party: QueueAdd(track_id=uid(0x7004)),
    QueueRemove: lambda party: QueueRemove(entry_id=party.anns),
    QueueMove: lambda party: QueueMove(entry_id=party.anns, after=None),
    QueueClear: lambda party: QueueClear(),
    QueueShuffle: lambda party: QueueShuffle(),
    QueueUndo: lambda party: QueueUndo(),
    VotesCast: lambda party: VotesCast(entry_id=party.anns),
    VotesRetract: lambda party: VotesRetract(entry_id=party.anns),
    VotesSkip: lambda party: VotesSkip(entry_id=party.current),
    VotesCount: lambda party: VotesCount(),
    PlaybackPlay: lambda party: PlaybackPlay(),
    PlaybackPause: lambda party: PlaybackPause(entry_id=party.current),
    PlaybackSeek: lambda party: PlaybackSeek(entry_id=party.current, position_ms=0.0),
    PlaybackNext: lambda party: PlaybackNext(entry_id=party.current),
    PlaybackPlayEntry: lambda party: PlaybackPlayEntry(entry_id=party.bobs),
    LoadingDone: lambda party: LoadingDone(entry_id=party.current),
    ChatSend: lambda party: ChatSend(content="hi"),
    ChatEdit: lambda party: ChatEdit(message_id=party.ann_said, content="hi"),
    ChatDelete: lambda party: ChatDelete(message_id=party.ann_said),
    ChatReact: lambda party: ChatReact(message_id=party.ann_said, emoji="🔥"),
    ReactionSend: lambda party: ReactionSend(emoji="🎉"),
    ReactionsCount: lambda party: ReactionsCount(counts={"🎉": 2}),
    SlashRegister: lambda party: SlashRegister(commands=[SKIP]),
    TrackGone: lambda party: TrackGone(track_id=uid(0x7002)),
}
"""One of each command, about things of Ann's where it is about somebody's."""
