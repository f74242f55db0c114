"""Reactions are counted together, and each is answered exactly once."""

from protocol.chat import ChatSend
from protocol.cluster import Answer, Published
from protocol.errors import ErrorCode
from protocol.frames import Ack, Reject
from protocol.moderation import MemberMute
from protocol.playback import PlaybackEnded, PlaybackNext
from protocol.presence import Ready
from protocol.queue import QueueAdd
from protocol.reactions import ReactionsCounted, ReactionSend
from sql.pool import Database, connect
from tests.home.stage import Stage, make_room, make_track, person, stage

ADA, BEN, CAT = person("Ada"), person("Ben"), person("Cat")
KILL = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
    " where application_name = 'committer' and wait_event_type = 'Lock'"
)
FIRE, CLAP = ReactionSend(emoji="🔥"), ReactionSend(emoji="👏")


async def playing(on: Stage, room: str, tracks: int = 1) -> str:
    """People are here and music is on; returns the current entry."""
    for who in (ADA, BEN, CAT):
        await on.edge.join(room, who)
    for _ in range(tracks):
        track = await make_track(on.database)
        assert isinstance(await on.edge.ask(room, ADA, QueueAdd(track_id=track)), Ack)
    waiting = await event(on, room, "playback.waiting")
    for who in (ADA, BEN, CAT):
        on.edge.signal(room, who, Ready(entry_id=waiting.entry_id))  # type: ignore[attr-defined]
    started = await event(on, room, "playback.started")
    return started.entry_id  # type: ignore[attr-defined,no-any-return]


async def event(on: Stage, room: str, kind: str, nth: int = 0) -> object:
    """The nth event of a kind, shown or still to come."""

    def found() -> list[object]:
        return [e for _, e in on.edge.shown(room) if e.__struct_config__.tag == kind]

    await on.edge.until(Published, lambda message: len(found()) > nth)
    return found()[nth]


def counted(on: Stage, room: str) -> list[ReactionsCounted]:
    return [e for _, e in on.edge.shown(room) if isinstance(e, ReactionsCounted)]


async def test_what_comes_in_a_second_is_one_event_and_everybody_has_its_ack(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url, reactions_ms=100) as on:
        entry_id = await playing(on, room)
        sent = [
            (who, command, on.edge.send(room, who, command))
            for who, command in ((ADA, FIRE), (BEN, FIRE), (CAT, CLAP), (ADA, FIRE))
        ]
        acks = [await on.edge.answer(room, frame_id) for _, _, frame_id in sent]
        (only,) = counted(on, room)
        assert only.counts == {"🔥": 3, "👏": 1}
        assert (only.entry_id, only.second) == (entry_id, 0)
        (seq,) = [s for s, e in on.edge.shown(room) if e is only or e == only]
        assert {(ack.first_seq, ack.seq) for ack in acks if isinstance(ack, Ack)} == {(seq, seq)}
        assert len(acks) == 4
        # The same command again, late: the same answer, and nothing is counted twice.
        who, command, frame_id = sent[0]
        start = len(on.edge.heard)
        on.edge.send(room, who, command, id=frame_id)
        assert await on.edge.answer(room, frame_id, start) == acks[0]
        await on.edge.say(room, ADA, "on")
        assert len(counted(on, room)) == 1


async def test_a_reaction_that_is_sent_again_while_it_waits_counts_once(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url, reactions_ms=200) as on:
        await playing(on, room)
        for _ in range(3):
            on.edge.send(room, ADA, FIRE, id=900)
        assert isinstance(await on.edge.answer(room, 900), Ack)
        assert [e.counts for e in counted(on, room)] == [{"🔥": 1}]


async def test_who_may_not_react_hears_at_once(database: Database, database_url: str) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url, reactions_ms=3_600_000) as on:
        await on.edge.join(room, BEN)
        early = await on.edge.ask(room, BEN, FIRE)
        assert isinstance(early, Reject)
        assert early.code == ErrorCode.NOTHING_PLAYING
        await playing(on, room)
        await on.edge.ask(room, ADA, MemberMute(user_id=BEN.user_id))
        muted = await on.edge.ask(room, BEN, FIRE)
        assert isinstance(muted, Reject)
        assert muted.code == ErrorCode.MUTED


async def test_reactions_are_about_what_sounded_when_they_came(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url, reactions_ms=3_600_000) as on:
        entry_id = await playing(on, room, tracks=2)
        frame_id = on.edge.send(room, BEN, FIRE)
        await on.edge.say(room, BEN, "chat does not hurry them")
        assert counted(on, room) == []
        late = await on.edge.ask(room, BEN, PlaybackNext(entry_id=room))
        assert isinstance(late, Reject)
        assert counted(on, room) == [], "nothing was stirred"
        # Far from the hour: the skip brings them to light, for the entry that they were about.
        await on.edge.ask(room, ADA, PlaybackNext(entry_id=entry_id))
        assert isinstance(await on.edge.answer(room, frame_id), Ack)
        kinds = [type(e) for _, e in on.edge.shown(room)]
        assert kinds.index(ReactionsCounted) < kinds.index(PlaybackEnded)
        assert [e.entry_id for e in counted(on, room)] == [entry_id]


async def test_a_reaction_that_waits_is_not_refused_while_the_database_is_away(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    killer = await connect(database_url)
    async with stage(database, database_url, reactions_ms=1_500) as on:
        await playing(on, room)
        on.edge.send(room, ADA, FIRE, id=900)
        # The commit of a message is held up, then its connection is lost: an unknown outcome.
        async with killer.transaction():
            await killer.fetch("select from room_homes where room_id = $1 for update", room)
            said = on.edge.send(room, BEN, ChatSend(content="held up"))
            while not await killer.fetchval(KILL):
                pass
            # Asked again meanwhile: no answer yet, since it will be counted all the same.
            on.edge.send(room, ADA, FIRE, id=900)
            refused = await on.edge.ask(room, CAT, CLAP)
            assert isinstance(refused, Reject)
        answers = [m.answer for m in on.edge.heard if isinstance(m, Answer) and m.answer.id == 900]
        assert answers == []
        await on.edge.answer(room, said)
        assert isinstance(await on.edge.answer(room, 900), Ack)
        assert [e.counts for e in counted(on, room)] == [{"🔥": 1}]
    await killer.close()
