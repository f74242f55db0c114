"""The page about bots: its program and its snippets run as they stand there."""

import ast
import asyncio
import inspect
import re
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from protocol.bot import Bot, Login, Room, connect, guest, sign_in
from protocol.members import MemberSetRole
from protocol.moderation import MemberKick
from tests.cluster.rest import new_room, register
from tests.cluster.server import ROOT, Served
from tests.protocol.program import running

BLOCK: Final = re.compile(r"^ *```python\n(.*?)\n *```$", re.S | re.M)


def blocks(page: str) -> list[str]:
    """The Python of a page."""
    return [textwrap.dedent(found) for found in BLOCK.findall((ROOT / page).read_text("utf-8"))]


async def run(block: str, names: dict[str, object]) -> None:
    """Run a snippet; what it imports and defines is there for the next."""
    code = compile(block, "docs/bots.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)
    if inspect.isawaitable(result):
        await result


@pytest.fixture
async def fresh_url(tmp_path: Path) -> AsyncIterator[str]:
    """A server of the test's own: the program takes the first room there is."""
    served = Served(tmp_path / "data")
    await served.start()
    yield served.url
    await served.stop()


@pytest.fixture
async def me(base_url: str, token: str) -> AsyncIterator[Bot]:
    """The bot of the snippets, owner of its room."""
    async with connect(base_url, token=token) as me:
        yield me


@pytest.fixture
async def room(me: Bot, room_id: str) -> Room:
    return await me.join(room_id)


@pytest.fixture
async def bob(base_url: str, room: Room) -> AsyncIterator[Bot]:
    """Somebody who comes later."""
    async with connect(base_url, token=await guest(base_url, "Bob")) as bob:
        yield bob


async def test_the_echo_bot_answers(fresh_url: str, tmp_path: Path) -> None:
    token = await guest(fresh_url, "Ann")
    room_id = await new_room(fresh_url, token, "Kitchen")
    program = tmp_path / "echo.py"
    program.write_text(blocks("docs/bots.md")[0])
    assert len(program.read_text().splitlines()) <= 18
    async with (
        running(program, fresh_url, first_line="in Kitchen with 1 here"),
        connect(fresh_url, token=token) as ann,
    ):
        room = await ann.join(room_id)
        await room.chat("anybody?")
        said = await room.wait_for(
            lambda room: [m for m in room.snapshot.chat if m.by.display_name == "Echo"]
        )
        assert said[0].content == "Ann said: anybody?"


async def test_every_snippet_runs(
    me: Bot, room: Room, bob: Bot, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, object] = {"me": me, "room": room}
    his = await bob.join(room.room_id)
    snippets = blocks("docs/bots.md")[1:]
    assert len(snippets) == 9
    for snippet in snippets:
        await run(snippet, names)
    assert room.snapshot.room.settings.queue_mode == "fair"
    first, second = room.snapshot.chat
    assert second.reply_to == first.message_id
    assert first.reactions == {"🎉": 1, "🔥": 1}
    assert "no such track" in capsys.readouterr().out

    host, stay = names["host"], names["stay"]
    assert callable(host)
    assert callable(stay)
    hosting = asyncio.ensure_future(host(room))
    staying = asyncio.ensure_future(stay(his))
    await his.chat("!queue")
    await his.wait_for(lambda room: room.snapshot.chat[-1].content == "Bob: 0 waiting.")
    await room.do(MemberKick(user_id=bob.user.user_id))
    assert await staying == "kicked"
    await room.wait_for(lambda room: room.count == 1)
    back = await bob.join(room.room_id)
    await back.wait_for(lambda room: room.snapshot.chat[-1].content == "Welcome, Bob!")
    hosting.cancel()
    await asyncio.wait([hosting])


async def test_a_role_belongs_to_the_account(base_url: str, me: Bot, room: Room) -> None:
    await register(base_url, "helpful.hand")
    for attempt in range(2):
        login: Login = await sign_in(base_url, "helpful.hand", "correct horse battery")
        async with connect(base_url, token=login) as bot:
            his = await bot.join(room.room_id)
            if attempt == 0:
                await room.do(MemberSetRole(user_id=bot.user.user_id, role="moderator"))
                await his.wait_for(lambda room: room.you and room.you.role == "moderator")
            assert his.you is not None
            assert his.you.role == "moderator"


async def test_the_bot_of_the_readme_says_hi(
    base_url: str, token: str, room: Room, room_id: str
) -> None:
    (block,) = blocks("README.md")
    local = block.replace("http://127.0.0.1:8000", base_url)
    assert local != block
    await run(local, {"token": token, "room_id": room_id})
    await room.wait_for(lambda room: [m.content for m in room.snapshot.chat] == ["hi"])
