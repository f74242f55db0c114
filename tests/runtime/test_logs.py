"""Logs: JSON lines with ids as fields and without secrets."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Final
from uuid import uuid4

import pytest

from protocol.tokens import BOT_TOKEN_PREFIX
from roomserver.runtime import logs, tokens
from roomserver.runtime.config import SigningKey
from tests.canary import Canary, require_no_secret

LOG: Final = logging.getLogger("unisono.tests")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    text = io.StringIO()
    logs.set_up("info", text)
    yield text
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_record_is_one_json_line_with_its_ids(stream: io.StringIO) -> None:
    LOG.info("joined\nthe room", extra={"room_id": "r-1", "user_id": "u-1", "wait_ms": 3})
    LOG.debug("too quiet to be kept")
    [line] = stream.getvalue().splitlines()
    told = json.loads(line)
    assert told["message"] == "joined\nthe room" and told["level"] == "info"
    assert (told["room_id"], told["user_id"], told["wait_ms"]) == ("r-1", "u-1", 3)
    assert told["logger"] == "unisono.tests" and told["at"].endswith("+00:00")


def test_an_exception_is_told_with_its_stack_on_the_same_line(stream: io.StringIO) -> None:
    try:
        raise LookupError("broken")
    except LookupError:
        LOG.exception("failed")
    [line] = stream.getvalue().splitlines()
    assert "LookupError: broken" in json.loads(line)["error"]


def test_h3_secrets_do_not_reach_the_log(stream: io.StringIO) -> None:
    token = tokens.Tokens([SigningKey("k", b"a" * 32)]).issue("u", "l", "guest", "Ann").token
    LOG.info("hello %s", token, extra={"refresh_token": "canary-1", "header": f"Bearer {token}"})
    LOG.info("to postgresql://user:canary-2@db/x", extra={"password": "canary-3"})
    row = "canary-4@example.org"
    try:
        raise ValueError(f"duplicate key\nDETAIL:  Key (email)=({row}) exists.")
    except ValueError:
        LOG.exception("insert failed")
    told = stream.getvalue()
    assert token not in told and "canary" not in told and "duplicate key" in told


def test_h3_the_canary_of_the_suite_hears_what_is_said() -> None:
    canary, log = Canary(), logging.getLogger("roomserver.made_up")
    log.propagate = False
    log.addHandler(canary)
    # The canary looks for a digit and a capital: one credential in 1,500 has no digit.
    opaque = "A1" + tokens.opaque()[2:]
    try:
        for secret in (
            opaque,
            BOT_TOKEN_PREFIX + opaque,
            tokens.Tokens([SigningKey("k", b"a" * 32)]).issue("u", "l", "guest", "Ann").token,
            "$argon2id$v=19$m=8",
            "ann@example.org",
            "unisono_login=x",
            "Bearer abcdefgh",
        ):
            canary.found.clear()
            log.info("hello", extra={"said": f"({secret})"})
            assert canary.found != [], secret
            with pytest.raises(AssertionError):
                require_no_secret(f"a server started\nit was told ({secret})\n")
        canary.found.clear()
        log.info("a room was loaded", extra={"room_id": str(uuid4()), "key": "ab/" + "0f" * 31})
        assert canary.found == []
    finally:
        log.removeHandler(canary)


async def test_lines_tell_whom_they_are_about_until_that_ends(stream: io.StringIO) -> None:
    async def asked(name: str) -> None:
        with logs.about(request_id=name):
            logs.tell(user_id=f"user of {name}")
            await asyncio.sleep(0)
            LOG.info("inside")

    await asyncio.gather(asked("a"), asked("b"))
    LOG.info("outside")
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(t["request_id"], t["user_id"]) for t in told[:2]] == [
        ("a", "user of a"),
        ("b", "user of b"),
    ]
    assert "request_id" not in told[2]


def test_lines_for_people_say_the_same_and_nobody_can_forge_one() -> None:
    root, text = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    logs.set_up("info", text, "text")
    try:
        LOG.warning("joined\n2026-01-01 forged", extra={"room_id": "r-1", "why": 'two "words"'})
        try:
            raise LookupError("broken")
        except LookupError:
            LOG.exception("failed")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    first, second, *stack = text.getvalue().splitlines()
    joined = r"WARNING unisono.tests: joined\n2026-01-01 forged room_id=r-1"
    assert joined in first and first.endswith(r'why="two \"words\""')
    assert second.endswith("failed") and stack[-1] == "LookupError: broken"


def test_setting_up_twice_does_not_double_the_lines(stream: io.StringIO) -> None:
    logs.set_up("info", stream)
    LOG.info("once")
    assert len(stream.getvalue().splitlines()) == 1


class Disk(io.StringIO):
    """Has room for so many lines."""

    room = 0

    def write(self, text: str) -> int:
        if self.room == 0:
            raise OSError("no space left on device")
        self.room -= 1
        return super().write(text)


def test_how_many_lines_were_lost_is_told_when_there_is_room_for_that_line_too(
    stream: io.StringIO,
) -> None:
    disk = Disk()
    logs.set_up("info", disk)
    for room in (0, 0, 1, 2):
        disk.room = room
        LOG.info("tried with room for %d", room)
    told = [json.loads(line) for line in disk.getvalue().splitlines()]
    assert [line["message"] for line in told] == [
        "tried with room for 1",
        "tried with room for 2",
        "lines of the log were lost",
    ]
    assert told[-1]["lines"] == 3, "two, and the line that should have told of them"
