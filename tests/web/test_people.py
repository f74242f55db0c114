"""Owner, moderator and guest in one room: what each does on the page, and what is not offered."""

from pathlib import Path

import pytest

from tests.web.conftest import Opener
from tests.web.gathering import Gathering, gather
from tests.web.looks import looks
from tests.web.people import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(170)]


def test_three_people_run_a_room(browser: Opener, tmp_path: Path) -> None:
    party = gather(browser, tmp_path, waiting=3)
    settings_and_roles(party)
    votes_and_undo(party)
    messages(party)
    moderation(party, browser)
    for one in (party.ann, party.mo, party.gus):
        assert one.complaints() == []


def settings_and_roles(party: Gathering) -> None:
    """The owner tunes the room and makes a moderator; a guest sees only what a guest may."""
    ann, mo, gus = party.ann, party.mo, party.gus
    ann.click("#settings")
    ann.fill("#settings-form input[name=name]", "Kitchen at night")
    ann.fill("#settings-form textarea", "Soft music only.")
    ann.choose("#settings-form select[name=permission-skip]", "dj")
    ann.choose("#settings-form select[name=permission-control]", "dj")
    ann.fill("#settings-form input[name=skip_percent]", "60")
    ann.click("#settings-form button.main")
    for one in (ann, mo, gus):
        one.shows("h1", "Kitchen at night")
        one.shows("#description", "Soft music only.")

    ann.does_to("Mo", "role-moderator")
    for one in (ann, mo, gus):
        one.shows(one.row("Mo"), "moderator")
    mo.shows("#notices", "Ann made Mo a moderator")

    # A guest: no right, no button; not one that is greyed out.
    eventually(lambda: gus.count("#vote-skip") == 1, "the guest may vote")
    for css in (
        "#settings",
        "#close-room",
        "#toggle",
        "#next",
        "#seek",
        "#clear",
        "#shuffle",
        "[data-act=now]",
        "[data-act=up]",
        "[data-act=remove]",
        "[data-act^=role-]",
    ):
        assert gus.count(css) == 0, css
    # A moderator: people below, but neither the owner nor the settings.
    assert mo.count("#clear") == 1
    assert mo.count(f"{mo.row('Gus')} .menu") == 1
    assert mo.count(f"{mo.row('Ann')} .menu") == 0
    for css in ("#settings", "#close-room", "[data-act=hand-over]"):
        assert mo.count(css) == 0, css


def votes_and_undo(party: Gathering) -> None:
    """A skip vote of two passes; what was cleared comes back; entries move and leave."""
    ann, mo, gus = party.ann, party.mo, party.gus
    ann.does_to("Mo", "role-listener")
    mo.click("#vote-skip")
    for one in (ann, mo, gus):
        one.shows("#skip-votes", "1 of 2")
    mo.shows("#vote-skip", "Take back")
    mo.click("#vote-skip")
    eventually(lambda: gus.text("#skip-votes") == "", "the vote is taken back")
    mo.click("#vote-skip")
    gus.shows("#skip-votes", "1 of 2")
    gus.click("#vote-skip")
    for one in (ann, mo, gus):
        one.shows("#now-title", "Piece 1")
    ann.shows("#notices", "Skipped by vote")
    ann.does_to("Mo", "role-moderator")

    assert ann.titles() == ["Piece 2", "Piece 3"]
    mo.press("Piece 3", "up")
    for one in (ann, mo, gus):
        eventually(lambda one=one: one.titles() == ["Piece 3", "Piece 2"], "moved")  # type: ignore[misc]
    mo.click("#clear")
    eventually(lambda: gus.titles() == [], "cleared")
    mo.click("#undo")
    eventually(lambda: gus.titles() == ["Piece 3", "Piece 2"], "the undone is back")
    mo.press("Piece 3", "remove")
    eventually(lambda: gus.titles() == ["Piece 2"], "taken out")
    assert gus.count("#undo") == 0, "what others did is not the guest's to undo"
    gus.click("#add")
    eventually(lambda: len(gus.titles()) == 2, "the guest adds")
    eventually(lambda: gus.count("#undo") == 1, "one's own addition can be taken back")
    eventually(lambda: gus.count("[data-act=remove]") == 1, "one's own can be taken out")
    gus.click("#reactions [data-emoji='🔥']")
    for one in (ann, mo, gus):
        one.shows("#reactions [data-emoji='🔥']", "1")


def messages(party: Gathering) -> None:
    """Mentions, answers, other words, reactions, and taking back."""
    ann, mo, gus = party.ann, party.mo, party.gus
    gus.type("#say", "hi @an")
    gus.shows("#names", "Ann")
    gus.type("#say", "\ue007")  # Enter takes the name
    gus.type("#say", "there\ue007")
    ann.shows("#chat .for-me", "hi @Ann there")
    assert gus.count("#chat .for-me") == 0
    assert ann.count("[data-act=edit]") == 0, "nobody edits what others said"

    ann.click("#chat [data-act=reply]")
    ann.shows(".about", "Gus")
    ann.say("hello yourself")
    gus.shows("#chat .quote", "hi @Ann there")

    gus.click("#chat [data-act=edit]")
    gus.fill("#say", "good evening @Ann")
    gus.type("#say", "\ue00c\ue007")  # Escape closes the names, then comes Enter
    ann.shows("#chat .message", "good evening @Ann")
    ann.shows("#chat .message", "(edited)")

    ann.click("#chat .message .menu summary")
    ann.click("#chat .message .palette [data-emoji='👏']")
    gus.shows("#chat .chip", "1")
    gus.click("#chat .chip")
    ann.shows("#chat .chip", "2")
    ann.click("#chat .chip")
    gus.shows("#chat .chip", "1")

    mo.click("#chat [data-act=delete]")
    mo.click("#delete-form button.main")
    for one in (ann, mo, gus):
        one.shows("#chat .gone", "deleted")
        assert "good evening" not in one.text("#chat .message")


def moderation(party: Gathering, browser: Opener) -> None:
    """Mute, kick, ban: told with the reason to whom it meets, and taken back."""
    ann, mo, gus = party.ann, party.mo, party.gus
    mo.does_to("Gus", "mute")
    mo.choose("#moderation-form select", "3600000")
    mo.fill("#moderation-form input[name=reason]", "too loud")
    mo.click("#moderation-form button.main")
    gus.shows("#muted", "too loud")
    gus.shows("#muted", "It ends ")  # "at 14:05", or "on Sunday at 00:05"
    gus.shows("#muted", " at ")
    assert not gus.find("#say").is_enabled()
    assert gus.count("#vote-skip") == 0
    ann.shows(ann.row("Gus"), "muted")
    mo.does_to("Gus", "unmute")
    eventually(lambda: gus.find("#say").is_enabled(), "Gus may speak again")

    mo.does_to("Gus", "kick")
    mo.fill("#moderation-form input[name=reason]", "go home")
    mo.click("#moderation-form button.main")
    gus.shows("#farewell", "You were put out")
    gus.shows("#farewell", "go home")
    eventually(lambda: "Gus" not in ann.text("#present"), "Gus is gone")
    gus.click("#again")
    gus.find("#playback")
    ann.shows("#present", "Gus")

    mo.does_to("Gus", "ban")
    mo.fill("#moderation-form input[name=reason]", "enough")
    mo.click("#moderation-form button.main")
    gus.shows("#farewell", "You are banned")
    assert gus.count("#again") == 0
    gus.driver.get(gus.address + party.path)
    gus.shows("#farewell", "enough")
    gus.shows("#farewell", "It ends ")
    gus.shows("#farewell", " at ")
    assert gus.count("#playback") == 0

    mo.shows(".bans summary", "Banned: 1")
    mo.click(".bans summary")
    mo.click(".bans [data-act=unban]")
    eventually(lambda: mo.count(".bans summary") == 0, "nobody is banned")
    gus.driver.get(gus.address + party.path)
    gus.find("#playback")


def test_a_room_is_handed_over_and_closed(browser: Opener, tmp_path: Path) -> None:
    party = gather(browser, tmp_path, waiting=0)
    ann, mo, gus = party.ann, party.mo, party.gus
    assert ann.count(f"{ann.row('Gus')} [data-act=hand-over]") == 0, "no guest owns a room"
    ann.does_to("Mo", "hand-over")
    ann.click("#owner-form button.main")
    mo.find("#close-room")
    eventually(lambda: ann.count("#close-room") == 0, "the room is not Ann's any more")
    ann.shows(ann.row("Ann"), "moderator")
    mo.click("#members")
    mo.shows("#members-list", "Ann")
    mo.click("dialog button.main")
    mo.click("#close-room")
    mo.click("#close-form button.main")
    for one in (ann, mo, gus):
        one.shows("#farewell", "has been closed")


def test_entries_are_voted_up_where_the_room_says_so(browser: Opener, tmp_path: Path) -> None:
    party = gather(browser, tmp_path, waiting=3)
    ann, gus = party.ann, party.gus
    ann.click("#settings")
    ann.choose("#settings-form select[name=queue_mode]", "votes")
    ann.click("#settings-form button.main")
    for one in (ann, gus):
        one.shows("#queue-mode", "most votes")
    assert ann.count("[data-act=up]") == 0, "the room orders the queue"
    gus.click("#queue li:nth-child(3) .votes")
    for one in (ann, gus):
        eventually(
            lambda one=one: one.titles() == ["Piece 3", "Piece 1", "Piece 2"],  # type: ignore[misc]
            "the vote counts",
        )
    ann.click("#queue li:nth-child(1) .votes")
    gus.shows("#queue li:nth-child(1) .votes", "2")
    gus.driver.refresh()
    gus.shows("#queue li:nth-child(1) .votes", "2")
    assert gus.find("#queue li:nth-child(1) .votes").get_attribute("aria-pressed") == "true"
    gus.click("#queue li:nth-child(1) .votes")
    ann.shows("#queue li:nth-child(1) .votes", "1")


def test_entries_are_moved_by_keyboard_and_the_focus_stays(browser: Opener, tmp_path: Path) -> None:
    ann = gather(browser, tmp_path, waiting=3, people=1).ann
    down = "#queue li:nth-child(1) [data-act=down]"
    ann.js("document.querySelector(arguments[0]).focus()", down)
    for order in (["Piece 2", "Piece 1", "Piece 3"], ["Piece 2", "Piece 3", "Piece 1"]):
        ann.driver.switch_to.active_element.send_keys("\ue007")
        eventually(lambda order=order: ann.titles() == order, str(order))  # type: ignore[misc]
    focused = ann.js("return document.activeElement.getAttribute('aria-label')")
    assert focused == "Up: Piece 1"
    ann.press("Piece 1", "next")
    eventually(lambda: ann.titles()[0] == "Piece 1", "it comes next")


def test_every_dialog_and_menu_has_names_and_fits(browser: Opener, tmp_path: Path) -> None:
    party = gather(browser, tmp_path, waiting=2)
    ann, gus = party.ann, party.gus
    gus.say("w" * 500 + " @Ann")
    ann.click("#chat .message .menu summary")
    views = [looks(ann)]
    ann.click(f"{ann.row('Gus')} .menu summary")
    views.append(looks(ann))
    ann.click("#settings")
    views.append(looks(ann))
    ann.click("#settings-form button[type=button]")
    for act in ("mute", "kick", "ban"):
        ann.does_to("Gus", act)
        views.append(looks(ann))
        ann.click("#moderation-form button[type=button]")
    ann.click("#members")
    ann.shows("#members-list", "Ann")
    views.append(looks(ann))
    assert views == [[]] * 7
    assert ann.complaints() == []
