"""Secrets that the server makes for itself on first start, in the data folder, mode 0600."""

import asyncio
import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from roomserver.runtime.config import SIGNING_SECRET_MIN_BYTES, Config, ConfigError, SigningKey
from roomserver.runtime.tokens import Tokens

FILE_NAME: Final = "signing-keys.json"
LOOK_EVERY_MS: Final = 5_000

_log: Final = logging.getLogger(__name__)


def signing_keys(config: Config) -> tuple[SigningKey, ...]:
    """The keys for access tokens, the signing one first.

    From the settings, else from `signing-keys.json` in the data folder, which is made if missing.
    Raises ConfigError when that file is unreadable or a key in it is too short.
    """
    if config.signing_keys:
        return config.signing_keys
    path = config.data_dir / FILE_NAME
    # 0711: as root, the embedded database runs as another user and must pass through.
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o711)
    if not path.exists():
        _make(path)
    return _read(path)


class KeyFile:
    """Keeps tokens to the keys in the file, so that keys are changed without a restart."""

    def __init__(self, config: Config, tokens: Tokens) -> None:
        self._path = config.data_dir / FILE_NAME
        self._tokens = tokens
        self._seen = self._state()

    def look(self) -> None:
        """Read the file if it has changed; one that is no good changes nothing, and is logged."""
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            self._tokens.replace_keys(_read(self._path))
        except ConfigError as error:
            _log.warning("the old signing keys stay", extra={"error": str(error)})
        else:
            _log.info("signing keys were replaced")

    async def follow(self) -> None:
        """Look for ever, every 5 s."""
        while True:
            await asyncio.sleep(LOOK_EVERY_MS / 1_000)
            self.look()

    def _state(self) -> tuple[int, int, int] | None:
        try:
            told = self._path.stat()
        except OSError:
            return None
        return told.st_ino, told.st_mtime_ns, told.st_size


def _make(path: Path) -> None:
    key = SigningKey(secrets.token_hex(4), secrets.token_bytes(SIGNING_SECRET_MIN_BYTES))
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(msgspec.json.encode([key]))
            stream.flush()
            os.fsync(stream.fileno())
        # link, unlike rename, keeps the key of another process that was first.
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _read(path: Path) -> tuple[SigningKey, ...]:
    try:
        keys = msgspec.json.decode(path.read_bytes(), type=tuple[SigningKey, ...])
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(str(path), f"cannot be read as signing keys ({error})") from None
    if not keys:
        raise ConfigError(str(path), "holds no key; remove the file and a new one is made")
    for key in keys:
        if len(key.secret) < SIGNING_SECRET_MIN_BYTES:
            raise ConfigError(
                str(path), f"key {key.kid!r} is shorter than {SIGNING_SECRET_MIN_BYTES} bytes"
            )
    return keys
