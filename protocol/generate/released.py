"""What was released: the examples and the schemas of each feature level, as they were.

The evolution rule: what was released once is understood for ever. `examples/released/<level>/` is
written once, by `python -m protocol.generate --release`, and never edited; tests hold it against
today's classes:

1. today's server takes every message that a client of that level sends;
2. today's client takes every message that a server of that level sends, and loses nothing of it;
3. a client of that level takes what today's server sends, as far as it knows the type: fields are
   added, but none goes away or gets a value that its schema did not have.

Whatever goes beyond the schemas of the last release raises `FEATURE_LEVEL` (`protocol/base.py`).
"""

from pathlib import Path
from shutil import copyfile
from typing import Final

from protocol.base import FEATURE_LEVEL
from protocol.generate.examples import FOLDER as EXAMPLES
from protocol.generate.schema import schema_files

FOLDER: Final = EXAMPLES / "released"
SCHEMAS: Final = "schema"


def levels() -> list[int]:
    """The released feature levels, the oldest first."""
    return sorted(int(path.name) for path in FOLDER.glob("[0-9]*"))


def freeze(root: Path = FOLDER, level: int = FEATURE_LEVEL) -> Path:
    """Keep today's examples and schemas as those of a level. Raises FileExistsError."""
    kept = root / str(level)
    (kept / SCHEMAS).mkdir(parents=True)
    for path in sorted(EXAMPLES.glob("*.jsonl")):
        copyfile(path, kept / path.name)
    for name, text in schema_files().items():
        (kept / SCHEMAS / name).write_text(text, "utf-8")
    return kept
