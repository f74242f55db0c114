"""Which pages may open a socket, and what no request may carry."""

import ipaddress
from http import HTTPStatus
from urllib.parse import urlsplit

from websockets.http11 import Request


def refusal(request: Request, public_url: str | None) -> tuple[HTTPStatus, str] | None:
    """Why a handshake is refused, or None.

    A token in the URL would end up in logs; a foreign page must not use somebody's cookie. No
    Origin at all is a bot: it may come in, but gets nothing from a cookie.
    """
    if "?" in request.path:
        return HTTPStatus.BAD_REQUEST, "Credentials belong into the hello frame, not the URL.\n"
    origins = request.headers.get_all("Origin")
    if not origins:
        return None
    hosts = request.headers.get_all("Host")
    if len(origins) == 1 and len(hosts) == 1 and is_own(origins[0], hosts[0], public_url):
        return None
    return HTTPStatus.FORBIDDEN, "This page is not ours.\n"


def is_own(origin: str, host: str, public_url: str | None) -> bool:
    """Whether `origin` is our own page: the public URL, or the Host if that is a local name."""
    if public_url is not None:
        return origin == public_url
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc == host and _is_plain(host)


def _is_plain(host: str) -> bool:
    # A name could be rebound to this machine by a stranger's DNS; an address cannot.
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name == "localhost":
            return True
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
