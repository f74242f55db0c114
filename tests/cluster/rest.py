"""What tests need of REST: people, rooms, and a tone that can be queued."""

import asyncio
import io
import json
import math
import urllib.request
import wave
from array import array
from uuid import uuid4

from tests.canary import keep_secret

SAMPLE_RATE_HZ = 48_000
PASSWORD = keep_secret("correct horse battery")


def _send(url: str, data: bytes, kind: str, token: str | None) -> dict[str, object]:
    headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        made: dict[str, object] = json.load(answer)
        return made


async def post(
    base_url: str, path: str, body: dict[str, object], token: str | None = None
) -> dict[str, object]:
    """One REST call."""
    data = json.dumps(body).encode()
    return await asyncio.to_thread(_send, f"{base_url}/api{path}", data, "application/json", token)


async def register(base_url: str, username: str) -> str:
    """A new account's access token."""
    body: dict[str, object] = {
        "username": username,
        "email": f"{username}@example.org",
        "password": PASSWORD,
    }
    return str((await post(base_url, "/auth/register", body))["access_token"])


async def new_room(base_url: str, token: str, name: str) -> str:
    """A public room's id."""
    made = await post(base_url, "/rooms", {"name": name, "visibility": "public"}, token)
    return str(made["room_id"])


def tone(length_ms: int) -> bytes:
    """A WAV file of one soft sine."""
    count = length_ms * SAMPLE_RATE_HZ // 1_000
    samples = array(
        "h", (int(3_000 * math.sin(n * math.tau * 440 / SAMPLE_RATE_HZ)) for n in range(count))
    )
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE_HZ)
        out.writeframes(samples.tobytes())
    return file.getvalue()


async def upload(base_url: str, token: str, length_ms: int) -> str:
    """A track's id."""
    boundary = uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="tone.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    )
    data = head.encode() + tone(length_ms) + f"\r\n--{boundary}--\r\n".encode()
    kind = f"multipart/form-data; boundary={boundary}"
    made = await asyncio.to_thread(_send, f"{base_url}/api/tracks/uploads", data, kind, token)
    return str(made["track_id"])
