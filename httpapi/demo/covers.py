"""The covers: one small picture for each piece, drawn at twice its size and scaled down."""

import io
import math
from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

EDGE: Final = 512
_BIG: Final = 2 * EDGE
Colour = tuple[int, int, int]


def _sky(*stops: Colour) -> Image.Image:
    """A gradient from top to bottom."""
    places = np.linspace(0, len(stops) - 1, _BIG)
    columns = [
        np.interp(places, range(len(stops)), channel) for channel in zip(*stops, strict=True)
    ]
    rows = np.stack(columns, axis=1).astype(np.uint8)
    return Image.fromarray(np.repeat(rows[:, None, :], _BIG, axis=1))


def _glow(image: Image.Image, x: float, y: float, radius: float, colour: Colour) -> None:
    """Light around a point."""
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).ellipse((x - radius, y - radius, x + radius, y + radius), fill=150)
    image.paste(colour, mask=mask.filter(ImageFilter.GaussianBlur(radius / 2.5)))


def slow_harbour() -> Image.Image:
    """A low sun over the sea, hills to both sides."""
    image = _sky((38, 44, 92), (132, 86, 134), (240, 150, 116), (255, 208, 150))
    _glow(image, 512, 560, 260, (255, 226, 170))
    draw = ImageDraw.Draw(image)
    draw.ellipse((412, 460, 612, 660), fill=(255, 236, 196))
    for depth, colour in enumerate(((122, 82, 124), (84, 62, 108), (52, 44, 86))):
        hills = [
            (x, 640 + 26 * depth - 70 * math.cos(x / (150 + 40 * depth) + 2.1 * depth) - far)
            for x in range(0, _BIG + 1, 8)
            for far in (abs(x - 512) / 9,)
        ]
        draw.polygon([(0, _BIG), *hills, (_BIG, _BIG)], fill=colour)
    for row in range(14):
        y, half = 770 + row * 17, 60 + row * 13 * (1.2 + math.sin(row * 2.4))
        draw.rounded_rectangle((512 - half, y, 512 + half, y + 5), 3, fill=(236, 168, 136))
    return image


def night_tram() -> Image.Image:
    """A lit tram under slanting rain."""
    image = _sky((12, 18, 44), (26, 40, 82), (56, 66, 110))
    _glow(image, 512, 600, 380, (255, 186, 96))
    draw = ImageDraw.Draw(image)
    draw.line((0, 340, _BIG, 316), fill=(90, 100, 140), width=4)
    draw.line((470, 330, 540, 430), fill=(90, 100, 140), width=7)
    draw.rounded_rectangle((170, 430, 854, 760), 56, fill=(186, 62, 66))
    draw.rectangle((170, 650, 854, 672), fill=(246, 222, 180))
    for x in range(216, 800, 124):
        draw.rounded_rectangle((x, 484, x + 94, 612), 16, fill=(255, 226, 150))
    for x in (300, 724):
        draw.ellipse((x - 44, 724, x + 44, 812), fill=(28, 30, 52))
    draw.rectangle((0, 806, _BIG, 814), fill=(96, 104, 138))
    rng = np.random.default_rng(7)
    for x, y, length in rng.uniform((-80, -60, 26), (_BIG, _BIG, 70), (150, 3)):
        draw.line((x, y, x + length / 3, y + length), fill=(132, 152, 196), width=2)
    return image


def lantern_waltz() -> Image.Image:
    """Paper lanterns in the evening."""
    image = _sky((16, 44, 62), (24, 82, 92), (70, 128, 112))
    # The lowest first: its string passes behind those above.
    lanterns = ((330, 740, 78, (250, 150, 140)), (720, 640, 136, (255, 204, 120)),
                (520, 500, 54, (255, 222, 160)), (300, 330, 120, (255, 176, 92)),
                (690, 250, 86, (255, 132, 104)))  # fmt: skip
    for x, y, radius, colour in lanterns:
        ImageDraw.Draw(image).line((x, 0, x, y), fill=(14, 36, 50), width=4)
        _glow(image, x, y, radius * 2.1, colour)
        draw = ImageDraw.Draw(image)
        draw.ellipse((x - radius, y - 1.15 * radius, x + radius, y + 1.15 * radius), fill=colour)
        darker = tuple(int(part * 0.84) for part in colour)
        for share in (0.36, 0.74):
            half = radius * share
            box = (x - half, y - 1.15 * radius, x + half, y + 1.15 * radius)
            draw.ellipse(box, outline=darker, width=4)
        for side in (-1.15, 1.15):
            edge = y + side * radius
            draw.rounded_rectangle(
                (x - radius / 3, edge - 9, x + radius / 3, edge + 9), 8, fill=(96, 52, 50)
            )
    return image


def glass_clockwork() -> Image.Image:
    """Rings of dots, six against four."""
    image = _sky((14, 12, 34), (44, 26, 78), (22, 66, 102))
    _glow(image, 512, 512, 330, (110, 120, 230))
    draw = ImageDraw.Draw(image)
    for ring in range(9):
        radius, count = 60 + ring * 46, 6 * (ring + 1) if ring % 2 else 4 * (ring + 2)
        colour = (150 + 10 * ring, 236 - 14 * ring, 246 - 4 * ring)
        draw.ellipse(
            (512 - radius, 512 - radius, 512 + radius, 512 + radius), outline=(74, 74, 140), width=2
        )
        for dot in range(count):
            turn = 2 * math.pi * dot / count + ring * 0.35
            x, y = 512 + radius * math.cos(turn), 512 + radius * math.sin(turn)
            size = 4 + 6 * (0.5 + 0.5 * math.cos(turn * 2 - ring))
            draw.ellipse((x - size, y - size, x + size, y + size), fill=colour)
    return image


PICTURES: Final[dict[str, Callable[[], Image.Image]]] = {
    "slow_harbour": slow_harbour,
    "night_tram": night_tram,
    "lantern_waltz": lantern_waltz,
    "glass_clockwork": glass_clockwork,
}


def paint(name: str) -> bytes:
    """The cover of a piece, a JPEG of 512 x 512."""
    out = io.BytesIO()
    image = PICTURES[name]().resize((EDGE, EDGE), Image.Resampling.LANCZOS)
    image.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()
