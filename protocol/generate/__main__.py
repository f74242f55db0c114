"""`python -m protocol.generate [--check | --release]`: write what follows from the classes, or
compare it, or keep it as what this feature level was released with."""

import sys
from pathlib import Path
from typing import Final

from protocol.generate.asyncapi import asyncapi
from protocol.generate.codes import codes_module
from protocol.generate.reference import reference
from protocol.generate.released import freeze
from protocol.generate.schema import schema_files
from protocol.generate.typescript import declarations

ROOT: Final = Path(__file__).parents[2]
SCHEMA: Final = "protocol/schema"


def outputs() -> dict[str, str]:
    """Path from the root -> text. The same classes give the same bytes."""
    return {
        **{f"{SCHEMA}/{name}": text for name, text in schema_files().items()},
        f"{SCHEMA}/asyncapi.json": asyncapi(),
        f"{SCHEMA}/unisono.d.ts": declarations(),
        "httpapi/web/codes.js": codes_module(),
        "docs/protocol.md": reference(),
    }


def drift(root: Path) -> list[str]:
    """What is not as it would be generated: missing, changed, or left over."""
    wanted = outputs()
    changed = [
        name
        for name, text in wanted.items()
        if not (root / name).exists() or (root / name).read_text("utf-8") != text
    ]
    kept = {f"{SCHEMA}/{path.name}" for path in (root / SCHEMA).glob("*")}
    return changed + sorted(kept - set(wanted))


def write(root: Path) -> None:
    """Write every output, and drop what is generated no longer."""
    wanted = outputs()
    for name, text in wanted.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    for path in (root / SCHEMA).glob("*"):
        if f"{SCHEMA}/{path.name}" not in wanted:
            path.unlink()


def main(arguments: list[str]) -> int:
    """0, or 1 where `--check` found a drift. Raises FileExistsError: a level is released once."""
    if arguments == ["--check"]:
        stale = drift(ROOT)
        for name in stale:
            print(f"{name} is stale: run `make generate`", file=sys.stderr)
        return 1 if stale else 0
    if arguments == ["--release"]:
        print(f"kept in {freeze().relative_to(ROOT)}")
        return 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    write(ROOT)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
