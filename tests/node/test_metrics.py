"""The whole server as its operator reads it: figures on a port of their own, lines that say whom
they are about, and in neither anything that is nobody's business."""

import asyncio
import json
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from protocol.bot import connect
from tests.canary import secrets_in
from tests.cluster.rest import new_room, post, register
from tests.node.test_command_line import START, WAIT_S, environment, get, served

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")


async def figures(port: int) -> dict[str, float]:
    """Each sample as `name{label="value"}` without the part that all names share."""
    answer = await get(f"http://127.0.0.1:{port}", "/metrics")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 200 " in head.split(b"\r\n")[0] and b"text/plain" in head
    told = {}
    for family in text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
            told[f"{sample.name.removeprefix('unisono_')}{{{labels}}}"] = sample.value
    return told


async def test_h2_figures_and_log_lines_tell_what_happened_and_no_secret(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    settings = {"UNISONO_METRICS_PORT": str(unused_tcp_port), "UNISONO_LOG_LEVEL": "debug"}
    async with served(tmp_path, settings) as (server, address):
        token = await register(address, "ann")
        room_id = await new_room(address, token, "canary room")
        async with connect(address, token) as ann:
            room = await ann.join(room_id)
            await room.chat("canary words")
            told = await figures(unused_tcp_port)
            assert told["sockets{}"] == told["users{}"] == told["members_present{}"] == 1
            assert told["rooms{}"] == told["edge_rooms{}"] == 1
        await post(address, f"/rooms/{room_id}/messages", {"content": "more canary words"}, token)
        assert b" 404 " in await get(address, "/metrics")
        assert b" 404 " in await get(address, f"/nothing/{token}")
        told = await figures(unused_tcp_port)
        assert server.stderr is not None
        server.terminate()
        lines = [json.loads(line) for line in (await server.stderr.read()).splitlines()]
    assert told["ack_seconds_count{answer=ack}"] >= 1
    assert told["flush_bytes_count{}"] >= 1 and told["sweep_seconds_count{}"] >= 1
    assert told["batches_total{outcome=committed}"] >= 2 <= told["commit_seconds_count{}"]
    assert told["gate_batches{}"] == told["mailbox_letters{}"] == 0
    assert told["beat_age_seconds{}"] < 5 and told["loop_lag_seconds_count{}"] > 0
    assert told["jobs{state=waiting}"] == 0
    message = "http_requests_total{method=POST,route=/api/rooms/{room_id}/messages,status=201}"
    assert told[message] == 1
    assert told["http_requests_total{method=none,route=none,status=404}"] == 2
    text = "\n".join(told)
    assert not UUID.search(text) and "canary" not in text and "ann" not in text.split(",")

    [line] = [one for one in lines if one.get("route") == "/api/rooms/{room_id}/messages"]
    assert line["room_id"] == room_id and line["user_id"] and line["request_id"]
    assert line["status"] == "201" and line["took_ms"] > 0
    log = json.dumps(lines)
    assert secrets_in(log) == [] and "canary" not in log
    assert token not in log and token not in text


async def test_a_port_that_is_taken_is_named_by_its_setting(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", unused_tcp_port)
    try:
        settings = {"UNISONO_METRICS_PORT": str(unused_tcp_port)}
        process = await asyncio.create_subprocess_exec(
            *START,
            *("serve", "--port", "0", "--data-dir", str(tmp_path)),
            env=environment() | settings,
            stderr=asyncio.subprocess.PIPE,
        )
        _, told = await asyncio.wait_for(process.communicate(), WAIT_S)
        assert process.returncode == 1 and b"UNISONO_METRICS_PORT" in told
        assert not (tmp_path / "postgres").exists()
    finally:
        server.close()
        await server.wait_closed()
