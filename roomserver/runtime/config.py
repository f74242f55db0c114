"""Settings: one table from environment variables to a frozen `Config`."""

import hashlib
import hmac
import ipaddress
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

MASK: Final = "***"
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
LOG_FORMATS: Final = ("json", "text")
SIGNING_SECRET_MIN_BYTES: Final = 32
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ConfigError(ValueError):
    """A setting is unusable; the text names the variable, the reason, and what would be right."""

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"{variable}: {reason}")
        self.variable = variable
        self.reason = reason


class SigningKey(msgspec.Struct, frozen=True):
    """A key for signing access tokens; `kid` names it in each token. At least 32 bytes long."""

    kid: str
    secret: bytes

    def derived(self, purpose: bytes) -> bytes:
        """32 bytes for another purpose, of no use against anything else that this key protects."""
        return hmac.digest(self.secret, purpose, hashlib.sha256)

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r}, secret={MASK})"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator decided. Every field is a row of `SETTINGS`; `repr` shows no secret."""

    host: str
    port: int
    data_dir: Path
    database_url: str | None
    redis_url: str | None
    public_url: str | None
    storage_url: str
    limits_factor: float
    connections_per_address: int
    connections_per_user: int
    connections_per_room: int
    metrics_port: int | None
    trusted_proxies: tuple[Network, ...]
    log_level: str
    log_format: str
    sentry_dsn: str | None
    demo: bool
    upload_max_bytes: int
    quota_bytes: int
    upload_max_duration_ms: int
    media_workers: int
    media_niceness: int
    owner_check_hours: int
    signing_keys: tuple[SigningKey, ...]

    @property
    def is_https(self) -> bool:
        """Whether people reach the server over TLS: decides cookie names, Secure and HSTS."""
        return self.public_url is not None and self.public_url.startswith("https://")

    def __repr__(self) -> str:
        shown = ", ".join(f"{setting.name}={text}" for setting, text in rows(self))
        return f"Config({shown})"


class Setting(msgspec.Struct, frozen=True):
    """One row of the table. `parse` raises ValueError with the reason that `ConfigError` tells."""

    name: str
    variable: str
    parse: Callable[[str], Any]
    default: str
    doc: str
    secret: bool = False


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text[:20]) <= high):
            raise ValueError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return parse


def _optional(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: parse(text) if text else None


def _factor(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = -1.0
    if not 0 <= factor <= 1_000:
        raise ValueError(f"{text!r} is not a number from 0 (limits off) to 1000")
    return factor


def _flag(text: str) -> bool:
    if text.lower() not in ("1", "true", "yes", "on", "0", "false", "no", "off", ""):
        raise ValueError(f"{text!r} is neither yes nor no")
    return text.lower() in ("1", "true", "yes", "on")


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"{text!r} is not one of {', '.join(words)}")
        return text.lower()

    return parse


def _host(text: str) -> str:
    if not text or any(c.isspace() or c in "/@" for c in text):
        raise ValueError(f"{text!r} is not a host name or an IP address")
    return text


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        # The text itself is not repeated: it may hold a password.
        try:
            scheme = urlsplit(text).scheme
        except ValueError as error:
            raise ValueError(f"is no URL ({error})") from None
        if scheme not in schemes:
            raise ValueError(f"must start with {' or '.join(f'{s}:' for s in schemes)}")
        return text

    return parse


def _redis_url(text: str) -> str:
    parts = urlsplit(_url("redis", "rediss", "unix")(text))
    try:
        # A password with a slash ends the address early, and what it begins with stands as a port.
        parts.port  # noqa: B018
    except ValueError:
        raise ValueError("has no port that is a number; write / in a password as %2F") from None
    return text


def _public_url(text: str) -> str:
    parts = urlsplit(_url("http", "https")(text))
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.username:
        raise ValueError(f"{text!r} must be scheme and host only, as in https://music.example.org")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"{error}; give addresses or networks parted by commas") from None


def _signing_keys(text: str) -> tuple[SigningKey, ...]:
    keys = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        kid, colon, secret = part.partition(":")
        if not (kid and colon):
            raise ValueError("each key is written kid:secret, several parted by commas")
        if len(secret.encode()) < SIGNING_SECRET_MIN_BYTES:
            raise ValueError(
                f"the secret of key {kid!r} is shorter than {SIGNING_SECRET_MIN_BYTES} bytes"
            )
        keys.append(SigningKey(kid, secret.encode()))
    if len({key.kid for key in keys}) < len(keys):
        raise ValueError("two keys have the same kid")
    return tuple(keys)


SETTINGS: Final = (
    Setting("host", "UNISONO_HOST", _host, "127.0.0.1", "address to listen on"),
    Setting("port", "UNISONO_PORT", _whole(0, 65_535), "8000", "port to listen on; 0 = any free"),
    Setting("data_dir", "UNISONO_DATA_DIR", Path, "", "data folder (default: XDG data folder)"),
    Setting("database_url", "DATABASE_URL", _optional(_url("postgres", "postgresql")), "",
            "an external PostgreSQL (15 or newer); unset: the embedded one", secret=True),
    Setting("redis_url", "REDIS_URL", _optional(_redis_url), "",
            "Redis for several nodes; unset: one process, no Redis", secret=True),
    Setting("public_url", "UNISONO_PUBLIC_URL", _optional(_public_url), "",
            "where people reach the server; https turns on Secure cookies and HSTS"),
    Setting("storage_url", "UNISONO_STORAGE_URL", _optional(_url("file", "s3")), "",
            "where media is kept (default: media in the data folder)", secret=True),
    Setting("limits_factor", "UNISONO_LIMITS_FACTOR", _factor, "1",
            "scales every rate limit; 0 turns them off"),
    Setting("connections_per_address", "UNISONO_CONNECTIONS_PER_ADDRESS", _whole(1, 10**6), "1000",
            "sockets, and as many HTTP connections, that one address may have"),
    Setting("connections_per_user", "UNISONO_CONNECTIONS_PER_USER", _whole(1, 10**6), "20",
            "sockets that one user may have; one more closes the oldest"),
    Setting("connections_per_room", "UNISONO_CONNECTIONS_PER_ROOM", _whole(1, 10**6), "10000",
            "sockets that may be in one room at one node"),
    Setting("metrics_port", "UNISONO_METRICS_PORT", _optional(_whole(1, 65_535)), "",
            "port of /metrics; unset: none"),
    Setting("trusted_proxies", "UNISONO_TRUSTED_PROXIES", _networks, "",
            "addresses or networks whose X-Forwarded-For is believed"),
    Setting("log_level", "UNISONO_LOG_LEVEL", _one_of(*LOG_LEVELS), "info",
            " | ".join(LOG_LEVELS)),
    Setting("log_format", "UNISONO_LOG_FORMAT", _one_of(*LOG_FORMATS), "json",
            "json: one object a line; text: for people"),
    Setting("sentry_dsn", "UNISONO_SENTRY_DSN", _optional(_url("http", "https")), "",
            "where errors are reported (needs the extra sentry); unset: nowhere", secret=True),
    Setting("demo", "UNISONO_DEMO", _flag, "no", "make a demo room with demo tracks"),
    Setting("upload_max_bytes", "UNISONO_UPLOAD_MAX_BYTES", _whole(1, 2**40), str(200 * 2**20),
            "largest upload, bytes"),
    Setting("quota_bytes", "UNISONO_QUOTA_BYTES", _whole(0, 2**50), str(2 * 2**30),
            "what one account may store, bytes"),
    Setting("upload_max_duration_ms", "UNISONO_UPLOAD_MAX_DURATION_MS", _whole(1, 10**9),
            str(4 * 3_600_000), "longest upload, milliseconds"),
    Setting("media_workers", "UNISONO_MEDIA_WORKERS", _whole(0, 64), "1",
            "how many uploads this process analyses at once; 0: leaves it to others"),
    Setting("media_niceness", "UNISONO_MEDIA_NICENESS", _whole(0, 19), "19",
            "how far analysis steps back behind everything else, as in nice(1)"),
    Setting("owner_check_hours", "UNISONO_OWNER_CHECK_HOURS", _whole(1, 8_760), "24",
            "how often rooms are looked for whose owner has been away for 30 days"),
    Setting("signing_keys", "UNISONO_SIGNING_KEYS", _signing_keys, "",
            "kid:secret[,kid:secret]: the first signs access tokens, the others still verify; "
            "unset: made on first start in the data folder", secret=True),
)  # fmt: skip


def load(environ: Mapping[str, str] | None = None, **overrides: object) -> Config:
    """Read the settings; `overrides` (by field name, None = not given) beat the environment.

    Raises ConfigError for the first bad value.
    """
    environ = os.environ if environ is None else environ
    if unknown := overrides.keys() - {setting.name for setting in SETTINGS}:
        raise TypeError(f"no such setting: {', '.join(sorted(unknown))}")
    values = {}
    for setting in SETTINGS:
        given = overrides.get(setting.name)
        text = environ.get(setting.variable) or setting.default if given is None else str(given)
        try:
            values[setting.name] = setting.parse(text)
        except ValueError as error:
            raise ConfigError(setting.variable, str(error)) from None
    folder = _data_dir(environ) if values["data_dir"] == Path() else Path(str(values["data_dir"]))
    values["data_dir"] = folder = folder.expanduser().absolute()
    values["storage_url"] = values["storage_url"] or (folder / "media").as_uri()
    return Config(**values)


def _data_dir(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_DATA_HOME", "")
    # The XDG rules say that a relative path is to be ignored.
    return (Path(base) if base.startswith("/") else Path.home() / ".local/share") / "unisono"


def rows(config: Config) -> Iterator[tuple[Setting, str]]:
    """Each setting with its value as text, secrets masked."""
    for setting in SETTINGS:
        value = getattr(config, setting.name)
        if value is None or value == ():
            text = "-"
        elif isinstance(value, tuple):
            text = ", ".join(k.kid if isinstance(k, SigningKey) else str(k) for k in value)
        elif setting.secret:
            text = _without_password(value)
        else:
            text = str(value)
        yield setting, text


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    if ":" in user:
        user = f"{user.partition(':')[0]}:{MASK}"
    elif user and parts.scheme.startswith("http"):
        user = MASK  # A key in the place of a name, as Sentry has it.
    query = f"?{MASK}" if parts.query else ""
    return f"{parts.scheme}://{user}{at}{place}{parts.path}{query}"


def table(config: Config) -> str:
    """What `unisono config` prints: variable, value, meaning; no secret is shown."""
    lines = [(s.variable, text, s.doc) for s, text in rows(config)]
    widths = [max(len(line[column]) for line in lines) for column in (0, 1)]
    return "\n".join(f"{v:<{widths[0]}}  {t:<{widths[1]}}  {doc}" for v, t, doc in lines)
