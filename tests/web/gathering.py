"""An owner, a member with an account and a guest, together in a room with music."""

from pathlib import Path

from msgspec import Struct

from tests.web.conftest import Opener
from tests.web.music import write
from tests.web.people import Browser, eventually


class Gathering(Struct):
    """Ann owns the room, Mo has an account, Gus is a guest."""

    path: str
    ann: Browser
    mo: Browser
    gus: Browser


def gather(browser: Opener, folder: Path, *, waiting: int, people: int = 3) -> Gathering:
    """`Piece 0` plays, `waiting` more wait; all `people` are in the room."""
    ann = browser()
    ann.arrive("Ann")
    path = ann.make_room("Kitchen")
    for number in range(waiting + 1):
        title = f"Piece {number}"
        seconds = 60 if number else 120  # the first outlasts what is done while it plays
        ann.upload(
            write(folder / f"{number}.flac", seconds, title=title, artist="The Sines", seed=number)
        )
        if number == 0:
            ann.shows("#now-title", title)
        else:
            eventually(lambda: title in ann.titles(), f"{title} waits")  # noqa: B023
    if people == 1:
        return Gathering(path, ann, ann, ann)
    mo, gus = browser(), browser()
    mo.arrive("Mo", path)
    gus.arrive("Gus", path, account=False)
    for one in (ann, mo, gus):
        for name in ("Ann", "Mo", "Gus"):
            one.shows("#present", name)
    return Gathering(path, ann, mo, gus)
