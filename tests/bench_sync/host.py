"""Who owns the room and moves the music, over REST, and hears none of it."""

import json
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from tests.web.people import PASSWORD, eventually

ANALYSED_WITHIN_S: Final = 120.0
PART: Final = "a-part-of-the-form"


class Host:
    """An account with a room, on a server that listens on a port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._headers: dict[str, str] = {}
        name = f"host{token_hex(4)}"
        made = self._call(
            "POST",
            "/auth/register",
            {
                "username": name,
                "email": f"{name}@example.org",
                "password": PASSWORD,
                "display_name": "Host",
            },
        )
        self._headers = {"Authorization": f"Bearer {made['access_token']}"}
        room = {"name": "In tune", "visibility": "public"}
        self.room_id = str(self._call("POST", "/rooms", room)["room_id"])

    def upload(self, file: Path) -> str:
        """A track's id, as soon as its rendition can be played."""
        head = (
            f'--{PART}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        form = head.encode() + file.read_bytes() + f"\r\n--{PART}--\r\n".encode()
        track = self._call("POST", "/tracks/uploads", form)

        def has_ended() -> bool:
            state = self._call("GET", f"/jobs/{track['job_id']}")["state"]
            assert state != "failed", f"{file.name} could not be analysed"
            return bool(state == "done")

        eventually(has_ended, f"{file.name} is analysed", ANALYSED_WITHIN_S)
        return str(track["track_id"])

    def add(self, track_id: str) -> None:
        """Queue a track."""
        self._call("POST", f"/rooms/{self.room_id}/queue", {"track_id": track_id})

    def playback(self) -> Any:
        """Where the music is."""
        return self._call("GET", f"/rooms/{self.room_id}")["playback"]

    def do(self, action: str, **more: object) -> None:
        """`play`, `pause`, `next`, or `seek` with `position_ms`."""
        entry_id = self.playback()["entry"]["entry_id"]
        body = {"action": action, "entry_id": entry_id, **more}
        self._call("PUT", f"/rooms/{self.room_id}/playback", body)

    def say(self, text: str) -> None:
        self._call("POST", f"/rooms/{self.room_id}/messages", {"content": text})

    def _call(
        self, method: str, path: str, body: Mapping[str, object] | bytes | None = None
    ) -> Any:
        form = isinstance(body, bytes)
        kind = f"multipart/form-data; boundary={PART}" if form else "application/json"
        headers = {**self._headers, "Content-Type": kind}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(method, f"/api{path}", data, headers)
            answer = connection.getresponse()
            told = json.loads(answer.read() or b"null")
        finally:
            connection.close()
        assert answer.status < 300, f"{method} {path}: {answer.status} {told}"
        return told
