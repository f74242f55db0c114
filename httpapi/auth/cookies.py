"""The browser's cookie: a random secret that opens a login, stored hashed in the logins table.

aiohttp-session carries it. Nothing is kept in the cookie itself, so an ended login cannot be
replayed, and every sign-in gets a new secret, so none can be planted beforehand.
"""

import warnings
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware
from aiohttp_session import AbstractStorage, Session, new_session, session_middleware

from httpapi.auth.callers import LoginRow
from protocol.auth import COOKIE, COOKIE_HTTPS
from roomserver.runtime.config import Config
from roomserver.runtime.tokens import hash_opaque
from sql import queries
from sql.pool import Database

# aiohttp would rather have typed keys on requests; aiohttp-session still uses texts.
warnings.filterwarnings("ignore", category=web.NotAppKeyWarning, module="aiohttp_session")

MAX_AGE_S: Final = 90 * 86_400
SECRET_MAX_LENGTH: Final = 100

OF_COOKIE = queries.maybe("logins.of_cookie", LoginRow)


def cookie_name(config: Config) -> str:
    """With https a browser takes it only from this host, for all paths, Secure."""
    return COOKIE_HTTPS if config.is_https else COOKIE


class LoginCookies(AbstractStorage):
    """What aiohttp-session loads and saves."""

    def __init__(self, config: Config, database: Database) -> None:
        super().__init__(
            cookie_name=cookie_name(config),
            max_age=MAX_AGE_S,
            path="/",
            secure=config.is_https,
            httponly=True,
            samesite="Lax",
        )
        self._database = database

    async def load_session(self, request: web.Request) -> Session:
        """The login that the cookie opens; a new, empty one for a cookie that opens none."""
        secret = self.load_cookie(request)
        if not secret or len(secret) > SECRET_MAX_LENGTH or not secret.isascii():
            return await self.new_session()
        row = await OF_COOKIE(self._database, cookie_hash=hash_opaque(secret))
        if row is None:
            return await self.new_session()
        return Session(row.login_id, data={"session": {"row": row}}, new=False)

    async def save_session(
        self, request: web.Request, response: web.StreamResponse, login: Session
    ) -> None:
        """Set the cookie of a fresh login; take it away where the login has ended."""
        secret: str | None = login.get("secret")
        if secret is not None:
            self.save_cookie(response, secret, max_age=MAX_AGE_S)
        elif login.empty:
            response.del_cookie(
                self.cookie_name,
                path="/",
                secure=self.cookie_params["secure"],
                httponly=True,
                samesite="Lax",
            )


def login_cookies(config: Config, database: Database) -> Middleware:
    """The middleware that saves what a request did to the browser's login."""
    return session_middleware(LoginCookies(config, database))


async def give_cookie(request: web.Request, secret: str) -> None:
    """Let the answer to this request set the cookie."""
    login = await new_session(request)
    login["secret"] = secret
