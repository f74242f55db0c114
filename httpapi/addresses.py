"""Whose address a request comes from, as far as it can be believed."""

from collections.abc import Sequence

from aiohttp import web

from roomserver.runtime import addresses
from roomserver.runtime.config import Network


def client_address(request: web.Request, trusted: Sequence[Network]) -> str:
    """The subject to limit an anonymous caller by: see `roomserver.runtime.addresses`."""
    peername = request.transport.get_extra_info("peername") if request.transport else None
    forwarded = request.headers.getall("X-Forwarded-For", ())
    return addresses.client_address(addresses.peer_address(peername), forwarded, trusted)
