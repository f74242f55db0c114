"""Whose names the people in a room are told: everybody's in a small one, 200 in a crowd."""

from protocol.cluster import Admitted, Told
from protocol.codec import decode_server_frame
from protocol.frames import Presence
from protocol.presence import PRESENT_AT_JOIN
from protocol.users import Person
from sql.pool import Database
from tests.home.stage import Stage, make_room, person, stage

ADA, BEN, CYD = person("Ada"), person("Ben"), person("Cyd")


class Room:
    """What people in it are told of who is here."""

    def __init__(self, on: Stage, room: str) -> None:
        self._on = on
        self._room = room
        self._told = 0

    async def join(self, who: Person) -> Presence:
        """What a newcomer is told."""
        admitted: Admitted = await self._on.edge.join(self._room, who)
        frame = decode_server_frame(admitted.presence)
        assert isinstance(frame, Presence)
        return frame

    async def told(self, count: int) -> tuple[set[str], set[str]]:
        """Whose coming and whose going all were told by name since this was asked last, up to
        the telling that so many are here."""
        heard, start = self._on.edge.heard, self._told

        def tellings() -> list[Presence]:
            frames = (decode_server_frame(m.frame) for m in heard[start:] if isinstance(m, Told))
            return [frame for frame in frames if isinstance(frame, Presence)]

        await self._on.edge.until(Told, lambda _: any(f.count == count for f in tellings()))
        self._told = len(heard)
        came = {one.user_id for frame in tellings() for one in frame.present}
        return came, {user_id for frame in tellings() for user_id in frame.gone}


async def test_a_crowd_is_told_the_same_200_names_and_how_many_there_are(
    database: Database, database_url: str
) -> None:
    room_id = await make_room(database, ADA)
    crowd = [ADA, *(person(f"P{number}") for number in range(1, PRESENT_AT_JOIN + 3))]
    first = {who.user_id for who in crowd[:PRESENT_AT_JOIN]}
    async with stage(database, database_url) as on:
        room = Room(on, room_id)
        for who in crowd:
            newcomer = await room.join(who)
        assert newcomer.count == len(crowd)
        assert {who.user_id for who in newcomer.present} == first
        assert await room.told(len(crowd)) == (first, set())
        # One who has no name goes: only the count says so. One of the others takes the place of
        # one who has.
        on.edge.depart(room_id, f"conn-{crowd[-1].display_name}", explicit=True)
        on.edge.depart(room_id, "conn-P1", explicit=True)
        came, gone = await room.told(len(crowd) - 2)
        assert (came - first, gone) == ({crowd[PRESENT_AT_JOIN].user_id}, {crowd[1].user_id})


async def test_who_goes_before_all_were_told_of_the_coming_is_gone_for_a_newcomer_too(
    database: Database, database_url: str
) -> None:
    room_id = await make_room(database, ADA)
    async with stage(database, database_url, presence_every_ms=1_000) as on:
        room = Room(on, room_id)
        await room.join(ADA)
        await room.told(1)
        await room.join(BEN)
        assert BEN in (await room.join(CYD)).present
        on.edge.depart(room_id, "conn-Ben", explicit=True)
        _, gone = await room.told(2)
        assert BEN.user_id in gone
