"""A room's life: people come and go, it rests, wakes, is unloaded and loaded again."""

import asyncio
from itertools import pairwise
from uuid import uuid4

from protocol.chat import ChatSend
from protocol.cluster import Admitted, Ended, Published, Told
from protocol.codec import decode_server_frame
from protocol.errors import ErrorCode
from protocol.fold import fold
from protocol.frames import Ack, Have, Presence, Reject, SignalDown
from protocol.members import MemberAdd
from protocol.playback import PlaybackEnded, PlaybackStarted, PlaybackWaiting
from protocol.presence import Ready, Typing
from protocol.queue import QueueAdd
from protocol.rooms import RoomClose, RoomResumed, RoomSettings, RoomSuspended
from roomserver.runtime.metrics import REGISTRY
from sql.pool import Database
from tests.home.stage import (
    Stage,
    make_room,
    make_track,
    person,
    stage,
    state_of,
    was_resumed,
)

ADA, BEN, BOT = person("Ada"), person("Ben"), person("Bot", "bot")


def presence(message: Told) -> Presence | None:
    frame = decode_server_frame(message.frame)
    return frame if isinstance(frame, Presence) else None


async def told_gone(on: Stage, user_id: str) -> Presence:
    def fits(message: Told) -> bool:
        frame = presence(message)
        return frame is not None and user_id in frame.gone

    frame = presence(await on.edge.until(Told, fits))
    assert frame is not None
    return frame


async def shown(on: Stage, room: str, kind: type) -> int:
    """Until an event of a kind was shown: its seq."""
    await on.edge.until(
        Published,
        lambda m: m.room == room and any(isinstance(e, kind) for _, e in on.edge.shown(room)),
    )
    return next(seq for seq, event in on.edge.shown(room) if isinstance(event, kind))


async def start_music(on: Stage, room: str, tracks: int = 1, duration_ms: int = 60_000) -> None:
    for _ in range(tracks):
        track = await make_track(on.database, duration_ms)
        answer = await on.edge.ask(room, ADA, QueueAdd(track_id=track))
        assert isinstance(answer, Ack)
    for _, event in on.edge.shown(room):
        if isinstance(event, PlaybackWaiting):
            on.edge.signal(room, ADA, Ready(entry_id=event.entry_id))
    await shown(on, room, PlaybackStarted)


async def test_a_lost_connection_has_grace_and_an_explicit_leave_has_none(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url, grace_ms=1_000_000) as on:
        await on.edge.join(room, ADA)
        await on.edge.join(room, BEN)
        on.edge.depart(room, "conn-Ben")
        # Back in time: nobody was told anything.
        again = await on.edge.join(room, BEN, "conn-Ben-2")
        frame = decode_server_frame(again.presence)
        assert isinstance(frame, Presence)
        assert frame.count == 2
        assert {p.display_name for p in frame.present} == {"Ada", "Ben"}
        on.edge.depart(room, "conn-Ben-2", explicit=True)
        assert (await told_gone(on, BEN.user_id)).count == 1
        gone = [m for m in on.edge.heard if isinstance(m, Told) and presence(m)]
        assert sum(BEN.user_id in frame.gone for m in gone if (frame := presence(m))) == 1


async def test_when_the_grace_is_over_the_person_is_gone(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url, grace_ms=20) as on:
        await on.edge.join(room, ADA)
        await on.edge.join(room, BEN)
        on.edge.depart(room, "conn-Ben")
        await told_gone(on, BEN.user_id)


async def test_a_person_with_two_connections_is_here_until_both_are_gone(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url, grace_ms=0) as on:
        await on.edge.join(room, ADA)
        await on.edge.join(room, BEN, "one")
        await on.edge.join(room, BEN, "two")
        on.edge.depart(room, "one", explicit=True)
        on.edge.signal(room, ADA, Typing())
        await on.edge.until(Told, lambda m: m.except_conn == "conn-Ada")
        assert not [
            f for m in on.edge.heard if isinstance(m, Told) and (f := presence(m)) and f.gone
        ]
        on.edge.depart(room, "two", explicit=True)
        await told_gone(on, BEN.user_id)


async def test_a_signal_goes_to_the_others_and_ready_stays_at_home(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        await on.edge.join(room, ADA)
        on.edge.signal(room, BEN, Typing())
        on.edge.signal(room, ADA, Ready(entry_id=str(uuid4())))
        on.edge.signal(room, ADA, Typing())
        told = await on.edge.until(Told, lambda m: m.except_conn is not None)
        assert told.except_conn == "conn-Ada"
        assert decode_server_frame(told.frame) == SignalDown(
            room=room, from_=ADA.user_id, signal=Typing()
        )


async def test_a_room_rests_at_its_position_when_nobody_is_left_and_goes_on_with_the_first(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url, grace_ms=0, vacant_ms=30, linger_ms=1e9) as on:
        await on.edge.join(room, ADA)
        await on.edge.join(room, BOT)
        await start_music(on, room)
        on.edge.depart(room, "conn-Ada", explicit=True)
        # The bot hears it, but does not keep the room awake.
        seq = await shown(on, room, RoomSuspended)
        rested = next(e for _, e in on.edge.shown(room) if isinstance(e, RoomSuspended))
        copy = state_of(await on.edge.join(room, BEN))
        assert not copy.suspended
        assert copy.playback.position_ms == rested.position_ms
        assert [type(e) for s, e in on.edge.shown(room) if s > seq] == [
            RoomResumed,
            PlaybackStarted,
            *[type(e) for s, e in on.edge.shown(room) if s > seq + 2],
        ]


async def test_a_resting_room_is_unloaded_and_comes_back_as_it_was(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url, grace_ms=0, vacant_ms=0, linger_ms=0) as on:
        await on.edge.join(room, ADA)
        await start_music(on, room, tracks=2)
        before = await on.edge.say(room, ADA, "bye")
        on.edge.depart(room, "conn-Ada", explicit=True)
        await _until_unloaded(on)
        async with database.acquire() as connection:
            stored = await connection.fetchval(
                "select max(seq) from room_snapshots where room_id = $1", room
            )
        assert stored > before.seq
        admitted = await on.edge.join(room, BEN, have=None)
        copy = state_of(admitted)
        assert [m.content for m in copy.chat] == ["bye"]
        assert admitted.fence == 2
        assert copy.playback.entry is not None


async def _until_unloaded(on: Stage) -> None:
    async with asyncio.timeout(10):
        async with on.database.acquire() as connection:
            while on.home.room_count:
                await connection.fetchval("select 1")


async def test_after_downtime_no_plays_are_invented(database: Database, database_url: str) -> None:
    room, node = await make_room(database, ADA), str(uuid4())
    async with stage(database, database_url, node_id=node) as on:
        await on.edge.join(room, ADA)
        await start_music(on, room, tracks=3)
    async with database.acquire() as connection:
        # The server was away for an hour.
        await connection.execute(
            "update nodes set beaten_at = beaten_at - interval '1 hour';"
            "update cluster_clock set step_ms = 3600000"
        )
        ended = "select count(*) from room_events where public->>'type' = 'playback.ended'"
        before = await connection.fetchval(ended)
        async with stage(database, database_url, node_id=node, vacant_ms=1) as on:
            copy = state_of(await on.edge.join(room, ADA))
            assert not copy.suspended
            kinds = [
                row[0]
                for row in await connection.fetch(
                    "select public->>'type' from room_events where room_id = $1 order by seq", room
                )
            ]
            assert kinds[kinds.index("room.suspended") + 1] == "room.resumed"
            assert await connection.fetchval(ended) == before


async def test_a_room_that_is_always_on_catches_up_and_wakes_with_nobody_asking(
    database: Database, database_url: str
) -> None:
    settings = RoomSettings(always_on=True, repeat="all")
    room, node = await make_room(database, ADA, settings=settings), str(uuid4())
    async with stage(database, database_url, node_id=node) as on:
        await on.edge.join(room, ADA)
        await start_music(on, room, tracks=2, duration_ms=1_000)
        await shown(on, room, PlaybackEnded)
    async with stage(database, database_url, node_id=node) as on:
        # Nobody joins; the room is loaded because it must wake.
        count = "select count(*) from room_events where public->>'type' = 'playback.ended'"
        async with database.acquire() as connection:
            before = await connection.fetchval(count)
            while await connection.fetchval(count) < before + 2:
                pass
            starts = [
                (row[0], row[1])
                for row in await connection.fetch(
                    "select (public->>'started_at_ms')::float8, seq from room_events"
                    " where public->>'type' = 'playback.started' order by seq"
                )
            ]
        gaps = {round(b[0] - a[0], 6) for a, b in pairwise(starts[1:])}
        assert gaps == {1_000.0}, "each start where the one before it ended, restart or not"


async def test_a_start_waits_for_ninety_percent_and_names_who_is_missing(
    database: Database, database_url: str
) -> None:
    people = [person(f"P{n}") for n in range(20)]
    room, track = await make_room(database, people[0]), await make_track(database)
    async with stage(database, database_url) as on:
        for who in people:
            await on.edge.join(room, who)
        await on.edge.ask(room, people[0], QueueAdd(track_id=track))
        await shown(on, room, PlaybackWaiting)
        waiting = next(e for _, e in on.edge.shown(room) if isinstance(e, PlaybackWaiting))
        for who in people[:17]:
            on.edge.signal(room, who, Ready(entry_id=waiting.entry_id))
        await on.edge.say(room, people[0], "17 of 20 are not enough")
        assert not [e for _, e in on.edge.shown(room) if isinstance(e, PlaybackStarted)]
        on.edge.signal(room, people[17], Ready(entry_id=waiting.entry_id))
        await shown(on, room, PlaybackStarted)
        started = next(e for _, e in on.edge.shown(room) if isinstance(e, PlaybackStarted))
        assert started.missing == sorted(who.user_id for who in people[18:])


async def test_coming_back_gives_exactly_what_was_missed(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(
        database, database_url, ring_events=8, fresh_ms=0, snapshot_events=5, gap_events=20
    ) as on:
        await on.edge.join(room, ADA)
        first = await on.edge.join(room, BEN)
        copies = [state_of(first)]
        for n in range(30):
            await on.edge.say(room, ADA, f"{n}")
        newest = await on.edge.join(room, BEN, "newest")
        whole = state_of(newest)
        assert not was_resumed(newest)
        # Within the ring, from the log, and too far behind.
        for behind, resumes in ((3, True), (15, True), (28, False)):
            copy = state_of(first) if not copies else copies.pop()
            have = Have(lineage=whole.lineage, seq=whole.seq - behind)
            for _, event in on.edge.shown(room)[copy.seq : have.seq]:
                fold(copy, event)
            back = await on.edge.join(room, BEN, f"back-{behind}", have=have)
            assert was_resumed(back) == resumes, behind
            assert state_of(back, copy) == whole
        other = Have(lineage=str(uuid4()), seq=3)
        assert not was_resumed(await on.edge.join(room, BEN, "other", have=other))
        ahead = Have(lineage=whole.lineage, seq=whole.seq + 1)
        assert not was_resumed(await on.edge.join(room, BEN, "ahead", have=ahead))


async def test_at_most_two_snapshots_are_kept_and_the_newest_with_the_log_gives_the_room(
    database: Database, database_url: str
) -> None:
    room, node = await make_room(database, ADA), str(uuid4())
    async with stage(database, database_url, node_id=node, snapshot_events=5) as on:
        await on.edge.join(room, ADA)
        for n in range(33):
            await on.edge.say(room, ADA, f"{n}")
        whole = state_of(await on.edge.join(room, BEN))
    async with database.acquire() as connection:
        kept = "select count(*) from room_snapshots where room_id = $1"
        assert await connection.fetchval(kept, room) <= 2
        await connection.execute(
            "delete from room_snapshots s where room_id = $1 and seq ="
            " (select max(seq) from room_snapshots where room_id = $1)",
            room,
        )
    async with stage(database, database_url, node_id=node) as on:
        assert state_of(await on.edge.join(room, BEN)) == whole


async def test_who_may_come_in(database: Database, database_url: str) -> None:
    private = await make_room(database, ADA, visibility="private")
    locked = await make_room(database, ADA, password_hash="argon2")
    async with stage(database, database_url) as on:

        async def refusal(room: str) -> ErrorCode:
            answer = await on.edge.arrive(room, BEN, f"try-{uuid4()}")
            assert isinstance(answer, Reject)
            return answer.code

        assert await refusal(str(uuid4())) is ErrorCode.ROOM_NOT_FOUND
        assert await refusal(private) is ErrorCode.ROOM_NOT_FOUND
        assert await refusal(locked) is ErrorCode.ROOM_PASSWORD
        assert isinstance(await on.edge.arrive(private, ADA), Admitted)
        # Only a sidecar may give a place.
        given = await on.edge.ask(private, BEN, MemberAdd(person=BEN))
        assert isinstance(given, Reject)
        assert isinstance(await on.sidecar.ask(private, BEN, MemberAdd(person=BEN)), Ack)
        assert isinstance(await on.edge.arrive(private, BEN), Admitted)
        assert isinstance(await on.edge.ask(private, ADA, RoomClose()), Ack)
        ended = await on.edge.until(Ended)
        assert (ended.room, ended.user_id, ended.reason) == (private, None, "closed")
        assert await refusal(private) is ErrorCode.ROOM_CLOSED


async def test_a_full_mailbox_refuses_and_the_room_goes_on(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url, mailbox=10) as on:
        await on.edge.join(room, ADA)
        ids = [on.edge.send(room, ADA, ChatSend(content="x")) for _ in range(50)]
        answers = [await on.edge.answer(room, frame_id) for frame_id in ids]
        refused = [answer for answer in answers if isinstance(answer, Reject)]
        assert len(refused) == 40
        assert {answer.code for answer in refused} == {ErrorCode.UNAVAILABLE}
        assert isinstance(await on.edge.ask(room, ADA, ChatSend(content="y")), Ack)


def from_the_log() -> float | None:
    """How many were brought up to date by asking the log."""
    return REGISTRY.get_sample_value("unisono_resumes_total", {"source": "log"})


async def test_after_a_restart_who_missed_little_is_brought_up_to_date_without_the_log(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    node_id = str(uuid4())
    async with stage(database, database_url, node_id=node_id) as on:
        before = state_of(await on.edge.join(room, ADA))
        for number in range(5):
            await on.edge.say(room, ADA, f"message {number}")
    # The snapshot was stored at the end: what was missed lies before it.
    before_asked = from_the_log()
    async with stage(database, database_url, node_id=node_id) as on:
        have = Have(lineage=before.lineage, seq=before.seq)
        back = await on.edge.join(room, ADA, have=have)
        assert was_resumed(back)
        assert state_of(back, before).seq == have.seq + 5
    assert from_the_log() == before_asked
