"""Instants at which a room wants to be looked at: one heap and one timer for all rooms."""

import asyncio
import heapq
from collections.abc import Callable

from protocol.ids import RoomId
from roomserver.runtime.clock import ClusterClock

SLACK = 64
"""Outdated rows that the heap may hold beside as many live ones before it is swept."""


class Timers:
    """At most one instant a room, in cluster ms."""

    def __init__(self, clock: ClusterClock, due: Callable[[RoomId], None]) -> None:
        self._clock = clock
        self._call = due
        self._at_ms: dict[RoomId, float] = {}
        self._heap: list[tuple[float, RoomId]] = []
        self._handle: asyncio.TimerHandle | None = None
        self._armed_for_ms = float("inf")

    def __len__(self) -> int:
        return len(self._at_ms)

    def set(self, room_id: RoomId, at_ms: float | None) -> None:
        """Call `due(room_id)` at `at_ms`, instead of what was set before; None: not at all."""
        if self._at_ms.get(room_id) == at_ms:
            return
        if at_ms is None:
            self._at_ms.pop(room_id, None)
            return
        self._at_ms[room_id] = at_ms
        heapq.heappush(self._heap, (at_ms, room_id))
        if len(self._heap) > 2 * len(self._at_ms) + SLACK:
            self._heap = [(at_ms, room_id) for room_id, at_ms in self._at_ms.items()]
            heapq.heapify(self._heap)
        if at_ms < self._armed_for_ms:
            self._arm()

    def close(self) -> None:
        """Call nobody any more."""
        self._at_ms.clear()
        self._heap.clear()
        self._arm()

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        while self._heap and self._at_ms.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        self._armed_for_ms = self._heap[0][0] if self._heap else float("inf")
        if self._heap:
            delay_s = self._clock.delay_s(self._armed_for_ms)
            self._handle = asyncio.get_running_loop().call_later(delay_s, self._fire)

    def _fire(self) -> None:
        now_ms = self._clock.now_ms()
        while self._heap and self._heap[0][0] <= now_ms:
            at_ms, room_id = heapq.heappop(self._heap)
            if self._at_ms.get(room_id) == at_ms:
                del self._at_ms[room_id]
                self._call(room_id)
        self._arm()
