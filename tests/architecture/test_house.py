"""The rules of the house that a file can break without importing anything wrong."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.tree import PACKAGES, ROOT, Source, sources, strings

MOST_LINES: Final = 400
DRAWERS: Final = re.compile(
    r"^(utils?|helpers?|common|managers?|misc|core|lib|types|const(ants)?|repositor(y|ies))$"
)
WRITTEN_BY_HAND: Final = (".py", ".sql", ".js", ".mjs", ".css", ".html")
GENERATED: Final = ("sql/schema.sql", "protocol/schema/")
SQL: Final = re.compile(
    r"\b(select\b.+\bfrom|insert\s+into|update\s+[\w.]+\s+set|delete\s+from"
    r"|(create|alter|drop)\s+(table|index|database|role|extension|view|function))\b",
    re.I | re.S,
)


def made_up(text: str) -> Source:
    return Source("made/up.py", "made.up", text, ast.parse(text))


def files() -> list[Path]:
    folders = (*PACKAGES, "tests")
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*")))
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def test_no_file_is_a_drawer() -> None:
    paths = [path.relative_to(ROOT) for path in files() if "bench" not in path.parts]
    names = {part for path in paths for part in (path.stem, *path.parts[:-1])}
    assert [name for name in sorted(names) if DRAWERS.match(name)] == []


def test_no_file_is_longer_than_400_lines() -> None:
    long = []
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in WRITTEN_BY_HAND and not name.startswith(GENERATED):
            lines = path.read_text("utf-8").count("\n")
            if lines > MOST_LINES:
                long.append(f"{name}: {lines} lines")
    assert long == []


def test_every_folder_of_tests_is_a_package_so_that_equal_names_do_not_clash() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    assert [str(f.relative_to(ROOT)) for f in folders if not (f / "__init__.py").exists()] == []


def bare_tasks(source: Source) -> list[str]:
    return [
        source.at(node)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and (getattr(node.func, "attr", None) or getattr(node.func, "id", None))
        in ("create_task", "ensure_future")
    ]


def test_every_task_has_an_owner() -> None:
    # The bot SDK stands below the runtime and owns its two tasks itself.
    owners = ("roomserver/runtime/tasks.py", "protocol/bot.py", "protocol/bot_wire.py")
    places = [p for s in sources(*PACKAGES) if s.path not in owners for p in bare_tasks(s)]
    assert places == []


@pytest.mark.parametrize(
    "text", ["asyncio.create_task(f())", "loop.create_task(x)", "create_task(x)"]
)
def test_a_bare_task_is_noticed(text: str) -> None:
    assert bare_tasks(made_up(text)) != []


def untyped_dicts(source: Source) -> list[str]:
    return [
        source.at(node)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Subscript) and ast.unparse(node) == "dict[str, Any]"
    ]


def test_no_message_is_an_untyped_dict() -> None:
    assert [place for s in sources(*PACKAGES) for place in untyped_dicts(s)] == []


def test_an_untyped_dict_is_noticed() -> None:
    assert untyped_dicts(made_up("def f(message: dict[str, Any]) -> None: ...")) != []


def sql_text(source: Source) -> list[str]:
    return [source.at(node) for node in strings(source) if SQL.search(str(node.value))]


def test_sql_lives_in_sql_files() -> None:
    places = [p for s in sources(*PACKAGES) for p in sql_text(s)]
    # It writes schema.sql and runs none of what it writes.
    assert [p for p in places if not p.startswith("sql/schema.py:")] == []


@pytest.mark.parametrize(
    "text",
    [
        "q = 'SELECT id FROM rooms'",
        "q = f'delete from rooms where id = {x}'",
        "q = '''update rooms\\nset name = $1'''",
        "q = 'insert into rooms values ($1)'",
    ],
)
def test_sql_in_a_string_is_noticed(text: str) -> None:
    assert sql_text(made_up(text)) != []


def sleeps(source: Source) -> list[str]:
    """Calls that wait for time to pass; `asyncio.sleep(0)` only gives others a turn."""
    return [
        source.at(node)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and (getattr(node.func, "attr", None) or getattr(node.func, "id", None)) == "sleep"
        and not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)
    ]


def test_no_test_sleeps() -> None:
    benches = "tests/bench/"
    tests = [source for source in sources("tests") if not source.path.startswith(benches)]
    assert [place for source in tests for place in sleeps(source)] == []


@pytest.mark.parametrize("text", ["time.sleep(1)", "asyncio.sleep(0.1)", "sleep(delay)", "sleep()"])
def test_a_sleep_is_noticed(text: str) -> None:
    assert sleeps(made_up(text)) != []
    assert sleeps(made_up("asyncio.sleep(0)")) == []


def evasions(source: Source) -> list[str]:
    """Tests that do not run, and doubles of our own code."""
    return [
        source.at(node)
        for node in ast.walk(source.tree)
        if (
            isinstance(node, ast.Attribute)
            and node.attr in ("skip", "skipif", "xfail", "importorskip")
            # Playback has something to skip as well.
            and ast.unparse(node.value).rpartition(".")[2] in ("pytest", "mark", "unittest")
        )
        or (isinstance(node, ast.Import | ast.ImportFrom) and "mock" in ast.unparse(node))
    ]


def test_no_test_is_skipped_or_mocks() -> None:
    assert [place for source in sources("tests") for place in evasions(source)] == []


@pytest.mark.parametrize(
    "text", ["pytest.skip('x')", "pytest.mark.xfail", "from unittest import mock"]
)
def test_an_evasion_is_noticed(text: str) -> None:
    assert evasions(made_up(text)) != []
