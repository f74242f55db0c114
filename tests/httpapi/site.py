"""A whole server on a real port, and people who ask it things."""

import re
from typing import Any, NamedTuple

import aiohttp
import msgspec

from httpapi.app import ROUTES
from httpapi.openapi import statuses
from httpapi.services import Services
from sql.pool import Database

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
    """Asks the server. Every status that it answers must be documented for its route."""

    def __init__(
        self, url: str, client: aiohttp.ClientSession, services: Services, database: Database
    ) -> None:
        self.url = url
        self.client = client
        self.services = services
        self.database = database
        self.statements = 0
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
        return answer

    def _is_documented(self, method: str, path: str, answer: Answer) -> None:
        for row in ROUTES:
            pattern = re.sub(r"{\w+}", "[^/]+", row.path)
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

    async def upload(self, who: Guest, data: bytes, name: str = "tone.flac", **more: str) -> Answer:
        form = aiohttp.FormData()
        for key, value in more.items():
            form.add_field(key, value)
        form.add_field("file", data, filename=name, content_type="application/octet-stream")
        return await self.ask("POST", "/api/tracks/uploads", data=form, who=who)

    async def execute(self, statement: str, *arguments: object) -> None:
        """Change the database behind the server's back: what only time would do."""
        async with self.database.acquire() as connection:
            await connection.execute(statement, *arguments)

    async def scalar(self, statement: str, *arguments: object) -> Any:
        async with self.database.acquire() as connection:
            return await connection.fetchval(statement, *arguments)
