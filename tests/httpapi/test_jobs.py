"""Jobs: who sees one, how it is retried, and that it survives whoever does it."""

import asyncio
import contextlib
import io
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import aiohttp
import psutil
import pytest

from httpapi.runner import ATTEMPTS_MAX, Finish, Job, JobFailed, Runner, Tell
from httpapi.services import Services
from sql.pool import Connection, Database
from tests.cluster.server import Served
from tests.httpapi.conftest import OpenSite
from tests.httpapi.media.sounds import sound
from tests.httpapi.site import Answer, Guest, Site

TONE = sound("flac", "flac", samples=48_000)
LONG = sound("flac", "flac", samples=40 * 48_000)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(50):
        while not await holds():
            pass


async def ended(site: Site, who: Guest, job_id: str) -> Answer:
    """The job once it has ended."""
    while True:
        answer = await site.ask("GET", f"/api/jobs/{job_id}", who=who)
        assert answer.status == 200, answer
        if answer.body["state"] in ("done", "failed"):
            return answer


class Bench:
    """Puts a job of no track before runners that do what the test says."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.done = 0

    async def add(self, who: Guest) -> str:
        job_id = str(uuid4())
        await self.site.execute(
            "insert into jobs (job_id, kind, user_id) values ($1, 'analysis', $2)",
            job_id,
            who.user_id,
        )
        return job_id

    def runner(self, work: Callable[[Job, Tell], Awaitable[None]]) -> "asyncio.Task[None]":
        async def working(services: Services, job: Job, tell: Tell) -> Finish:
            await work(job, tell)
            return self._finish

        services = self.site.services
        return services.tasks.spawn("runner", Runner(services, {"analysis": working}).run())

    async def _finish(self, connection: Connection) -> None:
        self.done += 1

    async def state(self, job_id: str) -> str:
        return str(await self.site.scalar("select state from jobs where job_id = $1", job_id))

    async def hurry(self) -> None:
        """As if the wait, or a lease, were over."""
        await self.site.execute("update jobs set due_at = now()")
        self.site.services.job_added.set()


async def test_an_upload_is_playable_at_once_and_its_job_gets_done(open_site: OpenSite) -> None:
    async with open_site(media_workers=1) as site:
        who, other = await site.account(), await site.guest()
        made = await site.upload(who, TONE)
        assert made.status == 201
        track = f"/api/tracks/{made.body['track_id']}"
        assert (await site.ask("GET", f"{track}/audio", who=who)).data == TONE
        job = (await ended(site, who, made.body["job_id"])).body
        assert (job["state"], job["progress"], job["error"]) == ("done", 1, None)
        assert (job["kind"], job["track_id"]) == ("analysis", made.body["track_id"])
        assert job["ended_at"] >= job["created_at"]
        path = f"/api/jobs/{made.body['job_id']}"
        assert (await site.ask("GET", path, who=other)).status == 404
        assert (await site.ask("GET", path)).status == 401
        assert (await site.ask("GET", f"/api/jobs/{uuid4()}", who=who)).status == 404
        assert (await site.ask("GET", "/api/jobs/nonsense", who=who)).status == 404


async def test_a_file_that_vanished_ends_its_job_with_a_reason(
    open_site: OpenSite, tmp_path: Path
) -> None:
    async with open_site(media_workers=0) as site:
        who = await site.account()
        made = await site.upload(who, TONE)
        for path in (tmp_path / "media").rglob("*"):
            if path.is_file():
                path.unlink()
    async with open_site(media_workers=1) as site:
        job = (await ended(site, who, made.body["job_id"])).body
        assert job["state"] == "failed"
        assert job["error"]
        answer = await site.ask("GET", f"/api/tracks/{made.body['track_id']}/segments/0", who=who)
        assert (answer.status, answer.code) == (404, "not_found")


async def test_a_job_whose_process_is_killed_is_tried_again(open_site: OpenSite) -> None:
    async with open_site(media_workers=1) as site:
        who = await site.account()
        job_id = (await site.upload(who, LONG)).body["job_id"]
        (await analysing()).kill()
        bench = Bench(site)
        await until(lambda: is_state(bench, job_id, "waiting"))
        assert await site.scalar("select attempt from jobs") == 1
        assert await site.scalar("select due_at > now() from jobs")
        await bench.hurry()
        await gone(await analysing())
        assert (await ended(site, who, job_id)).body["state"] == "done"


async def is_state(bench: Bench, job_id: str, state: str) -> bool:
    return await bench.state(job_id) == state


async def analysing() -> psutil.Process:
    """The process that analyses, once it is at it."""
    while (found := await asyncio.to_thread(_analysing)) is None:
        pass
    return found


def _analysing() -> psutil.Process | None:
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "httpapi.media.analysis" in child.cmdline() and child.nice() > 0:
                return child
    return None


async def gone(process: psutil.Process) -> None:
    """Until it has ended. Not waited for: how a child of ours ended is asyncio's to hear."""
    with contextlib.suppress(ProcessLookupError):
        end = os.pidfd_open(process.pid)
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(end, ended.set)
        try:
            async with asyncio.timeout(50):
                await ended.wait()
        finally:
            loop.remove_reader(end)
            os.close(end)


async def test_a_job_survives_kill_9_of_the_server(database_url: str, tmp_path: Path) -> None:
    server = Served(tmp_path / "data", database_url=database_url)
    await server.start()
    database = await Database.open(database_url, max_size=2)
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            token = await registered(client, server.url)
            form = aiohttp.FormData()
            form.add_field("file", io.BytesIO(LONG), filename="long.flac")
            async with client.post(
                f"{server.url}/api/tracks/uploads", data=form, headers=token
            ) as answer:
                assert answer.status == 201, await answer.text()
                made = await answer.json()
            child = await analysing()
            await server.kill()
            # The kernel takes the child along.
            await gone(child)
            async with database.acquire() as connection:
                assert await connection.fetchval("select state from jobs") == "running"
                # As if the lease were over.
                await connection.execute("update jobs set due_at = now()")
            await server.start()
            await gone(await analysing())

            async def is_done() -> bool:
                path = f"{server.url}/api/jobs/{made['job_id']}"
                async with client.get(path, headers=token) as answer:
                    return (await answer.json())["state"] == "done"

            await until(is_done)
            path = f"{server.url}/api/tracks/{made['track_id']}/segments/3"
            async with client.get(path, headers=token) as answer:
                assert answer.status == 200
    finally:
        await database.close()
        await server.stop()


async def registered(client: aiohttp.ClientSession, url: str) -> dict[str, str]:
    body = {"username": "ann", "email": "ann@example.org", "password": "correct horse"}
    async with client.post(f"{url}/api/auth/register", json=body) as answer:
        return {"Authorization": f"Bearer {(await answer.json())['access_token']}"}


async def test_f17_a_job_that_was_added_before_the_clock_was_set_back_does_not_wait(
    site: Site,
) -> None:
    bench, who = Bench(site), await site.account()

    async def work(job: Job, tell: Tell) -> None:
        tell(1)

    job_id = await bench.add(who)
    await site.execute("update jobs set due_at = now() + interval '2 hours'")
    runner = bench.runner(work)
    await until(lambda: is_state(bench, job_id, "done"))
    runner.cancel()


async def test_what_always_fails_is_given_up_with_a_reason(site: Site) -> None:
    bench, who, attempts = Bench(site), await site.account(), 0

    async def work(job: Job, tell: Tell) -> None:
        nonlocal attempts
        attempts += 1
        assert job.attempt == attempts
        raise OSError("no such luck")

    job_id = await bench.add(who)
    runner = bench.runner(work)
    waits = []
    while await bench.state(job_id) != "failed":
        if attempts > len(waits) and await bench.state(job_id) == "waiting":
            wait = "select round(extract(epoch from due_at - now())) from jobs"
            waits.append(int(await site.scalar(wait)))
            await bench.hurry()
    assert attempts == ATTEMPTS_MAX
    assert waits == pytest.approx([5, 30, 180, 1_080], abs=2)
    job = (await site.ask("GET", f"/api/jobs/{job_id}", who=who)).body
    assert "OSError" in job["error"]
    assert bench.done == 0
    runner.cancel()


async def test_what_cannot_succeed_fails_at_once(site: Site) -> None:
    async def work(job: Job, tell: Tell) -> None:
        raise JobFailed("It is no use.")

    bench, who = Bench(site), await site.account()
    job_id = await bench.add(who)
    runner = bench.runner(work)
    job = (await ended(site, who, job_id)).body
    assert (job["state"], job["error"]) == ("failed", "It is no use.")
    runner.cancel()


async def test_a_job_that_kills_every_server_is_given_up(site: Site) -> None:
    async def work(job: Job, tell: Tell) -> None:
        raise AssertionError("it must not be tried any more")

    bench, who = Bench(site), await site.account()
    job_id = await bench.add(who)
    await site.execute(
        "update jobs set state = 'running', attempt = $1, claim_id = $2", ATTEMPTS_MAX, job_id
    )
    runner = bench.runner(work)
    assert "several times" in (await ended(site, who, job_id)).body["error"]
    runner.cancel()


async def test_progress_is_told_while_it_runs_and_never_goes_back(site: Site) -> None:
    go = asyncio.Event()

    async def work(job: Job, tell: Tell) -> None:
        tell(0.5 if job.attempt == 1 else 0.1)
        await go.wait()

    bench, who = Bench(site), await site.account()
    job_id = await bench.add(who)
    runner = bench.runner(work)

    async def is_half() -> bool:
        job = (await site.ask("GET", f"/api/jobs/{job_id}", who=who)).body
        return (job["state"], job["progress"]) == ("running", 0.5)

    await until(is_half)
    assert await site.scalar("select due_at > now() + interval '20 seconds' from jobs")
    runner.cancel()
    await asyncio.wait((runner,))
    runner = bench.runner(work)
    await until(is_half)
    go.set()
    assert (await ended(site, who, job_id)).body["progress"] == 1
    runner.cancel()


async def test_a_server_that_stops_gives_its_job_back_and_that_was_no_attempt(site: Site) -> None:
    begun = asyncio.Event()

    async def work(job: Job, tell: Tell) -> None:
        begun.set()
        await asyncio.Event().wait()

    bench = Bench(site)
    job_id = await bench.add(await site.account())
    runner = bench.runner(work)
    await begun.wait()
    runner.cancel()
    await asyncio.wait((runner,))
    assert await bench.state(job_id) == "waiting"
    assert await site.scalar("select attempt from jobs") == 0
    assert await site.scalar("select due_at <= now() from jobs")


async def test_who_has_lost_a_job_stops_and_writes_nothing(site: Site) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def work(job: Job, tell: Tell) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    bench, who = Bench(site), await site.account()
    job_id = await bench.add(who)
    runner = bench.runner(work)
    await begun.wait()
    await site.execute("update jobs set claim_id = $1", str(uuid4()))
    await stopped.wait()
    assert bench.done == 0
    assert await bench.state(job_id) == "running"
    runner.cancel()


async def test_who_lost_a_job_just_before_its_end_writes_nothing(site: Site) -> None:
    bench, who = Bench(site), await site.account()
    worked = asyncio.Event()

    async def work(job: Job, tell: Tell) -> None:
        await site.execute("update jobs set claim_id = $1", str(uuid4()))
        worked.set()

    job_id = await bench.add(who)
    runner = bench.runner(work)
    await worked.wait()
    second = await bench.add(who)
    # The runner has gone on to the next one.
    await until(lambda: is_state(bench, second, "running"))
    assert bench.done == 0
    assert await bench.state(job_id) == "running"
    runner.cancel()


async def test_two_runners_never_have_the_same_job(site: Site) -> None:
    bench, who = Bench(site), await site.account()
    seen: list[str] = []

    async def work(job: Job, tell: Tell) -> None:
        seen.append(job.job_id)
        await asyncio.sleep(0)

    wished = {await bench.add(who) for _ in range(40)}
    runners = [bench.runner(work) for _ in range(4)]

    async def all_done() -> bool:
        return bool(await site.scalar("select count(*) = 40 from jobs where state = 'done'"))

    await until(all_done)
    assert len(seen) == 40
    assert set(seen) == wished
    assert bench.done == 40
    for runner in runners:
        runner.cancel()
