"""What judges a time says so, and does nothing after it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FILES = sorted(file for file in TESTS.rglob("*.py") if "within(" in file.read_text("utf-8"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


def is_judgement(node: ast.AST) -> bool:
    """A statement `within(…)`."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "within"
    )


def astray(text: str) -> Iterator[int]:
    """The lines of judgements that are not the last things that a function does."""
    tree = ast.parse(text)
    last: set[ast.AST] = set()
    for function in ast.walk(tree):
        if isinstance(function, Function):
            for statement in reversed(function.body):
                if not is_judgement(statement):
                    break
                last.add(statement)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and is_judgement(node) and node not in last:
            yield node.lineno


def unmarked(text: str) -> Iterator[str]:
    """Tests that judge a time and are not `timed`."""
    for function in ast.parse(text).body:
        if isinstance(function, Function) and function.name.startswith("test_"):
            marks = {mark.id for mark in function.decorator_list if isinstance(mark, ast.Name)}
            if any(is_judgement(one) for one in function.body) and "timed" not in marks:
                yield function.name


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(TESTS)))
def test_a_time_is_judged_last_and_the_test_is_marked(file: Path) -> None:
    text = file.read_text("utf-8")
    assert list(astray(text)) == []
    assert list(unmarked(text)) == []


def test_what_is_astray_or_unmarked_is_found() -> None:
    assert list(astray("def test_a():\n    with b:\n        within(1, 2, 's')\n")) == [3]
    assert list(astray("def test_a():\n    within(1, 2, 's')\n    assert b\n")) == [2]
    assert list(unmarked("def test_a():\n    within(1, 2, 's')\n")) == ["test_a"]
