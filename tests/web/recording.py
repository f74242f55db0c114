"""What several listeners hear, on one clock: a sound card of software with a pair of channels each.

A PulseAudio daemon of the test's own holds one null sink with four channels. Two stereo sinks are
views of its front and its rear pair, and each browser plays into one of them. `parec` records all
four channels of the null sink's monitor, so that the two pairs are locked to the sample.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.web.people import eventually

RATE_HZ: Final = 48_000
CHANNELS: Final = 4
MAP: Final = "front-left,front-right,rear-left,rear-right"
PAIRS: Final = ("front-left,front-right", "rear-left,rear-right")
LONGEST_LAG_MS: Final = 400.0
AUDIBLE: Final = 1e-3
"""Root of the mean square below which a window counts as silent."""

Sound = NDArray[np.float32]


class SoundCard:
    """A PulseAudio daemon with a sink for each of two listeners."""

    def __init__(self) -> None:
        # Short: the socket's path has at most 107 bytes.
        self._home = Path(tempfile.mkdtemp(prefix="tune-"))
        self._socket = self._home / "native"
        modules = [
            f"module-native-protocol-unix auth-anonymous=1 socket={self._socket}",
            f"module-null-sink sink_name=room rate={RATE_HZ} channels={CHANNELS} channel_map={MAP}",
            *(
                f"module-remap-sink sink_name=listener{number} master=room channels=2 remix=no"
                f" channel_map=front-left,front-right master_channel_map={pair}"
                for number, pair in enumerate(PAIRS)
            ),
        ]
        self._daemon = subprocess.Popen(
            [
                "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
                "--disallow-exit", "--realtime=no", "--high-priority=no", "--log-level=error",
                *(f"--load={module}" for module in modules),
            ],
            env=self._environment(),
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        eventually(self._is_ready, "pulseaudio is ready", 10)

    def _environment(self) -> dict[str, str]:
        home = str(self._home)
        return {
            **os.environ,
            "HOME": home,
            "XDG_RUNTIME_DIR": home,
            "XDG_CONFIG_HOME": home,
            "PULSE_RUNTIME_PATH": home,
            "PULSE_SERVER": f"unix:{self._socket}",
        }

    def _is_ready(self) -> bool:
        assert self._daemon.poll() is None, "pulseaudio ended"
        listed = subprocess.run(
            ["pactl", "list", "short", "sinks"],
            env=self._environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        return "listener1" in listed.stdout

    def environment_of(self, listener: int) -> dict[str, str]:
        """For a browser that shall play into the pair of listener 0 or 1."""
        return {**self._environment(), "PULSE_SINK": f"listener{listener}"}

    def start_recording(self) -> "Recording":
        return Recording(self._environment(), self._home / "heard.raw")

    def close(self) -> None:
        self._daemon.send_signal(signal.SIGTERM)
        try:
            self._daemon.wait(5)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait()
        shutil.rmtree(self._home, ignore_errors=True)


class Recording:
    """All four channels, from now until `stop`."""

    def __init__(self, environment: dict[str, str], file: Path) -> None:
        self._file = file
        with file.open("wb") as out:
            self._parec = subprocess.Popen(
                [
                    "parec", "--raw", "--device=room.monitor", "--format=float32le",
                    f"--rate={RATE_HZ}", f"--channels={CHANNELS}", f"--channel-map={MAP}",
                ],
                env=environment, stdout=out, stderr=subprocess.DEVNULL,
            )  # fmt: skip

    @property
    def seconds(self) -> float:
        """How much has been recorded so far."""
        return self._file.stat().st_size / (4 * CHANNELS * RATE_HZ)

    def reach(self, seconds: float) -> None:
        """Wait until so much has been recorded."""
        eventually(lambda: self.seconds >= seconds, f"{seconds} s are recorded", seconds + 10)

    def stop(self) -> tuple[Sound, Sound]:
        """What each of the two heard, one channel each."""
        self._parec.terminate()
        self._parec.wait()
        samples = np.fromfile(self._file, dtype="<f4")
        frames = samples[: len(samples) // CHANNELS * CHANNELS].reshape(-1, CHANNELS)
        return frames[:, 0:2].mean(axis=1), frames[:, 2:4].mean(axis=1)


def lag_ms(one: Sound, other: Sound) -> float | None:
    """How much later `other` hears the same; None if either is silent or they are unlike."""
    if min(float(np.sqrt(np.mean(sound**2))) for sound in (one, other)) < AUDIBLE:
        return None
    size = 1 << (len(one) + len(other) - 1).bit_length()
    spectrum = np.conj(np.fft.rfft(one, size)) * np.fft.rfft(other, size)
    match = np.fft.irfft(spectrum, size)
    most = int(LONGEST_LAG_MS * RATE_HZ / 1_000)
    lags = np.concatenate([match[-most:], match[: most + 1]])
    best = int(np.argmax(lags))
    likeness = lags[best] / (np.linalg.norm(one) * np.linalg.norm(other))
    return (best - most) * 1_000 / RATE_HZ if likeness > 0.3 else None


def lags_ms(
    heard: tuple[Sound, Sound], *, from_s: float, to_s: float, window_s: float, step_s: float
) -> list[float | None]:
    """The lag in each window of a part of a recording."""
    one, other = heard
    starts = np.arange(from_s, to_s - window_s + 1e-9, step_s)
    cut = [(int(at * RATE_HZ), int((at + window_s) * RATE_HZ)) for at in starts]
    return [lag_ms(one[first:last], other[first:last]) for first, last in cut]


def found_at(heard: Sound, piece: Sound) -> int:
    """The sample of a recording at which a piece begins that is heard in it once."""
    size = 1 << (len(heard) + len(piece) - 1).bit_length()
    match = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(piece, size)), size)
    at = int(np.argmax(match[: len(heard)]))
    part = heard[at : at + len(piece)]
    likeness = match[at] / (np.linalg.norm(part) * np.linalg.norm(piece[: len(part)]))
    assert likeness > 0.9, f"the piece is not in the recording ({likeness:.2f})"
    return at


def worst_of(lags: Sequence[float], share: float) -> float:
    """The distance that `share` of the lags do not exceed, ms."""
    ordered = sorted(abs(lag) for lag in lags)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
