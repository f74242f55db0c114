"""What two browsers sound like at one instant: both into one recording, sample-locked.

    browser -> sink "one" -> channels 1, 2 ┐
                                           ├ null sink "all" (4 channels) -> parec
    browser -> sink "two" -> channels 3, 4 ┘

Both remapped sinks play on the clock of the same null sink, so the recording has no skew of its
own: two pages that start one buffer at a common instant are 0.04 ms apart in it.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48_000
WINDOW_S = 2.0
FARTHEST_S = 0.25
"""Skews beyond this are not looked for."""
SILENT = 1e-4


class SoundCard:
    """A PulseAudio of our own, without hardware."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = f"unix:{folder}/native"
        self._env = os.environ | {
            "PULSE_SERVER": self._server,
            "XDG_RUNTIME_DIR": str(folder),
            "HOME": str(folder),
        }
        self._daemon: subprocess.Popen[bytes] | None = None

    def browser_env(self, sink: str) -> dict[str, str]:
        """The environment of a browser that plays into `one` or `two`."""
        return self._env | {"PULSE_SINK": sink}

    def start(self) -> None:
        """Start the daemon and wait until it answers."""
        front, rear = "front-left,front-right", "rear-left,rear-right"
        modules = [
            f"module-native-protocol-unix socket={self._folder}/native auth-anonymous=1",
            f"module-null-sink sink_name=all rate={RATE_HZ} channels=4 channel_map={front},{rear}",
        ]
        modules += [
            f"module-remap-sink sink_name={name} master=all remix=no rate={RATE_HZ} channels=2"
            f" channel_map={front} master_channel_map={to}"
            for name, to in (("one", front), ("two", rear))
        ]
        self._daemon = subprocess.Popen(
            ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disallow-exit=1"]
            + [part for module in modules for part in ("-L", module)],
            env=self._env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(100):
            ready = subprocess.run(
                ["pactl", "list", "short", "sinks"], env=self._env, capture_output=True, timeout=10
            )
            if ready.returncode == 0 and b"two" in ready.stdout:
                return
            try:
                self._daemon.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            break
        raise AssertionError("PulseAudio does not start")

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.terminate()
            self._daemon.wait(10)

    def record(self, seconds: float) -> NDArray[np.float32]:
        """(samples, 4): what both browsers played during the next seconds."""
        wanted = int(seconds * RATE_HZ) * 4 * 2
        recorder = subprocess.Popen(
            [
                *("parec", "-d", "all.monitor", "--format=s16le", f"--rate={RATE_HZ}"),
                *("--channels=4", "--channel-map=front-left,front-right,rear-left,rear-right"),
                "--latency-msec=50",
            ],
            env=self._env,
            stdout=subprocess.PIPE,
        )
        assert recorder.stdout is not None
        try:
            with recorder.stdout as played:
                data = played.read(wanted)
        finally:
            recorder.kill()
            recorder.wait(10)
        return np.frombuffer(data, "<i2").reshape(-1, 4).astype(np.float32) / 32_768


@contextmanager
def sound_card(folder: Path) -> Iterator[SoundCard]:
    """A running sound card."""
    card = SoundCard(folder)
    card.start()
    try:
        yield card
    finally:
        card.stop()


def skews_ms(recorded: NDArray[np.float32]) -> list[float]:
    """By how much the second browser is behind the first, window by window, in ms.

    Cross-correlation over the whole window, refined below one sample by a parabola. Raises
    AssertionError where one of the two is silent.
    """
    one, two = recorded[:, :2].mean(axis=1), recorded[:, 2:].mean(axis=1)
    size = int(WINDOW_S * RATE_HZ)
    found = []
    for start in range(0, len(one) - size + 1, size):
        a, b = one[start : start + size], two[start : start + size]
        assert a.std() > SILENT, f"the first browser is silent at {start / RATE_HZ:.0f} s"
        assert b.std() > SILENT, f"the second browser is silent at {start / RATE_HZ:.0f} s"
        found.append(_skew_ms(a, b))
    return found


def _skew_ms(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    count = 2 * len(a)
    product = np.fft.rfft(b, count) * np.conj(np.fft.rfft(a, count))
    match = np.fft.irfft(product, count)
    farthest = int(FARTHEST_S * RATE_HZ)
    near = np.concatenate((match[-farthest:], match[: farthest + 1]))
    peak = int(np.argmax(near))
    before, at, after = near[peak - 1], near[peak], near[(peak + 1) % len(near)]
    bend = before - 2 * at + after
    fine = 0.5 * (before - after) / bend if bend else 0.0
    return float((peak - farthest + fine) / RATE_HZ * 1_000)
