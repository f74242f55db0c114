"""Two connections to a Redis: one hears channels, the other speaks on them.

A link is used until it fails once, then closed. It never connects again by itself: what was said
in between would be lost without anybody noticing.
"""

import asyncio
import math
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import RedisError

FAULTS: Final = (RedisError, OSError, TimeoutError, ValueError)
"""What a Redis that is away, ending, not for us, or none at all, does to a link."""
WITHIN_S: Final = 3.0
"""For connecting, and for each batch that is said: a black hole raises nothing by itself."""


def connections(url: str) -> ConnectionPool:
    """Makes the connections of links. Raises ValueError or TypeError if nobody can read `url`."""
    return ConnectionPool.from_url(
        url,
        # Cheaper to read than version 3; and the hearing connection does nothing but hear.
        protocol=2,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=None,
        socket_connect_timeout=WITHIN_S,
        driver_info=None,
        **({} if url.startswith("unix:") else _ends_in_a_black_hole()),
    )


class RedisLink:
    """Raises one of `FAULTS` from any method, and is of no use after that."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._ears: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
        self._mouth: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]

    async def open(self) -> None:
        """Connect both."""
        async with asyncio.timeout(WITHIN_S):
            await self._mouth.connect()  # type: ignore[no-untyped-call]
            await self._ears.connect()  # type: ignore[no-untyped-call]

    async def subscribe(self, channels: Sequence[bytes]) -> None:
        """Ask for channels; each is confirmed by a `subscribe` that is heard."""
        with _lost_if_closed(self._ears):
            await self._ears.send_command("SUBSCRIBE", *channels, check_health=False)

    async def hear(self) -> tuple[bytes, bytes | None]:
        """The next channel with what was said on it, None for its `subscribe`; no time limit."""
        heard = await self._ears.read_response(disable_decoding=True, timeout=math.inf)
        kind, channel, data = heard
        return channel, data if kind == b"message" else None

    async def say(self, batch: Sequence[tuple[bytes, bytes]]) -> None:
        """Publish each (channel, data) in order; returns when Redis has taken them all."""
        packed = [
            piece
            for channel, data in batch
            for piece in self._mouth.pack_command("PUBLISH", channel, data)
        ]
        async with asyncio.timeout(WITHIN_S):
            with _lost_if_closed(self._mouth):
                await self._mouth.send_packed_command(packed, check_health=False)
            for _ in batch:
                await self._mouth.read_response(disable_decoding=True, timeout=math.inf)

    async def close(self) -> None:
        """Close both, without waiting for the other side."""
        await self._ears.disconnect(nowait=True)
        await self._mouth.disconnect(nowait=True)


@contextmanager
def _lost_if_closed(connection: AbstractConnection) -> Iterator[None]:
    # redis-py would connect again if it knows, and knows only what it met itself while reading or
    # writing. Of a reset in between, uvloop tells whoever writes next by a RuntimeError.
    if not connection.is_connected:
        raise Lost("The connection was lost.")
    try:
        yield
    except RuntimeError as error:
        raise Lost("The connection was reset.") from error


def _ends_in_a_black_hole() -> dict[str, object]:
    # Else what is left to be sent keeps a closed socket open for a quarter of an hour.
    if not hasattr(socket, "TCP_USER_TIMEOUT"):
        return {}
    options = {socket.TCP_USER_TIMEOUT: round(2_000 * WITHIN_S)}
    return {"socket_keepalive": True, "socket_keepalive_options": options}
