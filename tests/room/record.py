"""python -m tests.room.record: writes the recordings anew, after a rule was changed on purpose."""

from pathlib import Path
from typing import Final

from tests.room.scenes import SCENES

FOLDER: Final = Path(__file__).parent / "recordings"


def main() -> None:
    """Play every scene and keep what happened."""
    for name, scene in SCENES.items():
        (FOLDER / f"{name}.jsonl").write_bytes(scene().recording())


if __name__ == "__main__":
    main()
