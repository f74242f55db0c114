"""Whose address a request comes from, as far as it can be believed."""

import ipaddress
from collections.abc import Sequence

from aiohttp import web

from roomserver.runtime.config import Network

IPV6_PREFIX = 64
"""One customer has a whole /64, so an IPv6 address is counted by it."""


def client_address(request: web.Request, trusted: Sequence[Network]) -> str:
    """The subject to limit an anonymous caller by: an IPv4 address or an IPv6 /64.

    `X-Forwarded-For` counts only as far as trusted proxies wrote it: from the right, the first
    address that is not a trusted proxy's.
    """
    peername = request.transport.get_extra_info("peername") if request.transport else None
    peer = _parse(str(peername[0])) if isinstance(peername, tuple) and peername else None
    if peer is None:
        return "local"
    address = peer
    if _trusted(peer, trusted):
        hops = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
        for hop in reversed(hops):
            parsed = _parse(hop.strip())
            if parsed is None:
                # What stands left of garbage was not written by a proxy of ours.
                break
            address = parsed
            if not _trusted(parsed, trusted):
                break
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _trusted(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, trusted: Sequence[Network]
) -> bool:
    return any(address in network for network in trusted)
