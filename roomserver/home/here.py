"""A room as its home holds it: the live value, what was shown of it, and who is there."""

from msgspec import Struct, field

from protocol import names
from protocol.codec import encode
from protocol.ids import RoomId, TrackId, UserId
from protocol.snapshot import Snapshot
from roomserver.home.acquire import Loaded
from roomserver.home.heard import Heard
from roomserver.home.listing import ListRow
from roomserver.home.loading import Loading
from roomserver.home.pace import Pace
from roomserver.home.presence import Presence
from roomserver.home.reactions import Reactions
from roomserver.home.recent import Recent
from roomserver.home.ring import Shown
from roomserver.home.snapshots import Picture
from roomserver.home.tune import Tune
from roomserver.room.private import encode_private


class Here(Struct):
    """One loaded room. The runner changes it; nobody else does."""

    room_id: RoomId
    loaded: Loaded
    shown: Shown
    presence: Presence
    heard: Heard
    recent: Recent
    loading: Loading
    reactions: Reactions
    tune: Tune
    saved_seq: int
    """The seq of the last snapshot that was handed over to be stored."""
    dirty_since_ms: float | None = None
    used_at_ms: float = 0.0
    hold_until_ms: float = 0.0
    """After the database refused the home's own commands: when they are tried again."""
    refusals: int = 0
    counted_departures: int = 0
    """Up to which departure an open vote was counted again."""
    proven: set[UserId] = field(default_factory=set)
    """Strangers on their way in who know the password."""
    gone: set[TrackId] = field(default_factory=set)
    """Tracks that were deleted while they stood here. Kept, for they may be read from the log once
    more, if the database refuses what took them out."""

    @property
    def public(self) -> Snapshot:
        """The live state; ahead of what is committed while a batch is under way."""
        return self.loaded.room.public

    @property
    def fence(self) -> int:
        """Under which this node is the home."""
        return self.loaded.fence

    @property
    def must_count_votes(self) -> bool:
        """Whether people left since an open vote for skipping was counted."""
        is_open = self.public.playback.skip is not None
        return is_open and self.presence.departures != self.counted_departures

    @property
    def lost(self) -> TrackId | None:
        """A deleted track that still stands here."""
        if not self.gone or self.public.room.closed:
            return None
        return next(iter(self.gone & self.tracks()), None)

    def tracks(self) -> set[TrackId]:
        """The tracks of what plays and what waits."""
        public = self.public
        found = {entry.track.track_id for entry in public.queue}
        if public.playback.entry is not None:
            found.add(public.playback.entry.track.track_id)
        return found

    def suspends_at_ms(self, vacant_ms: float) -> float | None:
        """When the room goes to rest, unless somebody comes before."""
        public = self.public
        vacant_since_ms = self.presence.vacant_since_ms
        if vacant_since_ms is None or public.suspended or public.room.closed:
            return None
        return None if public.room.settings.always_on else vacant_since_ms + vacant_ms

    def store_at_once(self, pace: Pace) -> None:
        """Have a snapshot stored at the next look: an older one has what was deleted since."""
        self.dirty_since_ms = self.used_at_ms - pace.snapshot_ms

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
            wake_at_ms=None if wake_ms is None else int(wake_ms),
            suspended=public.suspended,
            listeners=self.presence.people,
            now_playing=None if entry is None else encode(entry.track).decode(),
        )


def here_of(room_id: RoomId, loaded: Loaded, now_ms: float, pace: Pace) -> Here:
    """A room that was just loaded: nobody is there yet."""
    public = loaded.room.public
    alive_at_ms = now_ms if loaded.alive_at_ms is None else min(loaded.alive_at_ms, now_ms)
    heard = Heard(public.playback, now_ms)
    here = Here(
        room_id=room_id,
        loaded=loaded,
        shown=Shown(loaded.ring, public.lineage, encode(public), now_ms),
        presence=Presence(pace.grace_ms, alive_at_ms, heard.leave),
        heard=heard,
        recent=Recent(complete=public.seq == 0),
        loading=Loading(),
        reactions=Reactions(pace.reactions_ms),
        tune=Tune(),
        saved_seq=loaded.snapshot_seq,
        dirty_since_ms=None if loaded.snapshot_seq == public.seq else now_ms,
        used_at_ms=now_ms,
    )
    if loaded.owes_redaction:
        here.store_at_once(pace)
    return here
