"""What several listeners hear, on one clock: a sound card of software with a pair of channels each.

A PulseAudio daemon of the test's own holds one null sink. Stereo sinks are views of pairs of its
channels, and each browser plays into one of them. `parec` records all channels of the null sink's
monitor, so that the pairs are locked to the sample. A steady tone from outside the browsers can
be heard in a channel of its own: where it is torn, it was not the browsers that stumbled.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from msgspec import Struct

from tests.web.hearing import RATE_HZ, TONE_HZ, Sound
from tests.web.people import eventually

TONE_PIECE_S: Final = 60
TONE_HEIGHT: Final = 0.25
TONE_AHEAD_MS: Final = 100
"""The tone is written so much ahead, as Chromium's sound is: where it is whole, nothing outside the
browsers hesitated for longer than they bear."""
WRITTEN_EVERY_MS: Final = 50


class Heard(Struct):
    """A recording: what each listener heard, one channel each, and the tone."""

    listeners: list[Sound]
    tone: Sound | None


class SoundCard:
    """A PulseAudio daemon with a sink for each listener, of at most eight."""

    def __init__(self, listeners: int = 2, *, with_tone: bool = False) -> None:
        self.listeners = listeners
        self.channels = 2 * listeners + with_tone
        self.map = ",".join(f"aux{number}" for number in range(self.channels))
        # Short: the socket's path has at most 107 bytes.
        self._home = Path(tempfile.mkdtemp(prefix="tune-"))
        self._socket = self._home / "native"
        modules = [
            f"module-native-protocol-unix auth-anonymous=1 socket={self._socket}",
            f"module-null-sink sink_name=room rate={RATE_HZ} channels={self.channels}"
            f" channel_map={self.map}",
            *(
                f"module-remap-sink sink_name=listener{number} master=room channels=2 remix=no"
                " channel_map=front-left,front-right"
                f" master_channel_map=aux{2 * number},aux{2 * number + 1}"
                for number in range(listeners)
            ),
        ]
        if with_tone:
            modules.append(
                "module-remap-sink sink_name=tone master=room channels=1 remix=no channel_map=mono"
                f" master_channel_map=aux{2 * listeners}"
            )
        self._last_sink = "tone" if with_tone else f"listener{listeners - 1}"
        self._daemon = subprocess.Popen(
            [
                "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
                "--disallow-exit", "--realtime=no", "--high-priority=no", "--log-level=error",
                *(f"--load={module}" for module in modules),
            ],
            env=self.environment(),
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        eventually(self._is_ready, "pulseaudio is ready", 10)
        self._tone = self._play_tone() if with_tone else []

    def environment(self) -> dict[str, str]:
        """For a program that shall find this daemon."""
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
            env=self.environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        return f"\t{self._last_sink}\t" in listed.stdout

    def _play_tone(self) -> list[subprocess.Popen[bytes]]:
        """Without end: a piece of whole turns again and again."""
        file = self._home / "tone.raw"
        turns = np.arange(RATE_HZ) * (TONE_HZ / RATE_HZ)
        second = (TONE_HEIGHT * np.sin(2 * np.pi * turns)).astype("<f4").tobytes()
        file.write_bytes(second * TONE_PIECE_S)
        source = subprocess.Popen(
            ["sh", "-c", 'while cat "$0"; do :; done', str(file)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        player = subprocess.Popen(
            [
                "pacat", "--raw", "--device=tone", "--format=float32le", f"--rate={RATE_HZ}",
                "--channels=1", "--channel-map=mono", f"--latency-msec={TONE_AHEAD_MS}",
            ],
            env=self.environment(), stdin=source.stdout, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert source.stdout is not None
        source.stdout.close()  # It is the player's: the source ends with it.
        return [player, source]

    def environment_of(self, listener: int) -> dict[str, str]:
        """For a browser that shall play into the pair of a listener, from 0 on."""
        return {**self.environment(), "PULSE_SINK": f"listener{listener}"}

    def start_recording(self) -> "Recording":
        return Recording(self, self._home / "heard.raw")

    def close(self) -> None:
        for process in (*self._tone, self._daemon):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self._home, ignore_errors=True)


class Recording:
    """All channels, from now until `stop`."""

    def __init__(self, card: SoundCard, file: Path) -> None:
        self._card = card
        self._file = file
        with file.open("wb") as out:
            self._parec = subprocess.Popen(
                [
                    "parec", "--raw", "--device=room.monitor", "--format=float32le",
                    f"--rate={RATE_HZ}", f"--channels={card.channels}",
                    f"--channel-map={card.map}", f"--latency-msec={WRITTEN_EVERY_MS}",
                ],
                env=card.environment(), stdout=out, stderr=subprocess.DEVNULL,
            )  # fmt: skip

    @property
    def seconds(self) -> float:
        """How much has been recorded so far."""
        return self._file.stat().st_size / (4 * self._card.channels * RATE_HZ)

    def reach(self, seconds: float) -> None:
        """Wait until so much has been recorded."""
        within_s = seconds - self.seconds + 10
        eventually(lambda: self.seconds >= seconds, f"{seconds} s are recorded", within_s)

    def go_on(self, seconds: float) -> None:
        """Record so much more."""
        self.reach(self.seconds + seconds)

    def close(self) -> None:
        """End it, whatever was heard."""
        self._parec.terminate()
        self._parec.wait()

    def stop(self) -> Heard:
        """What was heard."""
        self.close()
        samples = np.fromfile(self._file, dtype="<f4")
        channels = self._card.channels
        frames = samples[: len(samples) // channels * channels].reshape(-1, channels)
        pairs = 2 * np.arange(self._card.listeners)
        return Heard(
            listeners=[frames[:, pair : pair + 2].mean(axis=1) for pair in pairs],
            tone=frames[:, -1].copy() if channels % 2 else None,
        )
