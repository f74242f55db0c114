"""Imports only go down, libraries stay where they belong, and every module stands alone."""

import ast
import subprocess
import sys

import pytest

from tests.architecture.floors import (
    FLOORS,
    LIBRARIES,
    STDLIB_ALLOWED,
    STDLIB_REFUSED,
    floor_of,
    within,
)
from tests.architecture.tree import PACKAGES, ROOT, Source, imports, sources


def wrong_imports(source: Source) -> list[str]:
    """What a file imports though the tables do not let it."""
    floor = floor_of(source.module)
    if floor is None:
        return [f"{source.path}: {source.module} declares no floor in tests/architecture/floors.py"]
    wrong = []
    for name, node in imports(source):
        top = name.partition(".")[0]
        if top in PACKAGES:
            allowed = any(within(name, below) for below in (floor, *FLOORS[floor]))
        elif top in sys.stdlib_module_names:
            allowed = (source.module, top) in STDLIB_ALLOWED or not any(
                within(source.module, part) and top in refused
                for part, refused in STDLIB_REFUSED.items()
            )
        else:
            allowed = any(within(source.module, owner) for owner in LIBRARIES.get(top, ()))
        if not allowed:
            wrong.append(f"{source.at(node)}: {source.module} may not import {name}")
    return wrong


def made_up(module: str, text: str) -> Source:
    return Source(f"{module.replace('.', '/')}.py", module, text, ast.parse(text))


def test_imports_only_go_down() -> None:
    assert [line for source in sources(*PACKAGES) for line in wrong_imports(source)] == []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("roomserver.edge.hub", "from roomserver.home import table"),
        ("roomserver.edge.hub", "import roomserver.home.table"),
        ("roomserver.edge.hub", "from roomserver import home"),
        ("roomserver.edge.hub", "from ..home import table"),
        ("roomserver.edge.hub", "def f():\n    import sql.pool"),
        ("roomserver.edge.hub", "from roomserver.room.state import State"),
        ("roomserver.home.runner", "from roomserver.edge import hub"),
        ("roomserver.room.votes", "import asyncio"),
        ("roomserver.room.votes", "from time import time"),
        ("roomserver.room.votes", "from roomserver.runtime import clock"),
        ("roomserver.runtime.tasks", "import time"),
        ("roomserver.runtime.clock", "from roomserver.room import state"),
        ("roomserver.node", "import httpapi.app"),
        ("httpapi.rooms", "from roomserver.home import table"),
        ("httpapi.rooms", "import asyncpg"),
        ("protocol.rooms", "import websockets"),
        ("protocol.rooms", "import sql.pool"),
        ("sql.pool", "import protocol.rooms"),
        ("roomserver.bus.memory", "import requests"),
        ("roomserver.attic", "import json"),
    ],
)
def test_a_wrong_import_is_noticed(module: str, text: str) -> None:
    assert wrong_imports(made_up(module, text)) != []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("roomserver.edge.hub", "from roomserver.runtime.tasks import Tasks\nimport asyncio"),
        ("roomserver.edge.hub", "from . import router\nfrom .ports import Authenticator"),
        ("roomserver.home.runner", "from roomserver.room.room import Room\nfrom sql import pool"),
        ("roomserver.room.votes", "from protocol.queue import Entry\nimport math"),
        ("roomserver.runtime.clock", "import time"),
        ("protocol.bot_wire", "import websockets"),
        ("sql.pool", "import asyncpg"),
    ],
)
def test_a_right_import_is_let_through(module: str, text: str) -> None:
    assert wrong_imports(made_up(module, text)) == []


def impure_calls(source: Source) -> list[str]:
    """Uses of the clock or of chance that no import gives away."""
    return [
        f"{source.at(node)}: {node.attr if isinstance(node, ast.Attribute) else node.id}"
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today", "uuid4"))
        or (isinstance(node, ast.Name) and node.id in ("uuid4", "uuid1", "open", "print", "input"))
    ]


def test_the_room_reads_no_clock_and_takes_no_chance() -> None:
    assert [line for s in sources("roomserver/room") for line in impure_calls(s)] == []


@pytest.mark.parametrize("text", ["datetime.now(UTC)", "uuid.uuid4()", "uuid4()", "open('x')"])
def test_an_impure_call_is_noticed(text: str) -> None:
    assert impure_calls(made_up("roomserver.room.votes", text)) != []


IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1].split(","):
    importlib.import_module(name)
print(",".join(sorted(sys.modules)))
"""


@pytest.mark.parametrize("floor", [floor for floor in FLOORS if floor != "roomserver"])
def test_every_module_of_a_floor_imports_without_the_floors_above(floor: str) -> None:
    names = [s.module for s in sources(*PACKAGES) if floor_of(s.module) == floor]
    names = [name for name in names if not name.endswith("__main__") or floor == name]
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_ALL, ",".join(names) or "sys"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    loaded = {name for name in run.stdout.strip().split(",") if name.partition(".")[0] in PACKAGES}
    below = {floor, *FLOORS[floor]}
    assert {n for n in loaded if floor_of(n) not in below and n != "roomserver"} == set()
