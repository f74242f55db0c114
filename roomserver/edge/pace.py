"""How patient an edge is: every deadline and bound in one place, so that tests can hurry."""

from msgspec import Struct

from protocol.frames import COMMANDS_PER_SECOND, HELLO_WITHIN_MS


class Pace(Struct, frozen=True, kw_only=True):
    """Deadlines in ms and bounds in bytes or counts."""

    tick_ms: int = 50
    """How often the timer wheel turns."""
    head_within_ms: int = 5_000
    """A request's head must be complete by then."""
    hello_within_ms: int = HELLO_WITHIN_MS
    ping_every_ms: int = 15_000
    ping_early_ms: tuple[int, ...] = (50, 500, 2_000)
    """The first pings after a hello: people's distance is needed before 15 s have passed."""
    measured_every_ms: int = 500
    """How often the home of a room hears of new round trips."""
    pong_within_ms: int = 10_000
    close_within_ms: int = 5_000
    answer_within_ms: int = 5_000
    """A home that is silent for so long is taken to be away: who asks is told to try again."""
    ask_again_ms: int = 1_000
    """The bus may lose an envelope: what is unanswered is asked again this often."""
    flush_every_ms: int = 16
    """While a room is busy, each of its members is written to at most once in this time."""
    slice_connections: int = 16
    """So many members are written to in one turn of the loop; a command passes through about nine
    turns on its way to them."""
    slow_after_ms: int = 10_000
    slow_bytes: int = 256 * 1024
    piece_bytes: int = 64 * 1024
    strikes: int = 3
    frames_per_second: int = 200
    """Frames of any kind, pings included, that a connection may send, with as many in reserve."""
    commands_per_second: int = COMMANDS_PER_SECOND
    head_bytes: int = 16 * 1024
    heads_per_address: int = 200
    """Connections of one address that have not said who they are."""
    heads_in_all: int = 20_000
    """The same of all addresses together."""
