"""The cluster clock: filtered by round trip, slewed, never stepped once read."""

import random

import pytest

from roomserver.runtime.clock import JUMP_MS, ClusterClock, monotonic_ns, wall_ms

MS = 1_000_000
EPOCH_MS = 1_790_000_000_000.0


class Machine:
    """A monotonic clock that a test moves, and a database whose clock runs beside it."""

    def __init__(self) -> None:
        self.ns = 5 * 10**12
        self.ahead_ms = EPOCH_MS
        self.clock = ClusterClock(lambda: self.ns)

    def wait(self, ms: float) -> None:
        self.ns += round(ms * MS)

    def true_ms(self) -> float:
        return self.ns / MS + self.ahead_ms

    def ask(self, there_ms: float = 1.0, back_ms: float = 1.0) -> None:
        sent = self.ns
        self.wait(there_ms)
        answer = self.true_ms()
        self.wait(back_ms)
        self.clock.observe(sent, answer, self.ns)

    def error_ms(self) -> float:
        return self.clock.now_ms() - self.true_ms()


def test_time_is_unknown_before_the_first_observation() -> None:
    machine = Machine()
    assert not machine.clock.is_set
    with pytest.raises(RuntimeError, match="observe"):
        machine.clock.now_ms()


def test_one_observation_sets_the_clock_to_the_middle_of_its_round_trip() -> None:
    machine = Machine()
    machine.ask(there_ms=3, back_ms=3)
    assert machine.clock.is_set and abs(machine.error_ms()) < 0.001


def test_until_it_was_read_a_better_observation_sets_the_clock_at_once() -> None:
    machine = Machine()
    machine.ask(there_ms=1, back_ms=81)
    machine.ask(there_ms=1, back_ms=1)
    assert abs(machine.error_ms()) < 0.001


def test_once_read_it_is_slewed_and_never_stepped() -> None:
    machine = Machine()
    machine.ask(there_ms=1, back_ms=21)
    before = machine.error_ms()
    assert before == pytest.approx(-10, abs=0.001)
    machine.ask()
    assert machine.error_ms() == pytest.approx(before, abs=0.01)
    machine.wait(10_000)
    assert machine.error_ms() == pytest.approx(before + 2.0, abs=0.01)
    machine.wait(60_000)
    assert abs(machine.error_ms()) < 0.001


def test_between_two_readings_it_gains_or_loses_at_most_200_ppm() -> None:
    machine = Machine()
    machine.ask()
    machine.clock.now_ms()
    chance = random.Random(7)
    for _ in range(500):
        machine.ahead_ms += chance.uniform(-400, 400)
        before_ms, before_ns = machine.clock.now_ms(), machine.ns
        machine.ask(chance.uniform(0, 50), chance.uniform(0, 50))
        machine.wait(chance.uniform(0, 2_000))
        passed_ms = (machine.ns - before_ns) / MS
        assert abs(machine.clock.now_ms() - before_ms - passed_ms) <= passed_ms * 200e-6 + 0.001


def test_a_slow_answer_does_not_move_a_clock_set_by_a_fast_one() -> None:
    machine = Machine()
    machine.ask()
    machine.clock.now_ms()
    for _ in range(30):
        machine.ask(there_ms=0, back_ms=200)
        machine.wait(1_000)
    assert abs(machine.error_ms()) < 0.001


def test_it_follows_a_database_that_drifts() -> None:
    machine = Machine()
    machine.ask()
    machine.clock.now_ms()
    for _ in range(600):
        machine.wait(1_000)
        machine.ahead_ms += 0.05
        machine.ask()
    assert abs(machine.error_ms()) < 2


def test_a_jump_of_the_database_shows_as_drift_and_is_not_followed_at_once() -> None:
    machine = Machine()
    machine.ask()
    told = machine.clock.now_ms()
    machine.ahead_ms += 3_600_000
    for _ in range(100):
        machine.wait(1_000)
        machine.ask()
    assert machine.clock.drift_ms > JUMP_MS
    assert machine.clock.now_ms() - told < 103_000


def test_an_instant_keeps_its_place_to_an_eightieth_of_a_sample() -> None:
    machine = Machine()
    machine.ask()
    sample_ms = 1000 / 48_000
    now = machine.clock.now_ms()
    assert abs((now + sample_ms) - now - sample_ms) < sample_ms / 80


def test_the_delay_until_an_instant_is_in_seconds_and_never_negative() -> None:
    machine = Machine()
    machine.ask()
    now = machine.clock.now_ms()
    assert machine.clock.delay_s(now + 1_500) == pytest.approx(1.5, abs=1e-6)
    assert machine.clock.delay_s(now - 1_500) == 0


def test_an_answer_before_its_question_is_refused() -> None:
    with pytest.raises(ValueError, match="before"):
        ClusterClock().observe(2, EPOCH_MS, 1)


def test_by_default_it_runs_on_the_machines_own_clocks() -> None:
    clock = ClusterClock()
    clock.observe(monotonic_ns(), wall_ms(), monotonic_ns())
    first, second = clock.now_ms(), clock.now_ms()
    assert first <= second < first + 1_000 and abs(second - wall_ms()) < 1_000
