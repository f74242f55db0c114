"""Coming in: who may, and what a newcomer gets."""

import logging
from typing import Final

from protocol.cluster import Admitted, Arrive
from protocol.codec import encode, prebuilt
from protocol.errors import ErrorCode, Rejected
from protocol.frames import Joined, Presence, Resumed
from protocol.members import Member
from protocol.snapshot import Snapshot
from roomserver.home.batch import Newcomer
from roomserver.home.here import Here
from roomserver.home.ring import frames

_log: Final = logging.getLogger(__name__)


def require_entry(here: Here, public: Snapshot, arrive: Arrive) -> None:
    """Let somebody in, as `public` stands. Rejects: room_closed, room_password, room_not_found.

    Who has a durable place comes in. Checking a password is slow work that the sidecar does:
    `POST /api/rooms/{id}/join` with it gives the place.
    """
    is_stranger = arrive.person.user_id not in public.members
    if is_stranger and public.room.visibility == "private":
        # A stranger must not learn that there is such a room, or that there was one.
        raise Rejected(ErrorCode.ROOM_NOT_FOUND)
    if public.room.closed:
        raise Rejected(ErrorCode.ROOM_CLOSED)
    if is_stranger and here.loaded.has_password:
        raise Rejected(ErrorCode.ROOM_PASSWORD)


def admit(here: Here, public: Snapshot, newcomer: Newcomer) -> Admitted:
    """What lets a connection in: the news since its own copy, or a snapshot.

    `public` is the room at the last event that was shown: nothing but that may leave.
    """
    arrive = newcomer.arrive
    shown = here.shown
    bodies = _gap(here, newcomer)
    if bodies is not None and arrive.have is not None:
        first_seq = arrive.have.seq + 1
        resumed = Resumed(lineage=shown.lineage, from_seq=first_seq)
        snapshot = None
    else:
        bodies = shown.since_snapshot()
        first_seq = shown.snapshot_seq + 1
        resumed = None
        snapshot = prebuilt(shown.snapshot, Snapshot)
    joined = Joined(
        id=arrive.id,
        room=here.room_id,
        you=public.members.get(arrive.person.user_id) or Member(person=arrive.person),
        snapshot=snapshot,
        resumed=resumed,
    )
    presence = Presence(
        room=here.room_id,
        fence=here.fence,
        count=here.presence.count,
        present=here.presence.first_present(),
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
            extra={"room": here.room_id, "have": have.seq, "seq": ring.seq},
        )
        return None
    bodies = ring.since(have.seq)
    if bodies is None and newcomer.older is not None:
        rest = ring.since(have.seq + len(newcomer.older))
        bodies = None if rest is None else newcomer.older + rest
    return bodies
