"""The sidecar as one aiohttp application: the tables of all stems, and what surrounds them."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

from aiohttp import web

from httpapi import chat, health, members, openapi, playback, queue, rooms, tracks, upkeep, users
from httpapi.auth import accounts, logins
from httpapi.auth.cookies import login_cookies
from httpapi.bodies import BODY_MAX_BYTES, whole_bodies
from httpapi.endpoint import Endpoint, Route
from httpapi.headers import Headers
from httpapi.pages import Pages
from httpapi.problems import problems
from httpapi.services import Services

ROUTES: Final[tuple[Route, ...]] = (
    *accounts.ROUTES,
    *logins.ROUTES,
    *users.ROUTES,
    *rooms.ROUTES,
    *members.ROUTES,
    *queue.ROUTES,
    *playback.ROUTES,
    *chat.ROUTES,
    *tracks.ROUTES,
    *health.ROUTES,
)
"""Every route there is; a feature that is not listed here does not exist."""


def build_app(services: Services) -> web.Application:
    """The application; whoever runs it has opened `services` and closes them afterwards."""
    app = web.Application(
        client_max_size=BODY_MAX_BYTES,
        middlewares=(
            problems,
            whole_bodies,
            login_cookies(services.config, services.database),
        ),
    )
    app.on_response_prepare.append(Headers(services.config))
    app.cleanup_ctx.append(_own_work(services))
    _add(app, (*ROUTES, *openapi.routes(ROUTES)), services)
    _add_pages(app, Pages())
    return app


def _add(app: web.Application, routes: Iterable[Route], services: Services) -> None:
    for row in routes:
        app.router.add_route(row.method, row.path, Endpoint(row, services).__call__)
        if row.method == "GET":
            app.router.add_route("HEAD", row.path, Endpoint(row, services).__call__)


def _add_pages(app: web.Application, pages: Pages) -> None:
    for path, handler in (
        ("/", pages.app),
        ("/rooms/{room_id}", pages.app),
        ("/docs", pages.docs),
        ("/web/{path:.+}", pages.file),
        ("/ws", health.websocket_here),
    ):
        app.router.add_get(path, handler)


def _own_work(services: Services) -> Callable[[web.Application], AsyncIterator[None]]:
    async def work(app: web.Application) -> AsyncIterator[None]:
        polling = services.tasks.spawn(
            "revocations", services.revocations.run(services.database), essential=True
        )
        cleaning = services.tasks.spawn("upkeep", upkeep.run(services.database))
        yield
        polling.cancel()
        cleaning.cancel()
        services.passwords.close()

    return work
