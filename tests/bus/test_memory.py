import pytest

from roomserver.bus.api import Bus
from roomserver.bus.memory import MemoryBus
from tests.bus.contract import BusContract


class TestMemoryBus(BusContract):
    @pytest.fixture
    def ends(self) -> tuple[Bus, Bus]:
        bus = MemoryBus()
        return bus, bus
