"""A loop that stands still is noticed while it stands, and its end is told."""

import asyncio
import logging
import time

import pytest

from roomserver.runtime.watchdog import Watchdog


def occupy_the_loop(for_s: float, told: list[logging.LogRecord]) -> None:
    """For so long, and until that was noticed: the watching thread may be late itself."""
    end_s = time.monotonic() + for_s
    while time.monotonic() < end_s or not told:
        pass


async def test_f21_the_log_tells_where_the_loop_stands_and_for_how_long(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "roomserver.runtime.watchdog")
    watching = asyncio.ensure_future(Watchdog(stands_after_ms=100).run())
    await asyncio.sleep(0)
    occupy_the_loop(0.8, caplog.records)
    async with asyncio.timeout(10):
        while len(caplog.records) < 2:  # noqa: ASYNC110  (a log sets no event)
            await asyncio.sleep(0)
    watching.cancel()
    stands, stood = caplog.records
    assert any("occupy_the_loop" in line for line in vars(stands)["stack"])
    assert vars(stood)["stood_ms"] >= 750
    assert [stands.getMessage(), stood.getMessage()] == [
        "the event loop stands still",
        "the event loop stood still",
    ]
