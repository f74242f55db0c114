"""The loop: uvloop, stopped by signals."""

import asyncio
import gc
import os
import resource
import signal
import weakref

import pytest
import uvloop

from roomserver.runtime import loop


def test_a_stop_signal_reaches_the_running_server() -> None:
    async def main() -> tuple[bool, signal.Signals]:
        stopped: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
        loop.on_stop_signals(stopped.set_result)
        os.kill(os.getpid(), signal.SIGTERM)
        return isinstance(asyncio.get_running_loop(), uvloop.Loop), await stopped

    assert loop.run(main()) == (True, signal.SIGTERM)


def test_frozen_garbage_is_left_out_of_collections() -> None:
    try:
        loop.freeze_garbage()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_what_lives_long_is_frozen_while_the_loop_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "TEND_EVERY_S", 0.0)
    monkeypatch.setattr(loop, "QUIET_LAG_S", 10.0)
    before = gc.get_threshold()

    async def main() -> None:
        tending = asyncio.ensure_future(loop.tend_garbage())
        await asyncio.sleep(0)
        frozen = gc.get_freeze_count()
        kept = [[] for _ in range(1_000)]  # type: ignore[var-annotated]
        for _ in range(3):
            await asyncio.sleep(0)
        assert gc.get_freeze_count() >= frozen + len(kept)
        tending.cancel()

    try:
        loop.run(main())
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


class Knot:
    """Holds itself: only the collector can take it away."""

    __slots__ = ("__weakref__", "end")

    def __init__(self) -> None:
        self.end = self


def test_a_rush_of_what_stays_is_never_looked_at_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "TEND_EVERY_S", 0.0)
    monkeypatch.setattr(loop, "TEND_AT_LATEST_S", -1.0)
    before = gc.get_threshold()
    looked_at: list[int] = []
    frozen: list[int] = []
    gone: list[weakref.ref[Knot]] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            generations = range(info["generation"] + 1)
            looked_at.append(sum(len(gc.get_objects(generation)) for generation in generations))

    async def main() -> list[list[int]]:
        tending = asyncio.ensure_future(loop.tend_garbage())
        await asyncio.sleep(0)
        gc.callbacks.append(note)
        kept = [[n] for n in range(100_000)]
        gone.append(weakref.ref(Knot()))
        # At the first tick the rush is seen; then all is quiet.
        for _ in range(3):
            await asyncio.sleep(0)
        frozen.append(gc.get_freeze_count())
        tending.cancel()
        return kept

    try:
        loop.run(main())
    finally:
        gc.callbacks.remove(note)
        gc.unfreeze()
        gc.set_threshold(*before)
    # As many as cost 10 ms, and that at the tick only.
    assert len(looked_at) > 30 and max(looked_at) < 10_000
    assert frozen[0] > 100_000
    assert gone[0]() is None


def test_what_dies_frozen_is_gone_after_a_long_quiet_spell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "TEND_EVERY_S", 0.0)
    monkeypatch.setattr(loop, "QUIET_LAG_S", 10.0)
    before = gc.get_threshold()

    async def main() -> list[bool]:
        tending = asyncio.ensure_future(loop.tend_garbage())
        await asyncio.sleep(0)
        knot = Knot()
        gone = weakref.ref(knot)
        await asyncio.sleep(0)
        del knot
        seen = []
        for spell_s in (loop.SPELL_S, -1.0):
            monkeypatch.setattr(loop, "SPELL_S", spell_s)
            monkeypatch.setattr(loop, "THAW_EVERY_S", spell_s)
            await asyncio.sleep(0)
            seen.append(gone() is None)
        tending.cancel()
        return seen

    try:
        assert loop.run(main()) == [False, True]
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def test_a_process_may_open_as_much_as_the_system_lets_it() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard // 2, hard))
        loop.raise_descriptor_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
