"""Who is here: people by their connections, with some grace after a connection was lost."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct

from protocol.cluster import Party
from protocol.ids import ConnectionId, UserId
from protocol.presence import PRESENT_AT_JOIN
from protocol.users import Person
from roomserver.home.heard import Visit
from roomserver.home.roll import Roll

LEAD_MIN_MS: Final = 250
LEAD_MAX_MS: Final = 1_500


class Place(Struct):
    """One connection in the room."""

    party: Party
    """The edge that holds it."""
    user_id: UserId
    rtt_ms: float
    addresses: tuple[str, ...]
    """Digests of where it comes from, the one to be written down first."""


class Stay(Struct):
    """One person in the room."""

    person: Person
    since_ms: float
    connections: set[ConnectionId]


class Leaving(Struct, frozen=True):
    """Somebody without a connection."""

    since_ms: float
    until_ms: float
    """The end of the grace."""


class Presence:
    """Those present in one room. All instants are cluster ms."""

    def __init__(
        self,
        grace_ms: float,
        vacant_since_ms: float,
        on_left: Callable[[Visit], None],
    ) -> None:
        """`on_left` is told of each stay of a person (no bots) that is over."""
        self._on_left = on_left
        self.vacant_since_ms: float | None = vacant_since_ms
        """Since when no person is here (bots are not counted); None while somebody is."""
        self.departures = 0
        """How many people (no bots) have gone: rises when fewer may be needed for a vote."""
        self._grace_ms = grace_ms
        self._places: dict[ConnectionId, Place] = {}
        self._stays: dict[UserId, Stay] = {}
        self._leaving: dict[UserId, Leaving] = {}
        """In the order in which their grace ends: it is equally long for all."""
        self._people = 0
        self._left_at_ms = vacant_since_ms
        self.roll = Roll()
        # Counted, not collected: asked with every batch, in rooms of thousands.
        self._held: Counter[Party] = Counter()
        self._rtt_ms: float | None = 0.0

    @property
    def count(self) -> int:
        """How many are here, bots too."""
        return len(self._stays)

    @property
    def people(self) -> int:
        """How many are here, bots not counted."""
        return self._people

    def parties(self) -> set[Party]:
        """The edges that hold somebody's connection."""
        return set(self._held)

    def holds(self, conn: ConnectionId) -> bool:
        """Whether a connection is in the room."""
        return conn in self._places

    def arrive(
        self,
        conn: ConnectionId,
        party: Party,
        person: Person,
        rtt_ms: float,
        addresses: tuple[str, ...] = (),
        *,
        now_ms: float,
    ) -> None:
        """A connection is let in; again is no harm."""
        if conn not in self._places:
            self._held[party] += 1
        self._places[conn] = Place(party, person.user_id, rtt_ms, addresses)
        self._rtt_ms = None
        stay = self._stays.get(person.user_id)
        if stay is None:
            self._stays[person.user_id] = Stay(person, now_ms, {conn})
            self.roll.add(person)
            if person.kind != "bot":
                self._people += 1
                self.vacant_since_ms = None
        else:
            stay.connections.add(conn)
            self._leaving.pop(person.user_id, None)

    def depart(self, conn: ConnectionId, explicit: bool, now_ms: float) -> None:
        """A connection is gone. Unless it left explicitly, its person stays for the grace."""
        place = self._places.pop(conn, None)
        if place is None:
            return
        self._held[place.party] -= 1
        if not self._held[place.party]:
            del self._held[place.party]
        self._rtt_ms = None
        stay = self._stays[place.user_id]
        stay.connections.discard(conn)
        if stay.connections:
            return
        if explicit:
            self._end(place.user_id, now_ms)
        else:
            self._leaving[place.user_id] = Leaving(now_ms, now_ms + self._grace_ms)

    def put_out(self, user_id: UserId, now_ms: float) -> None:
        """Somebody must go at once, with all connections."""
        stay = self._stays.get(user_id)
        if stay is None:
            return
        for conn in list(stay.connections):
            self.depart(conn, True, now_ms)
        if user_id in self._stays:
            self._end(user_id, now_ms)

    def expire(self, now_ms: float) -> None:
        """Let those go whose grace is over."""
        for user_id, leaving in list(self._leaving.items()):
            if leaving.until_ms > now_ms:
                break
            self._end(user_id, leaving.since_ms)

    def expires_at_ms(self) -> float | None:
        """When the next grace ends."""
        return next((leaving.until_ms for leaving in self._leaving.values()), None)

    def clear(self, now_ms: float) -> None:
        """The room is over for all."""
        for conn in list(self._places):
            self.depart(conn, True, now_ms)
        for user_id in list(self._leaving):
            self._end(user_id, now_ms)

    def told_every_ms(self, least_ms: float) -> float:
        """How often people are told who is here: the more there are to tell it, the less often."""
        return least_ms * max(1.0, self.count / PRESENT_AT_JOIN)

    def users(self) -> Iterable[UserId]:
        """The people who are here; no bots."""
        return (u for u, stay in self._stays.items() if stay.person.kind != "bot")

    def stays(self) -> Iterator[Visit]:
        """The stays of the people who are here, no bots; of who lost the connection, until then."""
        for user_id, stay in self._stays.items():
            if stay.person.kind != "bot":
                leaving = self._leaving.get(user_id)
                until_ms = math.inf if leaving is None else leaving.since_ms
                yield Visit(user_id, stay.since_ms, until_ms)

    def person(self, user_id: UserId) -> Person | None:
        """Somebody who is here."""
        stay = self._stays.get(user_id)
        return None if stay is None else stay.person

    def addresses(self, user_id: UserId) -> tuple[str, ...]:
        """Digests of where somebody is connected from, as they are to be written down."""
        stay = self._stays.get(user_id)
        places = () if stay is None else (self._places[conn] for conn in stay.connections)
        return tuple(sorted({digest for place in places for digest in place.addresses[:1]}))

    def measure(self, rtts_ms: dict[ConnectionId, float]) -> None:
        """An edge measured round trips of connections."""
        for conn, rtt_ms in rtts_ms.items():
            place = self._places.get(conn)
            if place is not None:
                place.rtt_ms = rtt_ms
                self._rtt_ms = None

    def lead_ms(self, commit_ms: float) -> int:
        """How far ahead a common act must lie, for the round trips of those present.

        Their 95th percentile, so that one bad or lying link cannot slow the room; with the time
        that a commit takes.
        """
        if self._rtt_ms is None:
            rtts = sorted(place.rtt_ms for place in self._places.values())
            self._rtt_ms = rtts[math.ceil(len(rtts) * 0.95) - 1] if rtts else 0.0
        lead_ms = min(max(1.5 * self._rtt_ms + 100, LEAD_MIN_MS), LEAD_MAX_MS)
        return math.ceil(lead_ms + min(commit_ms, LEAD_MAX_MS))

    def _end(self, user_id: UserId, since_ms: float) -> None:
        stay = self._stays.pop(user_id)
        person = stay.person
        self._leaving.pop(user_id, None)
        self.roll.remove(user_id)
        if person.kind != "bot":
            self._on_left(Visit(user_id, stay.since_ms, since_ms))
            self._people -= 1
            self.departures += 1
            # Who lost the connection first may be the last whose grace ends.
            self._left_at_ms = max(self._left_at_ms, since_ms)
            if not self._people:
                self.vacant_since_ms = self._left_at_ms
