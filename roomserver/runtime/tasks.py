"""The owner of background tasks: none is lost, none fails unseen, all end at close."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")
OnCrash = Callable[[str, BaseException], None]

_log: Final = logging.getLogger(__name__)


class EndedEarly(RuntimeError):
    """An essential task returned though its owner was not closed."""


class Tasks:
    """Holds the tasks of one object; whoever makes one closes it.

    `on_crash(name, error)` is called when an *essential* task fails, or returns though nobody
    closed its owner: a server without its committer or its beat must go down, not rot.
    """

    def __init__(self, owner: str, *, on_crash: OnCrash | None = None) -> None:
        self._owner = owner
        self._on_crash = on_crash
        self._essential: dict[asyncio.Task[Any], bool] = {}
        self._closing = False

    def __len__(self) -> int:
        return len(self._essential)

    def spawn(
        self, name: str, coro: Coroutine[Any, Any, T], *, essential: bool = False
    ) -> asyncio.Task[T]:
        """Start a task and keep it; its failure is logged. Raises RuntimeError after `close`."""
        if self._closing:
            coro.close()
            raise RuntimeError(f"{self._owner} is closed: {name} cannot start")
        task = asyncio.get_running_loop().create_task(coro, name=f"{self._owner}.{name}")
        self._essential[task] = essential
        task.add_done_callback(self._ended)
        return task

    async def close(self) -> None:
        """Cancel every task and wait until all have ended. A second call does nothing more."""
        self._closing = True
        # A task may close its own owner: waiting for itself would never end.
        while others := self._essential.keys() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.wait(others)
            # The done callbacks that forget the tasks run in the loop's next turn.
            await asyncio.sleep(0)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        essential = self._essential.pop(task)
        name = task.get_name()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("task %s failed", name, exc_info=error, extra={"task": name})
        if not essential or self._closing or self._on_crash is None:
            return
        self._on_crash(name, error or EndedEarly(f"{name} ended though it should run on"))
