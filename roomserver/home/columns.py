"""Rows of many rooms as the columns that the one statement takes."""

from collections.abc import Iterable, Sequence

from roomserver.home.batch import Batch

Column = Sequence[object]


def columns(batches: list[Batch]) -> dict[str, Column]:
    """The parameters of `room_log.commit_batch`; rows are in the order of the batches."""
    out: dict[str, Column] = {}

    def put(names: str, rows: Iterable[tuple[object, ...]]) -> None:
        fields = names.split()
        filled = list(zip(*rows, strict=True)) or [()] * len(fields)
        out.update(zip(fields, filled, strict=True))

    put(
        "room_ids fences from_seqs to_seqs",
        ((b.room_id, b.fence, b.from_seq, b.to_seq) for b in batches),
    )
    put(
        "command_rooms command_users command_ids command_first_seqs command_last_seqs"
        " command_ats_ms",
        ((b.room_id, *c.key, *c.done, c.at_ms) for b in batches for c in b.commands),
    )
    put(
        "event_rooms event_seqs event_ats_ms event_publics event_privates",
        (
            (
                b.room_id,
                e.seq,
                e.at_ms,
                e.public.decode(),
                None if e.private is None else e.private.decode(),
            )
            for b in batches
            for e in b.events
        ),
    )
    put(
        "chat_rooms chat_ids chat_seqs chat_users chat_names chat_contents chat_replies"
        " chat_entries chat_positions_ms chat_ats_ms",
        (
            (
                b.room_id,
                m.message_id,
                m.seq,
                m.user_id,
                m.display_name,
                m.content,
                m.reply_to,
                m.entry_id,
                m.position_ms,
                m.sent_at_ms,
            )
            for b in batches
            for m in b.projections.chat
        ),
    )
    put(
        "member_rooms member_users member_roles member_joined_ats_ms member_left_ats_ms",
        (
            (b.room_id, m.user_id, m.role, m.joined_at_ms, m.left_at_ms)
            for b in batches
            for m in b.projections.members.values()
        ),
    )
    put(
        "play_rooms play_ids play_tracks play_added_by play_started_ats_ms play_ended_ats_ms"
        " play_heards_ms",
        (
            (
                b.room_id,
                p.play_id,
                p.track_id,
                p.added_by,
                p.started_at_ms,
                p.ended_at_ms,
                p.heard_ms,
            )
            for b in batches
            for p in b.projections.plays.values()
        ),
    )
    put(
        "end_rooms end_ids end_ats_ms end_heards_ms",
        (
            (b.room_id, e.play_id, e.ended_at_ms, e.heard_ms)
            for b in batches
            for e in b.projections.ends.values()
        ),
    )
    put(
        "waking_rooms waking_ats_ms waking_suspended",
        (
            (b.room_id, b.waking.wake_at_ms, b.waking.suspended)
            for b in batches
            if b.waking is not None
        ),
    )
    return out
