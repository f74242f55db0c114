"""A whole server on a real port, and people who ask it things."""

import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import msgspec

from httpapi.app import ROUTES
from httpapi.openapi import statuses
from httpapi.services import Services
from roomserver.node import Node
from sql.pool import Database
from tests.httpapi.statements import Statements

ORIGINS = ("Origin", "Sec-Fetch-Site")


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: "aiohttp.typedefs.LooseHeaders | Any"
    data: bytes

    @property
    def body(self) -> Any:
        return msgspec.json.decode(self.data)

    @property
    def code(self) -> str:
        """The code of a problem document, which this must be."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        assert self.body["status"] == self.status
        return str(self.body["code"])


class Guest(NamedTuple):
    """Somebody with an access token."""

    user_id: str
    token: str
    refresh_token: str


class Site:
    """Asks the server. Every status that it answers must be documented for its route, and no
    request may ask too much of the database."""

    def __init__(
        self,
        url: str,
        client: aiohttp.ClientSession,
        services: Services,
        database: Database,
        statements: Statements,
        node: Node,
    ) -> None:
        self.url = url
        self.client = client
        self.services = services
        self.database = database
        self.statements = statements
        self.node = node
        self._names = 0

    async def ask(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        data: Any = None,
        who: Guest | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request; `json` is encoded, `data` goes as it is."""
        headers = dict(headers or {})
        if json is not None:
            data = msgspec.json.encode(json)
            headers.setdefault("Content-Type", "application/json")
        if who is not None:
            headers["Authorization"] = f"Bearer {who.token}"
        async with self.client.request(
            method, self.url + path, data=data, headers=headers, allow_redirects=False
        ) as response:
            answer = Answer(response.status, response.headers, await response.read())
        self._is_documented(method, path.partition("?")[0], answer)
        self.statements.within_bounds()
        return answer

    def _is_documented(self, method: str, path: str, answer: Answer) -> None:
        for row in ROUTES:
            pattern = re.sub(r"{\w+_id}", "[0-9A-Fa-f-]{36}", row.path)
            pattern = re.sub(r"{\w+}", "[^/]+", pattern)
            if row.method == method and re.fullmatch(pattern, path):
                assert answer.status in statuses(row), f"{method} {row.path}: {answer}"
                return

    async def guest(self, name: str = "Ann") -> Guest:
        answer = await self.ask("POST", "/api/auth/guest", {"display_name": name})
        assert answer.status == 201, answer
        return self._who(answer)

    async def account(self, username: str | None = None) -> Guest:
        self._names += 1
        username = username or f"person{self._names}"
        body = {
            "username": username,
            "email": f"{username}@example.org",
            "password": "correct horse",
        }
        answer = await self.ask("POST", "/api/auth/register", body)
        assert answer.status == 201, answer
        return self._who(answer)

    def _who(self, answer: Answer) -> Guest:
        body = answer.body
        return Guest(body["user"]["user_id"], body["access_token"], body["refresh_token"])

    async def room(self, owner: Guest, **more: object) -> str:
        answer = await self.ask("POST", "/api/rooms", {"name": "A room", **more}, who=owner)
        assert answer.status == 201, answer
        return str(answer.body["room_id"])

    async def upload(
        self,
        who: Guest,
        data: bytes,
        name: str = "tone.flac",
        headers: dict[str, str] | None = None,
        **more: str,
    ) -> Answer:
        form = aiohttp.FormData()
        for key, value in more.items():
            form.add_field(key, value)
        # aiohttp warns of more than 1 MiB in one piece.
        form.add_field(
            "file", io.BytesIO(data), filename=name, content_type="application/octet-stream"
        )
        return await self.ask("POST", "/api/tracks/uploads", data=form, who=who, headers=headers)

    @asynccontextmanager
    async def socket(
        self, who: Guest, room_id: str, tab: str = "client-of-test"
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A socket of somebody who is in a room."""
        # Not over a connection that was kept for REST: the first request decides what it is.
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{self.url}/ws") as socket,
        ):
            hello = {"type": "hello", "client_id": tab, "token": who.token}
            await socket.send_json(hello)
            await socket.send_json({"type": "join", "id": 1, "room": room_id})
            while (await socket.receive_json())["type"] != "joined":
                pass
            yield socket

    async def execute(self, statement: str, *arguments: object) -> None:
        """Change the database behind the server's back: what only time would do."""
        async with self.database.acquire() as connection:
            await connection.execute(statement, *arguments)

    async def scalar(self, statement: str, *arguments: object) -> Any:
        async with self.database.acquire() as connection:
            return await connection.fetchval(statement, *arguments)
