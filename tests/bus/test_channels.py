import asyncio

from protocol.cluster import (
    Depart,
    Envelope,
    Message,
    Moved,
    Party,
    Told,
    decode_envelope,
    encode_envelope,
)
from roomserver.bus.channels import Channel
from roomserver.bus.memory import MemoryBus
from tests.bus.contract import Inbox

ROOM = "00000000-0000-4000-8000-000000000001"


def moved(fence: int) -> Moved:
    return Moved(ROOM, fence)


class Heard:
    """What a channel handed over."""

    def __init__(self) -> None:
        self.messages: list[tuple[Party, Message]] = []
        self.gaps: list[Party] = []
        self._more = asyncio.Event()

    def receive(self, sender: Party, message: Message) -> None:
        self.messages.append((sender, message))
        self._more.set()
        if message == moved(13):
            raise ValueError("unlucky")

    async def until(self, count: int) -> list[Message]:
        async with asyncio.timeout(5):
            while len(self.messages) < count:
                self._more.clear()
                await self._more.wait()
        return [message for _, message in self.messages]


async def test_messages_of_one_turn_travel_in_one_envelope_per_destination() -> None:
    bus, to_b, to_c = MemoryBus(), Inbox(), Inbox()
    await bus.open("node:b", to_b.take)
    await bus.open("node:c", to_c.take)
    channel = Channel(bus, "node:a", Heard().receive)
    for fence in range(3):
        channel.post("node:b", moved(fence))
    channel.post("node:c", Depart(ROOM, "conn", True))
    [first] = await to_b.until(1)
    assert decode_envelope(first) == Envelope("node:a", 1, [moved(0), moved(1), moved(2)])
    [other] = await to_c.until(1)
    assert decode_envelope(other) == Envelope("node:a", 1, [Depart(ROOM, "conn", True)])
    channel.post("node:b", moved(3))
    assert decode_envelope((await to_b.until(2))[1]).number == 2


async def test_more_than_a_mebibyte_travels_in_several_envelopes_and_keeps_its_order() -> None:
    bus, inbox, heard = MemoryBus(), Inbox(), Heard()
    await bus.open("node:b", inbox.take)
    channel = Channel(bus, "node:a", heard.receive)
    said = [Told(ROOM, fence, bytes(600_000)) for fence in range(3)]
    large = Told(ROOM, 3, bytes(2_000_000))
    for message in (*said, large):
        channel.post("node:b", message)
    envelopes = [decode_envelope(envelope) for envelope in await inbox.until(4)]
    assert [envelope.number for envelope in envelopes] == [1, 2, 3, 4]
    assert [message for envelope in envelopes for message in envelope.messages] == [*said, large]


async def test_a_message_reaches_the_other_channel_with_its_sender() -> None:
    bus, heard = MemoryBus(), Heard()
    await Channel(bus, "node:b", heard.receive).open()
    Channel(bus, "node:a", heard.receive).post("node:b", moved(7))
    assert await heard.until(1) == [moved(7)]
    assert heard.messages[0][0] == "node:a"


async def test_a_lost_envelope_is_noticed_and_a_sender_that_started_anew_is_not_a_loss() -> None:
    bus, heard = MemoryBus(), Heard()
    channel = Channel(bus, "node:b", heard.receive, on_gap=heard.gaps.append)
    await channel.open()
    for number in (1, 2, 5, 1, 2):
        bus.publish("node:b", encode_envelope(Envelope("node:a", number, [moved(number)])))
    await heard.until(5)
    assert (channel.gaps, heard.gaps) == (1, ["node:a"])


async def test_h6_a_message_that_cannot_be_handled_leaves_its_neighbours_alone() -> None:
    bus, heard = MemoryBus(), Heard()
    await Channel(bus, "node:b", heard.receive).open()
    bus.publish("node:b", b"\xc1 no envelope")
    sender = Channel(bus, "node:a", heard.receive)
    sender.post("node:b", moved(13))
    sender.post("node:b", moved(14))
    assert await heard.until(2) == [moved(13), moved(14)]


async def test_a_closing_channel_sends_what_waits_and_then_nothing() -> None:
    bus, heard = MemoryBus(), Heard()
    await Channel(bus, "node:b", heard.receive).open()
    sender = Channel(bus, "node:a", heard.receive)
    await sender.open()
    sender.post("node:b", moved(1))
    sender.close()
    sender.post("node:b", moved(2))
    bus.publish("node:a", encode_envelope(Envelope("node:b", 1, [moved(3)])))
    assert await heard.until(1) == [moved(1)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(heard.messages) == 1
