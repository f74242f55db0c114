"""The table of docs/features.md: stems and meanings by hand, files from the tree.

`python -m tests.architecture.features` writes the column of files anew.
"""

import re
from typing import Final

from tests.architecture.tree import PACKAGES, ROOT

PAGE: Final = ROOT / "docs/features.md"
ROW: Final = re.compile(r"^\| ([a-z_]+) \| ([^|]+) \| ([^|]*) \|$", re.M)


def rows() -> dict[str, str]:
    """Each stem of the table with its files, as the page tells them."""
    found = ROW.findall(PAGE.read_text("utf-8"))
    return {stem: files for stem, _, files in found if stem != "stem"}


def files_of(stem: str) -> str:
    """The files of a stem by the rule of the stem, as the table writes them."""
    name = re.compile(rf"(?:\d{{4}}_|test_)?{stem}\.(?:py|sql|js|mjs|jsonl)")
    paths = sorted(
        path.relative_to(ROOT).as_posix()
        for folder in (*PACKAGES, "tests")
        for path in (ROOT / folder).rglob("*")
        # What was released is kept, not worked on.
        if path.is_file() and name.fullmatch(path.name) and "released" not in path.parts
    )
    return " ".join(f"`{path}`" for path in paths)


def write() -> None:
    """Bring the column of files up to date."""
    text = PAGE.read_text("utf-8")
    fresh = ROW.sub(
        lambda row: row[0] if row[1] == "stem" else f"| {row[1]} | {row[2]} | {files_of(row[1])} |",
        text,
    )
    PAGE.write_text(fresh, "utf-8")


if __name__ == "__main__":
    write()
