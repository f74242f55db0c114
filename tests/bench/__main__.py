"""`make bench`: every figure beside its peer, in one run; with `--write` in docs/benchmarks.md.

`python -m tests.bench [core] [latency] … [--rounds 3] [--write]`
"""

import argparse
import resource

import uvloop

from tests.bench import (
    arrival,
    clock,
    core,
    crowd,
    fanout,
    latency,
    media,
    memory,
    page,
    rest,
    start,
)

PARTS = {
    "fanout": (fanout.bench, "Fan-out: CPU per delivered 200-byte message, one room of 1,000"),
    "latency": (latency.bench, "Latency: send to ack, 50 rooms × 10 members, 200 commands/s"),
    "memory": (memory.bench, "Memory: what somebody costs who is there and silent"),
    "arrival": (arrival.bench, "Arrival: 5,000 people come at once, and after a restart again"),
    "crowd": (crowd.bench, "Crowd: one room of 1,000, and 2,000 rooms"),
    "clock": (clock.bench, "Clock: how far a bot is from cluster time"),
    "start": (start.bench, "Start: beside 10,000 rooms and 1,000,000 events"),
    "media": (media.bench, "Media: a 4-minute MP3, and ten rooms with 200 commands/s beside it"),
    "rest": (rest.bench, "REST: 50 clients beside bare aiohttp, and chat in a storm of logins"),
    "core": (core.bench, "Room core: `Room.apply` beside the codec, 200 members, queue of 100"),
}


async def main() -> None:
    """Run the parts that were named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(PARTS)}; all if none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--write", action="store_true", help="write the sections of these in docs/benchmarks.md"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 18_000)), hard))
    for part in options.parts or PARTS:
        run, title = PARTS[part]
        lines = [page.provenance(part, options.rounds), "", *await run(options.rounds)]
        print("\n".join([f"## {title}", "", *lines, ""]), flush=True)
        if options.write:
            page.write(title, lines)


if __name__ == "__main__":
    uvloop.run(main())
