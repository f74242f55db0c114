"""What a room is told of how well its listeners are in tune."""

from typing import get_args

import msgspec
import pytest

from protocol.cluster import Told
from protocol.codec import decode_server_frame
from protocol.frames import SignalDown, Tune
from protocol.permissions import Permissions
from protocol.rooms import RoomSettings
from protocol.tune import NAMED_IN_TUNE, RTT_MAX_MS, Clicks, ClockReport, Reported
from roomserver.home.tune import Tune as Reports
from roomserver.runtime.metrics import REGISTRY
from sql.pool import Database
from tests.home.stage import Stage, make_room, person, stage

ADA, BEN = person("Ada"), person("Ben")


async def told(on: Stage, kind: type[Tune] | type[SignalDown]) -> Tune | SignalDown:
    """The latest of its kind that all were told."""
    await on.edge.until(Told, lambda m: isinstance(decode_server_frame(m.frame), kind))
    frames = [decode_server_frame(m.frame) for m in on.edge.heard if isinstance(m, Told)]
    return [frame for frame in frames if isinstance(frame, kind)][-1]


async def test_a_report_is_told_to_the_room_with_name_error_and_state(
    database: Database, database_url: str
) -> None:
    room_id = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        await on.edge.join(room_id, ADA)
        on.edge.signal(room_id, ADA, ClockReport(rtt_ms=41, error_ms=-7.123, state="catching_up"))
        frame = await told(on, Tune)
        assert isinstance(frame, Tune)
        (listening,) = frame.listeners
        assert (listening.user_id, listening.state) == (ADA.user_id, "catching_up")
        assert (listening.error_ms, listening.rtt_ms) == (-7.12, 41)
        assert frame.spread is None


async def test_only_what_sounds_is_measured(database: Database, database_url: str) -> None:
    room_id = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        await on.edge.join(room_id, ADA)
        counted, summed_s = measured()
        for state in get_args(Reported):
            on.edge.signal(room_id, ADA, ClockReport(rtt_ms=1, error_ms=500, state=state))
        # A client of level 1 says no state.
        on.edge.signal(room_id, ADA, ClockReport(rtt_ms=2**50, error_ms=-500))
        await on.edge.say(room_id, ADA, "all of them were heard")
        assert measured() == pytest.approx((counted + 3, summed_s + 1.5))


def measured() -> tuple[float, float]:
    """How many errors were counted, and their sum in s."""
    count, total = (
        REGISTRY.get_sample_value(f"unisono_playback_error_seconds_{what}")
        for what in ("count", "sum")
    )
    assert count is not None and total is not None
    return count, total


@pytest.mark.parametrize(("error_ms", "state"), [(-3.0, "in_tune"), (500.0, "catching_up")])
def test_who_says_no_state_is_as_far_off_as_the_error(error_ms: float, state: str) -> None:
    reports = Reports()
    reports.heard(ADA.user_id, ClockReport(rtt_ms=2**53, error_ms=error_ms), 0)
    (listening,) = reports.frame("room", [ADA.user_id], 1).listeners
    assert (listening.state, listening.rtt_ms) == (state, RTT_MAX_MS)


def test_nobody_reports_to_be_away() -> None:
    away = b'{"type":"clock_report","rtt_ms":1,"error_ms":0,"state":"away"}'
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(away, type=ClockReport)


async def test_clicks_are_passed_on_for_who_may_control(
    database: Database, database_url: str
) -> None:
    settings = RoomSettings(permissions=Permissions(control="dj"))
    room_id = await make_room(database, ADA, settings=settings)
    async with stage(database, database_url) as on:
        await on.edge.join(room_id, ADA)
        await on.edge.join(room_id, BEN)
        on.edge.signal(room_id, BEN, Clicks(for_ms=5_000))
        on.edge.signal(room_id, ADA, Clicks(for_ms=2_000))
        frame = await told(on, SignalDown)
        assert isinstance(frame, SignalDown)
        assert (frame.from_, frame.signal) == (ADA.user_id, Clicks(for_ms=2_000))
        signals = [m for m in on.edge.heard if isinstance(m, Told)]
        frames = [decode_server_frame(m.frame) for m in signals]
        assert sum(isinstance(one, SignalDown) for one in frames) == 1


def test_a_crowd_is_counted_and_not_named_and_who_fell_silent_is_away() -> None:
    reports = Reports()
    crowd = [f"u{number}" for number in range(NAMED_IN_TUNE + 5)]
    assert reports.heard(crowd[0], ClockReport(rtt_ms=1, error_ms=0.1), 0)
    for number, user_id in enumerate(crowd[1:]):
        error_ms = 0.5 if number else -70.0
        reports.heard(user_id, ClockReport(rtt_ms=1, error_ms=error_ms), 20_000)
    states: tuple[Reported, ...] = ("silent", "silent", "loading")
    for user_id, state in zip(crowd[-3:], states, strict=True):
        reports.heard(user_id, ClockReport(rtt_ms=1, error_ms=0, state=state), 20_050)
    frame = reports.frame("room", crowd, 20_100)
    assert frame.listeners == []
    assert frame.spread is not None
    assert frame.spread.errors == [NAMED_IN_TUNE, 0, 0, 0, 0, 0, 1]
    assert (frame.spread.silent, frame.spread.loading, frame.spread.away) == (2, 1, 1)
    assert not reports.heard(crowd[0], ClockReport(rtt_ms=1, error_ms=0.1), 21_000)
    few = reports.frame("room", crowd[:3], 40_000)
    assert {one.state for one in few.listeners} == {"away"}
    assert len(few.listeners) == 3
