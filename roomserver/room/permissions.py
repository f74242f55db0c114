"""Who may do what: which command is which action, and what no table can change.

Which grade an action takes is the room's own table (`protocol/permissions.py`).
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from protocol.catalog import RoomCommand
from protocol.chat import ChatDelete, ChatEdit, ChatReact, ChatSend, find
from protocol.errors import ErrorCode, Rejected
from protocol.ids import UserId
from protocol.members import Member, MemberSetRole, Mute
from protocol.moderation import Ban, MemberBan, MemberKick, MemberMute, MemberUnban, MemberUnmute
from protocol.owner import OwnerTransfer
from protocol.permissions import RANK, Action, grade, may
from protocol.playback import (
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.queue import (
    QueueAdd,
    QueueClear,
    QueueMove,
    QueueRemove,
    QueueShuffle,
    QueueUndo,
    place,
)
from protocol.reactions import ReactionSend
from protocol.rooms import RoomClose, RoomUpdate
from protocol.slash import SlashRegister
from protocol.snapshot import Snapshot
from protocol.users import Person
from protocol.votes import VotesCast, VotesRetract, VotesSkip
from roomserver.room.context import SYSTEM, Context
from roomserver.room.state import State

SPEAKING: Final = frozenset({"chat", "react", "vote"})
"""Actions that a mute takes away."""
BANNED: Final = "This person is banned from this room."
"""Said to somebody else than the one who is banned."""


class Rule(NamedTuple):
    """What a command takes."""

    action: Action | None
    """For everybody, or for one's own things; None: nothing but not to be banned."""
    others: Action | None = None
    """For things of others, where a thing is somebody's; None: that is nobody's right."""
    whose: Callable[[State, Any, Context], UserId | None] | None = None
    """Whose thing the command is about; None if there is no such thing: the rule will say so."""
    also: Callable[[Snapshot, Any, Context], None] | None = None
    """What it takes besides, whatever the table says. Refuses by itself."""


def _whose_entry(state: State, command: QueueRemove | QueueMove, ctx: Context) -> UserId | None:
    index = place(state.public.queue, command.entry_id)
    return None if index is None else state.public.queue[index].added_by.user_id


def _whose_change(state: State, command: QueueUndo, ctx: Context) -> UserId | None:
    change = state.private.queue.change
    return None if change is None else change.by


def _whose_message(state: State, command: ChatEdit | ChatDelete, ctx: Context) -> UserId | None:
    index = find(state.public.chat, command.message_id)
    if index is not None:
        return state.public.chat[index].by.user_id
    return None if ctx.message is None else ctx.message.by.user_id


def require_action(public: Snapshot, person: Person, action: Action) -> None:
    """Let somebody do it. Rejects: not_allowed."""
    if not may(public, person, action):
        raise Rejected(ErrorCode.NOT_ALLOWED, action=action)


def require(state: State, command: RoomCommand, ctx: Context) -> None:
    """Let the command pass. Rejects: not_allowed, banned, muted, outranked."""
    public, actor = state.public, ctx.actor
    user_id = actor.user_id
    if user_id == SYSTEM.user_id:
        return
    rule = RULES.get(type(command))
    if rule is None:
        raise Rejected(ErrorCode.NOT_ALLOWED)
    if user_id in public.bans:
        require_not_banned(public, user_id, ctx.now_ms)
    action, others, whose, also = rule
    if whose is not None and whose(state, command, ctx) not in (user_id, None):
        if others is None:
            raise Rejected(ErrorCode.NOT_ALLOWED)
        action = others
    if action is not None:
        if action in SPEAKING and user_id in public.members:
            _require_not_muted(public.members[user_id], ctx.now_ms)
        require_action(public, actor, action)
    if also is not None:
        also(public, command, ctx)


def require_not_banned(
    public: Snapshot, user_id: UserId, now_ms: float, message: str | None = None
) -> None:
    """Let nobody in, or be given anything, who is banned. Rejects: banned."""
    ban = public.bans.get(user_id)
    if ban is not None and ban.is_in_force(now_ms):
        raise _refused(ErrorCode.BANNED, ban, message)


def _require_not_muted(member: Member, now_ms: float) -> None:
    if member.mute is not None and member.is_muted(now_ms):
        raise _refused(ErrorCode.MUTED, member.mute)


def _refused(code: ErrorCode, what: Ban | Mute, message: str | None = None) -> Rejected:
    if what.until_ms is None:
        return Rejected(code, message, reason=what.reason)
    return Rejected(code, message, reason=what.reason, until_ms=what.until_ms)


def _require_outranks(
    public: Snapshot,
    command: MemberSetRole | MemberKick | MemberMute | MemberUnmute | MemberBan,
    ctx: Context,
) -> None:
    """Rejects: outranked."""
    mine = RANK[grade(public, ctx.actor)]
    target = ctx.target
    theirs = RANK["guest"] if target is None else RANK[grade(public, target)]
    # Nobody can do it to oneself: nobody is of a lower grade than oneself.
    if command.user_id == ctx.actor.user_id or theirs >= mine:
        raise Rejected(ErrorCode.OUTRANKED)
    if isinstance(command, MemberSetRole) and RANK[command.role] >= mine:
        raise Rejected(ErrorCode.OUTRANKED, "You can only give a role below your own.")


def _require_owner(public: Snapshot, command: RoomClose | OwnerTransfer, ctx: Context) -> None:
    """No table can give these away. Rejects: not_allowed."""
    if ctx.actor.user_id != public.room.owner_id:
        raise Rejected(ErrorCode.NOT_ALLOWED)


def _require_owners_part(public: Snapshot, command: RoomUpdate, ctx: Context) -> None:
    """Rejects: not_allowed, where a room lets others than the owner tune it."""
    if ctx.actor.user_id == public.room.owner_id:
        return
    changes_table = command.settings is not None and bool(command.settings.permissions)
    if changes_table or command.visibility is not None:
        raise Rejected(ErrorCode.NOT_ALLOWED, "Only the owner may change this.")


def _require_dj(public: Snapshot, command: QueueAdd, ctx: Context) -> None:
    """The mode `djs` is about adding: own entries may still be taken out. Rejects: not_allowed."""
    if public.room.settings.queue_mode == "djs" and RANK[grade(public, ctx.actor)] < RANK["dj"]:
        raise Rejected(ErrorCode.NOT_ALLOWED, action="add")


def _require_bot(public: Snapshot, command: SlashRegister, ctx: Context) -> None:
    """A program is behind a slash command. Rejects: not_allowed."""
    if ctx.actor.kind != "bot":
        raise Rejected(ErrorCode.NOT_ALLOWED, "Only bots register slash commands.")


RULES: Final[dict[type[RoomCommand], Rule]] = {
    RoomUpdate: Rule("update", also=_require_owners_part),
    RoomClose: Rule(None, also=_require_owner),
    OwnerTransfer: Rule(None, also=_require_owner),
    MemberSetRole: Rule("set_role", also=_require_outranks),
    MemberKick: Rule("moderate", also=_require_outranks),
    MemberMute: Rule("moderate", also=_require_outranks),
    MemberUnmute: Rule("moderate", also=_require_outranks),
    MemberBan: Rule("ban", also=_require_outranks),
    MemberUnban: Rule("ban"),
    QueueAdd: Rule("add", also=_require_dj),
    QueueRemove: Rule("add", "arrange", _whose_entry),
    QueueMove: Rule("place", "arrange", _whose_entry),
    QueueClear: Rule("arrange"),
    QueueShuffle: Rule("arrange"),
    QueueUndo: Rule("add", "arrange", _whose_change),
    VotesCast: Rule("vote"),
    VotesRetract: Rule("vote"),
    VotesSkip: Rule("vote"),
    PlaybackPlay: Rule("control"),
    PlaybackPause: Rule("control"),
    PlaybackSeek: Rule("control"),
    PlaybackNext: Rule("skip"),
    PlaybackPlayEntry: Rule("skip"),
    ChatSend: Rule("chat"),
    ChatEdit: Rule("chat", None, _whose_message),
    ChatDelete: Rule(None, "moderate", _whose_message),
    ChatReact: Rule("react"),
    ReactionSend: Rule("react"),
    SlashRegister: Rule("chat", also=_require_bot),
}
"""What each command of a client takes. What has no row is the home's own."""

OWNERS_OWN: Final = frozenset(kind for kind, rule in RULES.items() if rule.also is _require_owner)
"""Commands that no table can give away."""
