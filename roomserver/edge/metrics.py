"""What an edge tells of itself in figures."""

from typing import TYPE_CHECKING, Final

from roomserver.runtime.metrics import BYTES, SECONDS, counter, gauge, histogram

if TYPE_CHECKING:
    from roomserver.edge.edge import Edge

SOCKETS: Final = gauge("sockets", "Open WebSocket connections")
STRANGERS: Final = gauge("strangers", "Connections that have not said who they are")
USERS: Final = gauge("users", "Users with a connection here")
ROOMS: Final = gauge("edge_rooms", "Rooms with somebody at this edge")
QUESTIONS: Final = gauge("questions", "Commands and arrivals that wait for a home's answer")
FLUSH_BYTES: Final = histogram(
    "flush_bytes", "Events that leave for each member of a room in one write", BYTES
)
SWEEP: Final = histogram(
    "sweep_seconds",
    "From the first to the last member of a room that something is sent to",
    SECONDS,
)
ACK: Final = histogram(
    "ack_seconds", "From a command's arrival to its answer: ack or reject", SECONDS, ["answer"]
)
SLOW: Final = counter(
    "slow_consumers", "Readers too slow: paused, and dropped when it lasts", ["what"]
)
PAUSED: Final = SLOW.labels("paused")
DROPPED: Final = SLOW.labels("dropped")
CLOSES: Final = counter("closes", "Connections that the server ended, by close code", ["code"])
ACKED: Final = ACK.labels("ack")
REJECTED: Final = ACK.labels("reject")


def refresh(edge: "Edge") -> None:
    """Count what is there now."""
    SOCKETS.set(edge.connection_count)
    STRANGERS.set(len(edge.strangers))
    USERS.set(edge.user_count)
    ROOMS.set(len(edge.hub.rooms))
    QUESTIONS.set(len(edge.router))
