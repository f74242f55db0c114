"""`make run` on a fresh machine: the trial that a newcomer makes, from nothing to nothing."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest

from protocol.bot import connect
from protocol.bot_room import Room
from protocol.tracks import Track
from tests.node.fresh_machine import Machine, Run

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(300)]

SECOND_START_WITHIN_S = 2.0
ALL_TRACKS_WITHIN_MS = 60_000


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    machine = Machine()
    yield machine
    machine.close()


def ask(url: str, *, token: str | None = None, body: object = None) -> Any:
    """One request for JSON, as `curl` makes it."""
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data, headers), timeout=20) as answer:
        return json.load(answer)


def hears_the_demo(run: Run, *, tracks_at_least: int = 1) -> None:
    """A guest finds music playing in the demo room, and so many tracks soon after."""
    guest = ask(f"{run.address}/api/auth/guest", body={"display_name": "Ann"})
    token = guest["access_token"]
    playback = ask(f"{run.address}/api/rooms/{run.room_id}", token=token)["playback"]
    assert playback["status"] == "playing", playback
    for track in asyncio.run(tracks_in(run, token, tracks_at_least)):
        assert track.title and track.artist and track.has_cover, track
        assert 30_000 <= track.duration_ms <= 90_000, track


async def tracks_in(run: Run, token: str, at_least: int) -> list[Track]:
    """What plays and what is queued in the demo room, once there are so many."""

    def enough(room: Room) -> list[Track]:
        playing, queue = room.snapshot.playback.entry, room.snapshot.queue
        found = [entry.track for entry in ([playing] if playing else []) + list(queue)]
        return found if len(found) >= at_least else []

    async with connect(run.address, token=token) as me:
        room = await me.join(run.room_id)
        return await room.wait_for(enough, within_ms=ALL_TRACKS_WITHIN_MS)


def leaves_nothing(run: Run, end: Callable[[], None]) -> None:
    traces = run.traces()
    assert traces.files and traces.segments, "the traces of PostgreSQL are not where we look"
    end()
    run.ended()
    assert traces.left() == []


def test_a_newcomer_runs_it_twice_at_once_and_ends_it_in_every_way(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    first = Run(machine, args="--data-dir 'data of the first'")
    hears_the_demo(first, tracks_at_least=3)
    # On a folder that nobody names, while the first one runs; as root where we are root.
    second = Run(machine, as_root=True)
    assert second.address != first.address
    hears_the_demo(second)
    assert (machine.home / "data" / "unisono").is_dir()

    leaves_nothing(second, second.kill_server)
    again = Run(machine, as_root=True)
    leaves_nothing(again, again.kill_make)
    hears_the_demo(first)
    leaves_nothing(first, first.ctrl_c)

    assert list(machine.processes()) == []
    assert machine.fakes_called() == []
    with capsys.disabled():
        print(
            f"\nmake run from nothing: listens after {first.listened_after_s:.1f} s, plays after"
            f" {first.played_after_s:.1f} s; the second start listens after"
            f" {again.listened_after_s:.2f} s"
        )
    assert again.listened_after_s <= SECOND_START_WITHIN_S
