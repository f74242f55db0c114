"""Coming to the socket: pages, tokens, hello, and what a stranger may not do."""

import asyncio

import pytest
from msgspec.structs import replace
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from protocol.close_codes import CloseCode
from protocol.cluster import Arrive
from protocol.errors import ErrorCode
from protocol.frames import Error, Hello, Join, Joined, Leave, Left, Probe, Probed, Reject, Welcome
from tests.edge.raw import HANDSHAKE
from tests.edge.scripted_home import ROOM, person
from tests.edge.stage import SLOW, Client, Stage, stage

PUBLIC = "https://ok.example"


async def refused(on: Stage, **options: object) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as refusal:
        async with on.socket(**options):
            pass
    return refusal.value


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "https://ok.example.evil.com",
        "http://ok.example",
        "https://ok.example:8443",
        "https://ok.example/",
        "",
    ],
)
async def test_ws1_a_foreign_page_is_turned_away_before_the_upgrade(origin: str) -> None:
    async with stage(public_url=PUBLIC) as on:
        headers = {"Origin": origin, "Cookie": "unisono=secret"}
        refusal = await refused(on, additional_headers=headers)
        assert refusal.response.status_code == 403
        assert on.people.cookies == []
        await on.until(lambda: on.edge.connection_count == 0)


async def test_ws1_two_origins_are_none_of_ours() -> None:
    async with stage(public_url=PUBLIC) as on:
        headers = [("Origin", PUBLIC), ("Origin", "https://evil.example")]
        assert (await refused(on, additional_headers=headers)).response.status_code == 403


async def test_without_a_public_url_only_a_plain_local_address_is_our_page() -> None:
    async with stage() as on:
        own = f"http://127.0.0.1:{on.port}"
        async with on.socket(origin=Origin(own)):
            pass
        # A name could be rebound to this machine.
        headers = {"Origin": f"http://rebound.example:{on.port}"}
        assert (await refused(on, additional_headers=headers)).response.status_code == 403


async def test_ws2_a_cookie_opens_nothing_without_the_origin_of_our_page() -> None:
    async with stage(public_url=PUBLIC) as on:
        for origin, seen in ((None, None), (Origin(PUBLIC), "unisono=secret")):
            headers = {"Cookie": "unisono=secret"}
            async with on.socket(origin=origin, additional_headers=headers) as client:
                await client.send(Hello(client_id="client-x"))
                assert await client.close_code() == CloseCode.CREDENTIALS
            assert on.people.cookies.pop() == seen


async def test_ws4_a_token_in_the_url_is_refused_and_told_to_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    async with stage() as on:
        reader, writer = await on.wire()
        writer.write(
            b"GET /ws?token=sesame HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"sesame" not in answer
        writer.close()
    assert "sesame" not in caplog.text


async def test_h1_every_answer_to_a_handshake_carries_the_headers() -> None:
    async with stage(public_url=PUBLIC) as on:
        refusal = await refused(on, additional_headers={"Origin": "null"})
        async with on.socket() as client:
            assert client.socket.response is not None
            for headers in (refusal.response.headers, client.socket.response.headers):
                assert headers["X-Content-Type-Options"] == "nosniff"
                assert headers["Referrer-Policy"] == "no-referrer"
                assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
                assert "Strict-Transport-Security" in headers
                assert "Server" not in headers


@pytest.mark.parametrize(
    "head",
    [
        b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /ws HTTP/1.0\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nno colon\r\nUpgrade: websocket\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nLong: " + b"x" * 9_000 + b"\r\nUpgrade: websocket\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
async def test_what_is_no_handshake_gets_an_answer_with_the_headers_and_the_end(
    head: bytes,
) -> None:
    async with stage() as on:
        reader, writer = await on.wire()
        writer.write(head)
        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer.startswith(b"HTTP/1.1 4") or answer.startswith(b"HTTP/1.1 505")
        assert b"nosniff" in answer
        assert b"server:" not in answer.lower()
        writer.close()
        await on.until(lambda: on.edge.connection_count == 0)


async def test_ws13_who_does_not_say_hello_in_time_is_sent_away() -> None:
    async with stage(pace=replace(SLOW, hello_within_ms=500)) as on:
        async with on.socket() as client:
            assert await client.close_code() == CloseCode.NO_HELLO
        async with on.client("Ada") as ada:
            await ada.send(Probe(t0=1))
            assert (await ada.receive(Probed)).t0 == 1


async def test_ws13_strangers_of_one_address_are_bounded_until_they_say_hello() -> None:
    pace = replace(SLOW, heads_per_address=2)
    async with stage(pace=pace, limits_factor=1) as on, on.socket() as first, on.socket():
        reader, writer = await on.wire()
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        writer.close()
        on.people.introduce(person("Ada"))
        first.who = on.people.people["Ada"].person
        await first.hello()
        async with on.socket():
            pass


async def test_who_is_unknown_is_told_and_sent_away() -> None:
    async with stage() as on, on.socket() as client:
        await client.send(Hello(client_id="client-x", token="nobody"))
        assert (await client.receive(Error)).code == "unauthenticated"
        assert await client.close_code() == CloseCode.CREDENTIALS


async def test_an_authenticator_that_fails_ends_the_connection() -> None:
    async with stage() as on:

        async def fail(hello: Hello, cookie: str | None) -> None:
            raise ZeroDivisionError

        on.people.authenticate = fail  # type: ignore[assignment,method-assign]
        async with on.socket() as client:
            await client.send(Hello(client_id="client-x", token="Ada"))
            assert await client.close_code() == CloseCode.INTERNAL_ERROR


async def test_ws19_what_is_pipelined_behind_hello_waits_for_the_welcome_and_keeps_its_order() -> (
    None
):
    async with stage() as on:
        on.people.introduce(person("Ada"))
        on.people.gate.clear()
        async with on.socket() as client:
            await client.send(Hello(client_id="client-Ada", token="Ada"))
            rooms = [ROOM[:-1] + digit for digit in "123"]
            for n, room in enumerate(rooms, 1):
                await client.send(Join(id=n, room=room))
            await on.until(lambda: len(on.people.cookies) == 1)
            await client.socket.ping()
            assert on.home.heard == []
            on.people.gate.set()
            assert isinstance(await client.next(), Welcome)
            joined = [(await client.receive(Joined)).room for _ in rooms]
            assert joined == rooms


async def test_ws19_what_is_pipelined_behind_a_refused_hello_is_never_carried_out() -> None:
    async with stage() as on:
        on.people.gate.clear()
        async with on.socket() as client:
            await client.send(Hello(client_id="client-Ada", token="nobody"))
            await client.send(Join(id=1, room=ROOM))
            await on.until(lambda: len(on.people.cookies) == 1)
            on.people.gate.set()
            assert await client.close_code() == CloseCode.CREDENTIALS
        assert on.home.heard == []


async def test_anything_before_hello_ends_the_connection() -> None:
    async with stage() as on, on.socket() as client:
        await client.send(Join(id=1, room=ROOM))
        assert await client.close_code() == CloseCode.POLICY_VIOLATION
        assert on.home.heard == []


async def test_a_newer_connection_of_the_same_client_takes_over() -> None:
    async with (
        stage() as on,
        on.client("Ada", "client-one") as old,
        on.client("Ada", "client-two") as other,
        on.client("Ada", "client-one") as new,
    ):
        assert await old.close_code() == CloseCode.REPLACED
        for client in (other, new):
            assert (await probed(client)).t0 == 0


async def test_ws15_the_oldest_connection_makes_room_for_one_too_many() -> None:
    async with (
        stage(limits_factor=1, connections_per_user=2) as on,
        on.client("Ada", "client-1") as first,
        on.client("Ada", "client-2") as second,
        on.client("Ada", "client-3"),
    ):
        assert await first.close_code() == CloseCode.REPLACED
        assert (await probed(second)).t0 == 0


async def test_ws15_one_address_has_so_many_sockets_and_places_come_free_again() -> None:
    async with stage(limits_factor=1, connections_per_address=2) as on, on.client("Ada"):
        async with on.client("Ben"):
            reader, writer = await on.wire()
            writer.write(HANDSHAKE)
            assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
            writer.close()
        await on.until(lambda: len(on.edge.sockets) == 1)
        async with on.client("Eve"):
            pass
    # Limits that are off count no addresses, and nobody else's are counted by it.
    async with stage(connections_per_address=1) as on, on.client("Ada"), on.client("Ben"):
        assert on.edge.connection_count == 2


async def test_ws15_a_room_that_is_full_says_so_and_a_place_comes_free_again() -> None:
    async with (
        stage(limits_factor=1, connections_per_room=2) as on,
        on.member("Ada") as ada,
        on.client("Eve") as eve,
    ):
        async with on.member("Ben"):
            # Who is in it already is not kept out of it.
            assert (await ada.join()).room == ROOM
            frame_id = await eve.ask_in()
            refusal = await eve.receive(Reject)
            assert (refusal.id, refusal.code) == (frame_id, "unavailable")
            assert refusal.temporary and refusal.details == {"limit": 2}
            assert refusal.retry_after_ms == 10_000
        await on.until(lambda: on.edge.connection_count == 2)
        await eve.join()


async def test_ws15_who_is_on_the_way_into_a_room_takes_a_place_until_it_is_refused() -> None:
    async with (
        stage(limits_factor=1, connections_per_room=2) as on,
        on.client("Ada") as ada,
        on.client("Ben") as ben,
        on.client("Eve") as eve,
    ):
        on.home.answers_arrivals = False
        # The same one twice is one.
        for client in (ada, ada, ben):
            await client.ask_in()
        await on.home.until(Arrive, lambda arrive: arrive.conn == ben.conn_id)
        await eve.ask_in()
        assert (await eve.receive(Reject)).details == {"limit": 2}
        asked = on.home.all(Arrive)
        on.home.post(*(on.home.reject(arrive, ErrorCode.NOT_MEMBER) for arrive in asked))
        for client in (ada, ada, ben):
            await client.receive(Reject)
        on.home.answers_arrivals = True
        # Twice, by who came in with it and left: no place is kept.
        for frame_id in (100, 101):
            await ben.join()
            await ben.send(Leave(id=frame_id, room=ROOM))
            await ben.receive(Left)
        await eve.join()
        await ada.join()


async def test_ws17_the_end_of_a_login_ends_its_sockets_and_no_others() -> None:
    async with (
        stage() as on,
        on.client("Ada", "client-1") as one,
        on.client("Ada", "client-2") as two,
        on.client("Ben") as ben,
    ):
        login_id = on.people.people["Ada"].login_id
        on.edge.end_login(login_id, None, CloseCode.CREDENTIALS)
        assert await one.close_code() == CloseCode.CREDENTIALS
        assert await two.close_code() == CloseCode.CREDENTIALS
        assert (await probed(ben)).t0 == 0
        ben_id = on.people.people["Ben"].person.user_id
        on.edge.end_login(None, ben_id, CloseCode.ACCOUNT_BLOCKED)
        assert await ben.close_code() == CloseCode.ACCOUNT_BLOCKED


async def probed(client: Client) -> Probed:
    await client.send(Probe(t0=0))
    return await client.receive(Probed)


async def test_a_probe_is_stamped_between_sending_and_hearing() -> None:
    async with stage() as on, on.client("Ada") as ada:
        before = on.clock.now_ms()
        answer = await probed(ada)
        assert before <= answer.t1 <= answer.t2 <= on.clock.now_ms()
