import asyncio
from collections.abc import AsyncIterator

import pytest

from protocol.chat import ChatSend
from protocol.cluster import Answer, Message, Moved, Party, Submit
from protocol.errors import ErrorCode, Rejected
from protocol.frames import Ack, Reject
from protocol.users import Person
from roomserver.bus.calls import Calls, Carried
from roomserver.bus.channels import Channel
from roomserver.bus.directory import Directory
from roomserver.bus.memory import MemoryBus
from roomserver.runtime.tasks import Tasks

ROOM = "00000000-0000-4000-8000-000000000001"
ADA = Person(user_id="00000000-0000-4000-8000-00000000000a", display_name="Ada")
HELLO = ChatSend(content="hello")


class Room:
    """The far end: a home whose answers the test gives."""

    def __init__(self, bus: MemoryBus) -> None:
        self._channel = Channel(bus, "node:home", self._receive)
        self._submits: asyncio.Queue[tuple[Party, Submit]] = asyncio.Queue()

    async def open(self) -> None:
        await self._channel.open()

    async def asked(self) -> Submit:
        async with asyncio.timeout(5):
            self._caller, submit = await self._submits.get()
        return submit

    def answer(self, submit: Submit, answer: Ack | Reject) -> None:
        self._channel.post(self._caller, Answer(ROOM, submit.conn, 1, answer))

    def move(self) -> None:
        self._channel.post(self._caller, Moved(ROOM, 2))

    def _receive(self, sender: Party, message: Message) -> None:
        assert isinstance(message, Submit)
        self._submits.put_nowait((sender, message))


class Line:
    """A sidecar's calls and the room they reach."""

    def __init__(self) -> None:
        bus = MemoryBus()
        self.room = Room(bus)
        self.tasks = Tasks("test")
        self.calls = Calls(bus, "http:test", Directory("node:home"), self.tasks)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    line = Line()
    await line.room.open()
    await line.calls.open()
    yield line
    await line.calls.close()
    await line.tasks.close()


async def test_a_call_returns_the_ack_of_the_room(line: Line) -> None:
    call = line.tasks.spawn("call", line.calls.submit(ROOM, ADA, HELLO))
    submit = await line.room.asked()
    assert (submit.room, submit.person, submit.command) == (ROOM, ADA, HELLO)
    line.room.answer(submit, Ack(id=submit.id, first_seq=4, seq=5))
    assert await call == Carried(4, 5, [])


async def test_a_refusal_of_the_room_is_raised_whole(line: Line) -> None:
    call = line.tasks.spawn("call", line.calls.submit(ROOM, ADA, HELLO))
    submit = await line.room.asked()
    line.room.answer(
        submit,
        Reject(
            id=submit.id,
            code=ErrorCode.QUEUE_FULL,
            temporary=True,
            message="No.",
            retry_after_ms=50,
            details={"limit": 500},
        ),
    )
    with pytest.raises(Rejected, match=r"No\.") as refused:
        await call
    assert refused.value.code is ErrorCode.QUEUE_FULL
    assert refused.value.retry_after_ms == 50
    assert refused.value.details == {"limit": 500}


async def test_a_room_that_moved_is_asked_again_under_the_same_name(line: Line) -> None:
    call = line.tasks.spawn("call", line.calls.submit(ROOM, ADA, HELLO))
    first = await line.room.asked()
    line.room.move()
    again = await line.room.asked()
    assert again == first
    line.room.answer(again, Ack(id=again.id, first_seq=1, seq=1))
    assert (await call).seq == 1


async def test_two_calls_have_two_names_unless_the_caller_gives_one(line: Line) -> None:
    ask = line.calls.submit
    calls = [line.tasks.spawn("call", ask(ROOM, ADA, HELLO)) for _ in range(2)]
    calls += [
        line.tasks.spawn("call", ask(ROOM, ADA, HELLO, client_id="idempotent", id=3))
        for _ in range(2)
    ]
    one, two, three, four = [await line.room.asked() for _ in range(4)]
    assert (one.client_id, one.id) != (two.client_id, two.id)
    assert {(submit.client_id, submit.id) for submit in (three, four)} == {("idempotent", 3)}
    for seq, submit in enumerate((one, two, three, four)):
        line.room.answer(submit, Ack(id=submit.id, first_seq=seq, seq=seq))
    assert [(await call).seq for call in calls] == [0, 1, 2, 3]


async def test_a_silent_room_is_unavailable(line: Line) -> None:
    with pytest.raises(Rejected) as refused:
        await line.calls.submit(ROOM, ADA, HELLO, timeout_ms=1)
    assert refused.value.code is ErrorCode.UNAVAILABLE


async def test_closing_refuses_what_waits(line: Line) -> None:
    call = line.tasks.spawn("call", line.calls.submit(ROOM, ADA, HELLO))
    await line.room.asked()
    await line.calls.close()
    with pytest.raises(Rejected) as refused:
        await call
    assert refused.value.code is ErrorCode.UNAVAILABLE
