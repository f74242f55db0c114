"""Coming in: who may, and what a newcomer gets."""

import logging
from typing import Final

from protocol.cluster import Admitted, Arrive
from protocol.codec import encode
from protocol.errors import ErrorCode, Rejected
from protocol.frames import Joined, Presence, Resumed
from protocol.ids import UserId
from protocol.members import Member
from protocol.permissions import may
from protocol.snapshot import Snapshot
from protocol.users import Person
from roomserver.home import metrics
from roomserver.home.batch import Newcomer
from roomserver.home.here import Here
from roomserver.home.ring import frames
from roomserver.room import permissions

_log: Final = logging.getLogger(__name__)


def require_entry(here: Here, public: Snapshot, arrive: Arrive, now_ms: float) -> None:
    """Let somebody in, as `public` stands.

    Who has a durable place comes in, and who has proven to know the password.
    Rejects: room_not_found, room_closed, banned, not_member (kicked meanwhile), room_password.
    """
    person = arrive.person
    is_stranger = person.user_id not in here.loaded.room.private.members
    is_shut_out = is_stranger and person.user_id not in here.proven
    if is_shut_out and public.room.visibility == "private":
        # A stranger must not learn that there is such a room, or that there was one.
        raise Rejected(ErrorCode.ROOM_NOT_FOUND)
    if public.room.closed:
        raise Rejected(ErrorCode.ROOM_CLOSED)
    permissions.require_not_banned(public, person.user_id, now_ms)
    require_address(here, public, person, arrive.addresses, now_ms)
    if _was_kicked(here, arrive):
        raise Rejected(ErrorCode.NOT_MEMBER)
    if is_shut_out and here.loaded.has_password:
        raise Rejected(ErrorCode.ROOM_PASSWORD)


def _was_kicked(here: Here, arrive: Arrive) -> bool:
    """Whether an edge brings back somebody who was put out while this home did not know that the
    connection was here: just after its start, or when the bus lost what it said. To come in anew is
    another thing: a kick shuts no door."""
    have, shown = arrive.have, here.shown
    if not arrive.returns or have is None or have.lineage != shown.lineage:
        return False
    return shown.ring.kicked_after(arrive.person.user_id, have.seq)


def require_address(
    here: Here, public: Snapshot, person: Person, addresses: tuple[str, ...], now_ms: float
) -> None:
    """Let nobody in from where a banned person came from. Rejects: banned.

    Who may ban is not kept out: one address may be a whole house, the moderator's too.
    """
    private = here.loaded.room.private
    is_banned = any(private.is_address_banned(digest, now_ms) for digest in addresses)
    if is_banned and not may(public, person, "ban"):
        raise Rejected(ErrorCode.BANNED)


def is_open_to(here: Here, user_id: UserId) -> bool:
    """Whether the door lets somebody in as it stands, a stranger too."""
    is_open = here.public.room.visibility != "private" and not here.loaded.has_password
    return is_open or user_id in here.loaded.room.private.members


def _you(here: Here, public: Snapshot, person: Person) -> Member:
    """The newcomer's own row: what stands out, a plain place, or mere presence."""
    member = public.members.get(person.user_id)
    if member is not None:
        return member
    joined_at_ms = here.loaded.room.private.members.get(person.user_id)
    return Member(person=person, joined_at_ms=joined_at_ms)


def admit(here: Here, public: Snapshot, newcomer: Newcomer) -> Admitted:
    """What lets a connection in: the news since its own copy, or a snapshot.

    `public` is the room at the last event that was shown: nothing but that may leave.
    """
    arrive = newcomer.arrive
    shown = here.shown
    bodies = _gap(here, newcomer)
    if arrive.have is not None:
        found = metrics.FROM_LOG if newcomer.older is not None else metrics.FROM_RING
        (metrics.FROM_SNAPSHOT if bodies is None else found).inc()
    if bodies is not None and arrive.have is not None:
        first_seq = arrive.have.seq + 1
        resumed = Resumed(lineage=shown.lineage, from_seq=first_seq)
        snapshot, snapshot_seq = b"", 0
    else:
        bodies = shown.since_snapshot()
        first_seq = shown.snapshot_seq + 1
        resumed = None
        snapshot, snapshot_seq = shown.snapshot, shown.snapshot_seq
    joined = Joined(
        id=arrive.id,
        room=here.room_id,
        you=_you(here, public, arrive.person),
        resumed=resumed,
    )
    presence = Presence(
        room=here.room_id,
        fence=here.fence,
        count=here.presence.count,
        present=here.presence.roll.names(),
    )
    return Admitted(
        here.room_id,
        arrive.conn,
        arrive.id,
        here.fence,
        shown.lineage,
        shown.ring.seq,
        encode(joined),
        frames(here.room_id, first_seq, bodies),
        encode(presence),
        snapshot,
        snapshot_seq,
    )


def _gap(here: Here, newcomer: Newcomer) -> list[bytes] | None:
    """The events that somebody who comes back has missed; None: only a snapshot will do."""
    have = newcomer.arrive.have
    ring = here.shown.ring
    if have is None or have.lineage != here.shown.lineage:
        return None
    if have.seq > ring.seq:
        # What a person has seen cannot be lost: so this must never happen.
        _log.error(
            "a client is ahead of the log",
            extra={"room_id": here.room_id, "have": have.seq, "seq": ring.seq},
        )
        return None
    bodies = ring.since(have.seq)
    if bodies is None and newcomer.older is not None:
        rest = ring.since(have.seq + len(newcomer.older))
        bodies = None if rest is None else newcomer.older + rest
    return bodies
