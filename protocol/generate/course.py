"""What no single message says: how a connection goes, and how much a client may send."""

from typing import Final

from protocol.frames import (
    COMMANDS_PER_SECOND,
    HELLO_WITHIN_MS,
    MAX_FRAME_BYTES,
    ROOMS_PER_CONNECTION,
)
from protocol.generate.declared import tag_of
from protocol.limits import COMMAND_LIMITS
from protocol.presence import GRACE_MS

COURSE: Final = f"""\
## How a connection goes

1. **Open** the WebSocket and send `hello` within {HELLO_WITHIN_MS // 1_000} s, with a `client_id`
   of your own making (keep it over reconnects) and a token: `POST /api/auth/guest` with
   `{{"display_name": "..."}}` gives one as `access_token`. Wait for `welcome`.
2. **`join`** a room. `joined` has its `snapshot` at a `seq`. Then come `events`, each run with the
   `first_seq` of its first event; the next event has the next seq. Fold each into your copy and
   raise its seq by one, for events that you do not know, too. What you have already may come
   again: pass over it. If `first_seq` is more than your seq + 1, something is missing: `join`
   again with `have`.
3. **`cmd`**: number your frames upwards, never using a number of this `client_id` twice, also not
   after a restart of your program. Each is answered: by `ack` when what it did is stored for good
   (its events have come before), by `reject`, or by `error` with its `id` if it made no sense.
   Several may be under way at once.
4. **Come back** when the connection is lost, unless the [close code](#close-codes) says otherwise:
   after a random wait that grows with each failure (up to 10 s), with `hello` and the same
   `client_id`, and `join` with `have` (your `lineage` and `seq`). Either `joined` has `resumed` and
   the events since follow, or it has a new snapshot: then drop your copy. Now send again, in
   order and with the same `id`, each `cmd` that was not answered: it happens once.
5. **Wait** where an answer has `retry_after_ms`, and send the same `cmd` with the same `id` again.
   `temporary` says whether the same command may pass later.
6. **`probe`** to learn cluster time: as it is t1 on the server when it is t0 here, and t2 when the
   answer comes at t3, the offset is about (t1 - t0 + t2 - t3) / 2; the probe with the shortest
   way there and the one with the shortest way back are the best.
7. **`leave`** is seen at once. A lost connection is seen after {GRACE_MS // 1_000} s: who comes
   back before was never away.

WebSocket pings are answered by your library; a client that does not answer is closed.
"""


def limits() -> str:
    """What a client may send, and how often."""
    lines = [
        "## Limits\n",
        f"A frame of a client has at most {MAX_FRAME_BYTES:,} bytes; a connection is in at most",
        f"{ROOMS_PER_CONNECTION} rooms and sends at most {COMMANDS_PER_SECOND} commands a second.",
        "Each user may do, counted over all connections and REST together, the commands in a row",
        "of this table as one:\n",
        "| commands | how many | in |",
        "|---|---|---|",
    ]
    for action in dict.fromkeys(limit.action for limit in COMMAND_LIMITS.values()):
        shapes = [shape for shape, limit in COMMAND_LIMITS.items() if limit.action == action]
        limit = COMMAND_LIMITS[shapes[0]]
        named = " ".join(f"`{tag_of(shape)}`" for shape in shapes)
        lines.append(f"| {named} | {limit.amount} | {limit.window_ms // 1_000} s |")
    return "\n".join([*lines, ""])
