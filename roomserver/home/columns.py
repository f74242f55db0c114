"""Rows of many rooms as the columns that the one statement takes."""

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import astuple

from protocol.codec import encode
from roomserver.home.batch import Batch

Column = Sequence[object]
Put = Callable[[str, Iterable[tuple[object, ...]]], None]


class Columns:
    """Columns by the names that the statements give their parameters."""

    def __init__(self) -> None:
        self.out: dict[str, Column] = {}

    def put(self, names: str, rows: Iterable[tuple[object, ...]]) -> None:
        """One column a name; each row has one value for each."""
        fields = names.split()
        filled = list(zip(*rows, strict=True)) or [()] * len(fields)
        self.out.update(zip(fields, filled, strict=True))


def columns(batches: list[Batch]) -> dict[str, Column]:
    """The parameters of `room_log.commit_batch`; rows are in the order of the batches."""
    whole = Columns()
    _put_log(whole.put, batches)
    _put_changes(whole.put, batches)
    _put_people(whole.put, batches)
    _put_plays(whole.put, batches)
    whole.put(
        "audit_rooms audit_seqs audit_ats_ms audit_bys audit_users audit_messages audit_events",
        ((b.room_id, *astuple(row)) for b in batches for row in b.projections.audit.rows),
    )
    whole.put(
        "changed_rooms visibilities owners closed wakings wake_ats_ms suspended",
        (_room_change(b) for b in batches if b.waking or not b.projections.room.is_empty),
    )
    return whole.out


def _room_change(batch: Batch) -> tuple[object, ...]:
    room, waking = batch.projections.room, batch.waking
    wakes = (False, None, None) if waking is None else (True, waking.wake_at_ms, waking.suspended)
    return (batch.room_id, room.visibility, room.owner_id, room.closed, *wakes)


def reworded_columns(batches: list[Batch]) -> dict[str, Column]:
    """The parameters of `room_log.commit_reworded`."""
    more = Columns()
    more.put(
        "edit_rooms edit_ids edit_seqs",
        (
            (b.room_id, message_id, seq)
            for b in batches
            for message_id, seqs in b.projections.chat.edits.items()
            for seq in seqs
        ),
    )
    more.put(
        "gone_rooms gone_ids",
        ((b.room_id, message_id) for b in batches for message_id in b.taken_back),
    )
    return columns(batches) | more.out


def log_columns(batches: list[Batch]) -> dict[str, Column]:
    """The parameters of `room_log.commit_log`."""
    log = Columns()
    _put_log(log.put, batches)
    return log.out


def _put_log(put: Put, batches: list[Batch]) -> None:
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
        " chat_entries chat_positions_ms chat_ats_ms chat_mentions chat_reactions"
        " chat_edited_ats_ms chat_deleted_ats_ms",
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
                encode(m.mentions).decode(),
                encode(m.reactions).decode(),
                m.edited_at_ms,
                m.deleted_at_ms,
            )
            for b in batches
            for m in b.projections.chat.sent.values()
        ),
    )


def _put_changes(put: Put, batches: list[Batch]) -> None:
    put(
        "change_rooms change_ids change_contents change_mentions change_reactions"
        " change_edited_ats_ms change_deleted_ats_ms",
        (
            (
                b.room_id,
                c.message_id,
                c.content,
                None if c.mentions is None else encode(c.mentions).decode(),
                encode(c.reactions).decode(),
                c.edited_at_ms,
                c.deleted_at_ms,
            )
            for b in batches
            for c in b.projections.chat.changes.values()
        ),
    )


def _put_people(put: Put, batches: list[Batch]) -> None:
    put(
        "member_rooms member_users member_roles member_joined_ats_ms member_left_ats_ms",
        (
            (b.room_id, *astuple(row))
            for b in batches
            for row in b.projections.people.members.values()
        ),
    )
    put(
        "moved_rooms moved_users moved_roles moved_left_ats_ms",
        (
            (b.room_id, *astuple(row))
            for b in batches
            for row in b.projections.people.changes.values()
        ),
    )
    for name, rows in (
        ("mute", [(b.room_id, b.projections.people.mutes) for b in batches]),
        ("ban", [(b.room_id, b.projections.people.bans) for b in batches]),
    ):
        put(
            f"{name}_rooms {name}_users {name}_bys {name}_reasons {name}_ats_ms {name}_untils_ms"
            f" {name}_lifted_ats_ms",
            (
                (room_id, *astuple(row))
                for room_id, verdicts in rows
                for row in verdicts.given.values()
            ),
        )
        put(
            f"un{name}_rooms un{name}_users un{name}_ats_ms",
            ((room_id, *row) for room_id, verdicts in rows for row in verdicts.lifted.items()),
        )


def _put_plays(put: Put, batches: list[Batch]) -> None:
    put(
        "play_rooms play_ids play_tracks play_added_by play_started_ats_ms play_ended_ats_ms"
        " play_heards_ms",
        ((b.room_id, *astuple(row)) for b in batches for row in b.projections.plays.begun.values()),
    )
    put(
        "end_rooms end_ids end_ats_ms end_heards_ms",
        ((b.room_id, *astuple(row)) for b in batches for row in b.projections.plays.ends.values()),
    )
