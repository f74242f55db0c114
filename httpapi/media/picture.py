"""Pictures from strangers, made anew as small JPEGs. Call it in a process with limits."""

import io
import warnings
from typing import Final

from PIL import Image, ImageOps

FORMATS: Final = ("PNG", "JPEG", "WEBP")
MAX_PIXELS: Final = 16_000_000
EDGE_MAX: Final = 512
SMALL_EDGE_MAX: Final = 96
QUALITY: Final = 85


class BadPicture(ValueError):
    """These bytes are no picture that we take."""


def remake(data: bytes, *, edge_max: int = EDGE_MAX) -> bytes:
    """Decode one PNG, JPEG or WebP picture and encode it as a JPEG; `edge_max`: pixels a side.

    Turned upright first; nothing of its metadata is left. Raises BadPicture.
    """
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a picture that would fill the memory.
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise BadPicture(f"{image.width} x {image.height} is too large")
                if getattr(image, "n_frames", 1) != 1:
                    raise BadPicture("it moves")
                # Lets the JPEG decoder scale while it decodes.
                image.draft("RGB", (edge_max * 2, edge_max * 2))
                upright = ImageOps.exif_transpose(image)
                upright.thumbnail((edge_max, edge_max))
                return _encode(_opaque(upright))
    except BadPicture:
        raise
    except Exception as error:
        raise BadPicture(type(error).__name__) from error


def _opaque(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    ground = Image.new("RGB", image.size, "white")
    seen = image.convert("RGBA")
    ground.paste(seen, mask=seen.getchannel("A"))
    return ground


def _encode(image: Image.Image) -> bytes:
    # A fresh image: `info`, with EXIF, XMP, ICC and comments, stays behind.
    bare = Image.new("RGB", image.size)
    bare.paste(image)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()
