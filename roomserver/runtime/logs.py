"""Logs: one JSON object a line on stderr, ids as fields, never a secret."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SECRET_FIELDS: Final = re.compile(r"token|password|secret|cookie|authorization|ticket", re.I)
_JWT: Final = re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*")
_URL_PASSWORD: Final = re.compile(r"(://[^\s/:@]*):[^\s/@]+@")
# A database error's DETAIL line repeats the offending row: e-mail addresses, hashes.
_DETAIL: Final = re.compile(r"^DETAIL:.*$", re.M)
MASK: Final = "***"


def mask(text: str) -> str:
    """The text without signed tokens, passwords in URLs, and rows quoted by the database."""
    text = _JWT.sub(MASK, text)
    text = _URL_PASSWORD.sub(rf"\1:{MASK}@", text)
    return _DETAIL.sub(f"DETAIL: {MASK}", text)


class JsonFormatter(logging.Formatter):
    """A record as one line: `at`, `level`, `logger`, `message`, then the fields of `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name in _OWN or name in line or value is None:
                continue
            if _SECRET_FIELDS.search(name):
                line[name] = MASK
            elif isinstance(value, bool | int | float):
                line[name] = value
            else:
                line[name] = mask(str(value))
        if record.exc_info:
            line["error"] = mask(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def set_up(level: str, stream: TextIO | None = None) -> None:
    """Send every logger's records of `level` (debug, info, warning, error) up as JSON lines.

    `stream` defaults to stderr. Calling it again replaces the earlier set-up.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # asyncio reports its selector at debug; aiohttp's access lines carry whole URLs.
    logging.getLogger("asyncio").setLevel(max(root.level, logging.INFO))
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
