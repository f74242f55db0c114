"""HTTP answers of the edge itself: refusals without a WebSocket, and what every answer carries."""

from typing import Final

SECURITY_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Frame-Options", "DENY"),
)
HSTS: Final = ("Strict-Transport-Security", "max-age=31536000")


def security_headers(is_https: bool) -> tuple[tuple[str, str], ...]:
    """What every answer carries, the 101 too; `is_https`: people reach us over TLS."""
    return (*SECURITY_HEADERS, HSTS) if is_https else SECURITY_HEADERS


def answer(status: str, *, is_https: bool) -> bytes:
    """A whole answer without a body, after which the connection ends."""
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Length: 0",
        "Connection: close",
        *(f"{name}: {value}" for name, value in security_headers(is_https)),
    ]
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()
