"""One server, one sound card and one room with music, and who sits down in front of it."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from tests.bench_sync.host import Host
from tests.bench_sync.wire import Wire
from tests.web.music import write
from tests.web.people import CHROMIUM, Browser, eventually
from tests.web.recording import Recording, SoundCard
from tests.web.server import Server

Kind = Literal["page", "naive"]
NAIVE: Final = Path(__file__).with_name("naive.js")
A_PAGE: Final = "/web/docs/index.html"
"""Any page of the server that makes no sound: the naive peer runs in it."""
LOAD: Final = """
setInterval(() => {
  const until = performance.now() + 50;
  while (performance.now() < until);
}, 100);
"""
"""Half of the time the main thread does nothing else."""
PIECE_S: Final = 200


class Seat(Struct, frozen=True):
    """Where and how somebody listens."""

    kind: Kind = "page"
    late: tuple[str, str] | None = None
    """Behind a wire that is late so much there and back, as `50+-30`."""
    clock: str = ""
    """What `faketime` makes of the browser's clocks, as `+5h x1.0005`."""


class Listener:
    """A browser that plays into channels of its own."""

    def __init__(self, browser: Browser, seat: Seat, wire: Wire | None, name: str) -> None:
        self.browser = browser
        self.wire = wire
        self._seat = seat
        self._name = name

    def join(self, room_id: str) -> None:
        """Come into the room, as a guest."""
        if self._seat.kind == "naive":
            self.browser.arrive(self._name, A_PAGE, account=False)
            self.browser.js(NAIVE.read_text("utf-8"), room_id)
        else:
            self.browser.arrive(self._name, f"/rooms/{room_id}", account=False)

    def join_again(self, room_id: str) -> None:
        """Open the page anew."""
        self.browser.driver.refresh()
        if self._seat.kind == "naive":
            self.browser.js(NAIVE.read_text("utf-8"), room_id)

    def is_connected(self) -> bool:
        """What the page says of itself."""
        return self._seat.kind == "naive" or self.browser.text("#connection") == "Connected"

    def hide(self) -> None:
        """Put another tab before it."""
        # Not by the driver's own words: they bring the page that is spoken to to the front.
        self.browser.driver.execute_cdp_cmd("Target.createTarget", {"url": "about:blank"})
        eventually(lambda: self.browser.js("return document.hidden"), "the page is hidden")

    def load(self) -> None:
        """Keep the page's main thread busy for half of the time."""
        self.browser.js(LOAD)

    def close(self) -> None:
        self.browser.close()
        if self.wire is not None:
            self.wire.close()


class Take(Struct):
    """One recording of one room."""

    host: Host
    listeners: list[Listener]
    recording: Recording

    @property
    def now_s(self) -> float:
        """How much has been recorded."""
        return self.recording.seconds

    def join(self, *listeners: int) -> None:
        """Let these come in, all without a name."""
        for number in listeners or range(len(self.listeners)):
            self.listeners[number].join(self.host.room_id)

    def go_on(self, seconds: float) -> float:
        """Record so much more, from now on; when it ends."""
        self.recording.go_on(seconds)
        return self.now_s


class Stage:
    """Everything but the listeners, for one case after the other."""

    def __init__(self, folder: Path, *, listeners: int, tracks: Sequence[Path] = ()) -> None:
        self._folder = folder
        self._tracks = tracks
        self.server = Server(folder / "data")
        self.server.start()
        self.card = SoundCard(listeners, with_tone=True)

    def close(self) -> None:
        self.card.close()
        self.server.stop()

    def made(self, seconds: float, seed: int) -> Path:
        """A piece of which every moment is unlike every other, and none is silent."""
        file = self._folder / f"{seed}-{seconds:g}.flac"
        return write(file, seconds, title=f"Piece {seed}", artist="Noise", seed=seed)

    def evening(self, seconds: float) -> list[Path]:
        """Enough pieces for so long: the tracks that were given, else made ones."""
        count = int(seconds // PIECE_S) + 1
        return [*self._tracks] or [self.made(PIECE_S, seed) for seed in range(count)]

    @contextmanager
    def recording(self, pieces: Sequence[Path], seats: Sequence[Seat]) -> Iterator[Take]:
        """A new room in which these pieces are queued, and a browser for each seat."""
        with ExitStack() as open_ones:
            host = Host(self.server.port)
            for piece in pieces:
                host.add(host.upload(piece))
            listeners = []
            for number, seat in enumerate(seats):
                listeners.append(self._listener(number, seat))
                open_ones.callback(listeners[-1].close)
            recording = self.card.start_recording()
            open_ones.callback(recording.close)
            yield Take(host, listeners, recording)

    def _listener(self, number: int, seat: Seat) -> Listener:
        address, wire = self.server.address, None
        if seat.late is not None:
            wire = Wire(self.server.port, there=seat.late[0], back=seat.late[1])
            address = wire.address
        environment = self.card.environment_of(number)
        program = self._faked(seat.clock) if seat.clock else CHROMIUM
        browser = Browser(address, environment=environment, program=program)
        return Listener(browser, seat, wire, f"Listener {number}")

    def _faked(self, clock: str) -> str:
        """A program that starts Chromium with other clocks, all of its processes with the same."""
        program = self._folder / "chromium-with-other-clocks"
        program.write_text(f"#!/bin/sh\nexec faketime -f '{clock}' {CHROMIUM} \"$@\"\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        return os.fspath(program)
