"""What people do with the page, in real browsers on a real server."""

from pathlib import Path

import pytest

from tests.web.conftest import Opener
from tests.web.music import write
from tests.web.people import Browser, eventually
from tests.web.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

TOGETHER_MS = 100.0
NASTY = "<img src=x onerror=\"document.title='owned'\"><script>alert(1)</script>"


def play(browser: Browser, folder: Path, seconds: float = 60, title: str = "Slow Tide") -> str:
    """Come in, make a room, upload a piece with its tags; it begins. The path of the room."""
    browser.come_in("Ann")
    path = browser.make_room("Kitchen")
    browser.upload(write(folder / "piece.flac", seconds, title=title, artist="The Sines"))
    browser.make_account("ann")
    browser.shows("#now-title", title)
    browser.shows("#now-state", "In tune")
    return path


def agree(one: Browser, other: Browser) -> None:
    """Both show the same place in the music."""
    one_at, one_where = one.shown()
    other_at, other_where = other.shown()
    apart_ms = (one_where - one_at) - (other_where - other_at)
    assert abs(apart_ms) <= TOGETHER_MS, f"{apart_ms:.1f} ms apart"


def test_two_people_listen_together(browser: Opener, tmp_path: Path) -> None:
    ann, bob = browser(), browser()
    path = play(ann, tmp_path)
    bob.come_in("Bob", path)
    for one, other in ((ann, "Bob"), (bob, "Ann")):
        one.shows("#present", other)

    # A second upload, big enough to watch, waits in the queue of both.
    second = write(tmp_path / "second.wav", 240, title="Night Tram", artist="The Sines", seed=2)
    ann.js(
        """
        window.seen = [];
        new MutationObserver(() => seen.push(document.querySelector('#percent').textContent))
          .observe(document.querySelector('#percent'), {childList: true});
        """
    )
    ann.upload(second)
    for one in (ann, bob):
        eventually(lambda one=one: one.titles() == ["Night Tram"], "the queue shows it")  # type: ignore[misc]
    seen = ann.js("return seen")
    assert any(text.endswith("%") and text != "0 %" for text in seen), seen

    ann.say("hello Bob")
    bob.shows("#chat", "hello Bob")
    bob.say("hi Ann")
    ann.shows("#chat", "hi Ann")

    bob.shows("#now-state", "In tune")
    assert ann.moves()
    assert bob.moves()
    agree(ann, bob)

    bob.click("#toggle")
    for one in (ann, bob):
        one.shows("#now-state", "Paused")
    assert ann.text("#times") == bob.text("#times")
    ann.click("#toggle")
    for one in (ann, bob):
        one.shows("#now-state", "In tune")
    agree(ann, bob)

    bob.click("#next")
    for one in (ann, bob):
        one.shows("#now-title", "Night Tram")
        eventually(lambda one=one: one.titles() == [], "nothing waits")  # type: ignore[misc]
        one.shows("#now-state", "In tune")
    agree(ann, bob)
    assert ann.complaints() == []
    assert bob.complaints() == []


def test_a_late_joiner_lands_at_the_right_position(browser: Opener, tmp_path: Path) -> None:
    ann, cat = browser(), browser()
    path = play(ann, tmp_path)
    ann.seek(30_000)
    eventually(lambda: ann.shown()[1] > 30_000, "the music jumped")
    cat.come_in("Cat", path)
    cat.shows("#now-state", "In tune")
    assert cat.shown()[1] > 30_000
    agree(ann, cat)


def test_the_page_survives_a_server_restart(
    browser: Opener, server: Server, tmp_path: Path
) -> None:
    ann = browser()
    play(ann, tmp_path)
    ann.say("before")
    ann.shows("#chat", "before")

    server.kill()
    ann.shows("#connection", "trying again")
    assert ann.moves(), "the music goes on without the server"
    ann.say("meanwhile")  # kept, and sent when there is a server again
    server.start()

    ann.shows("#connection", "Connected", within_s=30)
    ann.shows("#chat", "meanwhile")
    ann.shows("#now-state", "In tune")
    lines = ann.text("#chat")
    assert lines.count("before") == 1
    assert lines.count("meanwhile") == 1
    ann.say("after")
    ann.shows("#chat", "after")
    ann.driver.refresh()
    ann.shows("#chat", "after")
    assert ann.text("#chat").count("meanwhile") == 1
    ann.shows("#now-title", "Slow Tide")
    ann.shows("#present", "Ann")


def test_what_people_type_stays_text(browser: Opener, tmp_path: Path) -> None:
    eve = browser()
    eve.come_in(NASTY[:40])
    eve.make_room(NASTY[:80])
    eve.shows("h1", NASTY[:80])
    eve.say(NASTY)
    eve.shows("#chat", NASTY)
    eve.shows("#present", NASTY[:40])
    piece = write(tmp_path / "nasty.flac", 20, title=NASTY, artist=NASTY)
    eve.upload(piece)
    eve.make_account("eve")
    eve.shows("#now-title", NASTY)
    eve.upload(write(tmp_path / "again.flac", 20, title=NASTY, artist="", seed=3))
    eventually(lambda: eve.titles() == [NASTY], "it waits")
    assert eve.js("return document.querySelectorAll('#view script, #view img[src=x]').length") == 0
    eve.driver.get(eve.address)
    eve.shows("#rooms", NASTY[:80])
    assert eve.js("return document.title") == "Unisono"
    assert eve.complaints() == []


def test_an_account_signs_out_and_in_again(browser: Opener, tmp_path: Path) -> None:
    ann = browser()
    play(ann, tmp_path)
    ann.click("#sign-out")
    ann.click("#sign-in")
    ann.fill("#login-form input[name=login]", "ann")
    ann.fill("#login-form input[name=password]", "not this one")
    ann.click("#login-form button.main")
    ann.shows("#login-form .bad", "wrong")
    ann.fill("#login-form input[name=password]", "correct horse battery")
    ann.click("#login-form button.main")
    ann.shows("#me", "Ann")
    ann.shows("#rooms", "Kitchen")


def test_a_silenced_page_has_one_button_to_sound(browser: Opener, tmp_path: Path) -> None:
    ann = browser()
    path = play(ann, tmp_path)
    quiet = browser(autoplay=False)
    # Signed in without a click: Chromium lets pages sound on a site that was once touched.
    quiet.driver.get(quiet.address)
    quiet.find("#guest-form")
    quiet.driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "fetch('/api/auth/guest', {method: 'POST', headers: {'Content-Type': 'application/json'},"
        " body: JSON.stringify({display_name: 'Quiet', cookie: true})}).then(done);"
    )
    quiet.driver.get(quiet.address + path)
    quiet.shows("#now-state", "silent here")
    quiet.click("#listen")
    quiet.shows("#now-state", "In tune")
    assert not quiet.driver.find_element("css selector", "#listen").is_displayed()


def test_a_refusal_is_told_and_nothing_is_lost(browser: Opener) -> None:
    ann = browser()
    ann.come_in("Ann")
    ann.make_room("Kitchen")
    ann.js("document.querySelector('#say').removeAttribute('maxlength')")
    ann.js("document.querySelector('#say').value = 'x'.repeat(2001)")
    ann.find("#say").submit()
    eventually(lambda: ann.text("#notices"), "the refusal is told")
    assert len(ann.js("return document.querySelector('#say').value")) == 2001


def test_every_control_has_a_name_and_every_width_and_direction_fits(
    browser: Opener, tmp_path: Path
) -> None:
    ann = browser()
    views = []
    ann.driver.get(ann.address)
    ann.find("#guest-form")
    views.append(looks(ann))
    ann.come_in("Ann")
    ann.find("#make-room")
    views.append(looks(ann))
    ann.make_room("Kitchen")
    ann.upload(write(tmp_path / "piece.flac", 60, title="W" * 200, artist="ن" * 100))
    ann.find("#account-form")
    views.append(looks(ann))
    ann.make_account("ann")
    ann.shows("#now-title", "WWW")
    ann.upload(write(tmp_path / "again.flac", 60, title="W" * 200, artist="ن" * 100, seed=2))
    eventually(ann.titles, "it waits")
    ann.say("w" * 2_000)
    ann.shows("#chat", "www")
    views.append(looks(ann))
    assert views == [[]] * 4
    assert ann.complaints() == []


def looks(browser: Browser) -> list[str]:
    """What is wrong with the view as it is, in every width and both directions."""
    wrong: list[str] = browser.js(
        """
        const named = (node) => node.ariaLabel || node.innerText?.trim() || node.labels?.length;
        const controls = [...document.querySelectorAll('button, input, select, a, progress')];
        return [
          ...controls.filter((node) => !named(node)).map((node) => `no name: ${node.outerHTML}`),
          ...[...document.querySelectorAll('[style]')].map((node) => `inline: ${node.outerHTML}`),
        ];
        """
    )
    for width, direction in ((1200, "ltr"), (1200, "rtl"), (390, "ltr"), (390, "rtl")):
        browser.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False},
        )
        browser.js("document.documentElement.dir = arguments[0]", direction)
        spill = browser.js(
            "const page = document.documentElement; return page.scrollWidth - page.clientWidth"
        )
        if spill > 0:
            wrong.append(f"{spill} px too wide at {width} px, {direction}")
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.js("document.documentElement.dir = 'ltr'")
    return wrong
