"""What `protocol/` declares, as the generators read it: classes, fields, and what is said of them.

Python keeps no docstrings of attributes and no names of aliases, so both are read from the source.
"""

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple, get_args

import msgspec
from msgspec import Struct

from protocol import catalog, frames
from protocol.base import Body, Entity

CLIENT_FRAMES: Final = get_args(frames.AnyClientFrame)
SERVER_FRAMES: Final = get_args(frames.AnyServerFrame)
COMMANDS: Final = get_args(catalog.ClientCommand)
EVENTS: Final = get_args(catalog.RoomEvent)
SIGNALS: Final = get_args(catalog.RoomSignal)
MESSAGES: Final = (*CLIENT_FRAMES, *SERVER_FRAMES, *COMMANDS, *EVENTS, *SIGNALS)
UNIONS: Final = {
    "AnyClientFrame": CLIENT_FRAMES,
    "AnyServerFrame": SERVER_FRAMES,
    "ClientCommand": COMMANDS,
    "RoomEvent": EVENTS,
    "RoomSignal": SIGNALS,
}


NOT_PUBLIC: Final = ("bot", "client", "cluster")
"""Beginnings of modules without messages of clients: nodes talk among themselves."""


class Field(NamedTuple):
    """One field of a class, as it stands on the wire."""

    name: str
    annotation: str
    """As it stands in the source."""
    type: msgspec.inspect.Type
    required: bool
    default: object
    """`msgspec.NODEFAULT` where there is none to tell."""
    doc: str


class Alias(NamedTuple):
    """A name for a type: a scalar with its limits, or a choice of texts."""

    name: str
    type: msgspec.inspect.Type
    doc: str


def tag_of(shape: type[Struct]) -> str:
    """What stands in `type` on the wire."""
    tag = shape.__struct_config__.tag
    assert isinstance(tag, str), f"{shape.__name__} has no tag"
    return tag


def stem_of(shape: type[Struct]) -> str:
    """The feature that a class belongs to: the name of its module."""
    return shape.__module__.rpartition(".")[2]


def doc_of(shape: type[Struct]) -> str:
    """The docstring of a class."""
    return inspect.cleandoc(shape.__doc__ or "")


def fields_of(shape: type[Struct]) -> list[Field]:
    """The fields of a class, its own first and then those it has from its bases."""
    told = msgspec.inspect.type_info(shape)
    assert isinstance(told, msgspec.inspect.StructType)
    said = _said(shape)
    fields = []
    for field in told.fields:
        annotation, doc = said[field.name]
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        fields.append(
            Field(field.encode_name, annotation, field.type, field.required, default, doc)
        )
    return fields


def reachable(roots: Iterable[type[Struct]]) -> list[type[Struct]]:
    """The classes that the roots are made of, themselves included, by name."""
    found: dict[str, type[Struct]] = {}
    waiting = [msgspec.inspect.type_info(root) for root in roots]
    while waiting:
        told = waiting.pop()
        if isinstance(told, msgspec.inspect.StructType):
            name = told.cls.__name__
            if name in found:
                assert found[name] is told.cls, f"two classes are called {name}"
                continue
            found[name] = told.cls
            waiting += [field.type for field in told.fields]
        elif isinstance(told, msgspec.inspect.UnionType):
            waiting += told.types
        elif isinstance(told, msgspec.inspect.ListType):
            waiting.append(told.item_type)
        elif isinstance(told, msgspec.inspect.DictType):
            waiting += [told.key_type, told.value_type]
    return [found[name] for name in sorted(found)]


def rest_shapes() -> list[type[Struct]]:
    """Bodies and answers of REST that are declared in `protocol/`."""
    shapes = {
        value
        for module in _modules()
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Body | Entity)
        and value not in (Body, Entity)
        and value.__module__.startswith("protocol.")
    }
    return sorted(shapes, key=lambda shape: shape.__name__)


def aliases() -> list[Alias]:
    """Every named scalar and choice, by name."""
    found = {alias.name: alias for module in _modules() for alias in _aliases(module)}
    return [found[name] for name in sorted(found)]


@cache
def choices() -> dict[frozenset[str | int | None], Alias]:
    """The named choices of texts, by what one may choose from."""
    found = {}
    for alias in aliases():
        if isinstance(alias.type, msgspec.inspect.LiteralType):
            found[frozenset(alias.type.values)] = alias
    return found


@cache
def _modules() -> list[ModuleType]:
    stems = sorted(path.stem for path in Path(__file__).parents[1].glob("[a-z]*.py"))
    return [import_module(f"protocol.{stem}") for stem in stems if not stem.startswith(NOT_PUBLIC)]


def _aliases(module: ModuleType) -> Iterator[Alias]:
    body = _tree(module.__name__).body
    for statement, doc in _with_docs(body):
        if (
            isinstance(statement, ast.Assign)
            and isinstance(statement.value, ast.Subscript)
            and ast.unparse(statement.value.value) in ("Annotated", "Literal")
            and isinstance(statement.targets[0], ast.Name)
            and not statement.targets[0].id.startswith("_")
        ):
            name = statement.targets[0].id
            meant = getattr(module, name)
            told = msgspec.inspect.type_info(meant)
            if isinstance(told, msgspec.inspect.LiteralType):
                # In the order of the source: it may mean something, as with grades.
                told = msgspec.inspect.LiteralType(get_args(meant))
            yield Alias(name, told, doc)


def _said(shape: type[Struct]) -> dict[str, tuple[str, str]]:
    """Annotation and docstring of each field, bases first so that a class has the last word."""
    said: dict[str, tuple[str, str]] = {}
    for part in reversed(shape.__mro__):
        if not part.__module__.startswith("protocol."):
            continue
        for node in _tree(part.__module__).body:
            if isinstance(node, ast.ClassDef) and node.name == part.__name__:
                for statement, doc in _with_docs(node.body):
                    if isinstance(statement, ast.AnnAssign):
                        name = ast.unparse(statement.target)
                        said[name] = (ast.unparse(statement.annotation), doc)
    return said


def _with_docs(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Each statement with the string that stands right behind it."""
    for statement, behind in zip(body, [*body[1:], ast.Pass()], strict=True):
        doc = ""
        if (
            isinstance(behind, ast.Expr)
            and isinstance(behind.value, ast.Constant)
            and isinstance(behind.value.value, str)
        ):
            doc = " ".join(inspect.cleandoc(behind.value.value).split())
        yield statement, doc


@cache
def _tree(module_name: str) -> ast.Module:
    return ast.parse(inspect.getsource(sys.modules[module_name]))
