"""How well those in a room are in tune, as their clients report it; told to all now and then."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from protocol.frames import Tune as TuneFrame
from protocol.ids import RoomId, UserId
from protocol.tune import (
    AWAY_AFTER_MS,
    IN_TUNE_MS,
    NAMED_IN_TUNE,
    REPORT_EVERY_MS,
    RTT_MAX_MS,
    SPREAD_MS,
    ClockReport,
    Listening,
    Reported,
    Spread,
    Tuning,
)

TOLD_EVERY_MS: Final = REPORT_EVERY_MS / 2
"""At most so often. A report brings it about: where nobody reports, nobody need know."""
MEASURED: Final[tuple[Tuning, ...]] = ("in_tune", "catching_up")
"""Where nothing sounds, the error says nothing."""


class Report(Struct, frozen=True):
    """The last of one listener."""

    report: ClockReport
    at_ms: float


class Tune:
    """The reports of one room. Instants are cluster ms."""

    def __init__(self) -> None:
        self._reports: dict[UserId, Report] = {}
        self._told_at_ms = float("-inf")

    def heard(self, user_id: UserId, report: ClockReport, now_ms: float) -> bool:
        """Keep a report; true if it is time to tell the room."""
        self._reports[user_id] = Report(report, now_ms)
        return now_ms - self._told_at_ms >= TOLD_EVERY_MS

    def frame(self, room_id: RoomId, here: Iterable[UserId], now_ms: float) -> TuneFrame:
        """What the room is told; who is not here any more is forgotten."""
        self._told_at_ms = now_ms
        reports = self._reports
        self._reports = {user_id: reports[user_id] for user_id in here if user_id in reports}
        listeners = [_listening(who, kept, now_ms) for who, kept in self._reports.items()]
        if len(listeners) <= NAMED_IN_TUNE:
            return TuneFrame(room=room_id, listeners=listeners)
        errors = [0] * (len(SPREAD_MS) + 1)
        for one in listeners:
            if one.state in MEASURED:
                errors[bisect_left(SPREAD_MS, abs(one.error_ms))] += 1
        states = Counter(one.state for one in listeners)
        spread = Spread(
            errors=errors,
            loading=states["loading"],
            silent=states["silent"],
            away=states["away"],
        )
        return TuneFrame(room=room_id, spread=spread)


def state_of(report: ClockReport) -> Reported:
    """As reported, or what the error tells where the client does not say."""
    if report.state is not None:
        return report.state
    return "in_tune" if abs(report.error_ms) <= IN_TUNE_MS else "catching_up"


def _listening(user_id: UserId, kept: Report, now_ms: float) -> Listening:
    report = kept.report
    is_away = now_ms - kept.at_ms > AWAY_AFTER_MS
    return Listening(
        user_id=user_id,
        state="away" if is_away else state_of(report),
        error_ms=round(report.error_ms, 2),
        rtt_ms=min(report.rtt_ms, RTT_MAX_MS),
    )
