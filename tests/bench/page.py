"""docs/benchmarks.md: one section for each part that was measured, the others left as they are.

What stands before the first section and the sections `BY_HAND` are written by hand.
"""

import datetime
from typing import Final

from tests.bench.measure import ROOT, machine

PAGE: Final = ROOT / "docs" / "benchmarks.md"
HEADING: Final = "## "
BY_HAND: Final = ("The profile", "How to read these")
"""They come last."""


def provenance(part: str, rounds: int) -> str:
    """When, where and by which command a section was measured."""
    runs = "one run" if rounds == 1 else f"medians of {rounds} runs"
    return (
        f"Measured {datetime.date.today()} on {machine()}: "
        f'`make bench ARGS="{part} --rounds {rounds}"`, {runs}.'
    )


def put(text: str, title: str, lines: list[str]) -> str:
    """The page with this section instead of the one of that title, or with it as a new one."""
    intro, *sections = text.split(f"\n{HEADING}")
    body = "\n".join([title, "", *lines]) + "\n"
    titles = [section.partition("\n")[0] for section in sections]
    if title in titles:
        sections[titles.index(title)] = body
    else:
        sections.insert(len([t for t in titles if t not in BY_HAND]), body)
    return f"\n{HEADING}".join([intro, *sections])


def write(title: str, lines: list[str]) -> None:
    """Put a section into the file."""
    PAGE.write_text(put(PAGE.read_text(encoding="utf-8"), title, lines), encoding="utf-8")
