"""The sidecar as one aiohttp application: the tables of all stems, and what surrounds them."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

from aiohttp import web

from httpapi import (
    audit,
    chat,
    favorites,
    health,
    history,
    jobs,
    members,
    moderation,
    openapi,
    owner,
    playback,
    queue,
    renditions,
    rooms,
    tokens,
    tracks,
    upkeep,
    users,
    votes,
)
from httpapi.analysis import analyse_track
from httpapi.auth import accounts, credentials, logins
from httpapi.auth.cookies import login_cookies
from httpapi.bodies import BODY_MAX_BYTES, whole_bodies
from httpapi.endpoint import Endpoint, Route
from httpapi.files import Dropper
from httpapi.headers import Headers
from httpapi.pages import Pages
from httpapi.problems import problems
from httpapi.requests import requests
from httpapi.runner import Runner, Work
from httpapi.services import Services
from protocol.jobs import JobKind

ROUTES: Final[tuple[Route, ...]] = (
    *accounts.ROUTES,
    *credentials.ROUTES,
    *logins.ROUTES,
    *users.ROUTES,
    *tokens.ROUTES,
    *rooms.ROUTES,
    *members.ROUTES,
    *moderation.ROUTES,
    *owner.ROUTES,
    *audit.ROUTES,
    *queue.ROUTES,
    *playback.ROUTES,
    *votes.ROUTES,
    *chat.ROUTES,
    *favorites.ROUTES,
    *history.ROUTES,
    *tracks.ROUTES,
    *renditions.ROUTES,
    *jobs.ROUTES,
    *health.ROUTES,
)
"""Every route there is; a feature that is not listed here does not exist."""


_PLACE_OF_ID: Final = re.compile(r"{(\w+_id)}")

WORKS: Final[dict[JobKind, Work]] = {"analysis": analyse_track}
"""What each kind of job does."""


def build_app(services: Services) -> web.Application:
    """The application; whoever runs it has opened `services` and closes them afterwards."""
    app = web.Application(
        client_max_size=BODY_MAX_BYTES,
        middlewares=(
            requests,
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
        # With the form of ids, a fixed word in their place is no id: PATCH /api/rooms/mine is 405.
        path = _PLACE_OF_ID.sub(r"{\1:[0-9A-Fa-f-]{36}}", row.path)
        app.router.add_route(row.method, path, Endpoint(row, services).__call__)
        if row.method == "GET":
            app.router.add_route("HEAD", path, Endpoint(row, services).__call__)


def _add_pages(app: web.Application, pages: Pages) -> None:
    for path, handler in (
        ("/", pages.app),
        ("/rooms/{room_id}", pages.app),
        ("/tracks", pages.app),
        ("/history", pages.app),
        ("/account", pages.app),
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
        dropper = Dropper(services.database, services.storage)
        dropping = services.tasks.spawn("files", dropper.run())
        cleaning = services.tasks.spawn("upkeep", upkeep.run(services.database))
        owners = services.tasks.spawn("owners", owner.watch(services))
        runners = [
            services.tasks.spawn(f"jobs {number}", Runner(services, WORKS).run())
            for number in range(services.config.media_workers)
        ]
        yield
        for runner in runners:
            runner.cancel()
        # Each gives its job back while there is still a database.
        await asyncio.gather(*runners, return_exceptions=True)
        polling.cancel()
        owners.cancel()
        cleaning.cancel()
        dropping.cancel()

    return work
