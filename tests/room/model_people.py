"""The model's people: who has which standing, who is silent, who is shut out.

The rights are written out here once more, from docs and docstrings, not taken from the rules.
"""

from dataclasses import dataclass, field

from protocol.catalog import ClientCommand
from protocol.chat import ChatDelete, ChatEdit, ChatReact, ChatSend
from protocol.errors import ErrorCode as E
from protocol.members import MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnban, MemberUnmute
from protocol.owner import OwnerTransfer
from protocol.playback import (
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.queue import QueueAdd, QueueClear, QueueMove, QueueRemove, QueueShuffle, QueueUndo
from protocol.reactions import ReactionSend
from protocol.rooms import RoomClose, RoomUpdate
from protocol.slash import SlashRegister
from protocol.snapshot import Snapshot
from protocol.users import Person
from protocol.votes import VotesCast, VotesRetract, VotesSkip

ORDER = ("guest", "listener", "dj", "moderator", "owner")
DJ = ORDER.index("dj")
RIGHT: dict[type[ClientCommand], str] = {
    ChatSend: "chat",
    ChatEdit: "chat",
    ChatReact: "react",
    ReactionSend: "react",
    SlashRegister: "chat",
    VotesCast: "vote",
    VotesRetract: "vote",
    VotesSkip: "vote",
    QueueAdd: "add",
    QueueRemove: "add",
    QueueMove: "place",
    QueueUndo: "add",
    QueueClear: "arrange",
    QueueShuffle: "arrange",
    PlaybackPlay: "control",
    PlaybackPause: "control",
    PlaybackSeek: "control",
    PlaybackNext: "skip",
    PlaybackPlayEntry: "skip",
    MemberKick: "moderate",
    MemberMute: "moderate",
    MemberUnmute: "moderate",
    MemberBan: "ban",
    MemberUnban: "ban",
    MemberSetRole: "set_role",
    RoomUpdate: "update",
}
"""What a command takes, about nobody's or one's own things."""
RIGHT_OVER_OTHERS = {
    QueueRemove: "arrange",
    QueueMove: "arrange",
    ChatDelete: "moderate",
    ChatEdit: "nobody's",
}
SILENCED = {"chat", "react", "vote"}
ON_SOMEBODY = (MemberSetRole, MemberKick, MemberMute, MemberUnmute, MemberBan)
FOREVER = 2**60


@dataclass
class People:
    """Roles, places, mutes and bans."""

    owner: str
    since: dict[str, int]
    """Everybody with a place."""
    roles: dict[str, str] = field(default_factory=dict)
    mutes: dict[str, int] = field(default_factory=dict)
    """Until when."""
    bans: dict[str, int] = field(default_factory=dict)
    slash: dict[str, list[str]] = field(default_factory=dict)
    """The names of the commands that somebody offers."""
    djs_only: bool = False
    """Whether the mode of the queue is `djs`."""
    table: dict[str, str] = field(
        default_factory=lambda: {
            "chat": "guest",
            "react": "guest",
            "vote": "guest",
            "add": "guest",
            "place": "guest",
            "arrange": "dj",
            "control": "guest",
            "skip": "guest",
            "moderate": "moderator",
            "ban": "moderator",
            "set_role": "moderator",
            "update": "owner",
        }
    )

    def role(self, user_id: str) -> str:
        """Owner, moderator, dj or listener."""
        return "owner" if user_id == self.owner else self.roles.get(user_id, "listener")

    def height(self, person: Person) -> int:
        """How high somebody stands: 0 a guest, 4 the owner."""
        role = self.role(person.user_id)
        return ORDER.index("guest" if (role, person.kind) == ("listener", "guest") else role)

    def has(self, person: Person, right: str) -> bool:
        """Whether the table gives somebody a right."""
        return right in self.table and self.height(person) >= ORDER.index(self.table[right])

    def is_silent(self, user_id: str, now_ms: int) -> bool:
        """Muted now."""
        return now_ms < self.mutes.get(user_id, 0)

    def is_out(self, user_id: str, now_ms: int) -> bool:
        """Banned now."""
        return now_ms < self.bans.get(user_id, 0)

    def forbids(
        self,
        actor: Person,
        command: ClientCommand,
        whose: str | None,
        target: Person | None,
        now_ms: int,
    ) -> set[E]:
        """Why somebody may not do it; `whose` is the thing that it is about."""
        if self.is_out(actor.user_id, now_ms):
            return {E.BANNED}
        if isinstance(command, RoomClose | OwnerTransfer):
            return set() if actor.user_id == self.owner else {E.NOT_ALLOWED}
        kind = type(command)
        right = RIGHT.get(kind)
        if whose not in (None, actor.user_id):
            right = RIGHT_OVER_OTHERS.get(kind, right)
        reasons = set()
        if right is not None and not self.has(actor, right):
            reasons.add(E.NOT_ALLOWED)
        if right in SILENCED and self.is_silent(actor.user_id, now_ms):
            reasons.add(E.MUTED)
        if isinstance(command, QueueAdd) and self.djs_only and self.height(actor) < DJ:
            reasons.add(E.NOT_ALLOWED)
        if isinstance(command, SlashRegister) and actor.kind != "bot":
            reasons.add(E.NOT_ALLOWED)
        if isinstance(command, ON_SOMEBODY):
            mine = self.height(actor)
            theirs = 0 if target is None else self.height(target)
            if command.user_id == actor.user_id or theirs >= mine:
                reasons.add(E.OUTRANKED)
            if isinstance(command, MemberSetRole) and ORDER.index(command.role) >= mine:
                reasons.add(E.OUTRANKED)
        if isinstance(command, RoomUpdate) and actor.user_id != self.owner:
            change = command.settings
            if command.visibility is not None or (change is not None and change.permissions):
                reasons.add(E.NOT_ALLOWED)
        return reasons

    def put_out(self, user_id: str) -> None:
        """The place and the role are gone."""
        self.since.pop(user_id, None)
        self.roles.pop(user_id, None)
        self.slash.pop(user_id, None)

    def hand_over(self, user_id: str, now_ms: int, gone: bool) -> None:
        """Another owner, whom nobody can have muted; the one before is a moderator, or gone."""
        before, self.owner = self.owner, user_id
        self.since.setdefault(user_id, now_ms)
        self.roles.pop(user_id, None)
        self.mutes.pop(user_id, None)
        if gone:
            self.put_out(before)
        else:
            self.roles[before] = "moderator"

    def check(self, public: Snapshot, now_ms: int) -> None:
        """The real room shows the same standing to everybody."""
        assert public.room.owner_id == self.owner
        told = {
            key: (row.role, row.mute is not None and (row.mute.until_ms or FOREVER))
            for key, row in public.members.items()
        }
        named = {self.owner, *self.mutes, *(k for k, r in self.roles.items() if r != "listener")}
        assert told == {key: (self.role(key), self.mutes.get(key, False)) for key in named}
        shut_out = {key for key, ban in public.bans.items() if ban.is_in_force(now_ms)}
        offered = {key: [c.name for c in row.commands] for key, row in public.slash.items()}
        assert offered == self.slash
        assert shut_out == {key for key in self.bans if self.is_out(key, now_ms)}
