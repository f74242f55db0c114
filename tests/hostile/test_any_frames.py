"""Whatever frames strangers send, a live node answers, ends them in order, and goes on."""

import asyncio
import logging
from random import Random
from typing import Final

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from protocol.close_codes import CloseCode
from protocol.encodings import ENCODINGS, Encoding
from protocol.frames import Join, Probe, Probed
from protocol.ids import RoomId
from tests.home.stage import person
from tests.hostile.framings import BINARY, FIN, TEXT, lawful, one_frame, unlawful
from tests.hostile.grammar import Tree, messages
from tests.hostile.listener import Listener
from tests.hostile.mutants import mutant
from tests.hostile.town import Town, alive

WAVES: Final = 600
MUTANTS: Final = 100
"""On one connection; the last one breaks the WebSocket itself."""
OWNER: Final = person("Ada")
PROBED_LAST: Final = 2.0**60 + 2**20
STRIKES: Final = 10**9
"""A connection that ended at its third mistake would make few of them."""


ROOM: Final = "5d1f6c1e-8d0f-4b4a-9d52-0c6c1f0f8a11"
"""Stands for the room in what is drawn."""


class Attack:
    """Sends mutants into rooms of a town, and sees that it takes them well."""

    def __init__(self, town: Town) -> None:
        self.cases = 0
        self.drawn: list[list[Tree]] = []
        self.close_codes: set[int | None] = set()
        self._town = town
        self._room: RoomId | None = None
        town.node.edge.pace = replace(town.node.edge.pace, strikes=STRIKES)

    async def wave(self, trees: list[Tree], seed: int) -> None:
        """One connection's worth of mutants of these messages."""
        rng = Random(seed)
        encoding = rng.choice(list(ENCODINGS.values()))
        opcode = FIN | (BINARY if encoding.is_binary else TEXT)
        member, room = await self._come_in(encoding)

        def made() -> bytes:
            self.cases += 1
            data = mutant(rng, trees, is_binary=encoding.is_binary)
            return data.replace(ROOM.encode(), room.encode())

        for count in range(MUTANTS):
            if count % 10 == 9:
                # A mutant may have been a lawful farewell.
                again = Join(id=2**40 + count, room=room)
                member.send(one_frame(opcode, encoding.encode(again)))
            data = made()
            if encoding.is_binary or _is_utf8(data):
                member.send(lawful(rng, data, encoding))
        member.send(one_frame(opcode, encoding.encode(Probe(t0=PROBED_LAST))))
        while not (isinstance(answer := await member.next(), Probed) and answer.t0 == PROBED_LAST):
            assert answer is not None, f"closed with {member.close_code}"
        data = made()
        if encoding.is_binary or _is_utf8(data):
            data = unlawful(rng, data, encoding)
        else:
            data = lawful(rng, data, encoding)
        member.send(data)
        member.send_no_more()
        while await member.next() is not None:
            pass
        self.close_codes.add(member.close_code)
        member.close()

    async def _come_in(self, encoding: Encoding) -> tuple[Listener, RoomId]:
        # The last mutants may have closed the room.
        if self._room is not None:
            member = await self._town.member(OWNER, self._room, encoding)
            if member is not None:
                return member, self._room
        self._room = await self._town.open_room(OWNER)
        member = await self._town.member(OWNER, self._room, encoding)
        assert member is not None
        return member, self._room


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


async def fuzz(attack: Attack, waves: int) -> None:
    """Hypothesis draws in a thread of its own; what it draws is sent from here."""
    loop = asyncio.get_running_loop()

    @settings(max_examples=waves, deadline=None, database=None)
    @given(trees=st.lists(messages([ROOM]), min_size=1, max_size=4), seed=st.integers(0, 2**64))
    def wave(trees: list[Tree], seed: int) -> None:
        attack.drawn.append(trees)
        asyncio.run_coroutine_threadsafe(attack.wave(trees, seed), loop).result()

    await asyncio.to_thread(wave)


def is_calm(attack: Attack, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing went wrong inside."""
    assert CloseCode.INTERNAL_ERROR not in attack.close_codes
    loud = [r for r in caplog.records if r.levelno >= logging.WARNING or r.exc_info]
    assert loud == []


async def test_ws16_any_frames_are_answered_and_the_node_goes_on(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    attack = Attack(town)
    await fuzz(attack, 10)
    is_calm(attack, caplog)


@pytest.mark.slow
@pytest.mark.timeout(200)
async def test_ws16_any_frames_are_answered_at_length_and_leave_nothing_behind(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    process, attack = psutil.Process(), Attack(town)
    await fuzz(attack, WAVES)
    await town.empty()
    kinds_before, before_bytes = alive(), process.memory_info().rss
    # Hypothesis, which remembers everything, is left out of what is weighed.
    for seed, trees in enumerate(attack.drawn[-WAVES // 2 :]):
        await attack.wave(trees, seed)
    await town.empty()
    grown = {kind: n for kind, n in (alive() - kinds_before).items() if n > WAVES / 10}
    assert grown == {}
    assert process.memory_info().rss < before_bytes * 1.05
    is_calm(attack, caplog)
    assert attack.cases >= 90_000
