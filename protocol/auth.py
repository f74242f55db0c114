"""Signing in: the bodies and answers of `/api/auth`.

The access token lives 15 minutes. The refresh token is random, good for one use, and its reuse
ends the login. With `cookie: true` a browser on our own page gets a cookie instead of tokens.
"""

from typing import Annotated

from msgspec import Meta

from protocol.base import Body, Count, DisplayName, Entity, Password
from protocol.frames import Token
from protocol.ids import LoginId
from protocol.users import Instant, User

COOKIE = "unisono"
"""The cookie that holds a login, over plain http."""
COOKIE_HTTPS = "__Host-unisono"
"""The same where the public URL is https: a browser takes it only from this very host, Secure."""

PASSWORD_MIN_LENGTH = 8

NewPassword = Annotated[str, Meta(min_length=PASSWORD_MIN_LENGTH, max_length=1_024)]
Email = Annotated[str, Meta(pattern=r"^[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}$")]
Username = Annotated[str, Meta(min_length=3, max_length=120)]
"""As typed; checked and normalised by `protocol.names.clean_username`."""


class GuestBody(Body, frozen=True, kw_only=True):
    """Come in by a name alone."""

    display_name: DisplayName
    cookie: bool = False


class RegisterBody(Body, frozen=True, kw_only=True):
    """Make an account; with a guest's credentials the guest becomes it and keeps everything."""

    username: Username
    email: Email
    password: NewPassword
    display_name: DisplayName | None = None
    cookie: bool = False

    def __repr__(self) -> str:
        return "RegisterBody(***)"


class LoginBody(Body, frozen=True, kw_only=True):
    """`login` is a user name or an e-mail address."""

    login: Annotated[str, Meta(min_length=1, max_length=254)]
    password: Password
    cookie: bool = False

    def __repr__(self) -> str:
        return "LoginBody(***)"


class RefreshBody(Body, frozen=True, kw_only=True):
    """Swap a refresh token for a new pair, or for the cookie."""

    refresh_token: Token
    cookie: bool = False

    def __repr__(self) -> str:
        return "RefreshBody(***)"


class LoggedIn(Entity, frozen=True, kw_only=True, omit_defaults=True):
    """Who is signed in now, and with what; the tokens are left out where a cookie was set."""

    user: User
    access_token: str | None = None
    refresh_token: str | None = None
    expires_in_ms: Count | None = None
    """Of the access token."""

    def __repr__(self) -> str:
        return f"LoggedIn(user={self.user!r}, ***)"


class PasswordBody(Body, frozen=True, kw_only=True):
    """A new password in place of the one that holds; all other logins end."""

    current_password: Password
    new_password: NewPassword

    def __repr__(self) -> str:
        return "PasswordBody(***)"


class LoginDetails(Entity, frozen=True, kw_only=True):
    """One of one's own logins that can still be used."""

    login_id: LoginId
    user_agent: str
    """What the browser or program called itself when it signed in."""
    by_cookie: bool
    created_at: Instant
    last_used_at: Instant
    """Of a cookie to the hour; of tokens the last refresh."""
    is_current: bool
    """The one that asks."""


class LoginPage(Entity, frozen=True, kw_only=True):
    """A page of one's logins, the newest first."""

    items: list[LoginDetails]
    next_cursor: str | None = None


class Ticket(Entity, frozen=True, kw_only=True):
    """For the first WebSocket frame; good once."""

    ticket: str
    expires_in_ms: Count

    def __repr__(self) -> str:
        return f"Ticket(***, expires_in_ms={self.expires_in_ms})"


class AuthConfig(Entity, frozen=True, kw_only=True):
    """What a front end needs to know before anybody has signed in."""

    providers: list[str]
    guests: bool
    public_url: str | None
    websocket_path: str
    password_min_length: int
    upload_max_bytes: Count
    upload_max_duration_ms: Count
    quota_bytes: Count
