"""What comes and goes ten thousand times leaves nothing behind."""

import asyncio
import gc
from typing import Final

import psutil
import pytest

from protocol.encodings import JSON, MESSAGEPACK
from protocol.frames import Join
from roomserver.home.runner import Runner
from roomserver.room.room import Room
from tests.home.stage import person
from tests.hostile.framings import FIN, TEXT, one_frame
from tests.hostile.listener import HEAD, Listener
from tests.hostile.town import Town, alive, descriptors

PEOPLE: Final = [person(f"P{n}") for n in range(20)]
AT_ONCE: Final = 20
CYCLES: Final = 10_000
FEW: Final = 20
"""So many objects of a kind may come and go by themselves, however many people did."""
BY_TIME: Final = {
    # One a second, a bounded number of them.
    "roomserver.runtime.clock._Reading",
    # Of our own timeouts: cancelled, they wait for their time in the heap of the loop.
    "asyncio.events.TimerHandle",
}
"""Kinds of which time makes more, not people; no more than a hundredth of those."""


async def only_connects(town: Town, number: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", town.port)
    writer.transport.abort()


async def dies_in_its_head(town: Town, number: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", town.port)
    writer.write(HEAD.encode()[: number % len(HEAD)])
    writer.transport.abort()


async def never_says_hello(town: Town, number: int) -> None:
    (await Listener.open(town.port, JSON)).close()


async def dies_in_its_hello(town: Town, number: int) -> None:
    listener = await Listener.open(town.port, JSON)
    hello = one_frame(FIN | TEXT, JSON.encode(town.hello(PEOPLE[number % len(PEOPLE)])))
    listener.send(hello[: len(hello) // 2] if number % 2 else hello)
    listener.close()


async def dies_in_a_room(town: Town, number: int) -> None:
    encoding = JSON if number % 2 else MESSAGEPACK
    member = await town.member(PEOPLE[number % len(PEOPLE)], town.rooms[number % 3], encoding)
    assert member is not None
    if encoding is JSON:
        # On its way into another room when it dies.
        member.send(one_frame(FIN | TEXT, JSON.encode(Join(id=2, room=town.rooms[3]))))
    member.close()


WAYS: Final = (
    only_connects, dies_in_its_head, never_says_hello, dies_in_its_hello, dies_in_a_room,
)  # fmt: skip


async def come_and_go(town: Town, cycles: int) -> None:
    """Each way of going, some at once."""

    async def one_after_another(start: int) -> None:
        for number in range(start, cycles, AT_ONCE):
            await WAYS[(number // AT_ONCE) % len(WAYS)](town, number)

    async with asyncio.TaskGroup() as people:
        for start in range(AT_ONCE):
            people.create_task(one_after_another(start))
    await town.empty()


def tally(town: Town) -> dict[str, int]:
    """Everything that is counted one by one."""
    edge, home = town.node.edge, town.node.home
    return {
        "tasks": len(asyncio.all_tasks()),
        "descriptors": descriptors(),
        "connections": edge.connection_count,
        "users": edge.user_count,
        "strangers": len(edge.strangers),
        "rooms at the edge": len(edge.hub.rooms),
        "questions": len(edge.router),
        "appointments": len(edge.wheel),
        "rooms at home": home.room_count,
    }


@pytest.mark.slow
@pytest.mark.timeout(150)
async def test_ten_thousand_who_come_and_are_killed_leave_nothing_behind(town: Town) -> None:
    process = psutil.Process()
    for _ in range(4):
        await town.open_room(PEOPLE[0])
    # Caches fill: those of a hundred entries before the first look, of a thousand before the next.
    await come_and_go(town, CYCLES // 10)
    before, before_bytes = tally(town), process.memory_info().rss
    await come_and_go(town, CYCLES // 5)
    kinds_before = alive()
    await come_and_go(town, CYCLES - CYCLES // 5)
    after = tally(town)
    # The pool opens connections as it needs them.
    assert after.pop("descriptors") <= before.pop("descriptors") + FEW
    assert after == before
    grown = alive() - kinds_before
    most = {kind: CYCLES // 100 if kind in BY_TIME else FEW for kind in grown}
    assert {kind: n for kind, n in grown.items() if n > most[kind]} == {}
    assert process.memory_info().rss <= before_bytes * 1.05


async def test_a_suspended_room_leaves_nothing_behind(town: Town) -> None:
    gc.collect()
    kinds = (Room, Runner)
    assert not [thing for thing in gc.get_objects() if isinstance(thing, kinds)]
    room = await town.open_room(PEOPLE[0])
    member = await town.member(PEOPLE[0], room, JSON)
    assert member is not None
    assert len([thing for thing in gc.get_objects() if isinstance(thing, kinds)]) == len(kinds)
    member.close()
    await town.empty()
    gc.collect()
    assert not [thing for thing in gc.get_objects() if isinstance(thing, kinds)]
