"""What exists on the server that Schemathesis asks: two people, a room of theirs, music in it."""

import time
from typing import Any, Final
from uuid import uuid4

import requests

from tests.cluster.rest import tone

PLAYS_MS: Final = 15_000
MUSIC: Final = tone(PLAYS_MS)
PASSWORD: Final = "correct horse battery staple"


class Somebody:
    """An account, signed in."""

    def __init__(self, url: str) -> None:
        self.username = f"p{uuid4().hex[:12]}"
        self._http = requests.Session()
        self._url = url
        self.email = f"{self.username}@example.org"
        made = self.post(
            "/auth/register",
            {"username": self.username, "email": self.email, "password": PASSWORD},
        )
        self.user_id = str(made["user"]["user_id"])
        self.token = str(made["access_token"])
        self.refresh_token = str(made["refresh_token"])
        self._http.headers["Authorization"] = f"Bearer {self.token}"

    def post(self, path: str, body: object = None, **more: Any) -> Any:
        return self._ask("POST", path, json=body, **more)

    def get(self, path: str) -> Any:
        return self._ask("GET", path)

    def delete(self, path: str) -> None:
        self._ask("DELETE", path)

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        answer = self._http.request(method, f"{self._url}/api{path}", timeout=30, **more)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def is_signed_in(self) -> bool:
        return self._http.get(f"{self._url}/api/auth/me", timeout=30).ok

    def upload(self) -> Any:
        return self.post("/tracks/uploads", files={"file": ("tone.wav", MUSIC)})


class World:
    """Objects for the paths and bodies of requests; made anew once a request may have ended one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.ids: dict[str, str] = {}
        self.ann, self.ben = Somebody(url), Somebody(url)
        self.room_name = ""
        self._until_s = 0.0
        self._signed_in = True
        self._voting: dict[str, str] | None = None
        self.new_track()
        self.new_credentials()

    def stranger(self) -> Somebody:
        """Somebody new: for requests that end what they are made with."""
        return Somebody(self._url)

    def new_track(self) -> None:
        """Music that is analysed, and a room that plays it."""
        track = self.ann.upload()
        self.ids |= {"track_id": track["track_id"], "job_id": track["job_id"]}
        while self.ann.get(f"/jobs/{track['job_id']}")["state"] in ("waiting", "running"):
            pass
        self.new_room()

    def look(self) -> None:
        """Somebody was refused: see whether the people are still signed in."""
        self._signed_in = self.ann.is_signed_in() and self.ben.is_signed_in()

    def alive(self) -> bool:
        """Whether the people are signed in, and something plays."""
        if self._signed_in and time.monotonic() > self._until_s:
            self.new_room()
        return self._signed_in

    def new_room(self) -> None:
        """Rooms of Ann's that Ben is in, with something playing and something waiting."""
        self._until_s = time.monotonic() + PLAYS_MS / 1_000 - 5
        self.room_name = f"Room {uuid4().hex[:12]}"
        self._voting = None
        self.ids |= self._room("open") | {"user_id": self.ben.user_id}

    def ids_where_people_vote(self) -> dict[str, str]:
        """The same in a room in which entries have votes."""
        if self._voting is None:
            self._voting = self._room("votes")
        return self.ids | self._voting

    def _room(self, queue_mode: str) -> dict[str, str]:
        # Nobody is there: only a room that is always on plays then.
        settings = {"always_on": True, "queue_mode": queue_mode}
        room_id = self.ann.post("/rooms", {"name": self.room_name, "settings": settings})["room_id"]
        self.ben.post(f"/rooms/{room_id}/join")
        entry = {"track_id": self.ids["track_id"]}
        queue = [self.ann.post(f"/rooms/{room_id}/queue", entry)["entry_id"] for _ in range(3)]
        said = self.ann.post(f"/rooms/{room_id}/messages", {"content": "hello"})["message_id"]
        return {
            "room_id": room_id,
            # The first plays by now.
            "playing": queue[0],
            "entry_id": queue[1],
            "after": queue[2],
            "message_id": said,
            "reply_to": said,
        }

    def new_credentials(self) -> None:
        """A login and a bot's token that may be ended."""
        self.ann.post("/auth/login", {"login": self.ann.username, "password": PASSWORD})
        logins = self.ann.get("/auth/logins")["items"]
        made = self._new_token()
        others = [each for each in logins if not each["is_current"]]
        self.ids |= {
            "login_id": others[0]["login_id"],
            "token_id": made["token_id"],
            "bot_id": made["bot"]["user_id"],
        }

    def _new_token(self) -> Any:
        # A person has ten at most, and the requests make some, too.
        for each in self.ann.get("/users/me/tokens")["items"]:
            self.ann.delete(f"/users/me/tokens/{each['token_id']}")
        return self.ann.post("/users/me/tokens", {"name": "bot", "scopes": ["read"]})
