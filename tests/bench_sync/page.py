"""docs/in-tune.md: the figures that are kept, between their marks, and the drawing beside them."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tests.bench.measure import ROOT, machine
from tests.bench_sync.cases import CASES
from tests.bench_sync.judge import Outcome
from tests.bench_sync.plot import Panel, svg
from tests.bench_sync.stage import Kind
from tests.web.people import CHROMIUM

RESULTS: Final = ROOT / "build" / "bench-sync"
PAGE: Final = ROOT / "docs" / "in-tune.md"
DRAWING: Final = ROOT / "docs" / "in-tune.svg"
BEGIN: Final = "<!-- figures: begin; written by `python -m tests.bench_sync --write` -->\n"
END: Final = "<!-- figures: end -->\n"
LISTENS: Final = {"page": "the page", "naive": "naive peer"}


class Result(Struct):
    """What one case showed of one kind of listener, as it is kept."""

    case: str
    kind: Kind
    listeners: int
    seconds: float
    measured_on: str
    outcome: Outcome

    @property
    def file_name(self) -> str:
        more = f"-{self.listeners}" if self.listeners != 2 else ""
        return f"{self.case}-{self.kind}{more}.json"


def write_page(results: Path) -> None:
    """Put all figures that are kept into the page, and draw the skews."""
    kept = [msgspec.json.decode(file.read_bytes(), type=Result) for file in results.glob("*.json")]
    order = list(CASES)
    kept.sort(key=lambda result: (order.index(result.case), result.kind == "naive"))
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + "\n".join(_lines(kept)) + "\n" + END + after, "utf-8")
    DRAWING.write_text(svg(list(_panels(kept))), "utf-8")


def _lines(kept: list[Result]) -> Iterable[str]:
    asked = [CHROMIUM, "--version"]
    version = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    days = " to ".join(sorted({result.measured_on for result in kept}))
    yield f"Measured {days} on {machine()}, {version}."
    yield ""
    yield "| case | who | what | figure | bar | held |"
    yield "|---|---|---|---|---|---|"
    for result in kept:
        whole, who = CASES[result.case], LISTENS[result.kind]
        case = whole.title
        if result.seconds < (whole.seconds if result.kind == "page" else whole.naive_seconds):
            case += f", shortened to {result.seconds:.0f} s"
        if result.listeners != 2:
            who += f", {result.listeners} listeners"
        for row in result.outcome.rows:
            held = {True: "yes", False: "**no**", None: ""}[row.held]
            if result.kind == "naive" and whole.must_fail:
                held += " (and must not)"
            yield f"| {case} | {who} | {row.what} | {row.figure} | {row.bar} | {held} |"
    torn = sum(result.outcome.torn for result in kept)
    windows = sum(result.outcome.windows for result in kept)
    yield ""
    yield f"{torn} of {windows} windows were left out: the tone from outside was torn in them."


def _panels(kept: list[Result]) -> Iterable[Panel]:
    for name in CASES:
        found = {r.kind: r for r in kept if r.case == name and r.listeners == 2}
        points = {
            kind: [p for t in r.outcome.traces for p in t.points] for kind, r in found.items()
        }
        if points:
            yield Panel(name, points.get("page", []), points.get("naive", []))
