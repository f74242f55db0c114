"""OpenAPI 3.1, generated from the same table that serves: every route, every status."""

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final

import msgspec
from aiohttp import web

from httpapi.endpoint import Call, Route, route
from httpapi.idempotency import HEADER
from httpapi.problems import Problem
from protocol.base import FEATURE_LEVEL
from protocol.errors import ERRORS, ErrorCode
from protocol.ids import UserId

Json = dict[str, object]

_REF: Final = "#/components/schemas/{name}"
_E: Final = ErrorCode


def refusals(row: Route) -> set[ErrorCode]:
    """Every code that a route may answer with: what its row implies, and what it adds."""
    codes = {_E.RATE_LIMITED, _E.INTERNAL, _E.BAD_REQUEST, _E.UNAVAILABLE, *row.refuses}
    if row.auth is not None:
        codes.add(_E.UNAUTHENTICATED)
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
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Unisono",
            "version": str(FEATURE_LEVEL),
            "description": "Accounts, rooms and tracks. Live rooms speak WebSocket at /ws.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "unisono"},
            },
        },
    }


def _operation(row: Route) -> Json:
    summary, _, more = (row.handler.__doc__ or "").strip().partition("\n")
    tag = row.path.removeprefix("/api/").strip("/").split("/")[0]
    name = row.path.removeprefix("/api").replace("{", "").replace("}", "").strip("/")
    operation: Json = {
        "operationId": f"{row.method.lower()}_{name.replace('/', '_').replace('-', '_')}",
        "summary": summary,
        "tags": [tag],
        "parameters": _parameters(row),
        "responses": _responses(row),
        "security": _security(row),
    }
    if more.strip():
        operation["description"] = " ".join(more.split())
    if row.streams:
        operation["requestBody"] = _form()
    elif row.body is not None:
        optional = not any(field.required for field in msgspec.structs.fields(row.body))
        operation["requestBody"] = {
            "required": row.method == "PATCH" or not optional,
            "content": {"application/json": {"schema": _schema(row.body)}},
        }
    return operation


def _security(row: Route) -> list[Json]:
    proven: list[Json] = [{"bearer": []}, {"cookie": []}]
    if row.auth is None:
        return []
    return [{}, *proven] if row.auth == "optional" else proven


def _parameters(row: Route) -> list[Json]:
    # Every id has the same form; one schema stands for all.
    uuid = msgspec.json.schema(UserId)
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": uuid} for name in row.ids
    ]
    (_, components) = msgspec.json.schema_components([row.query])
    properties = components[row.query.__name__]["properties"]
    for field in msgspec.structs.fields(row.query):
        found.append(
            {
                "name": field.encode_name,
                "in": "query",
                "required": field.required,
                "schema": properties[field.encode_name],
            }
        )
    if row.keyed:
        schema = {"type": "string", "minLength": 1, "maxLength": 200}
        found.append({"name": HEADER, "in": "header", "required": False, "schema": schema})
    return found


def _responses(row: Route) -> Json:
    responses: dict[str, Json] = {}
    good: Json = {"description": "Done."}
    if row.returns is not None:
        good["content"] = {"application/json": {"schema": _schema(row.returns)}}
    elif row.media_types != ("application/json",):
        binary = {"type": "string", "format": "binary"}
        good["content"] = {media: {"schema": binary} for media in row.media_types}
        responses["206"] = {**good, "description": "The range that was asked for."}
        responses["304"] = {"description": "Not changed since."}
    responses[str(row.status)] = good
    by_status: dict[int, list[ErrorCode]] = {}
    for code in sorted(refusals(row)):
        by_status.setdefault(ERRORS[code].status, []).append(code)
    for status, codes in sorted(by_status.items()):
        lines = [f"`{code}`: {ERRORS[code].title}" for code in codes]
        told: Json = {
            "description": " ".join(lines),
            "content": {"application/problem+json": {"schema": _schema(Problem)}},
        }
        if status == 429:
            whole: Json = {"schema": {"type": "integer", "minimum": 0}}
            told["headers"] = {"Retry-After": whole, "RateLimit-Limit": whole}
        responses[str(status)] = told
    return {key: responses[key] for key in sorted(responses)}


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
                        "file": {"type": "string", "contentMediaType": "application/octet-stream"},
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
