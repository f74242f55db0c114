"""One word a thing: the words of docs/glossary.md, as far as names in the code can show."""

import ast
import re
from collections.abc import Iterator
from typing import Final

import pytest

from tests.architecture.tree import PACKAGES, Source, sources

SYNONYMS: Final = {
    "session": "login (a refresh-token family) or connection (a socket)",
    "song": "track",
    "epoch": "fence",
    "leader": "home",
    "coordinator": "home",
}
FOREIGN: Final = {"aiohttp_session", "load_session", "save_session", "new_session", "ClientSession"}
"""Names that a library prescribes."""
UNITLESS: Final = {"time", "timestamp", "position", "timeout", "duration", "size", "delay", "ttl"}


def made_up(text: str) -> Source:
    return Source("made/up.py", "made.up", text, ast.parse(text))


def names(source: Source) -> Iterator[tuple[str, ast.AST]]:
    """Each name that a file gives to something."""
    for node in ast.walk(source.tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node
            case ast.arg():
                yield node.arg, node
            case ast.Name(ctx=ast.Store()):
                yield node.id, node
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr, node


def synonyms(source: Source) -> list[str]:
    found = []
    for name, node in names(source):
        words = re.findall(r"[a-z]+", re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower())
        for word in words:
            right = SYNONYMS.get(word) or SYNONYMS.get(word.removesuffix("s"))
            if right and name not in FOREIGN:
                found.append(f"{source.at(node)}: {name}: the word is {right}")
    return found


def unitless(source: Source) -> list[str]:
    """Fields of classes whose name is a quantity without its unit."""
    return [
        f"{source.at(field)}: {field.target.id}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
        for field in node.body
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and field.target.id in UNITLESS
    ]


def test_one_word_a_thing() -> None:
    assert [line for source in sources(*PACKAGES) for line in synonyms(source)] == []


@pytest.mark.parametrize("text", ["session = 1", "def load_songs(): ...", "class UserSession: ..."])
def test_a_synonym_is_noticed(text: str) -> None:
    assert synonyms(made_up(text)) != []


def test_units_are_in_names() -> None:
    assert [line for source in sources(*PACKAGES) for line in unitless(source)] == []


def test_a_quantity_without_its_unit_is_noticed() -> None:
    assert unitless(made_up("class Play:\n    position: int")) != []
    assert unitless(made_up("class Play:\n    position_ms: float")) == []
