"""One HTTP connection: aiohttp's, but what it cannot parse is refused in our way."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from httpapi.headers import ALWAYS
from httpapi.problems import problem_response
from protocol.errors import ErrorCode, Rejected

HEAD_MAX_BYTES: Final = 16 * 1024
"""Of a line or a field: the front door lets no larger head through."""
KEEPALIVE_S: Final = 60.0
STALLED_AFTER_S: Final = 60.0
"""aiohttp waits for ever until what it wrote is read; who reads nothing for so long is let go."""

_log: Final = logging.getLogger(__name__)


class HttpConnection(RequestHandler):
    """Serves the app's requests that come over one connection."""

    __slots__ = ("_stalled", "_wire", "gone")

    gone: Callable[[], None]
    """Called once, when the connection is lost."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hear of every byte that the peer leaves unread."""
        self._stalled: asyncio.TimerHandle | None = None
        # aiohttp forgets its own when it closes; closing alone would wait for the reader, too.
        self._wire = cast(asyncio.Transport, transport)
        self._wire.set_write_buffer_limits(high=0)
        super().connection_made(transport)

    def pause_writing(self) -> None:
        """The peer does not read as fast as we write."""
        super().pause_writing()
        self._stalled = self._loop.call_later(STALLED_AFTER_S, self._wire.abort)

    def resume_writing(self) -> None:
        """It has read all there was."""
        super().resume_writing()
        self._moves()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Gone."""
        self._moves()
        super().connection_lost(exc)
        self.gone()

    def _moves(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what never reached the app. aiohttp would repeat and log the bytes it stumbled
        over, and among them may be a token."""
        bug = status >= 500
        if bug:
            _log.error("a connection failed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was under way")
        code = ErrorCode.INTERNAL if bug else ErrorCode.BAD_REQUEST
        response = problem_response(Rejected(code))
        response.headers.update(ALWAYS)
        # The app's signal does not see this answer; a name of ours keeps versions out.
        response.headers["Server"] = "unisono"
        response.force_close()
        return response


def factory(server: web.Server) -> Callable[[Callable[[], None]], asyncio.Protocol]:
    """Makes connections for the server of a runner; each calls what it is given when it is lost."""

    def connection(gone: Callable[[], None]) -> asyncio.Protocol:
        made = HttpConnection(
            server,
            loop=asyncio.get_running_loop(),
            # No access lines: they carry whole URLs.
            access_log=None,  # type: ignore[arg-type]
            keepalive_timeout=KEEPALIVE_S,
            max_line_size=HEAD_MAX_BYTES,
            max_field_size=HEAD_MAX_BYTES,
        )
        made.gone = gone
        return made

    return connection
