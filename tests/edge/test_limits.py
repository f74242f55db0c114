"""How often a person may act: through both doors together."""

import time
from typing import get_args

import pytest

from httpapi.app import ROUTES
from protocol.catalog import ClientCommand
from protocol.chat import ChatSend
from protocol.frames import COMMANDS_PER_SECOND, Ack, Probe, Probed, Reject, SignalUp
from protocol.limits import COMMAND_LIMITS
from protocol.playback import PlaybackNext, PlaybackPause
from protocol.presence import Typing
from tests.edge.scripted_home import ROOM
from tests.edge.stage import Client, stage


def test_every_command_has_a_limit() -> None:
    assert set(COMMAND_LIMITS) == set(get_args(ClientCommand))


def test_rest_counts_the_same_action_by_the_same_numbers() -> None:
    rest = {
        route.action: (route.limit.amount, route.limit.window_ms)
        for route in ROUTES
        if route.action in {limit.action for limit in COMMAND_LIMITS.values()}
    }
    socket = {limit.action: (limit.amount, limit.window_ms) for limit in COMMAND_LIMITS.values()}
    assert rest
    assert rest.items() <= socket.items()


async def answers(client: Client, command: ClientCommand, times: int) -> list[str]:
    out = []
    for _ in range(times):
        await client.command(command)
        while not isinstance(frame := await client.next(), Ack | Reject):
            pass
        out.append("ack" if isinstance(frame, Ack) else str(frame.code))
    return out


async def test_the_sixth_message_in_five_seconds_is_refused() -> None:
    async with stage(limits_factor=1) as on, on.member("Ada") as ada, on.member("Ben") as ben:
        assert await answers(ada, ChatSend(content="x"), 6) == ["ack"] * 5 + ["rate_limited"]
        assert await answers(ben, ChatSend(content="x"), 1) == ["ack"]


async def test_what_a_person_did_over_rest_counts_on_the_socket_too() -> None:
    async with stage(limits_factor=1) as on, on.member("Ada") as ada:
        assert ada.who is not None
        for _ in range(9):
            on.edge.limiter.hit("playback", ada.who.user_id, 10)
        pause = PlaybackPause(entry_id=ROOM)
        assert await answers(ada, pause, 2) == ["ack", "rate_limited"]
        # All that steers the music is one action.
        assert await answers(ada, PlaybackNext(entry_id=ROOM), 1) == ["rate_limited"]


@pytest.mark.parametrize("factor", [0])
async def test_without_limits_nothing_is_refused(factor: float) -> None:
    async with stage(limits_factor=factor) as on, on.member("Ada") as ada:
        assert await answers(ada, ChatSend(content="x"), 50) == ["ack"] * 50


async def test_signals_beyond_the_limit_are_dropped_without_a_word() -> None:
    async with stage(limits_factor=1) as on, on.member("Ada") as ada:
        since_s = time.monotonic()
        for _ in range(100):
            await ada.send(SignalUp(room=ROOM, signal=Typing()))
        await ada.send(Probe(t0=1))
        assert isinstance(await ada.next(), Probed)
        # The arrival, what is in reserve, and what was filled up meanwhile.
        most = 1 + COMMANDS_PER_SECOND * (1 + time.monotonic() - since_s)
        assert 30 <= len(on.home.heard) <= most
