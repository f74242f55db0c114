"""What the handlers of the sidecar work with; whoever starts the sidecar fills it in."""

import asyncio
from dataclasses import dataclass, field

from httpapi.auth.revocations import Revocations
from httpapi.live import LiveRooms
from httpapi.media.listening import Listening
from httpapi.media.storage import Storage
from httpapi.media.worker import ProbeWorker
from roomserver.bus.calls import Calls
from roomserver.runtime.clock import ClusterClock
from roomserver.runtime.config import Config
from roomserver.runtime.limits import Limiter
from roomserver.runtime.passwords import Passwords
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
    passwords: Passwords
    calls: Calls
    storage: Storage
    tasks: Tasks

    revocations: Revocations = field(default_factory=Revocations)
    live: LiveRooms = field(default_factory=LiveRooms)
    probes: ProbeWorker = field(default_factory=ProbeWorker)
    listening: Listening = field(default_factory=Listening)
    job_added: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when this process has made a job: a free worker need not wait for its next look."""
