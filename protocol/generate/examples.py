"""The hand-written examples in `protocol/examples/<stem>.jsonl`: a message a line, as sent."""

from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from protocol.generate.declared import MESSAGES, stem_of, tag_of
from protocol.snapshot import Snapshot

FOLDER: Final = Path(__file__).parents[1] / "examples"


class _Tagged(Struct):
    type: str


@cache
def examples() -> dict[type[Struct], list[bytes]]:
    """Class -> its examples. Raises ValueError for a line that no class gives back unchanged."""
    found: dict[type[Struct], list[bytes]] = {shape: [] for shape in (*MESSAGES, Snapshot)}
    for path in sorted(FOLDER.glob("*.jsonl")):
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            if line:
                found[_shape_of(line, path.stem, f"{path.name}:{number}")].append(line)
    return found


def _shape_of(line: bytes, stem: str, where: str) -> type[Struct]:
    """The class of a line: that of its stem and tag which loses nothing and adds nothing."""
    if stem == "snapshot":
        candidates: list[type[Struct]] = [Snapshot]
    else:
        tag = msgspec.json.decode(line, type=_Tagged).type
        candidates = [s for s in MESSAGES if stem_of(s) == stem and tag_of(s) == tag]
    why = f"no message of {stem} has this type"
    for shape in candidates:
        try:
            again = msgspec.json.encode(msgspec.json.decode(line, type=shape))
        except msgspec.ValidationError as problem:
            why = str(problem)
            continue
        if again == line:
            return shape
        why = f"it comes back as {again.decode()}"
    raise ValueError(f"{where}: {why}")
