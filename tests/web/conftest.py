"""A real server and real browsers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.web.people import Browser
from tests.web.server import Server

Opener = Callable[..., Browser]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server with nothing in it."""
    server = Server(tmp_path / "data")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def browser(server: Server) -> Iterator[Opener]:
    """Opens browsers on the server; they are closed at the end, before it stops."""
    opened: list[Browser] = []

    def open_one(**how: object) -> Browser:
        opened.append(Browser(server.address, **how))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
