"""Large snapshots leave compressed, where the reader agreed to it; everything else as it is."""

import tracemalloc
import zlib
from uuid import UUID

import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from protocol.chat import ChatMessage
from protocol.codec import encode
from protocol.frames import MAX_FRAME_BYTES, Joined, Probe, Probed
from protocol.rooms import Room
from protocol.snapshot import Snapshot, new_room
from tests.edge.raw import frame
from tests.edge.scripted_home import LINEAGE, ROOM, person
from tests.edge.stage import Client, Stage, stage

PLAIN, DEFLATED = 0x81, 0xC1
INFLATED_BYTES = 30 << 20


def snapshot(messages: int) -> Snapshot:
    """A room in which much was said."""
    ann = person("Ann")
    full = new_room(Room(room_id=ROOM, name="Kitchen", owner_id=ann.user_id), LINEAGE, ann, 1)
    full.chat = [
        ChatMessage(message_id=str(UUID(int=n)), by=ann, content=f"message {n} " * 20, at_ms=n)
        for n in range(messages)
    ]
    return full


async def join(on: Stage, client: Client, name: str) -> tuple[Joined, bytes]:
    """Let a socket in; the frame as it was understood, and the write that it came in."""
    on.people.introduce(person(name))
    client.who = on.people.people[name].person
    await client.hello()
    on.written(client).clear()
    return await client.join(), b"".join(on.written(client))


async def test_a_large_snapshot_is_compressed_and_reads_the_same() -> None:
    async with stage() as on:
        full = snapshot(50)
        on.home.snapshot = encode(full)
        for name in ("Ann", "Bob"):
            async with on.socket() as client:
                joined, written = await join(on, client, name)
                assert encode(joined.snapshot) == encode(full)
                assert joined.you.person == client.who
                assert written[0] == DEFLATED
                assert len(written) < len(encode(full)) / 3


async def test_the_next_snapshot_is_another() -> None:
    async with stage() as on:
        for messages in (40, 50):
            full = snapshot(messages)
            on.home.snapshot = encode(full)
            on.home.seq[ROOM] = messages
            async with on.member(f"Ann{messages}"), on.socket() as client:
                joined, _ = await join(on, client, f"Bob{messages}")
                assert encode(joined.snapshot) == encode(full)


async def test_who_did_not_agree_gets_it_plain() -> None:
    async with stage() as on:
        on.home.snapshot = encode(snapshot(50))
        async with on.socket(compression=None) as client:
            joined, written = await join(on, client, "Ann")
            assert encode(joined.snapshot) == on.home.snapshot
            assert written[0] == PLAIN and on.home.snapshot in written


async def test_what_is_short_is_never_compressed() -> None:
    async with stage() as on:
        on.home.snapshot = encode(snapshot(1))
        async with on.socket() as client:
            _, written = await join(on, client, "Ann")
            assert written[0] == PLAIN


async def test_neither_side_keeps_a_context() -> None:
    async with stage() as on, on.socket() as client:
        (agreed,) = client.socket.protocol.extensions
        assert agreed.local_no_context_takeover and agreed.remote_no_context_takeover


async def test_compressed_messages_of_a_client_are_understood() -> None:
    async with stage() as on, on.client("Ann") as client:
        for t0 in (1.0, 2.0):
            await client.send(Probe(t0=t0))
            assert (await client.receive(Probed)).t0 == t0


async def test_ws7_a_message_that_inflates_beyond_the_cap_ends_with_1009_and_stays_small() -> None:
    deflate = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = deflate.compress(bytes(INFLATED_BYTES)) + deflate.flush(zlib.Z_SYNC_FLUSH)[:-4]
    assert len(bomb) < MAX_FRAME_BYTES
    async with stage() as on, on.client("Ann") as client:
        tracemalloc.start()
        try:
            client.socket.transport.write(frame(DEFLATED, bomb))
            assert await client.close_code() == 1009
            assert tracemalloc.get_traced_memory()[1] < 1 << 20
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("bits", [9, 12])
async def test_a_reader_with_a_small_window_is_not_sent_what_it_cannot_inflate(bits: int) -> None:
    async with stage() as on:
        full = snapshot(50)
        on.home.snapshot = encode(full)
        offer = ClientPerMessageDeflateFactory(server_max_window_bits=bits)
        async with on.socket(compression=None, extensions=[offer]) as client:
            joined, written = await join(on, client, "Ann")
            assert encode(joined.snapshot) == encode(full)
            assert written[0] == PLAIN
