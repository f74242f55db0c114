"""Who heard what, at the right moments: when a batch is shown, when it is time, when all ends."""

from roomserver.home.batch import Batch
from roomserver.home.here import Here
from roomserver.home.parts import Parts


def hear(here: Here, batch: Batch, parts: Parts) -> None:
    """What the batch lets sound is durable: what people heard of what ended is written."""
    for event, current in batch.sounds:
        parts.history.put(here.room_id, here.heard.take(event, current, here.presence.stays()))


def look(here: Here, parts: Parts, now_ms: float) -> None:
    """Write who has heard enough of what goes on, once that is due."""
    parts.history.put(here.room_id, here.heard.look(here.presence.stays(), now_ms))


def finish(here: Here, parts: Parts) -> None:
    """Write who has heard enough so far: nobody here will know of the rest."""
    rows = here.heard.so_far(here.presence.stays(), parts.clock.now_ms())
    parts.history.put(here.room_id, rows)
