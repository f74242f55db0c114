"""A vote for skipping counts those who are here, at every moment."""

from protocol.cluster import Published
from protocol.errors import ErrorCode
from protocol.frames import Ack, Reject
from protocol.moderation import MemberKick, MemberMute
from protocol.permissions import Permissions
from protocol.playback import PlaybackEnded
from protocol.presence import Ready
from protocol.queue import QueueAdd
from protocol.rooms import RoomSettings, RoomUpdate, SettingsChange
from protocol.users import Person
from protocol.votes import VotesChanged, VotesSkip
from sql.pool import Database
from tests.home.stage import Stage, make_room, make_track, person, stage

ADA, BEN, CAT, DAN = person("Ada"), person("Ben"), person("Cat"), person("Dan")
BOT = person("Bot", "bot")
BY_VOTE = RoomSettings(permissions=Permissions(skip="owner"))


async def playing(on: Stage, room: str, *present: Person) -> str:
    """People are here and music is on; returns the current entry."""
    for who in present:
        await on.edge.join(room, who)
    track = await make_track(on.database)
    added = await on.edge.ask(room, present[0], QueueAdd(track_id=track))
    assert isinstance(added, Ack)
    entry_id = dict(on.edge.shown(room))[added.first_seq].entry.entry_id  # type: ignore[union-attr]
    for who in present:
        on.edge.signal(room, who, Ready(entry_id=entry_id))
    await until(on, room, "playback.started")
    return str(entry_id)


async def until(on: Stage, room: str, kind: str) -> None:
    await on.edge.until(
        Published,
        lambda _: any(e.__struct_config__.tag == kind for _, e in on.edge.shown(room)),
    )


def counts(on: Stage, room: str) -> list[tuple[int, int | None]]:
    return [(e.votes, e.needed) for _, e in on.edge.shown(room) if isinstance(e, VotesChanged)]


def ends(on: Stage, room: str) -> list[str]:
    return [e.reason for _, e in on.edge.shown(room) if isinstance(e, PlaybackEnded)]


async def test_a_skip_passes_with_half_of_those_here_and_no_bot_counts(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA, settings=BY_VOTE)
    async with stage(database, database_url) as on:
        entry_id = await playing(on, room, BEN, CAT, DAN, BOT)
        refused = await on.edge.ask(room, BOT, VotesSkip(entry_id=entry_id))
        assert isinstance(refused, Reject)
        assert refused.code == ErrorCode.NOT_ALLOWED
        await on.edge.ask(room, BEN, VotesSkip(entry_id=entry_id))
        assert counts(on, room) == [(1, 2)]
        await on.edge.ask(room, CAT, VotesSkip(entry_id=entry_id))
        assert ends(on, room) == ["voted"]


async def test_two_who_skip_at_once_skip_one_entry(database: Database, database_url: str) -> None:
    room = await make_room(database, ADA)
    async with stage(database, database_url) as on:
        entry_id = await playing(on, room, BEN, CAT)
        ids = [on.edge.send(room, who, VotesSkip(entry_id=entry_id)) for who in (BEN, CAT)]
        first, second = [await on.edge.answer(room, frame_id) for frame_id in ids]
        assert isinstance(first, Ack)
        assert isinstance(second, Reject)
        assert second.code in (ErrorCode.CONFLICT, ErrorCode.NOTHING_PLAYING)
        assert ends(on, room) == ["skipped"]


async def test_when_somebody_leaves_fewer_votes_are_enough(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA, settings=BY_VOTE)
    async with stage(database, database_url) as on:
        entry_id = await playing(on, room, BEN, CAT, DAN)
        await on.edge.ask(room, BEN, VotesSkip(entry_id=entry_id))
        assert counts(on, room) == [(1, 2)]
        on.edge.depart(room, "conn-Dan", explicit=True)
        await until(on, room, "playback.ended")
        assert ends(on, room) == ["voted"]


async def test_when_a_connection_is_lost_the_vote_is_counted_after_the_grace(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA, settings=BY_VOTE)
    async with stage(database, database_url, grace_ms=50) as on:
        entry_id = await playing(on, room, BEN, CAT, DAN)
        await on.edge.ask(room, BEN, VotesSkip(entry_id=entry_id))
        on.edge.depart(room, "conn-Dan")
        await until(on, room, "playback.ended")
        assert ends(on, room) == ["voted"]


async def test_who_leaves_takes_the_vote_along(database: Database, database_url: str) -> None:
    room = await make_room(database, ADA, settings=BY_VOTE)
    async with stage(database, database_url) as on:
        entry_id = await playing(on, room, BEN, CAT, DAN, ADA)
        await on.edge.ask(room, BEN, VotesSkip(entry_id=entry_id))
        on.edge.depart(room, "conn-Ben", explicit=True)
        await on.edge.say(room, CAT, "on it goes")
        assert counts(on, room) == [(1, 2), (0, 2)]
        assert ends(on, room) == []


async def test_muting_and_kicking_change_who_counts(database: Database, database_url: str) -> None:
    for command in (MemberMute(user_id=DAN.user_id), MemberKick(user_id=DAN.user_id)):
        room = await make_room(database, ADA, settings=BY_VOTE)
        async with stage(database, database_url) as on:
            entry_id = await playing(on, room, BEN, CAT, DAN)
            await on.edge.ask(room, BEN, VotesSkip(entry_id=entry_id))
            assert counts(on, room) == [(1, 2)]
            await on.edge.ask(room, ADA, command)
            await until(on, room, "playback.ended")
            assert ends(on, room) == ["voted"]


async def test_a_vote_is_counted_anew_when_fewer_are_asked_for(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA, settings=BY_VOTE)
    async with stage(database, database_url) as on:
        entry_id = await playing(on, room, BEN, CAT, DAN)
        await on.edge.ask(room, BEN, VotesSkip(entry_id=entry_id))
        assert counts(on, room) == [(1, 2)]
        await on.edge.ask(room, ADA, RoomUpdate(settings=SettingsChange(skip_share=0.3)))
        await until(on, room, "playback.ended")
        assert ends(on, room) == ["voted"]
