"""Every state of a connection is told in words, with the button that helps."""

from pathlib import Path

import pytest

from tests.web.conftest import Opener
from tests.web.looks import looks
from tests.web.music import write
from tests.web.people import Browser, eventually
from tests.web.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(170)]

OFFLINE = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}


def words_of(browser: Browser) -> None:
    """Keep every word that the page says of its connection, from now on."""
    browser.js(
        """
        window.said = [];
        const bar = document.querySelector('#connection');
        new MutationObserver(() => said.push(bar.innerText))
          .observe(bar, {childList: true, subtree: true, characterData: true});
        """
    )


def said(browser: Browser, words: str) -> None:
    """Wait until those words were said."""
    eventually(
        lambda: any(words in each for each in browser.js("return said")),
        f"{words!r} in {browser.js('return said')}",
    )


def close_with(browser: Browser, code: int) -> None:
    """Let the page's socket end as if the server had closed it so."""
    browser.js(
        """
        const socket = sockets.at(-1);
        socket.onclose({code: arguments[0]});
        socket.onclose = null;
        socket.close();
        """,
        code,
    )


def test_each_state_has_its_words(browser: Opener, own_server: Server, tmp_path: Path) -> None:
    ann = browser()
    # The page's sockets, so that a test can end one with any code.
    ann.driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {
            "source": "window.sockets = []; const Real = WebSocket; window.WebSocket ="
            " class extends Real { constructor(...how) { super(...how); sockets.push(this); } };"
        },
    )
    ann.arrive("Ann")
    ann.make_room("Kitchen")
    ann.upload(write(tmp_path / "piece.flac", 120, title="Slow Tide", artist="The Sines"))
    ann.shows("#now-state", "In tune")
    words_of(ann)
    views = []

    # Cut off by the server in every way that passes by itself.
    for code, words in (
        (4008, "too slow to keep up"),
        (4429, "Too many messages"),
        (1011, "Something went wrong on the server"),
        (1006, "Connection lost"),
    ):
        close_with(ann, code)
        said(ann, words)
        said(ann, "nothing was missed")
        ann.js("said.length = 0")

    # No network: the music goes on, and so does the room afterwards.
    ann.driver.execute_cdp_cmd("Network.enable", {})
    ann.driver.execute_cdp_cmd("Network.emulateNetworkConditions", OFFLINE)
    close_with(ann, 1006)
    ann.shows("#connection", "You are offline")
    views.append(looks(ann))
    assert ann.moves()
    ann.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**OFFLINE, "offline": False})
    ann.shows("#connection", "Connected")

    # An orderly stop says so before; then it is tried again, with a button for who will not wait.
    own_server.stop()
    said(ann, "about to restart")
    ann.shows("#connection", "trying again")
    ann.find("#status-now")
    views.append(looks(ann))
    own_server.start()
    ann.js("document.querySelector('#status-now')?.click()")  # it may have come back by itself
    ann.shows("#connection", "Connected", within_s=30)
    ann.shows("#now-state", "In tune")

    # What does not pass by itself.
    for code, words, button in (
        (4409, "newer connection", "Use it here"),
        (4403, "has been blocked", "Sign out"),
        (1008, "do not understand each other", "Reload"),
    ):
        close_with(ann, code)
        ann.shows("#connection", words)
        ann.shows("#connection", button)
        views.append(looks(ann))
        ann.driver.refresh()
        ann.shows("#connection", "Connected")
    assert views == [[]] * 5
