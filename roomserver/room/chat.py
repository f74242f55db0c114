"""Chat: what people say to the room, say in other words, take back, and react to.

A snapshot holds the last messages; one that is older comes with the context (`ctx.message`).
"""

from protocol.chat import (
    ChatDelete,
    ChatDeleted,
    ChatEdit,
    ChatEdited,
    ChatMessage,
    ChatReact,
    ChatReacted,
    ChatSend,
    ChatSent,
    find,
)
from protocol.errors import ErrorCode, Rejected
from protocol.ids import MessageId, UserId, derive
from protocol.snapshot import Snapshot
from roomserver.room.context import Context
from roomserver.room.state import State, Step


def decide_send(state: State, command: ChatSend, ctx: Context) -> list[Step]:
    """Keep what was said, with the place in the music.

    A reply may name a deleted message: its place stays. Rejects: unknown_message.
    """
    public = state.public
    if command.reply_to is not None and _message(public, command.reply_to, ctx) is None:
        raise Rejected(ErrorCode.UNKNOWN_MESSAGE)
    playback = public.playback
    entry_id = position_ms = None
    if playback.entry is not None and playback.status == "playing" and not public.suspended:
        entry_id = playback.entry.entry_id
        position_ms = playback.position_at(ctx.now_ms)
    message = ChatSent(
        at_ms=ctx.now_ms,
        message_id=derive(public.room.room_id, public.lineage, public.seq + 1),
        by=ctx.actor,
        content=command.content,
        reply_to=command.reply_to,
        mentions=_once(command.mentions),
        entry_id=entry_id,
        position_ms=position_ms,
    )
    return [Step(message)]


def decide_edit(state: State, command: ChatEdit, ctx: Context) -> list[Step]:
    """Say it in other words; in the same words is no event. Rejects: unknown_message."""
    message = _message(state.public, command.message_id, ctx)
    if message is None or message.deleted:
        raise Rejected(ErrorCode.UNKNOWN_MESSAGE)
    mentions = _once(command.mentions)
    if (command.content, mentions) == (message.content, message.mentions):
        return []
    event = ChatEdited(
        at_ms=ctx.now_ms,
        message_id=command.message_id,
        content=command.content,
        mentions=mentions,
    )
    return [Step(event)]


def decide_delete(state: State, command: ChatDelete, ctx: Context) -> list[Step]:
    """Take it back; what is deleted stays so. Rejects: unknown_message."""
    message = _message(state.public, command.message_id, ctx)
    if message is None:
        raise Rejected(ErrorCode.UNKNOWN_MESSAGE)
    if message.deleted:
        return []
    return [Step(ChatDeleted(at_ms=ctx.now_ms, message_id=command.message_id, by=ctx.actor))]


def decide_react(state: State, command: ChatReact, ctx: Context) -> list[Step]:
    """Put a reaction, or take it back; each account counts once for each emoji.

    Only to the last messages, since who reacted is remembered for as long as a snapshot holds the
    message. Rejects: unknown_message.
    """
    index = find(state.public.chat, command.message_id)
    if index is None or state.public.chat[index].deleted:
        raise Rejected(ErrorCode.UNKNOWN_MESSAGE)
    actor_id, emoji = ctx.actor.user_id, command.emoji
    mine = state.private.reacted.get(command.message_id, {}).get(actor_id, [])
    if command.on == (emoji in mine):
        return []
    count = state.public.chat[index].reactions.get(emoji, 0) + (1 if command.on else -1)
    event = ChatReacted(
        at_ms=ctx.now_ms,
        message_id=command.message_id,
        emoji=emoji,
        count=count,
        by=actor_id,
        on=command.on,
    )
    return [Step(event)]


def _message(public: Snapshot, message_id: MessageId, ctx: Context) -> ChatMessage | None:
    """The message as it stands: one of the last, or the older one that was looked up."""
    index = find(public.chat, message_id)
    if index is not None:
        return public.chat[index]
    older = ctx.message
    return older if older is not None and older.message_id == message_id else None


def _once(mentions: list[UserId]) -> list[UserId]:
    return list(dict.fromkeys(mentions))
