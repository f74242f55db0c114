"""What every answer carries: headers that keep browsers from doing what nobody meant."""

from contextvars import ContextVar
from typing import Final

from aiohttp import web

from roomserver.runtime.config import Config
from roomserver.runtime.limits import Verdict

rate_limit: Final[ContextVar[Verdict | None]] = ContextVar("rate_limit", default=None)
"""The verdict that the answer to the request in hand tells."""

request_id: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)
"""What the log lines of the request in hand tell; the answer tells it, too."""

PAGE_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; worker-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
MEDIA_CSP: Final = "sandbox; default-src 'none'; frame-ancestors 'none'"
"""For what people uploaded: even if a browser took it for a page, nothing in it would run."""

ALWAYS: Final = {
    "Content-Security-Policy": PAGE_CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), payment=(), usb=()",
}
HSTS: Final = "max-age=31536000"


class Headers:
    """A signal handler of the app: sets them on each answer before it leaves."""

    def __init__(self, config: Config) -> None:
        self._hsts = config.is_https

    async def __call__(self, request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        for name, value in ALWAYS.items():
            headers.setdefault(name, value)
        if self._hsts:
            headers["Strict-Transport-Security"] = HSTS
        if request.path.startswith("/api/"):
            headers.setdefault("Cache-Control", "no-store")
        # aiohttp tells its own and Python's version there.
        headers.popall("Server", None)
        if (named := request_id.get()) is not None:
            headers["X-Request-Id"] = named
        verdict = rate_limit.get()
        if verdict is not None and verdict.limit:
            headers["RateLimit-Limit"] = str(verdict.limit)
            headers["RateLimit-Remaining"] = str(verdict.remaining)
            headers["RateLimit-Reset"] = str(-(-verdict.reset_ms // 1_000))
