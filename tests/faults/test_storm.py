"""F20: the server is killed with a thousand people in it, who all come back at once.

All are back in time, by what they missed alone, and the database is asked for rooms, not for
people. With 5,000 it is part of the benchmarks.
"""

import time
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest

from protocol.bot import guest
from tests.cluster.load import Load
from tests.faults.proxy import Proxy
from tests.faults.scene import scene
from tests.faults.storm import Guest, Statements, come

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PEOPLE: Final = 1_000
LOGINS: Final = 50
ROOMS: Final = 10
BACK_WITHIN_S: Final = 30
STATEMENTS_A_ROOM: Final = 10
STATEMENTS_A_SECOND: Final = 15
"""What a server asks that has nothing to do: its beat, what was deleted, who was signed out."""


def through(database_url: str, folder: Path) -> tuple[Proxy, Path, str]:
    """A proxy before a database, where it listens, and the URL by way of it."""
    parts = urlsplit(database_url)
    query = parse_qs(parts.query)
    name = f".s.PGSQL.{query['port'][0]}"
    near = urlencode({"host": str(folder), "port": query["port"][0]})
    return (
        Proxy(Path(query["host"][0]) / name),
        folder / name,
        urlunsplit(parts._replace(query=near)),
    )


async def make_guests(load: Load, number: int, logins: int) -> list[Guest]:
    """People in the rooms of a load."""
    tokens = [await guest(load.served.url, f"Guest {n}") for n in range(logins)]
    rooms = [room.room_id for room in load.rooms]
    return [Guest(n, tokens[n % logins], rooms[n % len(rooms)]) for n in range(number)]


async def test_f20_a_thousand_who_come_back_at_once_cost_statements_by_the_room(
    database_url: str, tmp_path: Path
) -> None:
    statements = Statements()
    proxy, socket, url = through(database_url, tmp_path)
    proxy.asks.through = statements
    async with proxy.opened_at(socket), scene(url, tmp_path / "data", rooms=ROOMS) as load:
        guests = await make_guests(load, PEOPLE, LOGINS)
        await come(guests, load.served.port)
        await load.run(for_s=1)
        await load.served.kill()
        for one in guests:
            one.lose()
        await load.served.start()
        before, begun_s = statements.count, time.monotonic()
        resumed = await come(guests, load.served.port)
        took_s, asked = time.monotonic() - begun_s, statements.count - before
        print(f"{PEOPLE} back in {took_s:.1f} s, {resumed} resumed, {asked} statements")
        assert took_s < BACK_WITHIN_S
        assert resumed == PEOPLE
        assert 0 < asked < STATEMENTS_A_ROOM * ROOMS + STATEMENTS_A_SECOND * took_s
        assert await load.verdict() == []
        for one in guests:
            one.lose()
        assert "Traceback" not in load.served.log
