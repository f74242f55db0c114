"""Rate limits: a moving window, scaled, in bounded memory."""

import threading

from roomserver.runtime import limits
from roomserver.runtime.limits import Limiter


class Machine:
    ns = 10**12

    def limiter(self, factor: float = 1.0) -> Limiter:
        return Limiter(factor, monotonic=lambda: self.ns)

    def wait(self, ms: float) -> None:
        self.ns += round(ms * 1_000_000)


def test_the_limit_holds_and_the_refusal_says_when_to_come_back() -> None:
    machine = Machine()
    limiter = machine.limiter()
    verdicts = []
    for _ in range(4):
        verdicts.append(limiter.hit("rooms.list", "u-1", 3))
        machine.wait(1_000)
    assert [v.allowed for v in verdicts] == [True, True, True, False]
    assert [v.remaining for v in verdicts] == [2, 1, 0, 0]
    assert verdicts[3].retry_after_ms == verdicts[3].reset_ms == 57_000


def test_waiting_as_long_as_told_is_enough_and_a_moment_less_is_not() -> None:
    machine = Machine()
    limiter = machine.limiter()
    limiter.hit("a", "u", 1)
    machine.wait(20_500)
    retry_after_ms = limiter.hit("a", "u", 1).retry_after_ms
    assert retry_after_ms == 39_500
    machine.wait(retry_after_ms - 1)
    assert not limiter.hit("a", "u", 1).allowed
    machine.wait(1)
    assert limiter.hit("a", "u", 1).allowed


def test_the_window_moves_so_no_minute_ever_holds_more_than_the_limit() -> None:
    machine = Machine()
    limiter = machine.limiter()
    allowed_at_ms: list[int] = []
    for step in range(1_000):
        if limiter.hit("a", "u", 7).allowed:
            allowed_at_ms.append(step * 500)
        machine.wait(500)
    for start in allowed_at_ms:
        assert sum(start <= at < start + 60_000 for at in allowed_at_ms) <= 7
    assert len(allowed_at_ms) >= 7 * 8


def test_chat_has_its_own_shape_of_5_in_5_s() -> None:
    machine = Machine()
    limiter = machine.limiter()
    verdicts = [limiter.hit_within("chat.send", "u", 5, 5_000) for _ in range(6)]
    assert [v.allowed for v in verdicts] == [True] * 5 + [False]
    machine.wait(5_000)
    assert limiter.hit_within("chat.send", "u", 5, 5_000).allowed


def test_actions_and_subjects_are_counted_apart() -> None:
    limiter = Machine().limiter()
    assert limiter.hit("a", "u", 1).allowed and not limiter.hit("a", "u", 1).allowed
    assert limiter.hit("b", "u", 1).allowed and limiter.hit("a", "v", 1).allowed


def test_the_factor_scales_every_limit_and_never_below_one() -> None:
    assert Machine().limiter(2).hit("a", "u", 10).limit == 20
    assert Machine().limiter(0.25).hit("a", "u", 10).limit == 3
    assert Machine().limiter(0.001).hit("a", "u", 10).limit == 1


def test_a_factor_of_zero_turns_limits_off() -> None:
    limiter = Machine().limiter(0)
    assert all(limiter.hit("a", "u", 1).allowed for _ in range(100))


def test_refused_hits_do_not_prolong_the_wait() -> None:
    machine = Machine()
    limiter = machine.limiter()
    for _ in range(60):
        limiter.hit("a", "u", 1)
        machine.wait(1_000)
    assert limiter.hit("a", "u", 1).allowed


def test_memory_is_bounded_and_the_longest_unused_is_forgotten_first() -> None:
    limiter = Machine().limiter()
    limiter.hit("a", "kept", 1)
    for number in range(limits.WINDOWS_KEPT):
        if number % 1_000 == 0:
            limiter.hit("a", "kept", 1)
        limiter.hit("a", f"u-{number}", 1)
    assert not limiter.hit("a", "kept", 1).allowed
    assert limiter.hit("a", "u-0", 1).allowed
    assert len(limiter) <= limits.WINDOWS_KEPT


def test_counting_starts_no_thread() -> None:
    before = threading.active_count()
    Limiter().hit("a", "u", 1)
    assert threading.active_count() == before
