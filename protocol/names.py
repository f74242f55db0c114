"""Names that people choose: what they may consist of, and when two of them are the same.

A name is stored in NFC as its owner wrote it. Two names are the same if their keys are: NFKC,
case-folded, without invisible characters. Look-alikes across scripts stay two names.
"""

import re
import unicodedata
from typing import Final

from protocol.errors import ErrorCode, Rejected

MARKS_A_BASE: Final = 4
"""Combining marks on one character: enough for every written language, too few for a mess."""

_JOINERS: Final = "\u200c\u200d"
# Invisible, or turning the direction of what follows (061C, 200E/F, 202A-E, 2066-9).
_REFUSED: Final = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
# Characters that are no whitespace to Unicode and yet print nothing.
_FILLERS: Final = "\u115f\u1160\u2800\u3164\uffa0"
_BLANK: Final = re.compile(rf"[{_FILLERS}\u200c\u200d\ufe00-\ufe0f\s]+")
_UNSEEN: Final = re.compile(rf"[{_FILLERS}\u200c\u200d\ufe00-\ufe0f]")
_EDGES: Final = re.compile(rf"^[{_FILLERS}\s]+|[{_FILLERS}\s]+$")


def clean(text: str, *, what: str, max_length: int) -> str:
    """The name as it is stored: NFC, trimmed, runs of spaces joined. Rejects: bad_request."""
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in text):
        raise _refused(what, "must not contain control characters")
    if _REFUSED.search(text):
        raise _refused(what, "must not contain invisible or direction-changing characters")
    name = re.sub(r"\s+", " ", _EDGES.sub("", unicodedata.normalize("NFC", text)))
    if not _BLANK.sub("", name):
        raise _refused(what, "must not be blank")
    if len(name) > max_length:
        raise _refused(what, f"must not be longer than {max_length} characters")
    if not _joins_well(name):
        raise _refused(what, "has a zero-width joiner where it joins nothing")
    if _piles_marks(name):
        raise _refused(what, f"has more than {MARKS_A_BASE} marks on one character")
    return name


def clean_username(text: str) -> str:
    """A name to sign in with: 3 to 30 characters, no space, no "@". Rejects: bad_request."""
    name = clean(text, what="username", max_length=30)
    if len(name) < 3:
        raise _refused("username", "must have at least 3 characters")
    if "@" in name or " " in name:
        raise _refused("username", "must contain neither a space nor an @")
    return name


def key(name: str) -> str:
    """What makes a name unique: NFKC, case-folded, without what cannot be seen."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    # Folding can take a text out of the normal form (RFC 8265 does it in this order, too).
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", folded))


def _joins_well(name: str) -> bool:
    """Joiners are kept between emoji and between letters of scripts that need them."""
    for index, char in enumerate(name):
        if char in _JOINERS:
            beside = name[index - 1 : index] + name[index + 1 : index + 2]
            if len(beside) < 2 or any(each.isascii() or each in _JOINERS for each in beside):
                return False
    return True


def _piles_marks(name: str) -> bool:
    pile = 0
    # Decomposed, so that a letter that carries marks of its own counts them.
    for char in unicodedata.normalize("NFD", name):
        pile = pile + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if pile > MARKS_A_BASE:
            return True
    return False


def _refused(what: str, why: str) -> Rejected:
    return Rejected(ErrorCode.BAD_REQUEST, f"The {what.replace('_', ' ')} {why}.", path=what)
