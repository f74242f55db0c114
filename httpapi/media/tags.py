"""Title, artist, album, genre and picture of a file, fit to be shown to others."""

import unicodedata
from pathlib import PurePath
from typing import Final

from msgspec import Struct
from tinytag import TinyTag

TEXT_MAX: Final = 200
MARKS_PER_BASE_MAX: Final = 4
UNTITLED: Final = "Untitled"
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BLANKS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u200b\u2060\ufeff")
"""Characters that show nothing, though Unicode does not call them spaces."""


class Tags(Struct, frozen=True, kw_only=True):
    """Cleaned; an empty string where the file says nothing, except for the title."""

    title: str
    artist: str = ""
    album: str = ""
    genre: str = ""
    picture: bytes | None = None
    """As it stands in the file: not yet checked."""


def read_tags(path: str, name: str) -> Tags:
    """Read what the file says of itself; the stem of `name` stands in for a missing title.

    Never fails: tags that cannot be read are no tags.
    """
    stem = clean_text(PurePath(name.replace("\\", "/")).stem) or UNTITLED
    try:
        found = TinyTag.get(path, duration=False, image=True)
        first = found.images.any
        return Tags(
            title=clean_text(found.title or "") or stem,
            artist=clean_text(found.artist or ""),
            album=clean_text(found.album or ""),
            genre=clean_text(found.genre or ""),
            picture=first.data if first is not None else None,
        )
    except Exception:
        # Whatever a parser of strangers' bytes may raise, a MemoryError too.
        return Tags(title=stem)


def clean_text(text: str) -> str:
    """NFC, one line, nothing invisible or reordering, at most 200 characters; may be empty."""
    # Far more than is kept, so that what is thrown away costs nothing.
    text = unicodedata.normalize("NFC", text[: TEXT_MAX * 8])
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category in ("Cc", "Zl", "Zp"):
            char = " "
        elif char in _BIDI or char in _BLANKS or category in ("Cs", "Co", "Cn"):
            continue
        marks = marks + 1 if category.startswith("M") else 0
        if marks <= MARKS_PER_BASE_MAX:
            kept.append(char)
    words = " ".join("".join(kept).split())[:TEXT_MAX].strip()
    return words if any(unicodedata.category(c)[0] not in "CZM" for c in words) else ""
