"""The audit of a room over REST: what moderators did."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from httpapi.access import SEEN, open_room, require_action
from httpapi.endpoint import Call, Route, route
from httpapi.instants import written_ms
from httpapi.lists import PageQuery, page, start
from protocol.audit import Audited, AuditEntry, AuditPage
from protocol.errors import ErrorCode
from protocol.users import Person, UserKind
from sql import queries

Place = tuple[Annotated[int, Meta(ge=0, le=2**53)]]

# A type checker has no word for the type of a union, hence Any.
_event: Final[Any] = msgspec.json.Decoder(Audited)


class AuditRow(Struct, frozen=True):
    """One thing that was done, as the database gives it."""

    seq: int
    at_ms: int
    user_id: str | None
    display_name: str | None
    kind: UserKind | None
    event: str

    def entry(self) -> AuditEntry:
        """As an answer tells it."""
        person = None
        if self.user_id is not None and self.display_name is not None and self.kind is not None:
            person = Person(user_id=self.user_id, display_name=self.display_name, kind=self.kind)
        return AuditEntry(
            seq=self.seq,
            at=written_ms(self.at_ms),
            person=person,
            event=_event.decode(self.event),
        )


PAGE = queries.many("audit.page", AuditRow)
FORGET = queries.execute("audit.forget")


async def audit(call: Call[None, PageQuery]) -> AuditPage:
    """What was done to people and to the room, the newest first; for who may moderate."""
    query = call.query
    row = await open_room(call)
    await require_action(call, row, "moderate")
    scope = f"audit {row.room_id}"
    [before_seq] = start(query, scope, Place)
    rows = await PAGE(
        call.services.database,
        room_id=row.room_id,
        before_seq=before_seq,
        most=query.limit + 1,
    )
    shown, cursor = page(rows, query, scope, lambda last: (last.seq,))
    return AuditPage(items=[each.entry() for each in shown], next_cursor=cursor)


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "/api/rooms/{room_id}/audit", audit, query=PageQuery, returns=AuditPage, limit=10,
          scope="moderate", refuses=(*SEEN, ErrorCode.NOT_ALLOWED)),
)  # fmt: skip
