"""Whose address a request comes from, as far as it can be believed."""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

from roomserver.runtime.config import Network

IPV6_PREFIX: Final = 64
"""One customer has a whole /64, so an IPv6 address is counted by it."""
LOCAL: Final = "local"
"""A peer without an address: a socket of this machine."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def peer_address(peername: object) -> Address | None:
    """The address in what a transport calls `peername`; None for a socket of this machine."""
    return parse(str(peername[0])) if isinstance(peername, tuple) and peername else None


def client_address(
    peer: Address | None, forwarded: Iterable[str], trusted: Sequence[Network]
) -> str:
    """The subject to limit an anonymous caller by: an IPv4 address or an IPv6 /64.

    `forwarded` are the values of `X-Forwarded-For`. They count only as far as trusted proxies
    wrote them: from the right, the first address that is not a trusted proxy's.
    """
    if peer is None:
        return LOCAL
    address = peer
    if is_trusted(peer, trusted):
        for hop in reversed(",".join(forwarded).split(",")):
            parsed = parse(hop.strip())
            if parsed is None:
                # What stands left of garbage was not written by a proxy of ours.
                break
            address = parsed
            if not is_trusted(parsed, trusted):
                break
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


def is_trusted(address: Address | None, trusted: Sequence[Network]) -> bool:
    """Whether it is one of the proxies that the operator named."""
    return address is not None and any(address in network for network in trusted)


def parse(text: str) -> Address | None:
    """An address as text; IPv4 in IPv6 becomes IPv4. None if it is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
