"""The loop: uvloop, stopped by signals."""

import asyncio
import gc
import os
import signal

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
