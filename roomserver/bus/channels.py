"""Messages instead of bytes: what a party says in one turn of the loop goes as one envelope."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from protocol.cluster import (
    Envelope,
    FromHome,
    Message,
    Party,
    ToHome,
    decode_envelope,
    encode_envelope,
)
from roomserver.bus.api import Bus

ReceiveMessage = Callable[[Party, Message], None]

ENVELOPE_BYTES: Final = 1 << 20
"""More goes as several envelopes: a bus over the network bounds what it carries in one piece."""

_log: Final = logging.getLogger(__name__)


class Channel:
    """One party's end of the bus.

    Messages to one destination arrive in the order in which they were posted; what is posted in
    one turn of the loop travels together, up to 1 MiB. Envelopes are numbered for each destination
    from 1; `gaps` counts the times a number was skipped, that is, losses that were noticed.
    """

    def __init__(
        self,
        bus: Bus,
        party: Party,
        receive: ReceiveMessage,
        on_gap: Callable[[Party], None] | None = None,
    ) -> None:
        self.party = party
        self.gaps = 0
        self._bus = bus
        self._receive = receive
        self._on_gap = on_gap
        self._waiting: dict[Party, list[ToHome | FromHome]] = {}
        self._sent: dict[Party, int] = {}
        self._seen: dict[Party, int] = {}
        self._closed = False

    async def open(self) -> None:
        """Start to receive."""
        await self._bus.open(self.party, self._take)

    def post(self, to: Party, message: ToHome | FromHome) -> None:
        """Send `message` to `to` at the end of this turn. Never blocks; nothing after `close`."""
        if self._closed:
            return
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._waiting.setdefault(to, []).append(message)

    def flush(self) -> None:
        """Send at once what waits for the end of the turn."""
        waiting, self._waiting = self._waiting, {}
        for to, messages in waiting.items():
            self._send(to, messages)

    def close(self) -> None:
        """Send what waits, then neither send nor receive anything."""
        self.flush()
        self._closed = True

    def _send(self, to: Party, messages: list[ToHome | FromHome]) -> None:
        number = self._sent.get(to, 0) + 1
        envelope = encode_envelope(Envelope(self.party, number, messages))
        if len(envelope) > ENVELOPE_BYTES and len(messages) > 1:
            half = len(messages) // 2
            self._send(to, messages[:half])
            self._send(to, messages[half:])
            return
        self._sent[to] = number
        self._bus.publish(to, envelope)

    def _take(self, data: bytes) -> None:
        if self._closed:
            return
        try:
            envelope = decode_envelope(data)
        except msgspec.MsgspecError:
            # A newer node may say what we do not know yet; the gap makes us ask again.
            _log.warning("an envelope cannot be read", exc_info=True, extra={"party": self.party})
            return
        self._count(envelope.sender, envelope.number)
        for message in envelope.messages:
            try:
                self._receive(envelope.sender, message)
            except Exception:
                # One message that hits a bug must not take its neighbours with it.
                _log.exception("a message was not handled", extra={"kind": type(message).__name__})

    def _count(self, sender: Party, number: int) -> None:
        expected = self._seen.get(sender, 0) + 1
        self._seen[sender] = number
        # Number 1 is a sender that started anew. From a sender never seen before any number is
        # fine: it may have talked to an earlier receiver of this name.
        if number not in (expected, 1) and expected > 1:
            self.gaps += 1
            if self._on_gap is not None:
                self._on_gap(sender)
