"""`make bench`: every figure beside its peer, in one run; written to docs/benchmarks.md.

`python -m tests.bench [core] [latency] [fanout] [--rounds 5] [--write]`
"""

import argparse
import datetime
import resource

import uvloop

from tests.bench import core, fanout, latency
from tests.bench.measure import ROOT, machine

PARTS = {
    "fanout": (fanout.bench, "Fan-out: CPU per delivered 200-byte message, one room of 1,000"),
    "latency": (latency.bench, "Latency: send to ack, 50 rooms × 10 members, 200 commands/s"),
    "core": (core.bench, "Room core: `Room.apply` beside the codec, 200 members, queue of 100"),
}
PAGE = ROOT / "docs" / "benchmarks.md"


async def main() -> None:
    """Run the parts that were named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(PARTS)}; all if none")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 16_384)), hard))
    page = [
        "# Benchmarks",
        "",
        f"Measured {datetime.date.today()} on {machine()}, with `make bench` "
        f"(medians of {options.rounds} alternating runs). Peers' code is in `tests/bench/peers/`; "
        "all run under uvloop without compression. CPU is user + system time of the server's "
        "Python process; PostgreSQL has a column of its own.",
    ]
    for part in options.parts or PARTS:
        run, title = PARTS[part]
        page += ["", f"## {title}", "", *await run(options.rounds)]
    text = "\n".join(page) + "\n"
    print(text)
    if options.write:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    uvloop.run(main())
