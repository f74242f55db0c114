"""Every statement of every file, held against the database and against its declaration."""

import importlib
import pkgutil
import re
import types
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

import sql
from sql import queries
from sql.migrate import Applied, known
from sql.pool import Database
from sql.queries import Execute, Many, Maybe, NoRow, One, Query, Statement, statements

PACKAGES = ("protocol", "sql", "roomserver", "httpapi")
PYTHON_TYPES: dict[str, type] = {
    "uuid": str,
    "text": str,
    "name": str,
    "json": str,
    "jsonb": str,
    "int4": int,
    "int8": int,
    "float8": float,
    "bool": bool,
    "timestamptz": datetime,
    "bytea": bytes,
}


def import_everything() -> None:
    """So that every declaration of the program is in the registry."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def plain(annotation: Any) -> Any:
    """The type behind `Annotated`, `NewType`, `Literal` and `| None`."""
    origin = get_origin(annotation)
    if isinstance(annotation, NewType):
        return plain(annotation.__supertype__)
    if origin is Annotated:
        return plain(get_args(annotation)[0])
    if origin is Literal:
        (kind,) = {type(value) for value in get_args(annotation)}
        return kind
    if origin in (Union, types.UnionType):
        (kind,) = (one for one in get_args(annotation) if one is not types.NoneType)
        return plain(kind)
    return annotation


def fits(pg_type: str, annotation: Any) -> bool:
    """Whether a value of that PostgreSQL type is what the annotation says."""
    annotation = plain(annotation)
    if pg_type.endswith("[]"):
        return get_origin(annotation) is list and fits(pg_type[:-2], get_args(annotation)[0])
    return PYTHON_TYPES.get(pg_type) is annotation


def faults_of(declared: Query[Any], columns: list[tuple[str, str]]) -> list[str]:
    """What is wrong with a declaration, given names and types of the columns it returns."""
    if isinstance(declared, Execute):
        return []
    if not isinstance(declared, One | Maybe | Many):
        if len(columns) != 1 or not fits(columns[0][1], declared.row):
            return [f"{columns} is not one column of {declared.row}"]
        return []
    hints = get_type_hints(declared.row, include_extras=True)
    names = list(hints)
    if names != [name for name, _ in columns]:
        return [f"columns {[name for name, _ in columns]}, fields {names}"]
    try:
        declared.row(*names)
    except TypeError as problem:
        return [str(problem)]
    return [
        f"{name} is {pg_type}, {declared.row.__name__} says {hints[name]}"
        for name, pg_type in columns
        if not fits(pg_type, hints[name])
    ]


def known_statements() -> dict[str, Statement]:
    folder = Path(sql.__file__).parent / "queries"
    return {
        statement.name: statement
        for file in sorted(folder.glob("*.sql"))
        for statement in statements(file.stem).values()
    }


async def test_every_statement_fits_the_schema_and_its_declarations(database: Database) -> None:
    import_everything()
    declared = defaultdict(list)
    for query in Query.declared:
        declared[query.statement.name].append(query)
    wrong = []
    async with database.acquire() as connection:
        for name, statement in known_statements().items():
            try:
                prepared = await connection.prepare(statement.text)
            except Exception as problem:
                wrong.append(f"{name}: {problem}")
                continue
            for parameter, pg_type in zip(
                statement.parameters, prepared.get_parameters(), strict=True
            ):
                if pg_type.name.removesuffix("[]") not in PYTHON_TYPES:
                    wrong.append(f"{name}: :{parameter} is {pg_type.name}: cast it")
            columns = [(column.name, column.type.name) for column in prepared.get_attributes()]
            if name not in declared:
                wrong.append(f"{name}: nobody declares it")
            for query in declared[name]:
                wrong += [f"{name}: {fault}" for fault in faults_of(query, columns)]
    assert wrong == []


class Pair(msgspec.Struct, frozen=True):
    name: str
    size: int


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ([("name", "text"), ("size", "int8")], None),
        ([("size", "int8"), ("name", "text")], "columns"),
        ([("name", "text")], "columns"),
        ([("name", "text"), ("size", "float8")], "size is float8"),
        ([("name", "text"), ("size", "numeric")], "size is numeric"),
    ],
)
@pytest.mark.usefixtures("own_registry")
def test_a_row_that_does_not_fit_its_struct_is_found(
    columns: list[tuple[str, str]], fault: str | None
) -> None:
    found = faults_of(queries.many("schema_migrations.applied", Pair), columns)
    assert found == [] if fault is None else re.match(fault, found[0])


@pytest.mark.parametrize(
    ("pg_type", "annotation"),
    [
        ("uuid", Annotated[str, msgspec.Meta(max_length=36)]),
        ("text", Literal["open", "closed"]),
        ("int8", int | None),
        ("text[]", list[str]),
        ("uuid[]", list[str | None] | None),
    ],
)
def test_annotations_are_seen_through(pg_type: str, annotation: Any) -> None:
    assert fits(pg_type, annotation)
    assert not fits("bytea", annotation)


def test_only_parameters_become_parameters() -> None:
    statement = Statement(
        "test.all",
        """
        select ':no'::text, "a:b", x[1:2] -- :nor this
        from t /* :nothing */ where a = :a and b = :b::int and c = :a
            and d = 'it''s :no' || $$:no$$;
        """,
    )
    assert statement.parameters == ("a", "b")
    assert "a = $1 and b = $2::int and c = $1" in statement.text
    assert statement.text.count("$1") + statement.text.count("$2") == 3


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test declares is none of the program's."""
    monkeypatch.setattr(Query, "declared", [])


@pytest.mark.usefixtures("own_registry")
async def test_a_wrong_parameter_is_a_type_error(database: Database) -> None:
    record = queries.execute("schema_migrations.record")
    right = {"version": 9_000, "name": "x", "checksum": "y"}
    assert await record(database, **right) == 1
    for wrong in (right | {"color": 1}, {"version": 1}, {**right, "versions": 1}):
        with pytest.raises(TypeError, match=r"schema_migrations\.record"):
            await record(database, **wrong)


@pytest.mark.usefixtures("own_registry")
def test_a_query_that_is_not_in_the_files_cannot_be_declared() -> None:
    for name in ("schema_migrations.nothing", "nothing.at_all"):
        with pytest.raises(queries.UnknownQuery):
            queries.execute(name)


@pytest.mark.usefixtures("own_registry")
async def test_each_kind_of_query_gives_what_it_promises(database: Database) -> None:
    name, first = "schema_migrations.applied", known()[0]
    row = Applied(first.version, first.name, first.checksum)
    assert await queries.one(name, Applied)(database) == row
    assert await queries.maybe(name, Applied)(database) == row
    assert (await queries.many(name, Applied)(database))[0] == row
    assert await queries.scalar(name, int)(database) == 1
    assert await queries.scalars(name, int)(database) == [file.version for file in known()]
    async with database.transaction() as connection:
        await connection.execute("delete from schema_migrations")
        assert await queries.maybe(name, Applied)(connection) is None
        assert await queries.many(name, Applied)(connection) == []
        assert await queries.scalar(name, int)(connection) is None
        with pytest.raises(NoRow):
            await queries.one(name, Applied)(connection)


def test_what_several_statements_begin_with_is_written_once() -> None:
    written = statements("room_log")
    short, whole = written["commit_log"], written["commit_batch"]
    common = short.text[short.text.index("with batch as") :].rpartition("select room_id")[0].strip()
    assert "insert into room_events" in common and common in whole.text
    assert short.parameters == whole.parameters[: len(short.parameters)]
    assert "log" not in written, "a part is no statement"


@pytest.mark.parametrize("name", ["list_new", "list_active"])
async def test_a_page_of_the_list_of_rooms_is_read_in_the_order_of_its_index(
    database: Database, name: str
) -> None:
    statement = statements("rooms")[name]
    given = ", ".join("''" if each == "name_key" else "null" for each in statement.parameters)
    async with database.transaction() as connection:
        # An empty table would rather be scanned.
        await connection.execute("set local enable_seqscan = off")
        await connection.execute("set local plan_cache_mode = force_generic_plan")
        await connection.execute(f"prepare page as {statement.text}")
        plan = [row[0] for row in await connection.fetch(f"explain execute page({given})")]
        await connection.execute("deallocate page")
    assert not any("Sort" in line for line in plan), plan
    assert any("Index Scan using rooms_by_" in line for line in plan), plan
