"""The real server and browsers for the tests of the page."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.server import Served
from tests.web.browser import Visitor


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A running server with a data folder of its own."""
    server = Served(tmp_path / "data")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def visitor() -> Iterator[Callable[..., Visitor]]:
    """Open browsers; all are closed at the end."""
    open_ones: list[Visitor] = []

    def visit(env: dict[str, str] | None = None, *flags: str) -> Visitor:
        open_ones.append(Visitor(env, *flags))
        return open_ones[-1]

    yield visit
    for one in open_ones:
        one.close()
