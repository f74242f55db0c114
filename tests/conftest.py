"""What holds for every test: nothing fails behind its back."""

import gc
import logging
from collections.abc import Iterator

import pytest


class _Complaints(logging.Handler):
    """Keeps what the event loop reports: failures that nobody retrieved, tasks destroyed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(self.format(record))


@pytest.fixture(autouse=True)
def the_loop_does_not_complain(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test during which the event loop reported an error that nobody handled."""
    complaints = _Complaints()
    log = logging.getLogger("asyncio")
    log.addHandler(complaints)
    yield
    if "asyncio" in request.keywords:
        # A lost task complains when it is collected; the young ones are enough and cheap.
        gc.collect(1)
    log.removeHandler(complaints)
    assert complaints.told == [], "the event loop reported errors"
