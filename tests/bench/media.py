"""Media: a 4-minute MP3 from upload to playable and to analysed, and what rooms feel of it."""

import asyncio
import io
import time
from statistics import median
from typing import NamedTuple, cast

import aiohttp
import av

from tests.bench.latency import ACK, Delays, chatter
from tests.bench.measure import Server
from tests.bench.swarm import Swarm
from tests.bench.unisono import guests, new_rooms, opening, unisono
from tests.web.music import CHUNK, RATE_HZ, noisy_music

SECONDS = 240
ROOMS = 10
PAIRS = 3
"""Talks of a run, alone and beside an analysis: a standstill of the machine is the p99 of one."""
PIECES_EACH = 2
PLAYABLE_BAR_S, ANALYSED_BAR_S, ACK_BAR = 5.0, 12.0, 2.0


class Run(NamedTuple):
    """Seconds from the first byte sent, alone on the server; delays of acks without and with."""

    playable_s: float
    analysed_s: float
    alone: list[Delays]
    beside: list[Delays]


def mp3(seed: int) -> bytes:
    """Four minutes of music; no two seeds are alike."""
    samples = noisy_music(SECONDS, seed)
    out = io.BytesIO()
    with av.open(out, "w", format="mp3") as file:
        stream = cast(av.AudioStream, file.add_stream("libmp3lame", rate=RATE_HZ))
        stream.layout, stream.bit_rate = "stereo", 192_000
        resampler = av.AudioResampler(
            format=stream.format, layout="stereo", rate=RATE_HZ, frame_size=1_152
        )
        for first in range(0, len(samples), CHUNK):
            frame = av.AudioFrame.from_ndarray(samples[None, first : first + CHUNK], "fltp", "mono")
            frame.sample_rate, frame.pts = RATE_HZ, first
            for part in resampler.resample(frame):
                file.mux(stream.encode(part))
        for part in resampler.resample(None):
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return out.getvalue()


class Uploader:
    """An account that uploads."""

    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self._client = client
        self._url = url
        self._headers: dict[str, str] = {}

    async def register(self) -> None:
        body = {"username": "ann", "email": "ann@example.org", "password": "correct horse"}
        async with self._client.post(f"{self._url}/auth/register", json=body) as answer:
            self._headers = {"Authorization": f"Bearer {(await answer.json())['access_token']}"}

    async def upload(self, data: bytes) -> str:
        """Returns the id of the job, once the track can be played."""
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(data), filename="piece.mp3")
        async with self._client.post(
            f"{self._url}/tracks/uploads", data=form, headers=self._headers
        ) as answer:
            assert answer.status == 201, await answer.text()
            return str((await answer.json())["job_id"])

    async def state(self, job_id: str) -> str:
        async with self._client.get(f"{self._url}/jobs/{job_id}", headers=self._headers) as answer:
            return str((await answer.json())["state"])

    async def ended(self, job_id: str) -> None:
        while (state := await self.state(job_id)) in ("waiting", "running"):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        assert state == "done", state


async def senders(running: Server) -> tuple[list[Swarm], list[str]]:
    """One person in each of so many rooms."""
    tokens = await guests(running.port, ROOMS)
    room_ids = await new_rooms(running.port, tokens)
    found = []
    for token, room_id in zip(tokens, room_ids, strict=True):
        sender = Swarm(mark=ACK)
        await sender.connect(running.port, 1, "/ws", lambda _, t=token, r=room_id: opening(t, r))
        found.append(sender)
    return found, room_ids


async def run(pieces: list[bytes]) -> Run:
    """One server: first a piece alone, then rooms alone and beside an analysis, in turn."""
    async with unisono() as running, aiohttp.ClientSession() as client:
        ann = Uploader(client, f"http://127.0.0.1:{running.port}/api")
        await ann.register()
        begun = time.monotonic()
        job_id = await ann.upload(pieces[0])
        playable_s = time.monotonic() - begun
        await ann.ended(job_id)
        measured = Run(playable_s, time.monotonic() - begun, [], [])
        found, room_ids = await senders(running)

        talk = chatter(found, room_ids)
        # The first minute of a database is not like the others.
        await talk()
        for first in range(1, len(pieces), PIECES_EACH):
            measured.alone.append(await talk())
            new = pieces[first : first + PIECES_EACH]
            job_ids = [await ann.upload(piece) for piece in new]
            measured.beside.append(await talk())
            # Otherwise the delays were not those beside an analysis.
            assert await ann.state(job_ids[-1]) != "done"
            for job_id in job_ids:
                await ann.ended(job_id)
        return measured


async def bench(rounds: int) -> list[str]:
    """Lines of a Markdown table with medians."""
    pieces = [await asyncio.to_thread(mp3, seed) for seed in range(1 + PAIRS * PIECES_EACH)]
    runs = []
    for _ in range(rounds):
        runs.append(await run(pieces))
        print(runs[-1], flush=True)
    playable_s = median(run.playable_s for run in runs)
    analysed_s = median(run.analysed_s for run in runs)
    alone = median(delays.p99_ms for run in runs for delays in run.alone)
    beside = median(delays.p99_ms for run in runs for delays in run.beside)
    return [
        "| a 4-minute MP3 | measured | bar |",
        "|---|---|---|",
        f"| upload until it can be played | {playable_s:.1f} s | {PLAYABLE_BAR_S:.0f} s |",
        f"| upload until all is analysed | {analysed_s:.1f} s | {ANALYSED_BAR_S:.0f} s |",
        f"| p99 of acks beside an analysis ({alone:.1f} ms without) | {beside:.1f} ms, "
        f"{beside / alone:.2f} × | {ACK_BAR:.0f} × |",
    ]
