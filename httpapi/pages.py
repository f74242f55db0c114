"""The browser's files: read once, served with a strong ETag that every request checks again."""

import hashlib
import mimetypes
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from aiohttp import web
from msgspec import Struct

from protocol.errors import ErrorCode, Rejected

_TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}


class PageFile(Struct, frozen=True):
    """One file of `httpapi/web/`."""

    body: bytes
    media_type: str
    etag: str


class Pages:
    """Serves what lies under `httpapi/web/` at the time of the start, and nothing else."""

    def __init__(self) -> None:
        self._files = dict(_walk(files("httpapi") / "web", ""))

    async def file(self, request: web.Request) -> web.Response:
        """`/web/{path}`."""
        return self._answer(request, request.match_info["path"])

    async def app(self, request: web.Request) -> web.Response:
        """The page itself, at `/`, `/rooms/{id}`, `/tracks`, `/history` and `/account`."""
        return self._answer(request, "index.html")

    async def docs(self, request: web.Request) -> web.Response:
        """The interactive reference."""
        return self._answer(request, "docs/index.html")

    def _answer(self, request: web.Request, path: str) -> web.Response:
        found = self._files.get(path)
        if found is None:
            raise Rejected(ErrorCode.NOT_FOUND)
        headers = {"ETag": found.etag, "Cache-Control": "no-cache"}
        asked = [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]
        if found.etag in asked or f"W/{found.etag}" in asked or "*" in asked:
            return web.Response(status=304, headers=headers)
        text = found.media_type.startswith("text/") or found.media_type.endswith(("json", "xml"))
        return web.Response(
            body=found.body,
            content_type=found.media_type,
            charset="utf-8" if text else None,
            headers=headers,
        )


def _walk(folder: Traversable, prefix: str) -> "list[tuple[str, PageFile]]":
    found = []
    for item in folder.iterdir():
        path = f"{prefix}{item.name}"
        if item.is_dir():
            found += _walk(item, f"{path}/")
            continue
        body = item.read_bytes()
        suffix = "." + item.name.rpartition(".")[2]
        media_type = _TYPES.get(suffix) or mimetypes.guess_type(item.name)[0]
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        found.append((path, PageFile(body, media_type or "application/octet-stream", etag)))
    return found
