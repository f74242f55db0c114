from collections.abc import Iterator

import pytest

from tests.bus.redis_server import RedisServer


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One for all tests that leave it alone."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server
