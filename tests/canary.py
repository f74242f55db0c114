"""The log canary: no test may make the server write a secret into its log (row H3).

Every record of the whole suite is written as the server would write it, and looked over for what
has the shape of a secret: access tokens, opaque credentials (256 bits in base64url: refresh tokens,
tickets, cookies), hashes of passwords, e-mail addresses, and for the passwords that tests hand to
the hasher or to a server in a process of its own. What such a server prints is looked over when it
has ended.
"""

import logging
import re
from collections.abc import Iterable
from typing import Final

from argon2 import PasswordHasher

from roomserver.runtime.logs import JsonFormatter, TextFormatter

SHAPES: Final = {
    "an access token": re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*"),
    "an opaque credential": re.compile(
        r"(?:(?<![\w/+=-])|(?<=_))(?=[\w-]*\d)(?=[\w-]*[A-Z])[A-Za-z0-9_-]{43}(?![\w/+=-])"
    ),
    "the hash of a password": re.compile(r"\$argon2"),
    "an e-mail address": re.compile(r"[\w.+-]+@example\.(?:org|com)"),
    "a cookie": re.compile(r"(?:__Host-)?unisono_login="),
    "an Authorization header": re.compile(r"\b(?:Bearer|Basic) [\w.~+/-]{8,}"),
}
ALWAYS_SECRET: Final = ("an access token", "an opaque credential")
MASKED_ON_PURPOSE: Final = "unisono.tests"
PASSWORD_MIN_LENGTH: Final = 8
"""A shorter one may be any word of a message."""
PACKAGES: Final = ("protocol", "sql", "roomserver", "httpapi")

_passwords: Final[set[str]] = set()
_plain: Final = logging.Formatter()
_forms: Final = (JsonFormatter(), TextFormatter())


class HeardHasher(PasswordHasher):
    """The real thing; what it is given to hash is a secret from then on."""

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        text = password.decode() if isinstance(password, bytes) else password
        if len(text) >= PASSWORD_MIN_LENGTH:
            _passwords.add(text)
        return super().hash(password, salt=salt)


def secrets_in(text: str, kinds: Iterable[str] = tuple(SHAPES)) -> list[str]:
    """What a text gives away."""
    found = [f"{what}: {m[0]}" for what in kinds for m in SHAPES[what].finditer(text)]
    return found + [f"a password: {password}" for password in _passwords if password in text]


def keep_secret(password: str) -> str:
    """A password that is typed to a server in a process of its own; returns it."""
    _passwords.add(password)
    return password


def require_no_secret(printed: str) -> None:
    """Fail if a program has printed one."""
    found = [f"{s} in {line}" for line in printed.splitlines() for s in secrets_in(line)]
    assert found == [], "a secret was printed by a server"


class Canary(logging.Handler):
    """Looks over every record; `found` is what it saw."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        for form in _forms:
            line = form.format(record)
            self.found += [f"{secret} in {line}" for secret in secrets_in(line)]
        # What masks would hide must not be said in the first place: tests of the masks may.
        if record.name != MASKED_ON_PURPOSE:
            said = [record.getMessage(), *map(str, vars(record).values())]
            if record.exc_info:
                said.append(_plain.formatException(record.exc_info))
            text = "\n".join(said)
            self.found += [f"{s} in {text}" for s in secrets_in(text, ALWAYS_SECRET)]

    def watch(self) -> None:
        """Hear everything from now on; what the server itself would say at debug, too."""
        logging.getLogger().addHandler(self)
        for package in PACKAGES:
            logging.getLogger(package).setLevel(logging.DEBUG)
