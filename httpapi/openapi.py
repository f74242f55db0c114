"""OpenAPI 3.1, generated from the same table that serves: every route, every status."""

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final

import msgspec
from aiohttp import web

from httpapi.endpoint import NUMBER_MAX_DIGITS, Call, Route, route
from httpapi.examples import BY_NAME, ROOM_ID, example_of, example_value
from httpapi.idempotency import HEADER, REPLAYED
from httpapi.problems import Problem, problem_of
from httpapi.wording import COUNTED, HEADERS, KEY_SAID, PARAMETERS, TAGS
from protocol.base import FEATURE_LEVEL
from protocol.errors import ERRORS, ErrorCode, Rejected
from protocol.generate.declared import fields_of, reachable
from protocol.ids import UserId

Json = dict[str, object]

_REF: Final = "#/components/schemas/{name}"
_E: Final = ErrorCode


def refusals(row: Route) -> set[ErrorCode]:
    """Every code that a route may answer with: what its row implies, and what it adds."""
    codes = {_E.RATE_LIMITED, _E.INTERNAL, _E.BAD_REQUEST, _E.UNAVAILABLE, *row.refuses}
    if row.auth is not None:
        codes |= {_E.UNAUTHENTICATED, _E.SCOPE_MISSING}
    if row.auth == "person":
        codes.add(_E.ACCOUNT_REQUIRED)
    if row.ids:
        codes.add(_E.NOT_FOUND)
    if row.writes:
        codes |= {_E.PAYLOAD_TOO_LARGE, _E.UNSUPPORTED_MEDIA}
        if row.auth is not None:
            # A cookie is no proof that our own page is asking.
            codes.add(_E.FOREIGN_ORIGIN)
    if row.keyed:
        codes.add(_E.IDEMPOTENCY_CONFLICT)
    return codes


def statuses(row: Route) -> set[int]:
    """Every status that a route may answer with."""
    told = {row.status} | {ERRORS[code].status for code in refusals(row)}
    if row.media_types != ("application/json",):
        told |= {206, 304}
    if row.tagged:
        told.add(304)
    return told


def document(rows: Sequence[Route]) -> Json:
    """The whole description."""
    kinds: list[Any] = [Problem]
    for row in rows:
        kinds += [kind for kind in (row.body, row.returns) if kind not in (None, *kinds)]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_REF)
    paths: dict[str, Json] = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row)
    codes = sorted(set().union(*map(refusals, rows)))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Unisono",
            "version": str(FEATURE_LEVEL),
            "description": "Accounts, rooms and tracks. Live rooms speak WebSocket at `/ws`: "
            "`/api/asyncapi.json`. Every GET also answers HEAD.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag, "description": TAGS.get(tag, "")} for tag in _tags(rows)],
        "paths": paths,
        "components": {
            "schemas": _with_words(schemas, kinds),
            "headers": HEADERS,
            "examples": {
                str(code): {
                    "summary": ERRORS[code].title,
                    "value": msgspec.to_builtins(problem_of(Rejected(code))),
                }
                for code in codes
            },
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The access token of a login, or a bot's token.",
                },
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "unisono",
                    "description": "The page's own login; `__Host-unisono` over https. "
                    "Writes must then come from our own origin.",
                },
            },
        },
    }


def _tags(rows: Sequence[Route]) -> list[str]:
    return list(dict.fromkeys(_tag(row) for row in rows))


def _tag(row: Route) -> str:
    area, _, more = row.path.removeprefix("/api").removeprefix("/").partition("/")
    own = not row.path.startswith("/api/") or (not more and "." in area)
    return "service" if own else area


def _with_words(
    schemas: dict[str, dict[str, Json]], kinds: Sequence[type[msgspec.Struct]]
) -> dict[str, dict[str, Json]]:
    """Put what the classes say of their fields into their schemas."""
    ours = [kind for kind in reachable(kinds) if kind.__module__.startswith("protocol.")]
    for kind in ours:
        properties = schemas.get(kind.__name__, {}).get("properties", {})
        for field in fields_of(kind):
            if field.doc and field.name in properties:
                schema = properties[field.name]
                assert isinstance(schema, dict)
                schema["description"] = field.doc
    return schemas


def _operation(row: Route) -> Json:
    # The first sentence, which may go over the end of a line.
    summary, ended, more = " ".join((row.handler.__doc__ or "").split()).partition(". ")
    name = row.path.removeprefix("/api").replace("{", "").replace("}", "").strip("/")
    operation: Json = {
        "operationId": f"{row.method.lower()}_{name.replace('/', '_').replace('-', '_')}",
        "summary": summary + ended.strip(),
        "tags": [_tag(row)],
        "parameters": _parameters(row),
        "responses": _responses(row),
        "security": _security(row),
    }
    if more:
        operation["description"] = more
    if row.receives is not None:
        operation["requestBody"] = _form()
    elif row.body is not None:
        optional = not any(field.required for field in msgspec.structs.fields(row.body))
        operation["requestBody"] = {
            "required": row.method == "PATCH" or not optional,
            "content": {
                "application/json": {
                    "schema": _schema(row.body),
                    "example": example_of(row.body),
                }
            },
        }
    return operation


def _security(row: Route) -> list[Json]:
    proven: list[Json] = [{"bearer": []}, {"cookie": []}]
    if row.auth is None:
        return []
    return [{}, *proven] if row.auth == "optional" else proven


def _parameters(row: Route) -> list[Json]:
    # Every id has the same form; one schema stands for all.
    found = [_parameter(name, "path", msgspec.json.schema(UserId)) for name in row.ids]
    number: Json = {"type": "integer", "minimum": 0, "maximum": 10**NUMBER_MAX_DIGITS - 1}
    found += [_parameter(name, "path", number) for name in row.numbers]
    (_, components) = msgspec.json.schema_components([row.query])
    properties = components[row.query.__name__]["properties"]
    told = msgspec.inspect.type_info(row.query)
    assert isinstance(told, msgspec.inspect.StructType)
    for field in told.fields:
        name = field.encode_name
        said = " ".join((row.query.__doc__ or "").split())
        parameter = _parameter(name, "query", properties[name], said)
        parameter["required"] = field.required
        if field.required:
            parameter["example"] = example_value(name, field.type)
        found.append(parameter)
    if row.keyed:
        schema = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"}
        found.append(
            {
                "name": HEADER,
                "in": "header",
                "required": False,
                "description": KEY_SAID,
                "schema": schema,
            }
        )
    return found


def _parameter(name: str, place: str, schema: Json, said: str = "") -> Json:
    parameter: Json = {
        "name": name,
        "in": place,
        "required": True,
        "description": PARAMETERS.get(name, said),
        "schema": schema,
    }
    if place == "path":
        parameter["example"] = 0 if schema["type"] == "integer" else BY_NAME.get(name, ROOM_ID)
    return parameter


def _responses(row: Route) -> Json:
    responses: dict[str, Json] = {}
    headers = _headers(*COUNTED, *([REPLAYED] if row.keyed else []))
    good: Json = {"description": "Done.", "headers": headers}
    if row.returns is not None:
        shown = {"schema": _schema(row.returns), "example": example_of(row.returns)}
        good["content"] = {"application/json": shown}
        if row.tagged:
            headers |= _headers("ETag", "Cache-Control")
            responses["304"] = {"description": "Not changed since.", "headers": headers}
    elif row.media_types != ("application/json",):
        binary = {"type": "string", "format": "binary"}
        headers |= _headers("ETag", "Cache-Control", "Accept-Ranges")
        good["content"] = {media: {"schema": binary} for media in row.media_types}
        part = headers | _headers("Content-Range")
        responses["206"] = {**good, "description": "The range asked for.", "headers": part}
        responses["304"] = {"description": "Not changed since.", "headers": headers}
    responses[str(row.status)] = good
    by_status: dict[int, list[ErrorCode]] = {}
    for code in sorted(refusals(row)):
        by_status.setdefault(ERRORS[code].status, []).append(code)
    for status, codes in sorted(by_status.items()):
        responses[str(status)] = _refused(status, codes)
    return {key: responses[key] for key in sorted(responses)}


def _refused(status: int, codes: list[ErrorCode]) -> Json:
    headers = _headers(*COUNTED)
    if status in (429, 503):
        headers |= _headers("Retry-After")
    elif status == 401:
        headers |= _headers("WWW-Authenticate")
    return {
        "description": " ".join(f"`{code}`: {ERRORS[code].title}" for code in codes),
        "headers": headers,
        "content": {
            "application/problem+json": {
                "schema": _schema(Problem),
                "examples": {
                    str(code): {"$ref": f"#/components/examples/{code}"} for code in codes
                },
            }
        },
    }


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _schema(kind: Any) -> Json:
    return {"$ref": _REF.format(name=kind.__name__)}


def _form() -> Json:
    return {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        # Not contentMediaType: generators of clients know only this as a file.
                        "file": {"type": "string", "format": "binary"},
                        "room_id": msgspec.json.schema(UserId),
                    },
                }
            }
        },
    }


def routes(rows: Sequence[Route]) -> tuple[Route, ...]:
    """The routes that tell of all others, themselves included."""

    async def openapi(call: Call[Any, Any]) -> web.Response:
        """This description."""
        return web.Response(body=encoded, content_type="application/json")

    async def asyncapi(call: Call[Any, Any]) -> web.Response:
        """The WebSocket side, as AsyncAPI."""
        path = files("protocol") / "schema" / "asyncapi.json"
        if not path.is_file():
            raise web.HTTPNotFound
        return web.Response(
            body=await asyncio.to_thread(path.read_bytes), content_type="application/json"
        )

    told = (
        route("GET", "/api/openapi.json", openapi, auth=None, limit=60, status=200),
        route("GET", "/api/asyncapi.json", asyncapi, auth=None, limit=60, status=200,
              refuses=(_E.NOT_FOUND,)),
    )  # fmt: skip
    encoded = msgspec.json.encode(document((*rows, *told)))
    return told
