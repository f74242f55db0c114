"""What every bus must keep. A subclass says in a fixture how two ends of it are made."""

import asyncio

import pytest

from roomserver.bus.api import Bus

WAIT_S = 5


class Inbox:
    """Keeps what a party received and lets a test wait for it."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self._more = asyncio.Event()

    def take(self, envelope: bytes) -> None:
        self.received.append(envelope)
        self._more.set()

    async def until(self, count: int) -> list[bytes]:
        async with asyncio.timeout(WAIT_S):
            while len(self.received) < count:
                self._more.clear()
                await self._more.wait()
        return self.received


class BusContract:
    """Runs against a fixture `ends`: two ends of one bus (one object twice is fine)."""

    async def test_bytes_arrive_as_they_were_sent(self, ends: tuple[Bus, Bus]) -> None:
        inbox = Inbox()
        await ends[1].open("node:b", inbox.take)
        ends[0].publish("node:b", bytes(range(256)))
        assert await inbox.until(1) == [bytes(range(256))]

    async def test_a_sender_s_envelopes_arrive_in_order(self, ends: tuple[Bus, Bus]) -> None:
        inbox = Inbox()
        await ends[1].open("node:b", inbox.take)
        sent = [b"%d" % number for number in range(500)]
        for envelope in sent:
            ends[0].publish("node:b", envelope)
        assert await inbox.until(500) == sent

    async def test_a_party_receives_only_what_is_addressed_to_it(
        self, ends: tuple[Bus, Bus]
    ) -> None:
        one, other = Inbox(), Inbox()
        await ends[1].open("node:b", one.take)
        await ends[1].open("http:b", other.take)
        ends[0].publish("http:b", b"for http")
        ends[0].publish("node:b", b"for the node")
        assert await one.until(1) == [b"for the node"]
        assert await other.until(1) == [b"for http"]

    async def test_a_party_can_write_to_itself(self, ends: tuple[Bus, Bus]) -> None:
        inbox = Inbox()
        await ends[0].open("node:a", inbox.take)
        ends[0].publish("node:a", b"note")
        assert inbox.received == [], "a receiver never runs inside publish"
        assert await inbox.until(1) == [b"note"]

    async def test_publishing_to_nobody_is_no_error(self, ends: tuple[Bus, Bus]) -> None:
        inbox = Inbox()
        await ends[1].open("node:b", inbox.take)
        ends[0].publish("node:nobody", b"lost")
        ends[0].publish("node:b", b"kept")
        assert await inbox.until(1) == [b"kept"]

    async def test_a_receiver_that_fails_gets_the_next_envelope(
        self, ends: tuple[Bus, Bus]
    ) -> None:
        inbox = Inbox()

        def stumble(envelope: bytes) -> None:
            inbox.take(envelope)
            if envelope == b"bad":
                raise ValueError("cannot read this")

        await ends[1].open("node:b", stumble)
        ends[0].publish("node:b", b"bad")
        ends[0].publish("node:b", b"good")
        assert await inbox.until(2) == [b"bad", b"good"]

    async def test_the_last_to_open_a_party_receives(self, ends: tuple[Bus, Bus]) -> None:
        before, after = Inbox(), Inbox()
        await ends[1].open("node:b", before.take)
        await ends[1].open("node:b", after.take)
        ends[0].publish("node:b", b"news")
        assert await after.until(1) == [b"news"]
        assert before.received == []

    async def test_a_bus_hears_itself_until_it_is_closed(self, ends: tuple[Bus, Bus]) -> None:
        async with asyncio.timeout(WAIT_S):
            await ends[0].echo()
        await ends[0].close()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await ends[0].echo()

    async def test_after_close_nothing_is_received(self, ends: tuple[Bus, Bus]) -> None:
        closed, alive = Inbox(), Inbox()
        await ends[1].open("node:b", closed.take)
        await ends[0].open("node:a", alive.take)
        ends[0].publish("node:b", b"too late")
        await ends[1].close()
        await ends[1].close()
        if ends[0] is not ends[1]:
            ends[0].publish("node:a", b"still here")
            await alive.until(1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert closed.received == []
