"""Logs: JSON lines with ids as fields and without secrets."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Final

import pytest

from roomserver.runtime import logs, tokens
from roomserver.runtime.config import SigningKey

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


def test_setting_up_twice_does_not_double_the_lines(stream: io.StringIO) -> None:
    logs.set_up("info", stream)
    LOG.info("once")
    assert len(stream.getvalue().splitlines()) == 1
