"""A room whose owner is gone finds somebody among people of whom it knows only since when."""

from protocol.cluster import Ended
from protocol.frames import Ack
from protocol.members import MemberAdd
from protocol.owner import OwnerChanged, OwnerSucceed
from sql.pool import Database
from tests.home.stage import add_user, make_room, person, stage

ADA, BEN, CAT, DAN = person("Ada"), person("Ben"), person("Cat", "guest"), person("Dan")


async def test_the_longest_serving_member_with_an_account_follows_a_deleted_owner(
    database: Database, database_url: str
) -> None:
    room = await make_room(database, ADA)
    for who in (BEN, CAT, DAN):
        await add_user(database, who)
    async with stage(database, database_url) as on:
        # Dan looks on, the others are not here.
        await on.edge.join(room, DAN)
        for who in (CAT, BEN, DAN):
            await on.sidecar.ask(room, ADA, MemberAdd(person=who))
        answer = await on.sidecar.ask(room, ADA, OwnerSucceed(reason="account_deleted"))
        assert isinstance(answer, Ack)
        event = dict(on.edge.shown(room))[answer.first_seq]
        assert isinstance(event, OwnerChanged)
        assert event.owner == BEN


async def test_with_nobody_to_follow_the_room_closes(database: Database, database_url: str) -> None:
    room = await make_room(database, ADA)
    await add_user(database, CAT)
    async with stage(database, database_url) as on:
        await on.edge.join(room, DAN)
        await on.sidecar.ask(room, ADA, MemberAdd(person=CAT))
        answer = await on.sidecar.ask(room, ADA, OwnerSucceed(reason="account_deleted"))
        assert isinstance(answer, Ack)
        assert (await on.edge.until(Ended)).reason == "closed"
