"""The table of metrics in docs/operations.md, as the registry has it.

python -m tests.architecture.metrics    writes it anew
"""

import re
from typing import Final

import httpapi.metrics  # noqa: F401
import roomserver.bus.metrics
import roomserver.edge.metrics
import roomserver.home.metrics  # noqa: F401
from roomserver.runtime.metrics import REGISTRY
from tests.architecture.tree import ROOT

PAGE: Final = ROOT / "docs/operations.md"
HEAD: Final = "| metric | kind | labels | meaning |\n|---|---|---|---|\n"


def table() -> str:
    """One row a metric, by name."""
    rows = []
    for family in REGISTRY.collect():
        kind = family.type
        name = f"{family.name}_total" if kind == "counter" else family.name
        labels = REGISTRY._names_to_collectors[family.name]._labelnames  # type: ignore[attr-defined]
        shown = ", ".join(f"`{label}`" for label in labels)
        rows.append(f"| `{name}` | {kind} | {shown} | {family.documentation} |")
    return "\n".join(sorted(rows)) + "\n"


def told() -> str:
    """The table as the page has it."""
    found = re.search(re.escape(HEAD) + r"((?:\|.*\n)*)", PAGE.read_text("utf-8"))
    return found[1] if found else ""


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text("utf-8").replace(HEAD + told(), HEAD + table()), "utf-8")
