"""Named SQL: statements live in `queries/<stem>.sql`, their types stand where they are used.

    -- name: get_user
    -- One user by id.
    select user_id, display_name from users where user_id = :user_id;

    GET_USER = queries.maybe("users.get_user", UserRow)
    user = await GET_USER(database, user_id=user_id)

What several statements have in common is written once: a `-- part: name` is put where
`-- take: name` stands, or in another file `-- take: stem.name`.

A row becomes a msgspec Struct by position: columns and fields have the same names in the same
order. A test prepares every statement of every file and holds it against its declaration.

    QueryError              base
    ├── UnknownQuery        no such statement in the files
    └── NoRow               `one` found nothing
"""

import re
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar, Generic, TypeVar

from sql.pool import Connection, Database

RowT = TypeVar("RowT")

_NAME = re.compile(r"^-- (name|part): ([a-z][a-z0-9_]*)\s*$", re.MULTILINE)
_TAKE = re.compile(r"^-- take: (?:([a-z][a-z0-9_]*)\.)?([a-z][a-z0-9_]*)\s*$", re.MULTILINE)
# Literals, quoted names, comments and `::type` are passed over; what else has a colon is a
# parameter.
_PARAMETER = re.compile(
    r"""'(?:[^']|'')*'|"[^"]*"|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|::|:(?P<name>[a-z_][a-z0-9_]*)""",
    re.DOTALL,
)


class QueryError(Exception):
    """Base of the errors of this module."""


class UnknownQuery(QueryError):
    """The files hold no statement of that name."""


class NoRow(QueryError):
    """Exactly one row was promised and none came."""


class Statement:
    """One named statement: its text with `$n` and its parameters in order."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.parameters: tuple[str, ...] = ()
        order: dict[str, int] = {}

        def number(match: re.Match[str]) -> str:
            if match["name"] is None:
                return match[0]
            return f"${order.setdefault(match['name'], len(order) + 1)}"

        self.text = _PARAMETER.sub(number, text).strip().rstrip(";")
        self.parameters = tuple(order)


@cache
def statements(stem: str) -> dict[str, Statement]:
    """All statements of one file, by name."""

    def taken(take: re.Match[str]) -> str:
        return _bodies(take[1] or stem, "part")[take[2]].strip()

    return {
        name: Statement(f"{stem}.{name}", _TAKE.sub(taken, body))
        for name, body in _bodies(stem, "name").items()
    }


@cache
def _bodies(stem: str, wanted: str) -> dict[str, str]:
    """The text below each `-- name:` of a file, or each `-- part:`."""
    text = (files("sql") / "queries" / f"{stem}.sql").read_text(encoding="utf-8")
    cut = _NAME.split(text)[1:]
    found = zip(cut[::3], cut[1::3], cut[2::3], strict=True)
    return {name: body for kind, name, body in found if kind == wanted}


class Query(Generic[RowT]):
    """A declared statement; calling it runs it on a pool or on a connection."""

    declared: ClassVar[list["Query[Any]"]] = []
    """All declarations of the program, for the test that checks them."""

    def __init__(self, name: str, row: type[RowT]) -> None:
        stem, _, short = name.partition(".")
        try:
            self.statement = statements(stem)[short]
        except (FileNotFoundError, KeyError):
            raise UnknownQuery(f"sql/queries/{stem}.sql has no statement {short!r}") from None
        self.row = row
        Query.declared.append(self)

    def arguments(self, given: dict[str, object]) -> list[object]:
        """Positional arguments. Raises TypeError where names do not fit."""
        wanted = self.statement.parameters
        if len(given) != len(wanted) or any(name not in given for name in wanted):
            raise TypeError(f"{self.statement.name} takes {wanted}, got {tuple(given)}")
        return [given[name] for name in wanted]

    async def _on(self, on: Database | Connection, given: dict[str, object], verb: str) -> Any:
        arguments = self.arguments(given)
        if isinstance(on, Database):
            async with on.acquire() as connection:
                return await getattr(connection, verb)(self.statement.text, *arguments)
        return await getattr(on, verb)(self.statement.text, *arguments)


class One(Query[RowT]):
    """Exactly one row."""

    async def __call__(self, on: Database | Connection, /, **given: object) -> RowT:
        """Run it. Raises NoRow."""
        record = await self._on(on, given, "fetchrow")
        if record is None:
            raise NoRow(self.statement.name)
        return self.row(*record)


class Maybe(Query[RowT]):
    """One row or none."""

    async def __call__(self, on: Database | Connection, /, **given: object) -> RowT | None:
        record = await self._on(on, given, "fetchrow")
        return None if record is None else self.row(*record)


class Many(Query[RowT]):
    """Any number of rows."""

    async def __call__(self, on: Database | Connection, /, **given: object) -> list[RowT]:
        return [self.row(*record) for record in await self._on(on, given, "fetch")]


class Scalar(Query[RowT]):
    """The first column of the first row; None where there is no row."""

    async def __call__(self, on: Database | Connection, /, **given: object) -> RowT | None:
        value: RowT | None = await self._on(on, given, "fetchval")
        return value


class Scalars(Query[RowT]):
    """The first column of any number of rows."""

    async def __call__(self, on: Database | Connection, /, **given: object) -> list[RowT]:
        return [record[0] for record in await self._on(on, given, "fetch")]


class Execute(Query[int]):
    """No rows; the number of rows that were touched."""

    async def __call__(self, on: Database | Connection, /, **given: object) -> int:
        status: str = await self._on(on, given, "execute")
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0


one, maybe, many, scalar, scalars = One, Maybe, Many, Scalar, Scalars


def execute(name: str) -> Execute:
    """Declare a statement that returns nothing."""
    return Execute(name, int)
