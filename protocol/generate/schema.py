"""JSON Schema (2020-12) of the messages, from the classes that decode them."""

import json
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from protocol.generate.declared import UNIONS, choices, fields_of, reachable
from protocol.snapshot import Snapshot

Schema = dict[str, object]


def schema_files() -> dict[str, str]:
    """File name -> text: one self-contained schema a union, and one of the snapshot."""
    roots = {**UNIONS, "Snapshot": (Snapshot,)}
    return {f"{_file_name(name)}.json": _text(name, shapes) for name, shapes in roots.items()}


def components(shapes: Iterable[type[Struct]], ref_template: str) -> dict[str, Schema]:
    """Class name -> schema, of the classes and all that they are made of.

    Attribute docstrings become descriptions of properties.
    """
    classes = reachable(shapes)
    _, told = msgspec.json.schema_components(classes, ref_template=ref_template)
    schemas: dict[str, Schema] = {name: told[name] for name in sorted(told)}
    for shape in classes:
        properties = schemas[shape.__name__]["properties"]
        assert isinstance(properties, dict)
        for field in fields_of(shape):
            if field.doc:
                properties[field.name] = _described(properties[field.name], field.doc)
    used: set[str] = set()
    for schema in schemas.values():
        _drop_discriminators(schema)
        _name_choices(schema, ref_template, used)
    for values, alias in choices().items():
        if alias.name in used:
            told = {"title": alias.name, "description": alias.doc} if alias.doc else {}
            schemas[alias.name] = {**told, "enum": sorted(map(str, values))}
    return schemas


def dumped(value: object) -> str:
    """JSON text as it is committed."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _text(name: str, shapes: tuple[type[Struct], ...]) -> str:
    here = "#/$defs/{name}"
    refs = [{"$ref": here.format(name=shape.__name__)} for shape in shapes]
    return dumped(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": name,
            **(refs[0] if len(refs) == 1 else {"anyOf": refs}),
            "$defs": components(shapes, here),
        }
    )


def _described(schema: Schema, doc: str) -> Schema:
    # Nothing but a description may stand beside a reference in older readers: allOf is for all.
    if "$ref" in schema:
        return {"description": doc, "allOf": [schema]}
    return {"description": doc, **schema}


def _drop_discriminators(value: object) -> None:
    """They are OpenAPI's; the constant `type` of each branch says the same."""
    if isinstance(value, dict):
        value.pop("discriminator", None)
        for inner in value.values():
            _drop_discriminators(inner)
    elif isinstance(value, list):
        for inner in value:
            _drop_discriminators(inner)


def _name_choices(value: object, ref_template: str, used: set[str]) -> None:
    """A choice of texts that has a name is referred to by it; one of one text is a constant."""
    if isinstance(value, list):
        for inner in value:
            _name_choices(inner, ref_template, used)
    if not isinstance(value, dict):
        return
    for inner in value.values():
        _name_choices(inner, ref_template, used)
    values = value.get("enum")
    if not isinstance(values, list) or "title" in value:
        return
    if (alias := choices().get(frozenset(values))) is not None:
        del value["enum"]
        used.add(alias.name)
        ref: Schema = {"$ref": ref_template.format(name=alias.name)}
        value.update({"allOf": [ref]} if value else ref)
    elif len(values) == 1:
        del value["enum"]
        value["const"] = values[0]


def _file_name(name: str) -> str:
    words = "".join(f"_{char.lower()}" if char.isupper() else char for char in name).strip("_")
    return words.removeprefix("any_")
