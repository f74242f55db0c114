"""H6: what somebody who reaches Redis says on the nodes' channels."""

import os
import pickle

import pytest
from redis.asyncio import Redis

from roomserver.bus import seal
from roomserver.bus.metrics import REFUSED
from roomserver.bus.seal import HEADER, MAGIC, STALE_AFTER_MS, VERSION, Seal, Unsealed
from roomserver.runtime.clock import wall_ms
from tests.bus.contract import Inbox
from tests.bus.redis_server import KEY, RedisServer, bus_at

REASONS = ("garbage", "version", "forged", "stale", "replayed", "oversize")
NODE, SIDECAR = "unisono:node:a", "unisono:http:a"


class Bomb:
    """Ends this process if it is ever unpickled."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (1,)


def refused() -> dict[str, float]:
    return {reason: REFUSED.labels(reason)._value.get() for reason in REASONS}


async def test_h6_what_no_node_has_sealed_for_this_party_is_dropped_and_counted(
    redis: RedisServer,
) -> None:
    received, elsewhere = Inbox(), Inbox()
    node, other = bus_at(redis.url), bus_at(redis.url)
    await node.open("node:a", received.take)
    await node.open("http:a", elsewhere.take)
    attacker = Redis.from_url(redis.url)
    async with attacker.pubsub() as tap:
        await tap.subscribe(SIDECAR)
        other.publish("http:a", b"for the sidecar")
        await elsewhere.until(1)
        overheard = b""
        while not overheard:
            heard = await tap.get_message(ignore_subscribe_messages=True, timeout=1)
            overheard = heard["data"] if heard else b""
    said = Seal(lambda: [KEY]).seal("node:a", b"as good as new")
    before = refused()
    attacks = {
        "garbage": [b"", b"\xc1", os.urandom(100_000), pickle.dumps(Bomb()), MAGIC],
        "version": [MAGIC + bytes([VERSION - 1]) + said[3:], MAGIC + b"\xff" + said[3:]],
        "forged": [
            Seal(lambda: [b"x" * 32]).seal("node:a", b"with a key of mine"),
            said[:-1] + b"!",
            HEADER.pack(MAGIC, VERSION, b"somebody", 2**64 - 1, int(wall_ms()))
            + said[HEADER.size :],
            overheard,
        ],
        "stale": [
            Seal(lambda: [KEY], now_ms=now_ms).seal("node:a", b"not of now")
            for now_ms in (lambda: wall_ms() - 61_000, lambda: wall_ms() + 61_000)
        ],
        "oversize": [bytes(10 << 20)],
    }
    for messages in attacks.values():
        for message in messages:
            await attacker.publish(NODE, message)
    await attacker.publish(SIDECAR, overheard)
    other.publish("node:a", b"good")
    assert await received.until(1) == [b"good"]
    grown = {reason: count - before[reason] for reason, count in refused().items()}
    assert grown == {reason: len(messages) for reason, messages in attacks.items()} | {
        "replayed": 1
    }
    assert (received.received, elsewhere.received) == ([b"good"], [b"for the sidecar"])
    await attacker.aclose()
    await node.close()
    await other.close()


async def test_h6_nodes_that_have_the_next_key_too_understand_each_other(
    redis: RedisServer,
) -> None:
    received, none = Inbox(), Inbox()
    next_key, stranger = b"n" * 32, bus_at(redis.url, b"s" * 32)
    before, changed = bus_at(redis.url, KEY, next_key), bus_at(redis.url, next_key, KEY)
    forged = refused()["forged"]
    await changed.open("node:changed", received.take)
    await before.open("node:before", received.take)
    await stranger.open("node:stranger", none.take)
    for to in ("node:changed", "node:stranger"):
        before.publish(to, b"old key")
    await received.until(1)
    for to in ("node:before", "node:stranger"):
        changed.publish(to, b"new key")
    assert await received.until(2) == [b"old key", b"new key"]
    await stranger.echo()
    assert (none.received, refused()["forged"] - forged) == ([], 2)
    for bus in (before, changed, stranger):
        await bus.close()


def test_h6_what_was_recorded_long_ago_is_refused_by_who_has_never_heard_its_sender(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_ms = 1_700_000_000_000.0

    def made() -> Seal:
        return Seal(lambda: [KEY], now_ms=lambda: now_ms)

    def reason(taker: Seal, recorded: bytes) -> str:
        with pytest.raises(Unsealed) as refused:
            taker.open("node:a", recorded)
        return refused.value.reason

    monkeypatch.setattr(seal, "SENDERS_KEPT", 2)
    taker, often, once = made(), made(), made()
    recorded = often.seal("node:a", b"ban Ada")
    assert taker.open("node:a", recorded) == b"ban Ada"
    for sender in (once, often, made()):
        taker.open("node:a", sender.seal("node:a", b"more"))
    assert reason(taker, recorded) == "replayed", "who was heard last is not forgotten first"
    now_ms += STALE_AFTER_MS + 1
    assert (reason(made(), recorded), reason(taker, recorded)) == ("stale", "stale")
