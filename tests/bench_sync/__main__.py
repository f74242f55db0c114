"""`make bench-sync`: what listeners hear, recorded and compared; written to docs/in-tune.md.

`python -m tests.bench_sync [case…] [--seconds 30] [--listeners 4] [--tracks FOLDER] [--write]`
"""

import argparse
import datetime
import os
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tests.bench_sync.cases import CASES
from tests.bench_sync.judge import TORN_AT_MOST, Outcome, Row
from tests.bench_sync.page import LISTENS, RESULTS, Result, write_page
from tests.bench_sync.stage import Kind, Stage


def main() -> None:
    """Run the cases that were named, or all; ends with 1 where a bar is not held.

    It does so too where the naive peer holds what it must not, or the recording was torn too often.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help=f"any of {', '.join(CASES)}; all if none")
    parser.add_argument("--seconds", type=float, help="judge at most so many seconds of each case")
    parser.add_argument("--listeners", type=int, default=2, choices=(2, 3, 4))
    parser.add_argument("--tracks", type=Path, help="a folder of music to play in the long cases")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where figures are kept")
    parser.add_argument("--only", choices=LISTENS, help="only the page, or only the naive peer")
    parser.add_argument("--write", action="store_true", help="write docs/in-tune.md from them")
    options = parser.parse_args()
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"there is no case {', '.join(sorted(unknown))}")
    tracks = sorted(options.tracks.iterdir()) if options.tracks else []
    os.environ["UNISONO_LOG_LEVEL"] = "error"
    names = options.cases or list(CASES)
    with TemporaryDirectory(prefix="unisono-sync-") as folder:
        stage = Stage(Path(folder), listeners=options.listeners, tracks=tracks)
        try:
            results = [result for name in names for result in _run(stage, name, options)]
        finally:
            stage.close()
    if options.write:
        write_page(options.results)
    good = all([_tell(result) for result in results])
    torn = sum(result.outcome.torn for result in results)
    windows = sum(result.outcome.windows for result in results)
    whole = torn <= TORN_AT_MOST * windows
    print(f"{torn} of {windows} windows torn{'' if whole else ': this run says nothing'}")
    raise SystemExit(not (good and whole))


def _run(stage: Stage, name: str, options: argparse.Namespace) -> Iterable[Result]:
    """One case, with the naive peer where it belongs."""
    case = CASES[name]
    kinds: dict[Kind, float] = {"page": case.seconds, "naive": case.naive_seconds}
    for kind, most_s in kinds.items():
        seconds = min(most_s, options.seconds or most_s)
        if not seconds or options.only not in (None, kind):
            continue
        try:
            outcome = case.run(stage, kind, seconds)
        except AssertionError as problem:
            # The others are still worth hearing.
            row = Row("it broke off", str(problem), "", False)
            outcome = Outcome([row], [], is_whole=False)
        result = Result(
            case=name, kind=kind, listeners=options.listeners, seconds=seconds,
            measured_on=str(datetime.date.today()), outcome=outcome,
        )  # fmt: skip
        options.results.mkdir(parents=True, exist_ok=True)
        (options.results / result.file_name).write_bytes(msgspec.json.encode(result))
        yield result


def _tell(result: Result) -> bool:
    """Print the rows; whether all is as it has to be."""
    print(f"{result.case} ({result.kind})")
    for row in result.outcome.rows:
        held = {True: "held", False: "NOT HELD", None: ""}[row.held]
        print(f"  {row.what}: {row.figure} [{row.bar}] {held}", flush=True)
    holds = all(row.held is not False for row in result.outcome.rows)
    if result.kind == "page" or not result.outcome.is_whole:
        return holds
    must_fail = CASES[result.case].must_fail
    if must_fail and holds:
        print("  the naive peer is as good: this bench measures nothing")
    return not (must_fail and holds)


if __name__ == "__main__":
    main()
