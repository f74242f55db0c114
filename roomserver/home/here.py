"""A room as its home holds it: the live value, what was shown of it, and who is there."""

from msgspec import Struct

from protocol import names
from protocol.codec import encode
from protocol.ids import RoomId
from protocol.snapshot import Snapshot
from roomserver.home.acquire import Loaded
from roomserver.home.listing import ListRow
from roomserver.home.loading import Loading
from roomserver.home.pace import Pace
from roomserver.home.presence import Presence
from roomserver.home.recent import Recent
from roomserver.home.ring import Shown
from roomserver.home.snapshots import Picture
from roomserver.room.private import encode_private


class Here(Struct):
    """One loaded room. The runner changes it; nobody else does."""

    room_id: RoomId
    loaded: Loaded
    shown: Shown
    presence: Presence
    recent: Recent
    loading: Loading
    saved_seq: int
    """The seq of the last snapshot that was handed over to be stored."""
    dirty_since_ms: float | None = None
    used_at_ms: float = 0.0
    hold_until_ms: float = 0.0
    """After the database refused the home's own commands: when they are tried again."""
    refusals: int = 0

    @property
    def public(self) -> Snapshot:
        """The live state; ahead of what is committed while a batch is under way."""
        return self.loaded.room.public

    @property
    def fence(self) -> int:
        """Under which this node is the home."""
        return self.loaded.fence

    def suspends_at_ms(self, vacant_ms: float) -> float | None:
        """When the room goes to rest, unless somebody comes before."""
        public = self.public
        vacant_since_ms = self.presence.vacant_since_ms
        if vacant_since_ms is None or public.suspended or public.room.closed:
            return None
        return None if public.room.settings.always_on else vacant_since_ms + vacant_ms

    def is_resting(self) -> bool:
        """Whether nothing will happen here until somebody asks."""
        public = self.public
        return (public.suspended or public.room.closed) and not self.presence.count

    def picture(self) -> Picture:
        """Both halves, encoded, of a live state that is committed."""
        room = self.loaded.room
        return Picture(
            self.room_id,
            self.public.lineage,
            self.public.seq,
            encode(room.public),
            encode_private(room.private),
        )

    def list_row(self) -> ListRow:
        """What the list of rooms shows of it."""
        public = self.public
        entry = public.playback.entry
        wake_ms = self.loaded.room.next_wake()
        return ListRow(
            room_id=self.room_id,
            name=public.room.name,
            name_key=names.key(public.room.name),
            description=public.room.description,
            visibility=public.room.visibility,
            owner_id=public.room.owner_id,
            closed=public.room.closed,
            wake_at_ms=None if wake_ms is None else int(wake_ms),
            suspended=public.suspended,
            listeners=self.presence.people,
            now_playing=None if entry is None else encode(entry.track).decode(),
        )


def here_of(room_id: RoomId, loaded: Loaded, now_ms: float, pace: Pace) -> Here:
    """A room that was just loaded: nobody is there yet."""
    public = loaded.room.public
    alive_at_ms = now_ms if loaded.alive_at_ms is None else min(loaded.alive_at_ms, now_ms)
    return Here(
        room_id=room_id,
        loaded=loaded,
        shown=Shown(loaded.ring, public.lineage, encode(public), now_ms),
        presence=Presence(pace.grace_ms, alive_at_ms),
        recent=Recent(complete=public.seq == 0),
        loading=Loading(),
        saved_seq=loaded.snapshot_seq,
        dirty_since_ms=None if loaded.snapshot_seq == public.seq else now_ms,
        used_at_ms=now_ms,
    )
