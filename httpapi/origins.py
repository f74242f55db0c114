"""Which page a browser's request comes from: what a cookie allows, only our own page may ask for.

Own is the public URL; where none is set, whatever the Host header says, which then must be an IP
address or localhost (a name could be pointed at us by a stranger: DNS rebinding).
"""

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web

from protocol.errors import ErrorCode, Rejected
from roomserver.runtime.config import Config

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))


def require_own_origin(request: web.Request, config: Config) -> None:
    """Rejects: foreign_origin, unless the browser says that the request is our own page's."""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    origins = request.headers.getall("Origin", ())
    if fetch_site not in (None, "same-origin") or len(origins) > 1:
        raise Rejected(ErrorCode.FOREIGN_ORIGIN)
    if not origins:
        # A browser that sends neither header cannot be told from a foreign page.
        if fetch_site is None:
            raise Rejected(ErrorCode.FOREIGN_ORIGIN)
        return
    if not is_own(origins[0], request.headers.get("Host", ""), config.public_url):
        raise Rejected(ErrorCode.FOREIGN_ORIGIN)


def is_own(origin: str, host: str, public_url: str | None) -> bool:
    """Whether `origin` names this server."""
    if public_url is not None:
        return origin.lower() == public_url
    try:
        parts = urlsplit(origin)
        hostname = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    own = parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower() != ""
    return own and _is_plain(hostname)


def _is_plain(hostname: str) -> bool:
    if hostname == "localhost" or hostname.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(hostname)
    except ValueError:
        return False
    return True
