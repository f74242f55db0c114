"""The case without browsers: hundreds of headless listeners behind bad links."""

from typing import Final

import uvloop

from tests.bench.listening import Crowd, Spread
from tests.bench_sync.host import Host
from tests.bench_sync.judge import Outcome, Row
from tests.bench_sync.stage import Kind, Stage
from tests.bench_sync.wire import Wire

LISTENERS: Final = 500
LINKS: Final = ("50+-30", "100+-50")
SPREAD_MS: Final = 8.0
JOINED_S: Final = 6.0
"""Judged from so long after the last one joined on."""


def crowd(stage: Stage, _: Kind, seconds: float) -> Outcome:
    """Half of them behind one kind of link, half behind the other; judged when all are in."""
    host = Host(stage.server.port)
    host.add(host.upload(stage.made(200, 1)))
    wires = [Wire(stage.server.port, there=late, back=late) for late in LINKS]

    async def listen() -> Spread:
        them = Crowd()
        try:
            await them.come([wire.address for wire in wires], host.room_id, LISTENERS)
            await them.spread(JOINED_S)
            return await them.spread(seconds)
        finally:
            await them.leave()

    try:
        found = uvloop.run(listen())
    finally:
        for wire in wires:
            wire.close()
    what = (
        f"two of {found.listeners} listeners, half behind {LINKS[0]} and half behind {LINKS[1]} ms"
    )
    figure = f"p95 {found.p95_ms:.2f} ms; the outermost two p95 {found.range_p95_ms:.2f} ms"
    held = found.p95_ms <= SPREAD_MS
    return Outcome([Row(what, figure, f"p95 ≤ {SPREAD_MS} ms", held)], [])
