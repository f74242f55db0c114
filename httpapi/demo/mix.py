"""The mixing desk: places notes in stereo, adds echo and a room, and makes the master."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from httpapi.demo.instruments import Audio
from protocol.base import SAMPLE_RATE_HZ

LOUDNESS_LUFS: Final = -16.0
CEILING_DBFS: Final = -3.0
"""Lower than what is promised (-1.5): a lossy codec overshoots a little."""
FADE_IN_S: Final = 0.05


class Mix:
    """`length_s` of silence to play into. Nothing sounds after its end."""

    def __init__(self, length_s: float, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self._samples = round(length_s * SAMPLE_RATE_HZ)
        self._dry = np.zeros((2, self._samples), np.float32)
        self._wet = np.zeros((2, self._samples), np.float32)
        self._echo = np.zeros((2, self._samples), np.float32)

    def play(
        self,
        note: Audio,
        at_s: float,
        *,
        level: float = 1.0,
        pan: float = 0.0,
        room: float = 0.2,
        echo: float = 0.0,
    ) -> None:
        """Add a note. `pan`: -1 left to 1 right; `room`, `echo`: how much goes there too."""
        start = round(at_s * SAMPLE_RATE_HZ)
        count = min(len(note), self._samples - start)
        if start < 0 or count <= 0:
            raise ValueError(f"a note at {at_s} s is outside the piece")
        angle = (pan + 1) * np.pi / 4
        sides = np.array([[np.cos(angle)], [np.sin(angle)]], np.float32) * level
        placed = sides * note[:count]
        for bus, share in ((self._dry, 1.0), (self._wet, room), (self._echo, echo)):
            if share:
                bus[:, start : start + count] += np.float32(share) * placed

    def master(
        self, *, echo_s: float = 0.5, room_s: float = 2.0, bright_hz: float, fade_out_s: float
    ) -> Audio:
        """Echo, room, a gentle low-pass, fades, loudness and ceiling: (2, samples)."""
        echoes = _ping_pong(self._echo, echo_s)
        response = _room(room_s, self.rng)
        audio = _render(self._dry + echoes, self._wet + 0.4 * echoes, response, bright_hz)
        audio = _fade(audio, fade_out_s)
        audio *= np.float32(10 ** ((LOUDNESS_LUFS - loudness_lufs(audio)) / 20))
        return _limit(audio)


def _ping_pong(audio: Audio, echo_s: float) -> Audio:
    """Echoes that cross from side to side, each softer than the one before."""
    step = round(echo_s * SAMPLE_RATE_HZ)
    out = np.zeros_like(audio)
    for count in range(1, 7):
        late = count * step
        if late >= audio.shape[1]:
            break
        sides = audio[::-1] if count % 2 else audio
        out[:, late:] += np.float32(0.6 * 0.55 ** (count - 1)) * sides[:, :-late]
    return out


def _room(room_s: float, rng: np.random.Generator) -> Audio:
    """How a room answers one clap: decaying noise after 18 ms, other for each ear."""
    t = np.arange(round(room_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    noise = rng.standard_normal((2, len(t))) * np.exp(-t / (room_s / 5))
    noise *= np.clip((t - 0.018) / 0.03, 0, 1)
    noise /= np.sqrt(np.sum(noise**2) / 2) * 0.6
    return noise.astype(np.float32)


def _render(dry: Audio, wet: Audio, response: Audio, bright_hz: float) -> Audio:
    """Convolve `wet` with the room, add it to `dry`, and round off both ends of the spectrum.

    The walls swallow what is high; rumble below 30 Hz goes; above `bright_hz` it falls gently.
    """
    size = _fast_size(dry.shape[1] + response.shape[1])
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ)
    walls = (hz / (hz + 180)) / (1 + (hz / 3_200) ** 2)
    tone = (hz**4 / (hz**4 + 30.0**4)) / np.sqrt(1 + (hz / bright_hz) ** 4)
    spectrum = np.fft.rfft(wet, size) * np.fft.rfft(response, size) * walls.astype(np.float32)
    spectrum += np.fft.rfft(dry, size)
    spectrum *= tone.astype(np.float32)
    rendered: Audio = np.fft.irfft(spectrum, size)[:, : dry.shape[1]].astype(np.float32)
    return rendered


def _fade(audio: Audio, fade_out_s: float) -> Audio:
    inward = round(FADE_IN_S * SAMPLE_RATE_HZ)
    outward = round(fade_out_s * SAMPLE_RATE_HZ)
    audio[:, :inward] *= np.linspace(0, 1, inward, dtype=np.float32)
    curve = 0.5 + 0.5 * np.cos(np.linspace(0, np.pi, outward))
    audio[:, -outward:] *= curve.astype(np.float32)
    return audio


def loudness_lufs(audio: NDArray[np.floating]) -> float:
    """Integrated loudness of (2, samples) after ITU-R BS.1770: K-weighted and gated."""
    size = _fast_size(audio.shape[1])
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    curve = (shelf * high).astype(np.complex64)
    heard = np.fft.irfft(np.fft.rfft(audio, size) * curve, size)[:, : audio.shape[1]]
    step = SAMPLE_RATE_HZ // 10
    tenths = heard.shape[1] // step
    power = np.square(heard[:, : tenths * step]).reshape(2, tenths, step).mean(axis=2).sum(axis=0)
    blocks = np.convolve(power, np.ones(4) / 4, mode="valid")
    for gate in (10**-6.93, None):
        floor = gate if gate is not None else blocks.mean() / 10
        blocks = blocks[blocks > floor]
    return float(-0.691 + 10 * np.log10(blocks.mean()))


def _limit(audio: Audio) -> Audio:
    """Turn down, smoothly and ahead of time, what would pass the ceiling."""
    ceiling = 10 ** (CEILING_DBFS / 20)
    block = SAMPLE_RATE_HZ // 200
    count = -(-audio.shape[1] // block)
    padded = np.zeros((2, count * block), np.float32)
    padded[:, : audio.shape[1]] = audio
    peaks = np.abs(padded).max(axis=0).reshape(count, block).max(axis=1)
    wanted = np.pad(np.minimum(1, ceiling / np.maximum(peaks, 1e-9)), 8, constant_values=1.0)
    # The least of the neighbours, then their mean: never above what its own block needs.
    least = np.lib.stride_tricks.sliding_window_view(wanted, 9).min(axis=1)
    smooth = np.lib.stride_tricks.sliding_window_view(least, 9).mean(axis=1)
    centres = (np.arange(count) + 0.5) * block
    gain = np.interp(np.arange(audio.shape[1]), centres, smooth)
    quiet: Audio = np.clip(audio * gain.astype(np.float32), -ceiling, ceiling)
    return quiet


def _fast_size(samples: int) -> int:
    """A length for which the FFT is quick: whole seconds, their number without large primes."""
    whole_s = -(-samples // SAMPLE_RATE_HZ)
    while 60**8 % whole_s:
        whole_s += 1
    return whole_s * SAMPLE_RATE_HZ
