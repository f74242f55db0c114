"""What a bus over the network tells of itself in figures."""

from typing import Final

from roomserver.runtime.metrics import counter

REFUSED: Final = counter(
    "bus_refused",
    "What came over the bus and was not sealed for its receiver",
    ["reason"],
)
LOST: Final = counter(
    "bus_lost",
    "Envelopes that were not said, or were under way when Redis went",
    ["reason"],
)
