"""Where a room's home is."""

from protocol.cluster import Party
from protocol.ids import NodeId, RoomId


def node_party(node_id: NodeId) -> Party:
    """The place of a node on the bus."""
    return f"node:{node_id}"


def http_party(name: str) -> Party:
    """The place of a sidecar on the bus."""
    return f"http:{name}"


def is_http(party: Party) -> bool:
    """Whether it is the place of a sidecar."""
    return party.startswith("http:")


class Directory:
    """One node is the home of every room. Placement over several nodes will answer here."""

    def __init__(self, home: Party) -> None:
        self._home = home

    def any_home(self) -> Party:
        """A node that takes rooms."""
        return self._home

    def home_of(self, room_id: RoomId) -> Party:
        """The party to ask about a room; it answers `Moved` if it is not the home."""
        return self._home
