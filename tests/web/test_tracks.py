"""My music: several files at once, with what becomes of each; from sending to deleting."""

from pathlib import Path

import pytest

from tests.web.conftest import Opener
from tests.web.looks import looks
from tests.web.music import write
from tests.web.people import Browser, eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]


def test_files_are_uploaded_followed_queued_renamed_and_deleted(
    browser: Opener, tmp_path: Path
) -> None:
    ann = browser()
    ann.arrive("Ann")
    ann.make_room("Studio")
    ann.click("#places [href='/tracks']")
    ann.shows("#my-tracks + p", "No tracks here yet")
    ann.shows("#staying", "Studio")
    ann.js(
        """
        window.seen = new Set();
        const list = document.querySelector('#uploads');
        new MutationObserver(() => {
          for (const row of list.children) seen.add(row.innerText);
        }).observe(list, {childList: true, subtree: true, characterData: true});
        """
    )
    broken = tmp_path / "broken.flac"
    broken.write_bytes(b"this is no music" * 100)
    with (tmp_path / "huge.wav").open("wb") as huge:
        huge.truncate(2**30)  # refused by its size alone: it is not read
    files = [
        write(tmp_path / "long.wav", 120, title="Long Wave", artist="The Sines", seed=11),
        broken,
        tmp_path / "huge.wav",
        write(tmp_path / "short.flac", 31, title="Short Wave", artist="The Sines", seed=12),
    ]
    ann.find("#file").send_keys("\n".join(map(str, files)))
    for name, word in (("long.wav", "ready"), ("short.flac", "ready")):
        ann.shows("#uploads", name)
        eventually(
            lambda name=name, word=word: word in upload_of(ann, name),  # type: ignore[misc]
            f"{name} is {word}",
            60,
        )
    assert "ready" not in upload_of(ann, "broken.flac")
    assert "larger than" in upload_of(ann, "huge.wav")
    assert "not accepted" in upload_of(ann, "broken.flac")
    seen = ann.js("return [...seen].join('\\n')")
    for word in ("waiting for its turn", "sending, ", "being analysed"):
        assert word in seen, (word, seen)
    view = looks(ann)
    for name in ("broken.flac", "huge.wav"):
        ann.click(f"#uploads [aria-label='Dismiss: {name}']")
    eventually(lambda: ann.count("#uploads [data-state=failed]") == 0, "they are dismissed")

    # Into the queue of the room that goes on; the first plays there.
    eventually(lambda: ann.count("#my-tracks .track") == 2, "both are listed")
    for title in ("Short Wave", "Long Wave"):
        ann.click(f"[aria-label='Add to the queue: {title}']")
        ann.shows("#notices", f"Queued: {title}")
    ann.click("#staying a")
    ann.shows("#now-title", "Short Wave")
    eventually(lambda: ann.titles() == ["Long Wave"], "the other waits")

    ann.click("#places [href='/tracks']")
    ann.fill("#search-tracks", "long")
    eventually(lambda: ann.count("#my-tracks .track") == 1, "found by its title")
    ann.click("#my-tracks [data-act=rename]")
    ann.fill("#track-form input[name=title]", "Longer Wave")
    ann.click("#track-form button.main")
    ann.shows("#my-tracks", "Longer Wave")
    ann.click("#my-tracks [data-act=delete]")
    ann.click("#delete-track button.main")
    ann.shows("#my-tracks + p", "No tracks here yet")

    ann.driver.back()
    ann.find("#playback")
    eventually(lambda: ann.titles() == [], "what was deleted waits no more")
    ann.click("#places [href='/tracks']")
    ann.click("#my-tracks [data-act=delete]")
    ann.click("#delete-track button.main")
    ann.click("#staying a")
    ann.shows("#now-title", "Nothing is playing")
    assert view == []


def upload_of(browser: Browser, name: str) -> str:
    """What is told of one file."""
    return str(
        browser.js(
            """
            const rows = [...document.querySelectorAll('#uploads li')];
            const row = rows.find((each) => each.querySelector('bdi').innerText === arguments[0]);
            return row?.innerText ?? '';
            """,
            name,
        )
    )
