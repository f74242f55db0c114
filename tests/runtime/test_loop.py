"""The loop: uvloop, stopped by signals."""

import asyncio
import gc
import os
import signal

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
