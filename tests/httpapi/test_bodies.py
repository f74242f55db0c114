"""What a stranger may send as a body or a query, and what comes back: a problem, never a crash."""

import gzip
import itertools

from tests.httpapi.site import Site

JSON = {"Content-Type": "application/json"}
BAD_BODIES = {
    "nothing": b"",
    "no JSON": b"display_name=Ann",
    "half of it": b'{"display_name":"Ann"',
    "trailing garbage": b'{"display_name":"Ann"}x',
    "a list": b'["Ann"]',
    "not UTF-8": b'{"display_name":"\xff\xfe"}',
    "a lone surrogate": b'{"display_name":"\\ud800"}',
    "NUL": b'{"display_name":"A\\u0000nn"}',
    "deep nesting": b'{"display_name":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "a number of 5,000 digits": b'{"display_name":' + b"9" * 5_000 + b"}",
    "a wrong type": b'{"display_name":5}',
    "an unknown field": b'{"display_name":"Ann","is_admin":true}',
    "no number": b'{"display_name":NaN}',
}


async def test_r5_a_bad_body_is_a_bad_request(site: Site) -> None:
    for name, body in BAD_BODIES.items():
        answer = await site.ask("POST", "/api/auth/guest", data=body, headers=JSON)
        assert (answer.status, answer.code) == (400, "bad_request"), name
        assert b"Traceback" not in answer.data


async def test_a_bad_field_is_named(site: Site) -> None:
    answer = await site.ask("POST", "/api/auth/guest", {"display_name": 5})
    assert [error["path"] for error in answer.body["errors"]] == ["display_name"]


async def test_r8_a_body_beyond_64_kib_is_too_large_gzipped_or_not(site: Site) -> None:
    body = b'{"display_name":"' + b"a" * 1_000_000 + b'"}'
    plain = await site.ask("POST", "/api/auth/guest", data=body, headers=JSON)
    assert (plain.status, plain.code) == (413, "payload_too_large")
    bomb = JSON | {"Content-Encoding": "gzip"}
    packed = await site.ask("POST", "/api/auth/guest", data=gzip.compress(body), headers=bomb)
    assert (packed.status, packed.code) == (413, "payload_too_large")


async def test_r8_another_content_type_is_refused(site: Site) -> None:
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "a/b"):
        answer = await site.ask(
            "POST", "/api/auth/guest", data=b"{}", headers={"Content-Type": media_type}
        )
        assert (answer.status, answer.code) == (415, "unsupported_media")


BAD_FORMS = {
    "no boundary": ("multipart/form-data", b"x"),
    "a part without its end": ("multipart/form-data; boundary=b", b"--b\r\nContent-Dis"),
    "a header that is none": (
        "multipart/form-data; boundary=b",
        b"--b\r\nno colon\r\n\r\nx\r\n--b--",
    ),
    "a header with a control character": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="a\x08"\r\n\r\nx\r\n--b--\r\n',
    ),
    "a header of 100 KB": (
        "multipart/form-data; boundary=b",
        b"--b\r\nX: " + b"x" * 100_000 + b"\r\n\r\nx\r\n--b--\r\n",
    ),
    "a field that nobody knows": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n',
    ),
}


async def test_r9_a_bad_form_is_a_bad_request(site: Site) -> None:
    ann = await site.account()
    for name, (media_type, data) in BAD_FORMS.items():
        headers = {"Content-Type": media_type}
        answer = await site.ask("POST", "/api/tracks/uploads", data=data, headers=headers, who=ann)
        assert (answer.status, answer.code) == (400, "bad_request"), name


BAD_QUERIES = (
    "limit=0",
    "limit=-1",
    "limit=101",
    "limit=1e99",
    "limit=abc",
    "limit=NaN",
    "limit=9223372036854775808",
    "limit=1&limit=2",
    "cursor=garbage",
    "cursor=" + "A" * 401,
    "cursor=WyJhY3RpdmUgcm9vbXMiLDkyMjMzNzIwMzY4NTQ3NzU4MDgsIngiXQ",
    "user_id=5",
    "sort=name;drop",
    "query=%00",
)


async def test_r3_r4_a_bad_query_is_a_bad_request(site: Site) -> None:
    for query in BAD_QUERIES:
        answer = await site.ask("GET", f"/api/rooms?{query}")
        assert (answer.status, answer.code) == (400, "bad_request"), query


async def test_r4_a_cursor_of_another_list_is_refused(site: Site) -> None:
    owner = await site.account()
    for _ in range(2):
        await site.room(owner)
    page = (await site.ask("GET", "/api/rooms?sort=new&limit=1")).body
    assert (await site.ask("GET", f"/api/rooms?sort=new&cursor={page['next_cursor']}")).body[
        "next_cursor"
    ] is None
    for other in ("/api/rooms?sort=active&", "/api/rooms/mine?", "/api/tracks?"):
        answer = await site.ask("GET", f"{other}cursor={page['next_cursor']}", who=owner)
        assert answer.status == 400


async def test_r6_text_that_looks_like_sql_is_only_text(site: Site) -> None:
    owner = await site.account()
    await site.room(owner, name="Plain")
    texts = ("'; drop table rooms; --", "%", "_", "\\", "a' or '1'='1", "Ω'")
    for text, path in itertools.product(texts, ("/api/rooms", "/api/tracks")):
        answer = await site.client.get(
            site.url + path,
            params={"query": text},
            headers={"Authorization": f"Bearer {owner.token}"},
        )
        assert answer.status == 200
        assert (await answer.json())["items"] == []


async def test_a_bad_id_in_a_path_is_not_found(site: Site) -> None:
    for room_id in ("x", "1", "00000000-0000-0000-0000-00000000000", "%00", "é"):
        answer = await site.ask("GET", f"/api/rooms/{room_id}")
        assert (answer.status, answer.code) == (404, "not_found"), room_id
