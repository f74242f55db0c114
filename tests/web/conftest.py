"""A real server and real browsers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.web.people import Browser
from tests.web.server import Server

Opener = Callable[..., Browser]


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that many tests use one after the other, each with its own people and rooms."""
    yield from _run(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server with nothing in it, for who stops it or must be alone on it."""
    yield from _run(tmp_path)


def _run(folder: Path) -> Iterator[Server]:
    server = Server(folder / "data")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Opens browsers on the shared server, or on the test's own; closes them before it stops."""
    own = "own_server" in request.fixturenames
    server: Server = request.getfixturevalue("own_server" if own else "shared_server")
    opened: list[Browser] = []

    def open_one(**how: object) -> Browser:
        opened.append(Browser(server.address, **how))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
