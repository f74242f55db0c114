"""Two people and the page: what the product is for, in a real Chromium."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.rest import tone
from tests.cluster.server import Served
from tests.web.browser import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
Visit = Callable[..., Visitor]


def make_room(person: Visitor, room: str) -> str:
    """Make a room; its address."""
    person.type("#make-room input", room)
    person.click("#make-room button")
    person.find("#playback")
    return person.driver.current_url


def upload(person: Visitor, file: Path, account: str | None = None) -> None:
    """Choose a file; a guest is asked to make an account first."""
    person.find("#file").send_keys(str(file))
    if account is not None:
        person.type("#account-form input[name=username]", account)
        person.type("#account-form input[name=email]", f"{account}@example.org")
        person.type("#account-form input[name=password]", "correct horse battery")
        person.click("#account-form button.main")


@pytest.fixture
def song(tmp_path: Path) -> Path:
    file = tmp_path / "A long tone.wav"
    file.write_bytes(tone(40_000))
    return file


async def test_two_people_listen_together(served: Served, visitor: Visit, song: Path) -> None:
    ann, bob = visitor(), visitor()
    ann.come(served.url, "Ann")
    room = make_room(ann, "Kitchen")
    upload(ann, song, "ann")
    ann.sees("#now-title", "A long tone")
    upload(ann, song)
    ann.sees("#queue", "A long tone")

    bob.come(room, "Bob")
    bob.sees("#now-title", "A long tone")
    for person in (ann, bob):
        person.sees("#present", "Ann")
        person.sees("#present", "Bob")
        person.sees("#now-state", "Playing")
    bob.type("#say", "hello\n")
    ann.sees("#chat", "hello")

    # Both pages show the same place of the same music.
    both = (
        "[document.querySelector('#playback input').valueAsNumber,"
        " performance.timeOrigin + performance.now()]"
    )
    (at_ann, when_ann), (at_bob, when_bob) = ann.run(both), bob.run(both)  # type: ignore[misc]
    assert at_ann > 0
    assert abs((at_bob - at_ann) - (when_bob - when_ann)) < 600  # drawn every 250 ms

    bob.click("#toggle")
    for person in (ann, bob):
        person.sees("#now-state", "Paused")
    assert abs(ann.seek_position_ms() - bob.seek_position_ms()) < 1
    ann.click("#toggle")
    bob.sees("#now-state", "Playing")
    ann.click("#next")
    bob.until(lambda: "A long tone" not in bob.text("#queue"), "the next entry has begun")
    assert ann.complaints() == bob.complaints() == []


async def test_what_people_type_is_never_markup(served: Served, visitor: Visit) -> None:
    ann = visitor()
    nasty = "<img src=x onerror=alert(1)>"
    ann.come(served.url, nasty)
    make_room(ann, nasty)
    ann.type("#say", f"{nasty}\n")
    ann.sees("#chat", nasty)
    ann.sees("h1", nasty)
    ann.sees("#present", nasty)
    assert ann.complaints() == []


async def test_the_page_survives_a_killed_server(
    served: Served, visitor: Visit, song: Path
) -> None:
    ann = visitor()
    ann.come(served.url, "Ann")
    make_room(ann, "Kitchen")
    upload(ann, song, "ann")
    ann.sees("#now-state", "Playing")
    ann.type("#say", "before\n")
    ann.sees("#chat", "before")
    await served.kill()
    ann.sees("#connection", "trying again")
    assert "Playing" in ann.text("#now-state")
    await asyncio.wait_for(served.start(), 30)
    ann.until(lambda: not ann.text("#connection"), "the page is connected again")
    ann.type("#say", "after\n")
    ann.sees("#chat", "after")
    ann.sees("#chat", "before")
    ann.sees("#now-state", "Playing")
