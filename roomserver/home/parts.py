"""What all rooms of a home share."""

from collections.abc import Callable

from msgspec import Struct

from protocol.ids import RoomId
from roomserver.bus.channels import Channel
from roomserver.home.acquire import Acquirer
from roomserver.home.beats import Beats
from roomserver.home.committer import Committer
from roomserver.home.history import History
from roomserver.home.listing import Listing
from roomserver.home.pace import Pace
from roomserver.home.snapshots import Snapshots
from roomserver.home.timers import Timers
from roomserver.runtime.clock import ClusterClock
from roomserver.runtime.passwords import Passwords
from roomserver.runtime.tasks import Tasks
from sql.pool import Database


class Parts(Struct, frozen=True):
    """The home's own objects, as its rooms use them."""

    clock: ClusterClock
    channel: Channel
    database: Database
    passwords: Passwords
    tasks: Tasks
    pace: Pace
    beats: Beats
    acquirer: Acquirer
    committer: Committer
    snapshots: Snapshots
    listing: Listing
    history: History
    timers: Timers
    touch: Callable[[RoomId], None]
    """Look at a room at the end of this turn of the loop."""
    retire: Callable[[RoomId], None]
    """Unload a room that is resting, once it is stored."""
    drop: Callable[[RoomId], None]
    """Forget a room that another node took."""
