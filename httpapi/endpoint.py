"""One row a route: what it takes, who may call it, how often, what it gives back.

The row is all there is to say about a route; serving it and its page in OpenAPI follow from it.
"""

import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

from httpapi import idempotency
from httpapi.addresses import client_address
from httpapi.auth.callers import Caller, caller_of
from httpapi.bodies import Nothing, decode_body
from httpapi.headers import rate_limit
from httpapi.lists import Query, decode_query
from httpapi.origins import SAFE_METHODS, require_own_origin
from httpapi.problems import problem_response, refusal_of
from httpapi.services import Services
from httpapi.uploads import Upload
from protocol.base import Body
from protocol.errors import ErrorCode, Rejected
from protocol.tokens import Scope, require_scope
from protocol.users import Person
from roomserver.runtime import logs

B = TypeVar("B")
Q = TypeVar("Q")

Auth = Literal["optional", "any", "person"] | None
"""None: nobody looks who calls. `any`: guests too. `person`: an account or a bot."""
ANONYMOUS_FACTOR: Final = 20
"""Many people may share an address, so it has this much more than a user."""

NUMBER_MAX_DIGITS: Final = 9
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


class Limit(Struct, frozen=True):
    """How often one user may do this: `amount` in any `window_ms` (whole seconds)."""

    amount: int
    window_ms: int = 60_000


class Call(Generic[B, Q]):
    """One request that got through the checks of its row."""

    __slots__ = (
        "body",
        "caller",
        "idempotency_key",
        "ids",
        "numbers",
        "query",
        "request",
        "services",
    )

    def __init__(
        self,
        request: web.Request,
        services: Services,
        caller: Caller | None,
        ids: dict[str, str],
        numbers: dict[str, int],
        body: B,
        query: Q,
    ) -> None:
        self.request = request
        self.services = services
        self.caller = caller
        self.ids = ids
        self.numbers = numbers
        self.body = body
        self.query = query
        self.idempotency_key: str | None = request.headers.get(idempotency.HEADER)

    @property
    def me(self) -> Caller:
        """Who calls. Rejects: unauthenticated."""
        if self.caller is None:
            raise Rejected(ErrorCode.UNAUTHENTICATED)
        return self.caller

    @property
    def person(self) -> Person:
        """Who calls, as others see them. Rejects: unauthenticated."""
        return self.me.person

    @property
    def user_id(self) -> str | None:
        """Who calls, or None."""
        return self.caller.person.user_id if self.caller else None


Handler = Callable[[Call[Any, Any]], Awaitable[Struct | web.StreamResponse | None]]
Receive = Callable[[Call[None, Any]], AbstractAsyncContextManager[Upload]]


class Route(Struct, frozen=True, kw_only=True):
    """One row; made by `route`."""

    method: str
    path: str
    handler: Handler
    body: type[Body] | None
    query: type[Query]
    returns: type[Struct] | None
    status: int
    auth: Auth
    limit: Limit
    anonymous_limit: Limit
    action: str
    refuses: tuple[ErrorCode, ...]
    receives: Receive | None
    keyed: bool
    command: bool
    anew: bool
    scope: Scope | None
    media_types: tuple[str, ...]
    tagged: bool

    @property
    def ids(self) -> list[str]:
        """Names of the ids in the path."""
        return re.findall(r"{(\w+_id)}", self.path)

    @property
    def numbers(self) -> list[str]:
        """Names of the whole numbers in the path: what is no id."""
        return re.findall(r"{(\w+)(?<!_id)}", self.path)

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.method not in SAFE_METHODS


def route(
    method: str,
    path: str,
    handler: Handler,
    *,
    body: type[Body] | None = None,
    query: type[Query] = Query,
    returns: type[Struct] | None = None,
    status: int | None = None,
    auth: Auth = "any",
    limit: int | Limit = 60,
    anonymous_limit: int | None = None,
    action: str | None = None,
    refuses: tuple[ErrorCode, ...] = (),
    receives: Receive | None = None,
    keyed: bool | None = None,
    command: bool = False,
    anew: bool = False,
    scope: Scope | None = None,
    media_types: tuple[str, ...] = ("application/json",),
    tagged: bool = False,
) -> Route:
    """Declare a route.

    `limit`: per user and minute, or a `Limit`; `anonymous_limit`: per address and minute, if it is
    not 20 times that. `action`: the name that hits are counted under, shared with the command of
    that name on the WebSocket. `refuses`: codes beyond those that follow from the row. `receives`:
    takes in a form with a file, which is the body then. `keyed`: takes an Idempotency-Key (every
    authorised write does unless it answers with credentials). `command`: the key becomes a room's
    command id.
    `tagged`: JSON with an ETag; what the caller has is not sent again.
    `anew`: a command's answer that people may take back, so it is not stored with its key.
    `scope`: what a bot token must have; by default `read` where nothing is written, the command's
    own where there is one (`commands.submit` asks for it), and no bot token will do otherwise.
    """
    user_limit = Limit(limit) if isinstance(limit, int) else limit
    amount = anonymous_limit or user_limit.amount * ANONYMOUS_FACTOR
    writes = method not in SAFE_METHODS
    return Route(
        method=method,
        path=path,
        handler=handler,
        body=body,
        query=query,
        returns=returns,
        status=status or (200 if returns or not writes else 204),
        auth=auth,
        limit=user_limit,
        anonymous_limit=Limit(amount, user_limit.window_ms),
        action=action or f"{method} {path}",
        refuses=refuses,
        receives=receives,
        keyed=writes and auth in ("any", "person") if keyed is None else keyed,
        command=command,
        anew=anew,
        scope=scope if writes else scope or "read",
        media_types=media_types,
        tagged=tagged,
    )


class Endpoint:
    """Serves one route."""

    def __init__(self, route: Route, services: Services) -> None:
        self._route = route
        self._services = services
        self._ids, self._numbers = route.ids, route.numbers
        # A body whose fields all have defaults may be left out; PATCH must say something.
        fields = msgspec.structs.fields(route.body) if route.body else ()
        self._body_optional = route.method != "PATCH" and not any(f.required for f in fields)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Check, call the handler, encode. Refusals become problem documents."""
        try:
            return await self._serve(request)
        except web.HTTPException:
            raise
        except Exception as error:
            return problem_response(refusal_of(error, where=self._route.action))

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        route, services = self._route, self._services
        caller = await caller_of(request, services) if route.auth is not None else None
        if caller is not None:
            logs.tell(user_id=caller.person.user_id)
        if caller is not None and caller.by_cookie and request.method not in SAFE_METHODS:
            require_own_origin(request, services.config)
        self._limit(request, caller)
        if caller is None and route.auth not in (None, "optional"):
            raise Rejected(ErrorCode.UNAUTHENTICATED)
        if caller is not None and not (route.command and route.scope is None):
            require_scope(caller.scopes, route.scope)
        if route.auth == "person" and caller is not None and caller.person.kind == "guest":
            raise Rejected(ErrorCode.ACCOUNT_REQUIRED)
        query = decode_query(request, route.query)
        ids = {name: valid_id(request.match_info[name]) for name in self._ids}
        logs.tell(**ids)
        numbers = {name: _valid_number(request.match_info[name]) for name in self._numbers}
        call: Call[Any, Any] = Call(request, services, caller, ids, numbers, None, query)
        key = idempotency.key_of(request) if route.keyed and caller is not None else None
        if route.receives is not None:
            async with route.receives(call) as form:
                call.body = form
                return await self._once(call, key, form.digest)
        if not route.writes:
            return await self._answer(call)
        body = route.body or Nothing
        call.body = await decode_body(request, body, optional=self._body_optional)
        return await self._once(call, key, await request.read())

    async def _once(
        self, call: Call[Any, Any], key: str | None, content: bytes
    ) -> web.StreamResponse:
        """A write; with a key, one that happens once, if `content` is the same each time."""
        route = self._route
        if key is None:
            return await self._answer(call)
        claim = await idempotency.claim(
            self._services.database,
            call.person.user_id,
            key,
            idempotency.digest_of(call.request, content),
            retry=route.command,
            anew=route.anew,
        )
        if isinstance(claim, web.Response):
            return claim
        async with claim:
            return await claim.keep(await self._answer(call))

    async def _answer(self, call: Call[Any, Any]) -> web.StreamResponse:
        result = await self._route.handler(call)
        if isinstance(result, web.StreamResponse):
            return result
        if result is None:
            return web.Response(status=self._route.status)
        return web.Response(
            body=msgspec.json.encode(result),
            status=self._route.status,
            content_type="application/json",
        )

    def _limit(self, request: web.Request, caller: Caller | None) -> None:
        route, services = self._route, self._services
        if caller is None:
            subject = client_address(request, services.config.trusted_proxies)
            limit = route.anonymous_limit
        else:
            subject, limit = caller.person.user_id, route.limit
        verdict = services.limiter.hit_within(route.action, subject, limit.amount, limit.window_ms)
        rate_limit.set(verdict)
        if not verdict.allowed:
            raise Rejected(ErrorCode.RATE_LIMITED, retry_after_ms=verdict.retry_after_ms)


def valid_id(text: str, otherwise: ErrorCode = ErrorCode.NOT_FOUND) -> str:
    """An id as the database writes it. Rejects: `otherwise`, what is none."""
    lowered = text.lower()
    if not _UUID.fullmatch(lowered):
        raise Rejected(otherwise)
    return lowered


def _valid_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_MAX_DIGITS):
        raise Rejected(ErrorCode.NOT_FOUND)
    return int(text)
