"""The bus of several processes: Redis carries it, and is trusted with nothing but carrying.

    bus = RedisBus("redis://127.0.0.1", Seal(keys))
    bus.start()

What parties of this process say to each other never leaves it (`MemoryBus`), so its own rooms go
on without Redis. The bus notices by a word to itself whether Redis carries, and connects again.
"""

import asyncio
import logging
import random
import secrets
from collections.abc import Coroutine
from contextlib import suppress
from typing import Final, NoReturn

from protocol.cluster import Party
from roomserver.bus.api import Receive
from roomserver.bus.memory import MemoryBus
from roomserver.bus.metrics import LOST, REFUSED
from roomserver.bus.outgoing import Outgoing
from roomserver.bus.redis_link import FAULTS, RedisLink, connections
from roomserver.bus.seal import ENVELOPE_MAX_BYTES, Seal, Unsealed
from roomserver.runtime.logs import mask
from roomserver.runtime.tasks import OnCrash, Tasks

PREFIX: Final = "unisono:"
"""Of all channels; the rest is the party that they lead to."""
OPEN_WITHIN_S: Final = 2.0
CLOSE_WITHIN_S: Final = 1.0
PROBE_EVERY_S: Final = 1.0
DEAF_AFTER_PROBES: Final = 3
"""Several, as a process that stood still for a while finds one overdue for nobody's fault."""
HEARD_AT_ONCE: Final = 64
"""Then others have their turn: what came in already is heard without waiting for anything."""
PAUSE_MIN_S: Final = 0.1
PAUSE_MAX_S: Final = 5.0

_log: Final = logging.getLogger(__name__)


class RedisBus:
    """Keeps the contract of `api.Bus` over the pub/sub of a Redis. `on_crash`: see `Tasks`.

    What is published while Redis is away waits for 3 s at most, then it is lost.
    """

    def __init__(self, url: str, seal: Seal, *, on_crash: OnCrash | None = None) -> None:
        """Raises ValueError or TypeError if `url` cannot be read."""
        self._connections = connections(url)
        self._seal = seal
        self._tasks = Tasks("bus", on_crash=on_crash)
        self._local = MemoryBus()
        self._own: Party = f"bus:{secrets.token_hex(8)}"
        self._subscribed = {self._own: asyncio.Event()}
        self._echoes: dict[bytes, asyncio.Future[None]] = {}
        self._outgoing = Outgoing()
        self._link: RedisLink | None = None
        self._pause_s = PAUSE_MIN_S
        self._is_away = False
        self._has_heard = False
        self._refused: set[str] = set()
        self._closed = False

    def start(self) -> None:
        """Look for the Redis from now on."""
        self._tasks.spawn("redis", self._keep(), essential=True)

    async def open(self, party: Party, receive: Receive) -> None:
        """See `api.Bus`. Without a Redis it returns after 2 s, and is subscribed later."""
        await self._local.open(party, receive)
        subscribed = self._subscribed.setdefault(party, asyncio.Event())
        if self._link is not None and not subscribed.is_set():
            # If that fails, the next link asks for all of them.
            with suppress(*FAULTS):
                await self._link.subscribe([_channel(party)])
        try:
            async with asyncio.timeout(OPEN_WITHIN_S):
                await subscribed.wait()
        except TimeoutError:
            _log.warning("other nodes are not heard yet", extra={"party": party})

    def publish(self, to: Party, envelope: bytes) -> None:
        """See `api.Bus`."""
        if self._closed:
            return
        if to in self._subscribed:
            self._local.publish(to, envelope)
        elif len(envelope) > ENVELOPE_MAX_BYTES:
            LOST.labels("oversize").inc()
            _log.error("an envelope is too long", extra={"bytes": len(envelope), "party": to})
        else:
            self._outgoing.put(to, envelope)

    async def echo(self) -> None:
        """See `api.Bus`."""
        word = secrets.token_bytes(8)
        heard = self._echoes[word] = asyncio.get_running_loop().create_future()
        try:
            self._outgoing.put_word(self._own, word)
            await heard
        finally:
            del self._echoes[word]

    async def close(self) -> None:
        """See `api.Bus`. What waits is said first, if Redis takes it within 1 s."""
        self._closed = True
        await self._local.close()
        if self._link is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_WITHIN_S):
                    await self._outgoing.all_left()
        await self._tasks.close()

    async def _keep(self) -> None:
        while True:
            link = RedisLink(self._connections)
            try:
                await self._use(link)
            except FAULTS as error:
                self._tell_away(error)
            except Exception as error:
                # A server that answers what nobody asked, or a bug: no reason to end the process.
                _log.exception("the link to Redis failed")
                self._tell_away(error)
            # Not all nodes at once, when it is there again.
            await asyncio.sleep(self._pause_s * random.uniform(0.5, 1))
            self._pause_s = min(2 * self._pause_s, PAUSE_MAX_S)

    async def _use(self, link: RedisLink) -> None:
        try:
            await self._live(link)
        finally:
            self._link = None
            for subscribed in self._subscribed.values():
                subscribed.clear()
            await link.close()

    async def _live(self, link: RedisLink) -> None:
        """One link from its first word until it fails; raises what it failed with."""
        await link.open()
        self._link = link
        await link.subscribe([_channel(party) for party in self._subscribed])
        ended: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

        async def part(work: Coroutine[None, None, NoReturn]) -> None:
            try:
                await work
            except Exception as error:
                if not ended.done():
                    ended.set_result(error)

        parts = Tasks("bus.link")
        try:
            parts.spawn("hear", part(self._hear(link)))
            parts.spawn("say", part(self._say(link)))
            parts.spawn("probe", part(self._probe()))
            raise await ended
        finally:
            await parts.close()

    async def _hear(self, link: RedisLink) -> NoReturn:
        heard = 0
        while True:
            channel, data = await link.hear()
            self._has_heard = True
            heard += 1
            if heard % HEARD_AT_ONCE == 0:
                await asyncio.sleep(0)
            party = channel.decode().removeprefix(PREFIX)
            if data is None:
                self._subscribed[party].set()
                continue
            try:
                envelope = self._seal.open(party, data)
            except Unsealed as refused:
                REFUSED.labels(refused.reason).inc()
                self._tell_refused(refused, party)
                continue
            if party != self._own:
                self._local.publish(party, envelope)
            else:
                self._heard_itself(envelope)

    async def _say(self, link: RedisLink) -> NoReturn:
        # Who says something before being able to hear misses the answer.
        for subscribed in list(self._subscribed.values()):
            await subscribed.wait()
        while True:
            batch = await self._outgoing.batch()
            try:
                await link.say(
                    [(_channel(to), self._seal.seal(to, envelope)) for to, envelope in batch]
                )
            except BaseException:
                # Cancelled, too: that is how it ends when the other connection was lost first.
                LOST.labels("broken").inc(len(batch))
                raise

    async def _probe(self) -> NoReturn:
        # A connection into a black hole raises nothing for minutes.
        unheard = 0
        while unheard < DEAF_AFTER_PROBES:
            self._has_heard = False
            try:
                async with asyncio.timeout(PROBE_EVERY_S):
                    await self.echo()
            except TimeoutError:
                # Who hears others is not deaf: the own word is behind them.
                unheard = 0 if self._has_heard else unheard + 1
                continue
            unheard = 0
            await asyncio.sleep(PROBE_EVERY_S)
        raise TimeoutError("it carries nothing")

    def _heard_itself(self, word: bytes) -> None:
        self._pause_s = PAUSE_MIN_S
        if self._is_away:
            _log.warning("Redis is back")
        self._is_away = False
        heard = self._echoes.get(word)
        if heard is not None and not heard.done():
            heard.set_result(None)

    def _tell_away(self, error: Exception) -> None:
        # Once, however often it is tried.
        if not self._is_away:
            reason = mask(str(error)) or type(error).__name__
            _log.warning("Redis is away", extra={"error": reason})
        self._is_away = True

    def _tell_refused(self, refused: Unsealed, party: Party) -> None:
        # Once for each reason: somebody may say it all day. The metric counts them.
        if refused.reason not in self._refused:
            extra = {"reason": refused.reason, "party": party}
            _log.warning("not sealed by our nodes", extra=extra)
        self._refused.add(refused.reason)


def _channel(party: Party) -> bytes:
    return f"{PREFIX}{party}".encode()
