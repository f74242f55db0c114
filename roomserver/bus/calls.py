"""Commands from outside a socket: the sidecar asks a room and waits for its answer."""

import asyncio
import itertools
import secrets
from typing import Final

from msgspec import Struct

from protocol.catalog import RoomCommand
from protocol.cluster import Answer, Message, Moved, Party, Ping, Pong, Submit
from protocol.errors import ErrorCode, Rejected
from protocol.frames import Ack, Reject
from protocol.ids import ClientId, RoomId
from protocol.users import Person
from roomserver.bus.api import Bus
from roomserver.bus.channels import Channel
from roomserver.bus.directory import Directory
from roomserver.runtime.tasks import Tasks

TIMEOUT_MS: Final = 5_000
REMIND_EVERY_MS: Final = 1_000
"""The bus may lose an envelope: what is unanswered is sent again, under the same command id."""


class Carried(Struct, frozen=True):
    """A command that was carried out; its events are `first_seq`..`seq`, as in an ack."""

    first_seq: int
    seq: int
    events: list[bytes]
    """All of them, encoded; none if the home had them no more at hand."""


class _Pending(Struct):
    submit: Submit
    answer: asyncio.Future[Carried]


class Calls:
    """Sends commands under the party `http:<id>` and matches the answers."""

    def __init__(self, bus: Bus, party: Party, directory: Directory, tasks: Tasks) -> None:
        self.echo = bus.echo
        """Whether the bus carries anything is a question to it, not to those at its other end."""
        self._channel = Channel(bus, party, self._receive, on_gap=self._ask_again)
        self._directory = directory
        self._tasks = tasks
        self._client_id: ClientId = f"call-{secrets.token_hex(8)}"
        self._counter = itertools.count(1)
        self._pending: dict[str, _Pending] = {}
        self._pinged: dict[str, asyncio.Future[Pong]] = {}

    async def open(self) -> None:
        """Start to receive answers."""
        await self._channel.open()
        self._tasks.spawn("remind", self._remind(), essential=True)

    async def close(self) -> None:
        """Refuse what waits: unavailable."""
        self._channel.close()
        for pending in list(self._pending.values()):
            _fail(pending, Rejected(ErrorCode.UNAVAILABLE))

    async def submit(
        self,
        room_id: RoomId,
        person: Person,
        command: RoomCommand,
        *,
        client_id: ClientId | None = None,
        id: int | None = None,
        addresses: tuple[str, ...] = (),
        timeout_ms: int = TIMEOUT_MS,
    ) -> Carried:
        """Have a room carry out `command` for `person`; returns when its events are durable.

        `client_id` and `id` name the command: the same pair again (a retry under an
        Idempotency-Key) is answered like the first time. `addresses` are digests of where the
        person calls from. Raises Rejected: the room's refusal, or
        unavailable when no answer came in `timeout_ms` (it may be carried out all the same).
        """
        number = next(self._counter)
        conn = f"call-{number}"
        submit = Submit(
            room=room_id,
            conn=conn,
            person=person,
            client_id=client_id or self._client_id,
            id=id if client_id is not None and id is not None else number,
            command=command,
            addresses=addresses,
        )
        pending = _Pending(submit, asyncio.get_running_loop().create_future())
        self._pending[conn] = pending
        self._send(pending)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                return await pending.answer
        except TimeoutError:
            raise Rejected(ErrorCode.UNAVAILABLE, "The room did not answer in time.") from None
        finally:
            del self._pending[conn]

    async def ping(self) -> Pong:
        """How a node is. Waits for ever if there is none, or if the bus loses the question."""
        conn = f"ping-{next(self._counter)}"
        answer: asyncio.Future[Pong] = asyncio.get_running_loop().create_future()
        self._pinged[conn] = answer
        try:
            self._channel.post(self._directory.any_home(), Ping(conn))
            return await answer
        finally:
            del self._pinged[conn]

    def _send(self, pending: _Pending) -> None:
        self._channel.post(self._directory.home_of(pending.submit.room), pending.submit)

    def _receive(self, sender: Party, message: Message) -> None:
        if isinstance(message, Answer):
            pending = self._pending.get(message.conn)
            if pending is None or pending.answer.done():
                return
            answer = message.answer
            if isinstance(answer, Ack):
                carried = Carried(answer.first_seq, answer.seq, message.events)
                pending.answer.set_result(carried)
            else:
                _fail(pending, refusal(answer))
        elif isinstance(message, Pong):
            pinged = self._pinged.get(message.conn)
            if pinged is not None and not pinged.done():
                pinged.set_result(message)
        elif isinstance(message, Moved):
            # The same command id: a home that carried it out already answers with the first ack.
            for pending in self._pending.values():
                if pending.submit.room == message.room:
                    self._send(pending)

    async def _remind(self) -> None:
        while True:
            unanswered = list(self._pending.values())
            await asyncio.sleep(REMIND_EVERY_MS / 1000)
            for pending in unanswered:
                if not pending.answer.done():
                    self._send(pending)

    def _ask_again(self, sender: Party) -> None:
        for pending in self._pending.values():
            if self._directory.home_of(pending.submit.room) == sender:
                self._send(pending)


def refusal(reject: Reject) -> Rejected:
    """A `reject` frame as the exception it came from."""
    return Rejected(
        reject.code,
        reject.message or None,
        retry_after_ms=reject.retry_after_ms,
        **reject.details,
    )


def _fail(pending: _Pending, error: Rejected) -> None:
    if not pending.answer.done():
        pending.answer.set_exception(error)
