"""Listeners without ears, in one room of the real server, over links that are late as they like."""

import asyncio
from urllib.parse import urlsplit

import pytest

from protocol.bot import Room, connect
from protocol.bot_listener import Listener
from tests.bench.listening import Crowd
from tests.cluster.rest import new_room, register, upload
from tests.faults.proxy import Proxy

LISTENERS = 50
LATE_MS, JITTER_MS = 50, 30
SPREAD_MS = 8.0
LEARNT_S = 12.0


def is_playing(room: Room) -> bool:
    """Whether there is an anchor."""
    return room.snapshot.playback.status == "playing"


async def until_heard(listener: Listener) -> None:
    """Turn the loop until there is no silence."""
    async with asyncio.timeout(10):
        while listener.playhead() is None:  # noqa: ASYNC110  (time sets no event)
            await asyncio.sleep(0)


async def test_a_listener_hears_what_was_until_the_agreed_instant_and_then_what_is(
    base_url: str,
) -> None:
    token = await register(base_url, "listening_host")
    room_id = await new_room(base_url, token, "Heard")
    track_id = await upload(base_url, token, 30_000)
    async with connect(base_url, token) as me:
        room = await me.join(room_id)
        listener = room.listen()
        assert listener.playhead() is None
        await room.add(track_id)
        await room.wait_for(is_playing)
        started_at_ms = room.snapshot.playback.started_at_ms
        assert started_at_ms is not None
        # A shorter lead does not overtake what is agreed: seek when that is heard, or both are one.
        await until_heard(listener)
        await room.seek(20_000)
        moved = room.snapshot.playback
        assert moved.started_at_ms is not None
        before = listener.playhead_at(moved.started_at_ms - 1)
        after = listener.playhead_at(moved.started_at_ms + 1)
        assert before is not None
        assert after is not None
        gone_on_ms = moved.started_at_ms - 1 - started_at_ms
        assert before.position_samples == pytest.approx(gone_on_ms * 48)
        assert after.position_samples == pytest.approx(20_001 * 48)
        assert after.track_id == track_id
        await room.leave()
        assert listener.playhead() is None


@pytest.mark.slow
@pytest.mark.alone
async def test_fifty_listeners_behind_bad_links_hear_the_same(base_url: str) -> None:
    token = await register(base_url, "crowd_host")
    room_id = await new_room(base_url, token, "Crowd")
    track_id = await upload(base_url, token, 60_000)
    port = urlsplit(base_url).port
    assert port is not None
    proxy, crowd = Proxy(port), Crowd()
    for way in (proxy.asks, proxy.answers):
        way.latency_ms, way.jitter_ms = LATE_MS, JITTER_MS
    async with proxy.opened() as address, connect(base_url, token) as me:
        room = await me.join(room_id)
        await room.add(track_id)
        await room.wait_for(is_playing)
        await crowd.come([address], room_id, LISTENERS)
        first = await crowd.spread(LEARNT_S)
        await room.seek(30_000)
        spread = await crowd.spread(3)
        print(f"\nthe first {LEARNT_S} s: {first}\nthen: {spread}")
        await crowd.leave()
    assert spread.p95_ms <= SPREAD_MS
