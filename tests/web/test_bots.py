"""A bot as people meet it: made on the page, marked, asked by a slash command, and ended."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.web.conftest import Opener
from tests.web.looks import looks
from tests.web.music import write
from tests.web.people import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

DJ: Final = Path(__file__).parents[2] / "docs/bots/dj.py"


def test_a_bot_is_made_marked_asked_and_ended(browser: Opener, tmp_path: Path) -> None:
    ann = browser()
    ann.arrive("Ann")
    path = ann.make_room("Robots")
    for number in (0, 1):
        title = f"Piece {number}"
        seconds = 60 if number else 120  # the first plays until it is skipped
        ann.upload(
            write(
                tmp_path / f"{number}.flac", seconds, title=title, artist="The Sines", seed=number
            )
        )
        ann.shows("#now-title" if number == 0 else "#queue", title)
    ann.click("#places [href='/account']")
    ann.click("#make-bot")
    ann.fill("#token-form input[name=name]", "Jockey")
    ann.click("#token-form input[name=playback]")
    views = [looks(ann)]
    ann.click("#token-form button.main")
    token = ann.find("#token-shown input").get_attribute("value")
    ann.click("#token-shown button[type=button]")
    ann.shows("#tokens", "Jockey")
    views.append(looks(ann))

    ann.click("#staying a")
    room_id = path.rpartition("/")[2]
    bot = subprocess.Popen(
        [sys.executable, str(DJ), ann.address, room_id],
        env={**os.environ, "TOKEN": token or ""},
        stdout=subprocess.DEVNULL,
    )
    try:
        ann.shows("#present .badge:not(.owner)", "bot")
        ann.shows("#present", "Jockey")
        ann.does_to("Jockey", "role-dj")  # it may skip, then
        ann.shows(ann.row("Jockey"), "DJ")

        ann.type("#say", "/sk")
        ann.shows(".complete [role=option]", "/skip")
        ann.type("#say", "\ue007")  # Enter takes the command's name
        eventually(
            lambda: str(ann.js("return document.querySelector('#say').value")).startswith("/skip"),
            "the name is completed",
        )
        ann.type("#say", "\ue007")
        ann.shows("#now-title", "Piece 1")

        ann.click("#places [href='/account']")
        ann.click("#tokens [data-act=end-token]")
        ann.shows("#tokens + p", "No bots")
        eventually(lambda: bot.poll() is not None, "the bot's connection is ended")
    finally:
        bot.kill()
        bot.wait()
    assert views == [[]] * 2
