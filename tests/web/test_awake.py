"""What a browser gives a page that plays: a lit screen, the keys; and what it keeps without TLS."""

from pathlib import Path

import pytest

from tests.web.conftest import Opener
from tests.web.music import write
from tests.web.people import Browser, eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(90)]

KEPT = """
window.locks = []; window.acts = {};
const lock = WakeLock.prototype.request, act = MediaSession.prototype.setActionHandler;
WakeLock.prototype.request = async function (...how) {
  locks.push(await lock.apply(this, how));
  return locks.at(-1);
};
MediaSession.prototype.setActionHandler = function (key, handler) {
  acts[key] = handler;
  act.call(this, key, handler);
};
"""
"""The real locks that the page was given, and what it does at which key."""


def before_the_page(browser: Browser, script: str) -> None:
    browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})


def lit(browser: Browser) -> int:
    """How many locks of the screen are held."""
    return int(browser.js("return locks.filter(({released}) => !released).length"))


def outside(browser: Browser) -> list[object]:
    """What the display beside the keys shows."""
    keys: list[object] = browser.js(
        "const {metadata, playbackState} = navigator.mediaSession;"
        "return [metadata?.title ?? null, playbackState]"
    )
    return keys


def test_the_screen_stays_lit_and_the_keys_act_while_the_room_plays(
    browser: Opener, tmp_path: Path
) -> None:
    ann = browser()
    before_the_page(ann, KEPT)
    ann.arrive("Ann")
    ann.make_room("Kitchen")
    for seed, title in enumerate(("One", "Two")):
        ann.upload(write(tmp_path / f"{title}.flac", 60, title=title, artist="A", seed=seed))
        ann.shows("#now-title" if seed == 0 else "#queue", title)
    ann.shows("#now-state", "In tune")
    eventually(lambda: lit(ann) == 1, "a lock is held")
    assert outside(ann) == ["One", "playing"]
    ann.js("acts.pause()")
    ann.shows("#now-state", "Paused")
    eventually(lambda: lit(ann) == 0, "the lock is given back")
    assert outside(ann) == ["One", "paused"]
    ann.js("acts.seekto({seekTime: 40})")
    eventually(lambda: ann.position_ms() == 40_000, "it was sought")
    ann.js("acts.seekbackward({seekOffset: 15})")
    eventually(lambda: ann.position_ms() == 25_000, "it was sought back")
    ann.js("acts.play()")
    ann.shows("#now-state", "In tune")
    eventually(lambda: lit(ann) == 1, "a lock is held again")
    ann.js("acts.nexttrack()")
    ann.shows("#now-title", "Two")
    ann.click("#leave")
    eventually(lambda: lit(ann) == 0, "the lock is given back")
    assert outside(ann) == [None, "none"]
    assert ann.js("return Object.values(acts).filter(Boolean).length") == 0
    assert ann.complaints() == []


def test_a_page_without_tls_takes_files_and_plays(browser: Opener, tmp_path: Path) -> None:
    ann = browser()
    # What browsers keep from pages of other machines that come without TLS.
    before_the_page(
        ann,
        "delete BaseAudioContext.prototype.audioWorklet; delete Crypto.prototype.randomUUID;"
        "delete Navigator.prototype.wakeLock; delete Navigator.prototype.mediaDevices;"
        "delete Navigator.prototype.clipboard;",
    )
    ann.arrive("Ann")
    ann.make_room("Kitchen")
    ann.upload(write(tmp_path / "One.flac", 60, title="One", artist="A", seed=0))
    ann.shows("#now-state", "In tune")
    ann.shows("#present", "in tune")
    ann.seek(30_000)
    eventually(lambda: ann.position_ms() > 30_000, "it was sought")
    ann.shows("#now-state", "In tune")
    assert ann.complaints() == []
