"""What a home tells of itself in figures."""

from typing import TYPE_CHECKING, Final

from roomserver.runtime.metrics import COUNT, SECONDS, counter, gauge, histogram

if TYPE_CHECKING:
    from roomserver.home.batch import Start
    from roomserver.home.table import Home

ROOMS: Final = gauge("rooms", "Rooms that are loaded")
PRESENT: Final = gauge("members_present", "People present, counted in each room they are in")
MAILBOX: Final = gauge("mailbox_letters", "Commands and arrivals that wait for their room's turn")
GATE: Final = gauge("gate_batches", "Batches decided but not durable yet, so nobody was answered")
GATE_AGE: Final = gauge(
    "gate_standstill_seconds", "How long batches have waited without any becoming durable"
)
BEAT_AGE: Final = gauge("beat_age_seconds", "Since the database took this node's last beat")
COMMIT: Final = histogram("commit_seconds", "How long a committing statement took", SECONDS)
COMMIT_ROOMS: Final = histogram("commit_rooms", "Rooms in one committing statement", COUNT)
COMMIT_EVENTS: Final = histogram("commit_events", "Events in one committing statement", COUNT)
OUTCOMES: Final = counter(
    "batches", "Batches of rooms: committed, fenced, refused or unknown", ["outcome"]
)
RESUMES: Final = counter(
    "resumes", "People who came back, by where what they missed was found", ["source"]
)
FROM_RING: Final = RESUMES.labels("ring")
FROM_LOG: Final = RESUMES.labels("log")
FROM_SNAPSHOT: Final = RESUMES.labels("snapshot")
TURNS_FAILED: Final = counter("turns_failed", "Turns of rooms that hit a bug")
SYNC_ERROR: Final = histogram(
    "playback_error_seconds",
    "How far a listener's sound is from the schedule, as its client reports",
    (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1),
)
START_LATE: Final = histogram(
    "start_late_listeners", "Who had not loaded the entry when the room began without them", COUNT
)
START_WAIT: Final = histogram(
    "start_wait_seconds",
    "How long those who had loaded it waited for the others; 3 s is the most",
    (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4),
)


def observe_starts(starts: "list[Start]") -> None:
    """Starts that are durable."""
    for start in starts:
        START_LATE.observe(start.late)
        if start.waited_ms is not None:
            START_WAIT.observe(start.waited_ms / 1_000)


def refresh(home: "Home") -> None:
    """Count what is there now."""
    rooms = list(home.rooms())
    ROOMS.set(len(rooms))
    PRESENT.set(sum(room.here.presence.people for room in rooms))
    MAILBOX.set(sum(room.waiting for room in rooms))
    GATE.set(home.committer.under_way)
    GATE_AGE.set(home.committer.standstill_ms / 1_000)
    BEAT_AGE.set(home.beats.age_ms / 1_000)
