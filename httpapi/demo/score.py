"""The pieces: each function plays one into a `Mix` and returns its master.

Notes are written as in "C#4"; beats count from zero.
"""

from collections.abc import Callable

import numpy as np

from httpapi.demo import drums
from httpapi.demo.instruments import (
    Audio,
    bass,
    bell,
    electric_piano,
    glass,
    harp,
    kalimba,
    pad,
)
from httpapi.demo.mix import Mix

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def hz(note: str) -> float:
    """The frequency of a note such as "Bb3", with A4 at 440 Hz."""
    half_tones = _STEPS[note[0]] + note.count("#") - note[1:].count("b")
    return float(440 * 2 ** ((half_tones - 9) / 12 + int(note[-1]) - 4))


def _chord(mix: Mix, notes: str, at_s: float, length_s: float, level: float) -> None:
    """A pad chord: two voices a note, left and right, each out of tune in its own way."""
    attack_s = min(2.4, length_s / 3)
    for side in (-0.7, 0.7):
        voices = [pad(hz(note), length_s, mix.rng, attack_s=attack_s) for note in notes.split()]
        mix.play(np.add.reduce(voices), at_s, level=level, pan=side, room=0.5)


def slow_harbour() -> Audio:
    """Warm pads that change every eight beats, and a harp that answers them."""
    beat_s = 0.8
    chords = (
        *("D2 A3 C#4 E4 F#4", "B1 A3 C#4 D4 F#4", "G2 A3 B3 D4 F#4", "A1 G3 B3 D4 E4"),
        *("D2 A3 C#4 E4 F#4", "F#2 A3 C#4 E4 A4", "G2 A3 B3 D4 G4", "A1 G3 B3 D4 E4"),
        "D2 A3 D4 E4 F#4",
    )
    # (beat, note) after the start of each chord.
    phrases: tuple[tuple[tuple[float, str], ...], ...] = (
        ((4, "F#5"), (5, "E5"), (6, "A4")),
        ((1, "D5"), (2, "F#5"), (5, "E5"), (6.5, "D5")),
        ((1, "B4"), (2, "D5"), (3, "F#5"), (5.5, "E5"), (6.5, "D5")),
        ((1, "E5"), (4, "B4"), (5, "D5"), (6, "E5")),
        ((0.5, "F#5"), (1.5, "A5"), (3, "F#5"), (5, "E5"), (6, "D5")),
        ((1, "C#5"), (2, "E5"), (3, "A5"), (5.5, "F#5")),
        ((0.5, "B5"), (1.5, "A5"), (3, "F#5"), (4.5, "D5"), (6, "E5")),
        ((1, "E5"), (2.5, "D5"), (4, "B4"), (6, "A4")),
        ((1, "F#5"), (2.5, "E5"), (4, "D5"), (6, "A4"), (8, "D5")),
    )
    mix = Mix(len(chords) * 8 * beat_s + 4, seed=11)
    for number, (chord, phrase) in enumerate(zip(chords, phrases, strict=True)):
        at_s = number * 8 * beat_s
        root, *upper = chord.split()
        _chord(mix, " ".join(upper), at_s, 8 * beat_s + 2.6, 0.068)
        _chord(mix, root, at_s, 8 * beat_s + 2.0, 0.085)
        for beat, note in phrase:
            start_s = at_s + beat * beat_s + mix.rng.normal(0, 0.008)
            pan = 0.5 * np.sin(beat + number)
            mix.play(harp(hz(note), 3.2), start_s, level=0.42, pan=pan, room=0.6, echo=0.35)
    return mix.master(echo_s=beat_s * 0.75, room_s=3.6, bright_hz=7_000, fade_out_s=6)


def night_tram() -> Audio:
    """A slow swung beat under an electric piano; a kalimba joins half-way."""
    beat_s, bars = 60 / 76, 17
    chords = ("G2 F3 A3 Bb3 D4", "C2 E3 A3 Bb3 D4", "F2 E3 G3 A3 C4", "D2 F3 A3 C4 E4")
    tune: tuple[tuple[tuple[float, str], ...], ...] = (
        ((1.5, "D5"), (2, "F5"), (3, "A4"), (3.5, "Bb4")),
        ((1, "A4"), (2.5, "G4"), (3, "E4")),
        ((1.5, "G4"), (2, "A4"), (2.5, "C5"), (3.5, "E5")),
        ((0.5, "D5"), (1.5, "C5"), (2, "A4"), (3, "F4")),
    )
    mix = Mix(bars * 4 * beat_s + 2.5, seed=22)
    kick, swing = drums.kick(), 0.16

    def at(bar: int, beat: float) -> float:
        late = swing if beat % 1 == 0.5 else 0.0
        return float((bar * 4 + beat + late) * beat_s + abs(mix.rng.normal(0, 0.006)))

    for bar in range(bars):
        root, *upper = chords[2 if bar == bars - 1 else bar % 4].split()
        last = bar == bars - 1
        hits = ((0, 3.4, 0.30),) if last else ((0, 2.2, 0.30), (2.5, 1.2, 0.20))
        for beat, beats, level in hits:
            for place, note in enumerate(upper):
                start_s = at(bar, beat) + place * 0.012
                key = electric_piano(hz(note), beats * beat_s)
                mix.play(key, start_s, level=level, pan=-0.45 + 0.3 * place, room=0.3)
        if bar >= 2:
            mix.play(bass(hz(root), 1.6 * beat_s), at(bar, 0), level=0.36, room=0.02)
            if not last:
                mix.play(bass(hz(root), 0.8 * beat_s), at(bar, 2.5), level=0.27, room=0.02)
        if 2 <= bar < bars - 1:
            for beat in (0, 2, 2.5) if bar % 2 else (0, 2.5):
                mix.play(kick, at(bar, beat), level=0.36, room=0.03)
            for beat in (1, 3):
                mix.play(drums.brush(mix.rng), at(bar, beat), level=0.42, pan=0.1, room=0.25)
            for half in range(8):
                level = 0.24 if half % 2 else 0.16
                mix.play(drums.shaker(mix.rng), at(bar, half / 2), level=level, pan=-0.35)
        if bar >= 6 and not last:
            for beat, note in tune[bar % 4]:
                pan = 0.45 * np.sin(beat * 2)
                mix.play(kalimba(hz(note), 1.5), at(bar, beat), level=0.38, pan=pan, echo=0.3)
    return mix.master(echo_s=beat_s * 0.75, room_s=1.6, bright_hz=7_500, fade_out_s=3.5)


def lantern_waltz() -> Audio:
    """A waltz for kalimba; the second time round with bells and pads."""
    beat_s = 60 / 104
    chords = (
        *("C3 E4 G4", "E3 G4 B4", "F3 A4 C5", "C3 E4 G4", "F3 A4 C5", "E3 G4 B4"),
        *("D3 F4 C5", "G3 F4 B4", "C3 E4 G4", "E3 G4 B4", "F3 A4 C5", "F3 Ab4 D5"),
        *("G3 E4 C5", "A3 E4 C5", "D3 F4 B4", "C3 E4 G4"),
    )
    tune = (
        *("E5 - G5", "B5 - G5", "A5 - G5", "E5 - -", "A5 C6 A5", "G5 - E5"),
        *("F5 E5 D5", "D5 - B4", "E5 - G5", "B5 - D6", "C6 - A5", "Ab5 - C6"),
        *("G5 C6 E6", "C6 - A5", "F5 A5 B5", "C6 - -"),
    )
    bars = 2 + 2 * len(chords)
    mix = Mix((bars * 3 + 2) * beat_s + 5, seed=33)

    def at(bar: int, beat: float) -> float:
        return float((bar * 3 + beat) * beat_s + abs(mix.rng.normal(0, 0.007)))

    for bar in range(bars):
        root, *upper = chords[max(0, bar - 2) % 16].split()
        again = bar >= 18
        mix.play(bass(hz(root) / 2, 2.2 * beat_s), at(bar, 0), level=0.34, room=0.1)
        for beat in (1, 2):
            for side, note in zip((-0.4, 0.4), upper, strict=True):
                strum = harp(hz(note), 1.2)
                mix.play(strum, at(bar, beat), level=0.15, pan=side, room=0.4)
        if again:
            _chord(mix, " ".join(upper), bar * 3 * beat_s, 4.2 * beat_s, 0.037)
        for beat, note in enumerate(tune[(bar - 2) % 16].split() if bar >= 2 else ()):
            if note != "-":
                start_s, pan = at(bar, beat), 0.15 * (beat - 1)
                mix.play(kalimba(hz(note), 2), start_s, level=0.5, pan=pan, room=0.4, echo=0.15)
                if again and beat == 0:
                    mix.play(bell(hz(note), 3.5), start_s, level=0.22, pan=-pan, room=0.7)
    for place, note in enumerate(["C3", "G3", "E4", "C5", "E5", "C6"]):
        start_s = bars * 3 * beat_s + place * 0.09
        mix.play(harp(hz(note), 4), start_s, level=0.3, pan=-0.5 + 0.2 * place, room=0.6)
    return mix.master(echo_s=beat_s * 1.5, room_s=2.6, bright_hz=8_000, fade_out_s=3.5)


def glass_clockwork() -> Audio:
    """Six notes going round against a beat of four, slowly growing brighter and dimmer."""
    step_s, bars = 60 / 96 / 4, 22
    chords = ("A2 E4 A4 B4 C5 E5 B5", "F2 E4 A4 B4 C5 E5 A5", "C3 E4 G4 B4 D5 E5 G5",
              "G2 D4 G4 A4 B4 D5 A5", "D3 F4 A4 C5 D5 E5 A5", "E2 E4 G4 B4 D5 E5 B5")  # fmt: skip
    mix = Mix(bars * 16 * step_s + 5, seed=44)
    order = (0, 2, 4, 1, 3, 5)
    for bar in range(bars):
        at_s = bar * 16 * step_s
        root, *upper = chords[bar // 2 % len(chords)].split()
        if bar % 2 == 0:
            _chord(mix, f"{root} {upper[0]} {upper[2]}", at_s, 32 * step_s + 1.6, 0.06)
        if bar >= 4:
            mix.play(bass(hz(root), 6 * step_s), at_s, level=0.34, room=0.05)
            mix.play(bass(hz(root), 4 * step_s), at_s + 10 * step_s, level=0.24, room=0.05)
        swell = np.sin(np.pi * bar / (bars - 1))
        for step in range(16):
            count = bar * 16 + step
            # The first bars and the last ones leave notes out.
            if (bar < 2 or bar >= bars - 2) and step % 2:
                continue
            note = glass(hz(upper[order[count % 6]]), 0.9, round(float(swell), 1))
            level = (0.30 if step % 4 == 0 else 0.21) * (0.7 + 0.3 * swell)
            pan = 0.6 * np.sin(count * 2 * np.pi / 12)
            mix.play(note, at_s + step * step_s, level=level, pan=pan, room=0.25, echo=0.3)
        if bar % 4 == 3:
            mix.play(bell(hz(upper[-1]) * 2, 4), at_s, level=0.14, pan=0.5, room=0.8, echo=0.4)
    return mix.master(echo_s=step_s * 3, room_s=2.8, bright_hz=7_500, fade_out_s=5)


PIECES: dict[str, Callable[[], Audio]] = {
    "slow_harbour": slow_harbour,
    "night_tram": night_tram,
    "lantern_waltz": lantern_waltz,
    "glass_clockwork": glass_clockwork,
}
