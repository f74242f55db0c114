"""Multipart uploads, read piece by piece: aiohttp neither caps nor times them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import msgspec
from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http import HttpProcessingError

from httpapi.media.storage import Staged, Storage
from protocol.errors import ErrorCode, Rejected

CHUNK_BYTES: Final = 64 * 1024
CHUNK_WITHIN_MS: Final = 20_000
LEAST_BYTES_PER_S: Final = 1_024
"""On the whole: a byte now and then would keep a connection and a staged file for days."""
FORM_OVERHEAD_BYTES: Final = 64 * 1024
"""What boundaries, part headers and small fields may add to the file."""
FIELD_MAX_BYTES: Final = 1_024
PARTS_MAX: Final = 8


MALFORMED: Final = (
    ValueError, AssertionError, ConnectionError, web.RequestPayloadError, HttpProcessingError,
)  # fmt: skip
"""What aiohttp raises for a form that is none, or not whole."""


class Upload(NamedTuple):
    """A form that arrived whole: its file, staged, and its other fields."""

    staged: Staged
    name: str
    fields: dict[str, str]

    @property
    def digest(self) -> bytes:
        """Equal for forms that say the same, whatever lies between their parts."""
        said = msgspec.json.encode((self.staged.sha256, sorted(self.fields.items())))
        # The name may hold half a character, which JSON cannot.
        return hashlib.sha256(said + self.name.encode(errors="surrogateescape")).digest()


@asynccontextmanager
async def received(
    request: web.Request, storage: Storage, *, field: str, max_bytes: int, known: frozenset[str]
) -> AsyncIterator[Upload]:
    """Receive a form with one file in `field` and at most the fields `known` beside it.

    Rejects: unsupported_media (no form), payload_too_large, bad_request.
    """
    if request.content_type != "multipart/form-data":
        raise Rejected(ErrorCode.UNSUPPORTED_MEDIA, "Send the file as multipart/form-data.")
    if (request.content_length or 0) > max_bytes + FORM_OVERHEAD_BYTES:
        raise Rejected(ErrorCode.PAYLOAD_TOO_LARGE, max_bytes=max_bytes)
    fields: dict[str, str] = {}
    parts = _parts(request, known | {field}, fields)
    part = await anext(parts, None)
    if part is None:
        raise Rejected(ErrorCode.BAD_REQUEST, f"The form has no file {field!r}.", path=field)
    name = (part.filename or "upload")[:300]
    async with storage.stage(_pieces(part), max_bytes=max_bytes) as staged:
        if staged.size_bytes == 0:
            raise Rejected(ErrorCode.BAD_REQUEST, "The file is empty.", path=field)
        if await anext(parts, None) is not None:
            raise Rejected(ErrorCode.BAD_REQUEST, "One file at a time.", path=field)
        yield Upload(staged, name, fields)


async def _parts(
    request: web.Request, known: frozenset[str], fields: dict[str, str]
) -> AsyncIterator[BodyPartReader]:
    """The file parts; small fields are put into `fields` on the way."""
    try:
        form = await request.multipart()
        for _ in range(PARTS_MAX):
            async with asyncio.timeout(CHUNK_WITHIN_MS / 1_000):
                part = await form.next()
            if part is None:
                return
            if isinstance(part, MultipartReader) or part.name not in known or part.name in fields:
                raise Rejected(ErrorCode.BAD_REQUEST, "The form has a field that is not known.")
            if part.filename is not None:
                yield part
                continue
            data = b"".join([piece async for piece in _pieces(part, FIELD_MAX_BYTES)])
            fields[part.name] = data.decode()
    except TimeoutError:
        raise _slow() from None
    except MALFORMED as error:
        raise Rejected(ErrorCode.BAD_REQUEST, "The form is not well formed.") from error
    raise Rejected(ErrorCode.BAD_REQUEST, "The form has too many parts.")


async def _pieces(part: BodyPartReader, max_bytes: int | None = None) -> AsyncIterator[bytes]:
    total_bytes, loop = 0, asyncio.get_running_loop()
    patience_s = CHUNK_WITHIN_MS / 1_000
    begun_s = loop.time()
    try:
        while not part.at_eof():
            due_s = begun_s + patience_s + total_bytes / LEAST_BYTES_PER_S
            async with asyncio.timeout_at(min(due_s, loop.time() + patience_s)):
                piece = await part.read_chunk(CHUNK_BYTES)
            total_bytes += len(piece)
            if max_bytes is not None and total_bytes > max_bytes:
                raise Rejected(ErrorCode.BAD_REQUEST, "A field of the form is too long.")
            yield bytes(piece)
    except TimeoutError:
        raise _slow() from None
    except MALFORMED as error:
        raise Rejected(ErrorCode.BAD_REQUEST, "The form is not well formed.") from error


def _slow() -> Rejected:
    return Rejected(ErrorCode.BAD_REQUEST, "The upload came too slowly.")
