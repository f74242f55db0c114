"""What people do with the page, in real browsers on a real server."""

from pathlib import Path

import pytest

from tests.web.conftest import Opener
from tests.web.looks import looks
from tests.web.music import write
from tests.web.people import Browser, eventually
from tests.web.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

TOGETHER_MS = 100.0
NASTY = "<img src=x onerror=\"document.title='owned'\"><script>alert(1)</script>"


def play(browser: Browser, folder: Path, seconds: float = 60, title: str = "Slow Tide") -> str:
    """Come in, make a room, upload a piece with its tags; it begins. The path of the room."""
    browser.arrive("Ann")
    path = browser.make_room("Kitchen")
    browser.upload(write(folder / "piece.flac", seconds, title=title, artist="The Sines"))
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
    path = play(ann, tmp_path, 120)
    bob.come_in("Bob", path)  # by the form, as a guest
    for one, other in ((ann, "Bob"), (bob, "Ann")):
        one.shows("#present", other)

    # A second upload, big enough to watch, waits in the queue of both.
    second = write(tmp_path / "second.wav", 240, title="Night Tram", artist="The Sines", seed=2)
    ann.js(
        """
        window.seen = [];
        const list = document.querySelector('#uploads');
        new MutationObserver(() => seen.push(list.innerText))
          .observe(list, {childList: true, subtree: true, characterData: true});
        """
    )
    ann.upload(second)
    for one in (ann, bob):
        eventually(lambda one=one: one.titles() == ["Night Tram"], "the queue shows it")  # type: ignore[misc]
    seen = ann.js("return seen")
    assert any("sending" in text and "sending, 0 %" not in text for text in seen), seen

    ann.say("hello Bob")
    bob.shows("#chat", "hello Bob")
    bob.say("hi Ann")
    ann.shows("#chat", "hi Ann")

    bob.shows("#now-state", "In tune")
    assert ann.moves()
    assert bob.moves()
    agree(ann, bob)
    ann.shows(ann.row("Bob"), "in tune, ")

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
    cat.arrive("Cat", path, account=False)
    cat.shows("#now-state", "In tune")
    assert cat.shown()[1] > 30_000
    agree(ann, cat)


def test_the_page_survives_a_server_restart(
    browser: Opener, own_server: Server, tmp_path: Path
) -> None:
    ann = browser()
    play(ann, tmp_path)
    ann.say("before")
    ann.shows("#chat", "before")

    own_server.kill()
    ann.shows("#connection", "trying again")
    assert ann.moves(), "the music goes on without the server"
    ann.say("meanwhile")  # kept, and sent when there is a server again
    own_server.start()

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


def test_h7_what_people_type_stays_text(browser: Opener, tmp_path: Path) -> None:
    eve = browser()
    eve.come_in(NASTY[:40])
    eve.make_room(NASTY[:80])
    eve.shows("h1", NASTY[:80])
    eve.say(NASTY)
    eve.shows("#chat", NASTY)
    eve.shows("#present", NASTY[:40])
    piece = write(tmp_path / "nasty.flac", 20, title=NASTY, artist=NASTY)
    piece = piece.rename(tmp_path / "nasty.html")
    eve.upload(piece)
    eve.make_account()
    eve.shows("#now-title", NASTY)
    eve.upload(write(tmp_path / "again.flac", 20, title=NASTY, artist="", seed=3))
    eventually(lambda: eve.titles() == [NASTY], "it waits")
    assert eve.js("return document.querySelectorAll('#view script, #view img[src=x]').length") == 0
    eve.driver.get(eve.address)
    eve.shows("#rooms", NASTY[:80])
    assert eve.js("return document.title") == "Unisono"
    u7_what_was_uploaded_is_no_page(eve)
    assert eve.complaints() == []


def u7_what_was_uploaded_is_no_page(eve: Browser) -> None:
    """The file holds markup and was called .html; opened by itself it is saved, nothing runs."""
    listed = eve.js("return fetch('/api/tracks').then((answer) => answer.json())")
    # Others have used this server, too.
    hers = [track for track in listed["items"] if track["title"] == NASTY]
    assert len(hers) == 2
    for track in hers:
        eve.driver.get(f"{eve.address}/api/tracks/{track['track_id']}/audio")
        assert eve.js("return [location.pathname, document.title]") == ["/", "Unisono"]


def test_a_room_is_found_and_opens_by_its_password(browser: Opener) -> None:
    ann, bob = browser(), browser()
    ann.arrive("Ann", account=False)
    ann.fill("#make-room input[name=name]", "Cellar of Ann")
    ann.click("#make-room summary")
    views = [looks(ann)]
    ann.fill("#make-room textarea", "Down the stairs.")
    ann.fill("#make-room input[name=password]", "open sesame")
    ann.click("#make-room button")
    ann.shows("#description", "Down the stairs.")

    bob.arrive("Bob", account=False)
    bob.fill("#search", "no room is called so")
    bob.shows("#rooms + p", "No room here")
    bob.fill("#search", "cellar OF")
    # Half of the words find others, too.
    eventually(lambda: bob.count("#rooms li") == 1, "only that one is found")
    bob.shows("#rooms", "Down the stairs.")
    bob.shows("#rooms .badge", "password")
    bob.click("#rooms a")
    bob.fill("#password-form input", "a guess")
    bob.click("#password-form button.main")
    bob.shows("#password-form .bad", "password")
    views.append(looks(bob))
    bob.fill("#password-form input", "open sesame")
    bob.click("#password-form button.main")
    bob.shows("#present", "Ann")
    bob.click("#leave")
    bob.choose("#sort", "mine")
    eventually(lambda: bob.count("#rooms li") == 1, "a place was kept there")
    bob.shows("#rooms", "Cellar of Ann")
    eventually(lambda: "Bob" not in ann.text("#present"), "Bob has left")

    # Another password: who has a place keeps it; who gave it up is asked for the new one.
    ann.click("#settings")
    ann.fill("#settings-form input[name=password]", "close sesame")
    views.append(looks(ann))
    ann.click("#settings-form button.main")
    eventually(lambda: ann.count("#settings-form") == 0, "it is saved")
    give_up = "return fetch(`/api${arguments[0]}/leave`, {method: 'POST'}).then((it) => it.status)"
    path = ann.js("return location.pathname")
    assert bob.js(give_up, path) == 204
    bob.driver.get(bob.address + path)
    bob.fill("#password-form input", "open sesame")
    bob.click("#password-form button.main")
    bob.shows("#password-form .bad", "password")
    bob.fill("#password-form input", "close sesame")
    bob.click("#password-form button.main")
    bob.shows("#present", "Ann")
    # And none any more: the door is open to who has no place.
    ann.click("#settings")
    ann.click("#settings-form input[name=unlocked]")
    ann.click("#settings-form button.main")
    eventually(lambda: ann.count("#settings-form") == 0, "it is saved")
    assert bob.js(give_up, path) == 204
    bob.driver.get(bob.address + path)
    bob.shows("#present", "Ann")
    assert views == [[]] * 3


def test_a_silenced_page_has_one_button_to_sound(browser: Opener, tmp_path: Path) -> None:
    ann = browser()
    path = play(ann, tmp_path)
    quiet = browser(autoplay=False)
    # Without a click: Chromium lets pages sound on a site that was once touched.
    quiet.arrive("Quiet", path, account=False)
    quiet.shows("#now-state", "silent here")
    quiet.click("#listen")
    quiet.shows("#now-state", "In tune")
    assert not quiet.driver.find_element("css selector", "#listen").is_displayed()


def test_a_refusal_is_told_and_nothing_is_lost(browser: Opener) -> None:
    ann = browser()
    ann.arrive("Ann", account=False)
    ann.make_room("Kitchen")
    ann.js("document.querySelector('#say').removeAttribute('maxlength')")
    ann.js("document.querySelector('#say').value = 'x'.repeat(2001)")
    ann.find("#say").submit()
    eventually(lambda: ann.text(".compose .told"), "the refusal is told where it happened")
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
    ann.make_account()
    ann.shows("#now-title", "WWW")
    ann.upload(write(tmp_path / "again.flac", 60, title="W" * 200, artist="ن" * 100, seed=2))
    eventually(ann.titles, "it waits")
    ann.say("w" * 2_000)
    ann.shows("#chat", "www")
    views.append(looks(ann))
    assert views == [[]] * 4
    assert ann.complaints() == []
