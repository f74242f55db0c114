"""What was: earlier messages, what was played, what I heard, and what I like."""

from pathlib import Path

import pytest

from tests.web.conftest import Opener
from tests.web.looks import looks
from tests.web.music import write
from tests.web.people import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]


def test_plays_favourites_and_earlier_messages(browser: Opener, tmp_path: Path) -> None:
    ann, bob = browser(), browser()
    ann.arrive("Ann")
    path = ann.make_room("Archive")
    for number in (0, 1):
        title = f"Archive {number}"
        ann.upload(
            write(tmp_path / f"{number}.flac", 40, title=title, artist="The Sines", seed=number)
        )
        ann.shows("#now-title" if number == 0 else "#queue", title)
    ann.shows("#now-state", "In tune")
    ann.click("#toggle")  # it shall not come to its end while people talk
    ann.shows("#now-state", "Paused")

    # The heart, kept over a reload; the list of favourites has it.
    ann.click("#like")
    eventually(lambda: ann.count("#like[aria-pressed=true]") == 1, "it is liked")
    ann.driver.refresh()
    eventually(lambda: ann.count("#like[aria-pressed=true]") == 1, "it is still liked")

    # More messages than a snapshot holds.
    ann.driver.set_script_timeout(60)
    ann.js(
        """
        const id = location.pathname.split('/').at(-1);
        const say = (number) => fetch(`/api/rooms/${id}/messages`, {
          method: 'POST', headers: {'Content-Type': 'application/json'},
          body: JSON.stringify({content: `message ${number}.`}),
        });
        const all = async () => {
          for (let number = 0; number < 120; number += 1) await say(number);
        };
        return all();
        """
    )
    ann.shows("#chat", "message 119.")
    bob.arrive("Bob", path, account=False)
    bob.shows("#chat", "message 119.")
    assert "message 69." not in bob.text("#chat")
    bob.click("#earlier")
    bob.shows("#chat", "message 21.")
    bob.click("#earlier")
    bob.shows("#chat", "message 0.")
    assert bob.count("#earlier") == 0
    told = [line for line in bob.text("#chat").splitlines() if line.startswith("message")]
    assert told == [f"message {number}." for number in range(120)]
    # What is older than the snapshot changes for who has loaded it, too.
    ann.click("#earlier")
    ann.shows("#chat", "message 69.")
    ann.js(
        """
        const row = [...document.querySelectorAll('#chat .message')]
          .find((each) => each.innerText.includes('message 69.'));
        row.querySelector('[data-act=delete]').click();
        """
    )
    ann.click("#delete-form button.main")
    eventually(lambda: "message 69." not in bob.text("#chat"), "the old message is gone")
    ann.say("one more")
    bob.shows("#chat", "one more")
    assert "message 70." in bob.text("#chat"), "what leaves the snapshot stays on the screen"

    # Half of it was heard when the next begins.
    ann.click("#toggle")
    eventually(lambda: ann.position_ms() > 21_000, "half of it was heard", 40)
    ann.click("#next")
    ann.shows("#now-title", "Archive 1")
    ann.click("#played")
    ann.shows("#played-list", "Archive 0")
    views = [looks(ann)]
    ann.click("dialog button.main")
    ann.click("#places [href='/history']")
    ann.shows("#plays", "Archive 0")
    ann.shows("#liked-list", "Archive 0")
    views.append(looks(ann))
    ann.click("#liked-list [data-act=queue]")
    ann.shows("#notices", "Queued")
    ann.click("#liked-list [data-act=like]")
    eventually(lambda: ann.count("#liked-list [aria-pressed=true]") == 0, "not liked any more")
    ann.click("#staying a")
    eventually(lambda: ann.titles() == ["Archive 0"], "it waits again")
    assert views == [[]] * 2
    assert ann.complaints() == []
