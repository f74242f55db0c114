"""Owned tasks: none lost, none failing unseen, none left over."""

import asyncio
import logging

import pytest

from roomserver.runtime.tasks import EndedEarly, Tasks


async def fails() -> None:
    raise LookupError("broken")


async def forever() -> None:
    await asyncio.Event().wait()


async def test_a_task_gives_its_result_and_is_forgotten() -> None:
    tasks = Tasks("room")

    async def answer() -> int:
        return 42

    assert await tasks.spawn("answer", answer()) == 42
    await asyncio.sleep(0)
    assert len(tasks) == 0
    await tasks.close()


async def test_a_failure_is_logged_with_the_tasks_name(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks("edge")
    await asyncio.wait([tasks.spawn("sweep", fails())])
    [record] = caplog.records
    assert record.levelno == logging.ERROR and "edge.sweep" in record.getMessage()
    assert record.exc_info and isinstance(record.exc_info[1], LookupError)
    await tasks.close()


async def test_close_cancels_every_task_and_waits_for_it() -> None:
    tasks = Tasks("node")
    cleaned = []

    async def slow_to_end() -> None:
        try:
            await forever()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    running = [tasks.spawn("a", slow_to_end()), tasks.spawn("b", slow_to_end())]
    await asyncio.sleep(0)
    await tasks.close()
    assert all(task.cancelled() for task in running) and len(cleaned) == 2 and len(tasks) == 0
    await tasks.close()


async def test_a_task_that_swallows_one_cancellation_is_cancelled_again() -> None:
    tasks = Tasks("node")

    async def stubborn() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            await asyncio.sleep(0)

    task = tasks.spawn("stubborn", stubborn())
    await asyncio.sleep(0)
    await tasks.close()
    assert task.done()


async def test_a_task_may_close_its_own_owner() -> None:
    tasks = Tasks("node")
    other = tasks.spawn("other", forever())
    await asyncio.sleep(0)
    await tasks.spawn("closer", tasks.close())
    assert other.cancelled()


async def test_nothing_starts_after_close() -> None:
    tasks = Tasks("node")
    await tasks.close()
    with pytest.raises(RuntimeError, match="late"):
        tasks.spawn("late", forever())


async def test_an_essential_task_that_fails_is_told_to_the_owner() -> None:
    crashes: list[tuple[str, BaseException]] = []
    tasks = Tasks("node", on_crash=lambda name, error: crashes.append((name, error)))
    beat = tasks.spawn("beat", fails(), essential=True)
    await asyncio.wait([beat, tasks.spawn("extra", fails())])
    await asyncio.sleep(0)
    [(name, error)] = crashes
    assert name == "node.beat" and isinstance(error, LookupError)
    await tasks.close()


async def test_an_essential_task_that_just_returns_is_a_crash_too() -> None:
    crashes: list[BaseException] = []
    tasks = Tasks("node", on_crash=lambda _, error: crashes.append(error))
    await tasks.spawn("beat", asyncio.sleep(0), essential=True)
    await asyncio.sleep(0)
    assert [type(error) for error in crashes] == [EndedEarly]
    await tasks.close()


async def test_closing_is_no_crash() -> None:
    crashes: list[str] = []
    tasks = Tasks("node", on_crash=lambda name, _: crashes.append(name))
    tasks.spawn("beat", forever(), essential=True)
    await asyncio.sleep(0)
    await tasks.close()
    assert crashes == []
