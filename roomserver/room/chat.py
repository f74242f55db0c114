"""Chat: saying something to the room."""

from protocol.chat import ChatSend, ChatSent
from protocol.errors import ErrorCode, Rejected
from protocol.ids import derive
from roomserver.room.context import Context
from roomserver.room.state import State, Step


def decide_send(state: State, command: ChatSend, ctx: Context) -> list[Step]:
    """Keep what was said, with the place in the music. Rejects: unknown_message."""
    public = state.public
    reply_to = command.reply_to
    if reply_to is not None and not any(said.message_id == reply_to for said in public.chat):
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
        reply_to=reply_to,
        entry_id=entry_id,
        position_ms=position_ms,
    )
    return [Step(message)]
