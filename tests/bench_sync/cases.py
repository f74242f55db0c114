"""What happens to the listeners, case by case: the rows of the table in issue order."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from tests.bench_sync.crowd import crowd
from tests.bench_sync.judge import (
    SETTLED_S,
    WATCHED_S,
    Judge,
    Outcome,
    Row,
    Trace,
    biased,
    settled,
    steady,
    trace,
    unbroken,
)
from tests.bench_sync.stage import Kind, Seat, Stage, Take
from tests.web.hearing import RATE_HZ, found_at
from tests.web.music import noisy_music
from tests.web.people import eventually

JOINED_S: Final = 6.0
"""Judged from so long after joining on."""
ACTED_S: Final = 0.6
"""A command has been acted on by then: the instant agreed on lies at most so far ahead here."""
LOOK_S: Final = 20.0
NO_HOLE_MS: Final = 10.0
"""Blocks of silence in a piece that has none: what a cross-faded jump may leave."""
SETTLED_MS: Final = 3.0
OFFLINE_S: Final = 10.0
FIRST_S: Final = 30
SECOND_S: Final = 20
COUNT_FRAMES: Final = """
window.frames_ = 0;
(function count() { frames_ += 1; requestAnimationFrame(count); })();
"""


class Case(Struct, frozen=True):
    """A case: `run(stage, kind, seconds)`."""

    title: str
    seconds: float
    run: Callable[[Stage, Kind, float], Outcome]
    naive_seconds: float = 0.0
    """For how long the naive peer goes through it too ..."""
    must_fail: bool = False
    """... and must fail."""


def _outcome(judge: Judge, rows: list[Row], *traces: Trace) -> Outcome:
    return Outcome(rows, list(traces), judge.windows, judge.torn)


def _everybody(take: Take) -> float:
    """All come in; when the judging begins."""
    take.join()
    return take.go_on(JOINED_S)


def loopback(stage: Stage, kind: Kind, seconds: float) -> Outcome:
    """Nothing happens but music."""
    seats = [Seat(kind)] * stage.card.listeners
    with stage.recording(stage.evening(seconds), seats) as take:
        from_s = _everybody(take)
        to_s = take.go_on(seconds)
        judge = Judge(take.recording.stop())
    found = judge.skew(from_s, to_s)
    bars = (0.5, 2.0) if len(seats) == 2 else (None, None)
    row = steady("while it plays", found, median_ms=bars[0], p95_ms=bars[1])
    return _outcome(judge, [row], trace("loopback", found))


def starts(stage: Stage, kind: Kind, seconds: float) -> Outcome:
    """Pause and play again; every fifth time one of the pages is opened anew meanwhile."""
    begun: list[float] = []
    with stage.recording([stage.made(200, 1)], [Seat(kind)] * 2) as take:
        until_s = _everybody(take) + seconds
        while take.now_s < until_s:
            take.host.do("pause")
            if len(begun) % 5 == 4:
                take.listeners[len(begun) // 5 % 2].join_again(take.host.room_id)
                take.go_on(JOINED_S)
            begun.append(take.go_on(ACTED_S))
            take.host.do("play")
            take.go_on(ACTED_S + 2.5)
        judge = Judge(take.recording.stop())
    heard = [max(judge.heard_s(who, at_s) or at_s for who in (0, 1)) for at_s in begun]
    found = [judge.skew(at_s + 0.3, at_s + 2.3)[0:1] for at_s in heard]
    flat = [window for windows in found for window in windows]
    row = steady(f"the first 2 s of {len(flat)} starts", flat, median_ms=0.5, p95_ms=2.0)
    return _outcome(judge, [row], trace("starts", flat))


def painting(stage: Stage, kind: Kind, seconds: float) -> Outcome:
    """A lively chat: both pages draw all the time, on the cores that the sound is made on."""
    with stage.recording([stage.made(200, 1)], [Seat(kind)] * 2) as take:
        from_s = _everybody(take)
        for listener in take.listeners:
            listener.browser.js(COUNT_FRAMES)
        while take.now_s < from_s + seconds:
            take.host.say("La " * (1 + int(take.now_s * 10) % 40))
            take.go_on(0.2)
        to_s = take.now_s
        drawn = [who.browser.js("return frames_") / (to_s - from_s) for who in take.listeners]
        judge = Judge(take.recording.stop())
    found = judge.skew(from_s, to_s)
    return _outcome(
        judge,
        [
            steady(f"{min(drawn):.0f} frames a second drawn", found, p95_ms=5.0),
            unbroken("longest hole", judge.hole_ms(from_s, to_s), most_ms=NO_HOLE_MS),
        ],
        trace("painting", found),
    )


def _behind(there: str, back: str, bar_ms: float) -> Callable[[Stage, Kind, float], Outcome]:
    def run(stage: Stage, kind: Kind, seconds: float) -> Outcome:
        seats = [Seat(kind), Seat(kind, (there, back))]
        with stage.recording([stage.made(200, 1)], seats) as take:
            from_s = _everybody(take)
            to_s = take.go_on(seconds)
            judge = Judge(take.recording.stop())
        found = judge.skew(from_s, to_s)
        judged = biased if there != back else steady
        row = judged("one listener behind it", found, p95_ms=bar_ms)
        return _outcome(judge, [row], trace(f"{there} there, {back} back", found))

    return run


def late_joiner(stage: Stage, kind: Kind, seconds: float) -> Outcome:
    """One comes while the other listens, again and again."""
    with stage.recording([stage.made(200, 1)], [Seat(kind)] * 2) as take:
        take.join(0)
        came = [take.go_on(JOINED_S)]
        take.join(1)
        take.go_on(JOINED_S)
        while take.now_s < seconds:
            # Away for long enough that its silence can be told from a stumble.
            take.listeners[1].browser.driver.get("about:blank")
            came.append(take.go_on(1.0))
            take.join(1)
            take.go_on(JOINED_S)
        judge = Judge(take.recording.stop())
    found = judge.after([judge.heard_s(1, at_s) for at_s in came])
    row = settled("after it is heard", found, most_ms=SETTLED_MS)
    return _outcome(judge, [row], trace("late joiner", [w for windows in found for w in windows]))


def pauses(stage: Stage, kind: Kind, seconds: float) -> Outcome:
    """Pause, and play again."""
    begun: list[float] = []
    with stage.recording([stage.made(200, 1)], [Seat(kind)] * 2) as take:
        until_s = _everybody(take) + seconds
        while take.now_s < until_s:
            take.host.do("pause")
            begun.append(take.go_on(2.0))
            take.host.do("play")
            take.go_on(ACTED_S + SETTLED_S + WATCHED_S)
        judge = Judge(take.recording.stop())
    found = judge.after([judge.heard_s(1, at_s) for at_s in begun])
    row = settled("after it is heard again", found, most_ms=SETTLED_MS)
    return _outcome(judge, [row], trace("pauses", [w for windows in found for w in windows]))


def seeks(stage: Stage, kind: Kind, seconds: float) -> Outcome:
    """To another place, twenty times."""
    done: list[float] = []
    with stage.recording([stage.made(200, 1)], [Seat(kind)] * 2) as take:
        until_s = _everybody(take) + seconds
        while take.now_s < until_s and len(done) < 20:
            take.host.do("seek", position_ms=(len(done) * 37 % 180) * 1_000)
            done.append(take.now_s + ACTED_S)
            take.go_on(ACTED_S + SETTLED_S + WATCHED_S)
        judge = Judge(take.recording.stop())
    found = judge.after(list(done))
    row = settled("after it was acted on", found, most_ms=SETTLED_MS)
    return _outcome(judge, [row], trace("seeks", [w for windows in found for w in windows]))


def rejoin(stage: Stage, kind: Kind, seconds: float) -> Outcome:
    """Offline for 10 s, in which the music moves elsewhere; then back."""
    back: list[float] = []
    with stage.recording([stage.made(200, 1)], [Seat(kind), Seat(kind, ("0+-0", "0+-0"))]) as take:
        until_s = _everybody(take) + seconds
        away = take.listeners[1]
        assert away.wire is not None
        while take.now_s < until_s:
            away.wire.say("down")
            take.go_on(OFFLINE_S / 2)
            take.host.do("seek", position_ms=(20 + len(back) * 41 % 120) * 1_000)
            take.go_on(OFFLINE_S / 2)
            away.wire.say("up")
            back.append(take.now_s)
            eventually(away.is_connected, "connected again")
            take.go_on(2.0 + SETTLED_S + WATCHED_S)
        judge = Judge(take.recording.stop())
    found = judge.after([judge.together_s(at_s, at_s + LOOK_S) for at_s in back])
    row = settled("after it is heard at the new place", found, most_ms=SETTLED_MS)
    return _outcome(judge, [row], trace("rejoin", [w for windows in found for w in windows]))


def boundary(stage: Stage, kind: Kind, seconds: float) -> Outcome:
    """From the last sample of a track to the first of the next."""
    pieces = [stage.made(FIRST_S, 11), stage.made(SECOND_S, 12)]
    last = noisy_music(FIRST_S, 11)[-RATE_HZ // 2 :]
    begin = noisy_music(SECOND_S, 12)[: RATE_HZ // 2]
    with stage.recording(pieces, [Seat(kind)] * 2) as take:
        _everybody(take)
        take.host.do("seek", position_ms=(FIRST_S - 8) * 1_000)
        from_s = take.go_on(2.0)
        take.go_on(9.0)
        heard = take.recording.stop()
        judge = Judge(heard)
    gaps = []
    for sound in heard.listeners:
        part = sound[int(from_s * RATE_HZ) :]
        gap = found_at(part, begin) - (found_at(part, last) + len(last))
        gaps.append(gap * 1_000 / RATE_HZ)
    worst_ms = max(gaps, key=abs)
    found = judge.skew(from_s, judge.length_s)
    row = Row("gap or overlap", f"{worst_ms:+.2f} ms", "≤ 2 ms", abs(worst_ms) <= 2)
    return _outcome(judge, [row, steady("around it", found, p95_ms=None)], trace("boundary", found))


def _troubled(trouble: Callable[[Take], None]) -> Callable[[Stage, Kind, float], Outcome]:
    """The second listener has a trouble that lasts."""

    def run(stage: Stage, kind: Kind, seconds: float) -> Outcome:
        with stage.recording([stage.made(200, 1)], [Seat(kind)] * 2) as take:
            take.join()
            trouble(take)
            from_s = take.go_on(JOINED_S)
            to_s = take.go_on(seconds)
            judge = Judge(take.recording.stop())
        found = judge.skew(from_s, to_s)
        hole_ms = judge.hole_ms(from_s, to_s)
        rows = [
            steady("while it plays", found, p95_ms=5.0),
            unbroken("longest hole", hole_ms, most_ms=50.0),
        ]
        return _outcome(judge, rows, trace("troubled", found))

    return run


def fast_clock(stage: Stage, kind: Kind, seconds: float) -> Outcome:
    """One browser's clocks gain 1.8 s an hour and are 5 hours ahead; a start now and then."""
    done: list[float] = []
    seats = [Seat(kind), Seat(kind, clock="+5h x1.0005")]
    with stage.recording([stage.made(200, 1)], seats) as take:
        from_s = _everybody(take)
        while take.now_s < from_s + seconds:
            take.go_on(min(30.0, seconds / 4))
            done.append(take.now_s)
            take.host.do("seek", position_ms=(10 + len(done) * 17 % 60) * 1_000)
        to_s = take.go_on(8.0)
        judge = Judge(take.recording.stop())
    edges = [from_s, *(at_s + ACTED_S + SETTLED_S for at_s in done)]
    spans = zip(edges, [*done, to_s], strict=True)
    found = [window for one, other in spans for window in judge.skew(one, other)]
    what = f"over {seconds:.0f} s with {len(done)} starts"
    return _outcome(judge, [steady(what, found, p95_ms=3.0)], trace("fast clock", found))


def restart(stage: Stage, kind: Kind, seconds: float) -> Outcome:
    """The server is killed in the middle and started again."""
    with stage.recording([stage.made(200, 1)], [Seat(kind)] * 2) as take:
        from_s = _everybody(take)
        stage.server.kill()
        take.go_on(3.0)
        stage.server.start()
        for listener in take.listeners:
            eventually(listener.is_connected, "connected again", 40)
        again_s = take.now_s
        to_s = take.go_on(seconds)
        judge = Judge(take.recording.stop())
    meanwhile, found = judge.skew(from_s, again_s), judge.skew(again_s, to_s)
    return _outcome(
        judge,
        [
            unbroken("longest hole", judge.hole_ms(from_s, to_s), most_ms=NO_HOLE_MS),
            steady("while it was away", meanwhile, p95_ms=None),
            steady("afterwards", found, p95_ms=3.0),
        ],
        trace("restart", [*meanwhile, *found]),
    )


CASES: Final[dict[str, Case]] = {
    "loopback": Case("loopback, 3 minutes", 180, loopback, naive_seconds=30),
    "starts": Case("30 starts", 145, starts, naive_seconds=60),
    "painting": Case("pages that draw all the time", 40, painting),
    "jitter-50": Case("behind 50 ± 30 ms each way", 60, _behind("50+-30", "50+-30", 6.0)),
    "jitter-100": Case("behind 100 ± 50 ms each way", 60, _behind("100+-50", "100+-50", 10.0)),
    "asymmetry": Case("60 ± 30 there, 40 ± 30 back", 60, _behind("60+-30", "40+-30", 6.0)),
    "late-joiner": Case("late joiner", 50, late_joiner),
    "pauses": Case("pause and play", 42, pauses),
    "seeks": Case("20 seeks", 96, seeks),
    "rejoin": Case("offline for 10 s, then back", 65, rejoin, naive_seconds=65, must_fail=True),
    "boundary": Case("track boundary", 12, boundary),
    "background": Case("one tab in the background", 30, _troubled(lambda t: t.listeners[1].hide())),
    "cpu-load": Case("one tab under load", 30, _troubled(lambda t: t.listeners[1].load())),
    "fast-clock": Case(
        "one browser's clocks 500 ppm fast and 5 hours ahead", 600, fast_clock,
        naive_seconds=90, must_fail=True,
    ),
    "restart": Case("server killed and restarted", 30, restart),
    "crowd": Case("500 headless listeners behind bad links", 20, crowd),
}  # fmt: skip
