"""Each fault, on a server in which one of the things is missing that make it harmless.

The checker must then say what went wrong: a fault that nobody could see proves nothing. The runs
are short, and some at once: they mostly wait.
"""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.cluster.load import Load
from tests.cluster.server import ROOT
from tests.cluster.test_planted import copy_of_the_tree, plant
from tests.conftest import TEMPLATE, own_database
from tests.faults.machine_clock import MachineClock
from tests.faults.replayer import Replayer
from tests.faults.scene import Fault, scene
from tests.faults.test_exhausted import FEW_DESCRIPTORS, exhausted
from tests.faults.test_half_open import stranded
from tests.faults.test_killed import killed
from tests.faults.test_sent_again import sent_again
from tests.faults.test_slow_consumers import slow
from tests.faults.test_stalled import stalled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

AT_ONCE: Final = 4
RUNS: Final = 3
"""A bug may need a certain moment to show: it has so many chances."""
FAULT_WITHIN_S: Final = 30
HEARD_WITHIN_S: Final = 10
PLANTED: Final = (ROOT / "tests/faults/planted", ROOT / "tests/cluster/planted")


class Pair(NamedTuple):
    """A fault and what is planted."""

    fault: Fault
    patch: str
    red: set[str]
    """One of these at least must be said."""
    under: tuple[str, ...] = ()
    replayer: Replayer | None = None


async def come_back(load: Load) -> None:
    """Everybody loses the connection at once, again and again."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(for_s=3))
        for _ in range(3):
            await load.wait(0.7)
            load.wire.cut()


async def set_ahead(load: Load) -> None:
    """Somebody sets the clock."""
    clock = MachineClock(load.served.database_url, load.served.data_dir)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(for_s=4))
        await load.wait(1)
        await clock.set_ahead(7_200)


PAIRS: Final = {
    "f1": Pair(killed, "no_dedupe", {"twice"}),
    "f15": Pair(slow, "resumed_one_late", {"unseen", "order"}),
    "f16": Pair(stranded, "no_dedupe", {"twice"}),
    "f17": Pair(set_ahead, "jump_believed", {"clock"}),
    "f19": Pair(sent_again, "no_dedupe", {"twice"}, replayer=Replayer()),
    "f20": Pair(come_back, "resumed_one_late", {"unseen", "order"}),
    "f21": Pair(stalled, "wakes_when_it_looks", {"schedule"}),
    "f26": Pair(exhausted, "publish_before_commit", {"unseen"}, FEW_DESCRIPTORS),
}


async def broken_promises(pair: Pair, postgres_url: str, folder: Path) -> set[str]:
    """What the checker says of a fault on a server with a patch."""
    tree = copy_of_the_tree(folder / "tree")
    (patch,) = (path for place in PLANTED for path in place.glob(f"{pair.patch}.patch"))
    plant(tree, patch)
    async with own_database(postgres_url, TEMPLATE) as database_url:
        clock = await MachineClock.of(database_url, folder / "data")
        async with scene(
            database_url,
            folder / "data",
            tree=tree,
            under=pair.under,
            environment=clock.environment(tree),
            replayer=pair.replayer,
        ) as load:
            # A server with a bug may break off anywhere: what was done is judged anyway.
            with suppress(Exception):
                async with asyncio.timeout(FAULT_WITHIN_S):
                    await pair.fault(load)
            return {violation.name for violation in await load.verdict(within_s=HEARD_WITHIN_S)}


@pytest.fixture(scope="module")
def verdicts(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, set[str] | BaseException]:
    """By fault."""
    folder = tmp_path_factory.mktemp("planted")
    places = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, pair: Pair) -> set[str]:
        verdict: set[str] = set()
        async with places:
            for run in range(RUNS):
                async with asyncio.timeout(90):
                    verdict = await broken_promises(pair, postgres_url, folder / f"{name}-{run}")
                if verdict & pair.red:
                    break
        return verdict

    async def all_of_them() -> dict[str, set[str] | BaseException]:
        told = await asyncio.gather(
            *(one(name, pair) for name, pair in PAIRS.items()), return_exceptions=True
        )
        return dict(zip(PAIRS, told, strict=True))

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("name", PAIRS)
def test_a_fault_on_a_server_with_a_bug_turns_the_checker_red(
    name: str, verdicts: dict[str, set[str] | BaseException]
) -> None:
    verdict = verdicts[name]
    assert isinstance(verdict, set), verdict
    assert verdict & PAIRS[name].red, verdict
