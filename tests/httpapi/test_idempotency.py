"""Idempotency-Key: the same write with the same key happens once and is answered alike."""

import asyncio
import hashlib
from pathlib import Path

from tests.httpapi.media.sounds import sound
from tests.httpapi.site import Site

NOBODY = "00000000-0000-4000-8000-000000000000"
TONE, OTHER = (sound("flac", "flac", samples=samples) for samples in (4_800, 9_600))


def files(tmp_path: Path) -> list[Path]:
    """What the storage keeps."""
    return [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


async def test_r15_a_key_makes_a_write_happen_once(site: Site) -> None:
    owner = await site.account()
    key = {"Idempotency-Key": "make-room-1"}
    one, two = [
        await site.ask("POST", "/api/rooms", {"name": "Once"}, who=owner, headers=key)
        for _ in range(2)
    ]
    assert (one.status, one.data) == (two.status, two.data)
    assert two.headers["Idempotency-Replayed"] == "true"
    assert await site.scalar("select count(*) from rooms") == 1
    other = await site.ask("POST", "/api/rooms", {"name": "Other"}, who=owner, headers=key)
    assert (other.status, other.code) == (409, "idempotency_conflict")


async def test_r15_a_refused_write_gives_its_key_back(site: Site) -> None:
    owner = await site.account()
    room_id = await site.room(owner)
    key = {"Idempotency-Key": "say-1"}
    path = f"/api/rooms/{room_id}/messages"
    refused = {"content": "x", "reply_to": NOBODY}
    for _ in range(2):
        answer = await site.ask("POST", path, refused, who=owner, headers=key)
        assert answer.code == "unknown_message"
    assert (await site.ask("POST", path, {"content": "x"}, who=owner, headers=key)).status == 201


async def test_r15_a_key_names_the_command_so_that_parallel_retries_are_one(site: Site) -> None:
    owner = await site.account()
    room_id = await site.room(owner)
    key = {"Idempotency-Key": "say-2"}
    path = f"/api/rooms/{room_id}/messages"
    answers = await asyncio.gather(
        *(site.ask("POST", path, {"content": "x"}, who=owner, headers=key) for _ in range(4))
    )
    assert {(answer.status, answer.data) for answer in answers} == {(201, answers[0].data)}
    assert await site.scalar("select count(*) from chat_messages") == 1


async def test_a_key_must_be_usable(site: Site) -> None:
    owner = await site.account()
    for key in ("", "x" * 201, "a\tb"):
        headers = {"Idempotency-Key": key}
        answer = await site.ask("POST", "/api/rooms", {"name": "x"}, who=owner, headers=headers)
        assert answer.status == 400


async def test_r15_a_form_with_a_key_is_taken_once_and_another_form_is_no_repetition(
    site: Site, tmp_path: Path
) -> None:
    who, key = await site.account(), {"Idempotency-Key": "this-song"}
    # Each has another boundary between its parts.
    first, again = [await site.upload(who, TONE, headers=key) for _ in range(2)]
    assert (first.status, first.data) == (again.status, again.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    room_id = await site.room(who)
    for other in (
        await site.upload(who, OTHER, headers=key),
        await site.upload(who, TONE, "another.flac", headers=key),
        await site.upload(who, TONE, headers=key, room_id=room_id),
    ):
        assert (other.status, other.code) == (409, "idempotency_conflict")
    assert await site.scalar("select count(*) from tracks") == 1
    assert [path.name for path in files(tmp_path)] == [hashlib.sha256(TONE).hexdigest()[2:]]


async def test_r15_an_upload_that_is_refused_gives_its_key_back(site: Site) -> None:
    who, key = await site.account(), {"Idempotency-Key": "that-song"}
    for _ in range(2):
        refused = await site.upload(who, TONE, headers=key, room_id=NOBODY)
        assert (refused.status, refused.code) == (404, "room_not_found")
    taken = await site.upload(who, TONE, headers=key)
    assert (taken.status, "Idempotency-Replayed" in taken.headers) == (201, False)


async def test_a_file_name_that_is_no_text_is_one_like_any_other(site: Site) -> None:
    who = await site.account()
    start = b'--x\r\nContent-Disposition: form-data; name="file"; filename="\xff\xfe.flac"\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    path = "/api/tracks/uploads"
    data = start + TONE + b"\r\n--x--\r\n"
    for key in ({}, {"Idempotency-Key": "odd"}, {"Idempotency-Key": "odd"}):
        answer = await site.ask("POST", path, data=data, who=who, headers=headers | key)
        assert answer.status == 201
    assert await site.scalar("select count(*) from tracks") == 2
