"""What the handlers of the sidecar work with; whoever starts the sidecar fills it in."""

from dataclasses import dataclass, field

from httpapi.auth.passwords import Passwords
from httpapi.auth.revocations import Revocations
from httpapi.live import LiveRooms
from httpapi.media.storage import Storage
from httpapi.media.worker import ProbeWorker
from roomserver.bus.calls import Calls
from roomserver.runtime.clock import ClusterClock
from roomserver.runtime.config import Config
from roomserver.runtime.limits import Limiter
from roomserver.runtime.tasks import Tasks
from roomserver.runtime.tokens import Tokens
from sql.pool import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The first block comes from outside and is closed there; the second is the app's own."""

    config: Config
    database: Database
    clock: ClusterClock
    tokens: Tokens
    limiter: Limiter
    calls: Calls
    storage: Storage
    tasks: Tasks

    passwords: Passwords = field(default_factory=Passwords)
    revocations: Revocations = field(default_factory=Revocations)
    live: LiveRooms = field(default_factory=LiveRooms)
    probes: ProbeWorker = field(default_factory=ProbeWorker)
