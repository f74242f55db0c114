"""When a room's snapshot is encoded: to be stored, for newcomers, and before the ring loses it."""

from protocol.codec import encode
from roomserver.home.batch import Batch, Newcomer
from roomserver.home.here import Here
from roomserver.home.parts import Parts
from roomserver.home.redaction import taken_back


def catch_up(here: Here, missed: list[bytes], parts: Parts) -> None:
    """Call when the room was read anew: these events were committed and not shown."""
    here.shown.ring.append(missed)
    if gone := taken_back(missed):
        here.shown.ring.redact(gone)
    if here.loaded.owes_redaction:
        here.store_at_once(parts.pace)
    if gone or here.shown.is_broken():
        here.shown.rebase(encode(here.public), parts.clock.now_ms())


def keep(here: Here, batch: Batch, parts: Parts) -> None:
    """Call when the live state is committed and shown."""
    pace, now_ms, seq = parts.pace, parts.clock.now_ms(), here.public.seq
    if here.dirty_since_ms is None and seq > here.saved_seq:
        here.dirty_since_ms = now_ms
    is_due = here.dirty_since_ms is not None and now_ms - here.dirty_since_ms >= pace.snapshot_ms
    if batch.taken_back:
        here.shown.ring.redact(batch.taken_back)
    if is_due or batch.taken_back or seq - here.saved_seq >= pace.snapshot_events:
        picture = here.picture()
        parts.snapshots.put(picture)
        here.saved_seq, here.dirty_since_ms = seq, None
        here.shown.rebase(picture.public, now_ms)
        return
    is_asked_for = any(isinstance(leaving, Newcomer) for leaving in batch.leaving)
    is_stale = here.shown.is_stale(now_ms, pace.fresh_ms)
    if here.shown.is_broken() or (is_asked_for and is_stale):
        here.shown.rebase(encode(here.public), now_ms)
