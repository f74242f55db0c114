"""Logs: one JSON object a line on stderr, ids as fields, never a secret.

    with about(request_id="5f3a"):      every line of this request tells it
        tell(user_id="0b1c")            and this too, from here on

What is told of one request or connection ends with its `about`; work that outlives it (timers,
the rooms behind the bus) does not inherit it.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, TextIO

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
SECRET_FIELDS: Final = re.compile(r"token|password|secret|cookie|authorization|ticket", re.I)
_JWT: Final = re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*")
# 256 bits in base64url, as `tokens.opaque` makes them; names of ours have no capitals and digits.
_OPAQUE: Final = re.compile(
    r"(?:(?<![\w/+=-])|(?<=_))(?=[\w-]*\d)(?=[\w-]*[A-Z])[A-Za-z0-9_-]{43}(?![\w/+=-])"
)
_URL_PASSWORD: Final = re.compile(r"(://[^\s/:@]*):[^\s/@]+@")
# A database error's DETAIL line repeats the offending row: e-mail addresses, hashes.
_DETAIL: Final = re.compile(r"^DETAIL:.*$", re.M)
MASK: Final = "***"
FIRST: Final = ("at", "level", "logger", "message")
_PLAIN: Final = logging.Formatter()
_about: Final[ContextVar[Mapping[str, str]]] = ContextVar("_about", default=MappingProxyType({}))


def mask(text: str) -> str:
    """The text without tokens, passwords in URLs, and rows quoted by the database."""
    text = _OPAQUE.sub(MASK, _JWT.sub(MASK, text))
    text = _URL_PASSWORD.sub(rf"\1:{MASK}@", text)
    return _DETAIL.sub(f"DETAIL: {MASK}", text)


@contextmanager
def about(**ids: str) -> Iterator[None]:
    """Have every line of the block tell these ids, those of tasks begun in it too."""
    token = _about.set({**_about.get(), **ids})
    try:
        yield
    finally:
        _about.reset(token)


def tell(**ids: str) -> None:
    """Add ids to those of the innermost `about` of this task; outside of one, to its own."""
    _about.set({**_about.get(), **ids})


def told_about() -> Mapping[str, str]:
    """The ids that lines of this task tell just now."""
    return _about.get()


def fields(record: logging.LogRecord) -> dict[str, str | int | float]:
    """A record as what may be told of it: `at`, `level`, `logger`, `message`, ids, then the fields
    of `extra`, and `error` with the stack of an exception. Secrets are masked."""
    line: dict[str, str | int | float] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": mask(record.getMessage()),
    }
    for name, value in {**_about.get(), **vars(record)}.items():
        if name in _OWN or name in FIRST or value is None:
            continue
        if SECRET_FIELDS.search(name):
            line[name] = MASK
        elif isinstance(value, bool | int | float):
            line[name] = value
        else:
            line[name] = mask(str(value))
    if record.exc_info:
        line["error"] = mask(_PLAIN.formatException(record.exc_info))
    return line


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(fields(record), ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """The same for people: `at LEVEL logger: message key=value`, a stack on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        told = fields(record)
        at, level, logger, message = (told.pop(name) for name in FIRST)
        stack = f"\n{told.pop('error')}" if record.exc_info else ""
        more = "".join(f" {name}={_quoted(value)}" for name, value in told.items())
        # A line break in what somebody else wrote must not look like a line of ours.
        message = str(message).replace("\r", "\\r").replace("\n", "\\n")
        return f"{at} {str(level).upper():7} {logger}: {message}{more}{stack}"


def _quoted(value: str | int | float) -> str:
    text = str(value)
    return text if re.fullmatch(r"[\w.:/@-]+", text) else json.dumps(text, ensure_ascii=False)


class _Lines(logging.StreamHandler[TextIO]):
    """Goes on where a disk is full, and says how much was lost as soon as there is room again."""

    _lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        lost = self._lost
        super().emit(record)
        if lost and self._lost == lost:
            self._lost = 0
            told = logging.makeLogRecord(
                {
                    "name": __name__,
                    "levelno": logging.WARNING,
                    "levelname": "WARNING",
                    "msg": "lines of the log were lost",
                    "lines": lost,
                }
            )
            super().emit(told)
            if self._lost:
                self._lost += lost  # There was room for the one line, not for this one.

    def handleError(self, record: logging.LogRecord) -> None:
        if isinstance(sys.exc_info()[1], OSError):
            self._lost += 1  # The place to tell it is the one that is full.
        else:
            super().handleError(record)


def let_go() -> None:
    """Forget what stdout and stderr did not take: else the exit code would tell of a full disk
    and not of the run."""
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except OSError:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115


FORMATTERS: Final[dict[str, type[logging.Formatter]]] = {
    "json": JsonFormatter,
    "text": TextFormatter,
}


def set_up(level: str, stream: TextIO | None = None, form: str = "json") -> None:
    """Send every logger's records of `level` (debug, info, warning, error) up as lines.

    `form`: json or text. `stream` defaults to stderr. Calling it again replaces the earlier set-up.
    """
    handler = _Lines(stream or sys.stderr)
    handler.setFormatter(FORMATTERS[form]())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # asyncio reports its selector at debug; aiohttp's access lines carry whole URLs.
    logging.getLogger("asyncio").setLevel(max(root.level, logging.INFO))
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
