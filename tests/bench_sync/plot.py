"""Skew over time as an SVG: a panel for each case, the page as dots, the naive peer as rings."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

WIDTH: Final = 860
PANEL: Final = 120
LEFT: Final = 150
TOP: Final = 14
PLOT_WIDTH: Final = 680
PLOT_HEIGHT: Final = 84
HIGHEST_MS: Final = 15.0
"""What lies further out is drawn at the edge."""
LINES_MS: Final = (-10.0, -5.0, 0.0, 5.0, 10.0)


class Panel(Struct):
    """One case: instants in s and skews in ms, of each kind of listener that went through it."""

    title: str
    page: list[tuple[float, float]]
    naive: list[tuple[float, float]]


def svg(panels: Sequence[Panel]) -> str:
    """The drawing, as the text of a file."""
    height = PANEL * len(panels) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        ' font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, PANEL * number + TOP)
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, top: float) -> list[str]:
    dots = [*panel.page, *panel.naive]
    begin_s = min((at_s for at_s, _ in dots), default=0.0)
    long_s = max((at_s for at_s, _ in dots), default=1.0) - begin_s or 1.0

    def x(at_s: float) -> float:
        return LEFT + (at_s - begin_s) / long_s * PLOT_WIDTH

    def y(skew_ms: float) -> float:
        near = max(-HIGHEST_MS, min(HIGHEST_MS, skew_ms))
        return top + PLOT_HEIGHT / 2 * (1 - near / HIGHEST_MS)

    parts = [f'<text x="8" y="{top + PLOT_HEIGHT / 2:.0f}">{panel.title}</text>']
    for skew_ms in LINES_MS:
        colour = "#888" if skew_ms == 0 else "#ddd"
        place = y(skew_ms)
        parts.append(
            f'<path d="M{LEFT} {place:.1f}h{PLOT_WIDTH}" stroke="{colour}"/>'
            f'<text x="{LEFT - 4}" y="{place + 4:.1f}" text-anchor="end" font-size="9"'
            f' fill="#666">{skew_ms:+.0f} ms</text>'
        )
    below = top + PLOT_HEIGHT + 12.0
    parts.append(f'<text x="{LEFT}" y="{below}" font-size="9" fill="#666">{begin_s:.0f} s</text>')
    parts.append(
        f'<text x="{LEFT + PLOT_WIDTH}" y="{below}" text-anchor="end" font-size="9"'
        f' fill="#666">{begin_s + long_s:.0f} s</text>'
    )
    for points, look in (
        (panel.naive, 'fill="none" stroke="#c60"'),
        (panel.page, 'fill="#06c"'),
    ):
        for at_s, skew_ms in points:
            parts.append(f'<circle cx="{x(at_s):.1f}" cy="{y(skew_ms):.1f}" r="2" {look}/>')
    return parts
