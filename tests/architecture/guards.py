"""Who gets through which route: by its row, by what it guards, by the rules of a room.

Nothing here is asked when the server runs. The page `docs/permissions.md` is written from it, and
`tests/httpapi/test_permissions.py` holds it against the server, answer by answer.
"""

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from httpapi.app import ROUTES
from httpapi.endpoint import Route
from protocol.catalog import ClientCommand
from protocol.chat import ChatDelete, ChatEdit, ChatSend
from protocol.errors import ErrorCode
from protocol.members import MemberSetRole
from protocol.moderation import MemberBan, MemberKick, MemberMute, MemberUnban, MemberUnmute
from protocol.owner import OwnerTransfer
from protocol.permissions import RANK, Action, Grade, Permissions
from protocol.playback import (
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.queue import QueueAdd, QueueMove, QueueRemove
from protocol.rooms import RoomClose, RoomUpdate
from protocol.votes import VotesCast, VotesRetract, VotesSkip
from roomserver.room.permissions import OWNERS_OWN, RULES, SPEAKING

Visibility = Literal["public", "private"]


class Standing(NamedTuple):
    """How somebody stands to a room without a password, and to the things of its owner."""

    name: str
    grade: Grade | None
    """None: nobody knows who it is."""
    has_place: bool


STANDINGS: Final = (
    Standing("anonymous", None, False),
    Standing("stranger", "listener", False),
    Standing("guest", "guest", True),
    Standing("member", "listener", True),
    Standing("muted", "listener", True),
    Standing("dj", "dj", True),
    Standing("moderator", "moderator", True),
    Standing("owner", "owner", True),
    Standing("banned", "listener", False),
)


class Guard(NamedTuple):
    """What a route looks at beyond its row's `auth`."""

    says: str
    refuses: Callable[[Standing, Visibility], ErrorCode | None]
    """None: let through."""
    commands: tuple[type[ClientCommand], ...] = ()
    """What it has the room do."""


def _grade_of(action: Action) -> Grade:
    takes: Grade = getattr(Permissions(), action)
    return takes


def _refused_action(action: Action, standing: Standing) -> ErrorCode | None:
    if action in SPEAKING and standing.name == "muted":
        return ErrorCode.MUTED
    if RANK[standing.grade or "guest"] < RANK[_grade_of(action)]:
        return ErrorCode.NOT_ALLOWED
    return None


def refused_command(kind: type[ClientCommand], standing: Standing) -> ErrorCode | None:
    """What a room with the table it was born with says to a command about its owner's things."""
    if kind in OWNERS_OWN:
        return None if standing.name == "owner" else ErrorCode.NOT_ALLOWED
    rule = RULES[kind]
    action = rule.action
    if rule.whose is not None and standing.name != "owner":
        action = rule.others
        if action is None:
            return ErrorCode.NOT_ALLOWED
    return None if action is None else _refused_action(action, standing)


def _inside(
    says: str, then: Callable[[Standing], ErrorCode | None] = lambda standing: None
) -> Guard:
    """A private room does not exist for who has no place in it; who is banned is told so."""

    def refuses(standing: Standing, visibility: Visibility) -> ErrorCode | None:
        if visibility == "private" and not standing.has_place:
            return ErrorCode.ROOM_NOT_FOUND
        return ErrorCode.BANNED if standing.name == "banned" else then(standing)

    return Guard(says, refuses)


def _commands(*kinds: type[ClientCommand]) -> Guard:
    """A room's own rule decides."""
    told = ", ".join(f"`{kind.__struct_config__.tag}`" for kind in kinds)
    guard = _inside(told, lambda standing: refused_command(kinds[0], standing))
    return guard._replace(commands=kinds)


def _with_place(standing: Standing, visibility: Visibility) -> ErrorCode | None:
    if standing.has_place:
        return None
    return ErrorCode.ROOM_NOT_FOUND if visibility == "private" else ErrorCode.NOT_MEMBER


def _track(standing: Standing, visibility: Visibility) -> ErrorCode | None:
    if standing.name == "banned" or (visibility == "private" and not standing.has_place):
        return ErrorCode.UNKNOWN_TRACK
    return None


def _uploaded(standing: Standing, visibility: Visibility) -> ErrorCode | None:
    unseen = _track(standing, visibility)
    return unseen or (None if standing.name == "owner" else ErrorCode.NOT_ALLOWED)


def _own(standing: Standing, visibility: Visibility) -> ErrorCode | None:
    return None if standing.name == "owner" else ErrorCode.NOT_FOUND


LOOK: Final = _inside("whoever may look inside")
MODERATES: Final = _inside("`moderate`", lambda standing: _refused_action("moderate", standing))
PLACE: Final = Guard("whoever has a place", _with_place)
TRACK: Final = Guard("whoever may use the track", _track)
UPLOADED: Final = Guard("who uploaded it", _uploaded)
OWN: Final = Guard("whose it is", _own)
ANYBODY: Final = Guard("everybody", lambda standing, visibility: None)

_ROOM: Final = "/api/rooms/{room_id}"
_MEMBER: Final = f"{_ROOM}/members/{{user_id}}"
_ENTRY: Final = f"{_ROOM}/queue/{{entry_id}}"
_TRACK: Final = "/api/tracks/{track_id}"

GUARDS: Final[dict[str, Guard]] = {
    f"GET {_ROOM}": LOOK,
    f"PATCH {_ROOM}": _commands(RoomUpdate),
    f"DELETE {_ROOM}": _commands(RoomClose),
    f"POST {_ROOM}/join": LOOK,
    f"POST {_ROOM}/leave": PLACE,
    f"GET {_ROOM}/members": LOOK,
    f"PUT {_MEMBER}/role": _commands(MemberSetRole),
    f"POST {_MEMBER}/kick": _commands(MemberKick),
    f"POST {_MEMBER}/mute": _commands(MemberMute),
    f"DELETE {_MEMBER}/mute": _commands(MemberUnmute),
    f"POST {_MEMBER}/ban": _commands(MemberBan),
    f"DELETE {_MEMBER}/ban": _commands(MemberUnban),
    f"POST {_ROOM}/owner": _commands(OwnerTransfer),
    f"GET {_ROOM}/audit": MODERATES,
    f"GET {_ROOM}/queue": LOOK,
    f"POST {_ROOM}/queue": _commands(QueueAdd),
    f"PATCH {_ENTRY}": _commands(QueueMove),
    f"DELETE {_ENTRY}": _commands(QueueRemove),
    f"PUT {_ROOM}/playback": _commands(
        PlaybackPause, PlaybackPlay, PlaybackSeek, PlaybackNext, PlaybackPlayEntry
    ),
    f"POST {_ROOM}/skip": _commands(VotesSkip),
    f"POST {_ENTRY}/vote": _commands(VotesCast),
    f"DELETE {_ENTRY}/vote": _commands(VotesRetract),
    f"GET {_ROOM}/messages": LOOK,
    f"GET {_ROOM}/history": LOOK,
    f"POST {_ROOM}/messages": _commands(ChatSend),
    f"PATCH {_ROOM}/messages/{{message_id}}": _commands(ChatEdit),
    f"DELETE {_ROOM}/messages/{{message_id}}": _commands(ChatDelete),
    f"GET {_TRACK}": TRACK,
    f"PATCH {_TRACK}": UPLOADED,
    f"DELETE {_TRACK}": UPLOADED,
    f"GET {_TRACK}/audio": TRACK,
    f"GET {_TRACK}/cover": TRACK,
    f"GET {_TRACK}/segments/{{number}}": TRACK,
    f"GET {_TRACK}/waveform": TRACK,
    "GET /api/jobs/{job_id}": OWN,
    "PUT /api/favorites/me/{track_id}": TRACK,
    "DELETE /api/favorites/me/{track_id}": ANYBODY,
    "GET /api/favorites/{user_id}": ANYBODY,
    "GET /api/history/{user_id}": ANYBODY,
    "DELETE /api/auth/logins/{login_id}": OWN,
    "DELETE /api/users/me/tokens/{token_id}": OWN,
}
"""A line for each route that names a thing by its id."""


class NoGuard(LookupError):
    """A route that names things by ids, and of which nobody has said who may use it."""


def name_of(row: Route) -> str:
    """A route, as the table names it."""
    return f"{row.method} {row.path}"


def guarded() -> list[Route]:
    """All routes that name a thing by its id."""
    return [row for row in ROUTES if row.ids]


def guard_of(row: Route) -> Guard:
    """What a route looks at. Raises NoGuard."""
    guard = GUARDS.get(name_of(row))
    if guard is None:
        raise NoGuard(
            f"{name_of(row)} is new: say who may use it in GUARDS of tests/architecture/guards.py,"
            " and run `make generate`"
        )
    return guard


def outcome(row: Route, standing: Standing, visibility: Visibility) -> ErrorCode | None:
    """How a route refuses somebody; None where it does not. Raises NoGuard."""
    guard = guard_of(row)
    if standing.grade is None and row.auth in ("any", "person"):
        return ErrorCode.UNAUTHENTICATED
    if standing.grade == "guest" and row.auth == "person":
        return ErrorCode.ACCOUNT_REQUIRED
    return guard.refuses(standing, visibility)
