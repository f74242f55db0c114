"""Votes over REST: for an entry that waits, and for skipping the one that plays."""

from typing import Final

from httpapi.access import live_state, open_room
from httpapi.bodies import Nothing
from httpapi.commands import REFUSALS, submit
from httpapi.endpoint import Call, Route, route
from httpapi.lists import Query
from protocol.errors import ErrorCode
from protocol.playback import Playback
from protocol.votes import SkipBody, VotesCast, VotesRetract, VotesSkip


async def skip(call: Call[SkipBody, Query]) -> Playback:
    """Vote for skipping what plays, or skip it where the role may; answers what holds then."""
    row = await open_room(call)
    ack = await submit(call, row, VotesSkip(entry_id=call.body.entry_id))
    return (await live_state(call, row, at_least=ack.seq)).playback


async def cast(call: Call[Nothing, Query]) -> None:
    """Vote for an entry that waits."""
    await submit(call, await open_room(call), VotesCast(entry_id=call.ids["entry_id"]))


async def retract(call: Call[Nothing, Query]) -> None:
    """Take a vote back."""
    await submit(call, await open_room(call), VotesRetract(entry_id=call.ids["entry_id"]))


_VOTE: Final = "/api/rooms/{room_id}/queue/{entry_id}/vote"
_E: Final = ErrorCode
_VOTING: Final = (*REFUSALS, _E.MUTED, _E.UNKNOWN_ENTRY)

ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "/api/rooms/{room_id}/skip", skip, body=SkipBody, returns=Playback, limit=10,
          action="votes.skip", command=True,
          refuses=(*REFUSALS, _E.MUTED, _E.NOTHING_PLAYING, _E.CONFLICT, _E.ENTRY_STARTING)),
    route("POST", _VOTE, cast, limit=30, action="votes", command=True,
          refuses=(*_VOTING, _E.NO_VOTING)),
    route("DELETE", _VOTE, retract, limit=30, action="votes", command=True, refuses=_VOTING),
)  # fmt: skip
