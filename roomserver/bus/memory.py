"""The bus of one process: the same encoded bytes, handed over in a later turn of the loop."""

import asyncio
import logging
from contextvars import Context
from typing import Final

from protocol.cluster import Party
from roomserver.bus.api import Receive

_log: Final = logging.getLogger(__name__)


class MemoryBus:
    """Parties of one process; all of them share one object. Keeps the contract of `api.Bus`."""

    def __init__(self) -> None:
        self._receivers: dict[Party, Receive] = {}
        self._closed = False
        # What one request tells in its log lines is nothing to the rooms and timers that it
        # reaches: they go on when it has ended, and elsewhere it would not have come along.
        self._context = Context()

    async def open(self, party: Party, receive: Receive) -> None:
        """See `api.Bus`. Raises RuntimeError after `close`."""
        if self._closed:
            raise RuntimeError("the bus is closed")
        self._receivers[party] = receive

    def publish(self, to: Party, envelope: bytes) -> None:
        """See `api.Bus`."""
        if to in self._receivers:
            asyncio.get_running_loop().call_soon(self._deliver, to, envelope, context=self._context)

    async def echo(self) -> None:
        """See `api.Bus`."""
        loop = asyncio.get_running_loop()
        heard: asyncio.Future[None] = loop.create_future()
        if not self._closed:
            loop.call_soon(heard.set_result, None)
        await heard

    async def close(self) -> None:
        """See `api.Bus`."""
        self._closed = True
        self._receivers.clear()

    def _deliver(self, to: Party, envelope: bytes) -> None:
        receive = self._receivers.get(to)
        if receive is None:
            return
        try:
            receive(envelope)
        except Exception:
            _log.exception("a receiver of the bus failed", extra={"party": to})
