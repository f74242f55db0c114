"""The source tree as a test sees it: files, their syntax trees, what they import."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("protocol", "sql", "roomserver", "httpapi")


class Source(NamedTuple):
    """A Python file: its path from the root, its dotted name, its text and its syntax tree."""

    path: str
    module: str
    text: str
    tree: ast.Module

    def at(self, node: ast.AST) -> str:
        """Where a node stands, as editors like it."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file below the folders."""
    return tuple(
        _source(path)
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "__pycache__" not in path.parts
    )


def _source(path: Path) -> Source:
    inside = path.relative_to(ROOT)
    parts = inside.with_suffix("").parts
    text = path.read_text("utf-8")
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Source(str(inside), module, text, ast.parse(text, str(path)))


def imports(source: Source) -> Iterator[tuple[str, ast.AST]]:
    """Each module that a file imports, wherever in it, as a dotted name."""
    is_package = source.path.endswith("__init__.py")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = source.module.split(".")
                kept = parts[: len(parts) - node.level + is_package]
                base = ".".join([*kept, *filter(None, [node.module])])
            # "from roomserver import edge" names a module as well.
            for alias in node.names:
                yield f"{base}.{alias.name}", node


def strings(source: Source) -> Iterator[ast.Constant]:
    """Each string of a file that is no docstring, the parts of f-strings included."""
    prose = {
        id(node.value)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node
