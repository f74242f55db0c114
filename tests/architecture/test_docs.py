"""The documentation names what is there."""

import re
from pathlib import Path
from typing import Final

import pytest

from roomserver.runtime.config import SETTINGS
from tests.architecture.tree import PACKAGES, ROOT

PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OURS: Final = re.compile(rf"(?:{'|'.join((*PACKAGES, 'tests', 'docs'))})/[\w./*-]*")
MACHINERY: Final = {
    "base",
    "bot",
    "catalog",
    "client",
    "client_clock",
    "close_codes",
    "cluster",
    "codec",
    "errors",
    "fold",
    "frames",
    "ids",
    "snapshot",
}
"""Modules of protocol/ that are no feature."""


def test_every_path_that_the_docs_name_exists() -> None:
    missing = []
    for page in PAGES:
        for quoted in re.findall(r"`([^`\n]+)`", page.read_text("utf-8")):
            path = quoted.rstrip("/")
            if OURS.fullmatch(quoted) and not any(ROOT.glob(path)):
                missing.append(f"{page.relative_to(ROOT)}: {quoted}")
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_inside_the_docs_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def stems() -> set[str]:
    table = (ROOT / "docs/features.md").read_text("utf-8")
    return set(re.findall(r"^\| ([a-z_]+) \|", table, re.M)) - {"stem"}


def test_every_feature_of_the_protocol_is_a_stem_in_the_table() -> None:
    modules = {path.stem for path in (ROOT / "protocol").glob("[a-z]*.py")}
    assert modules - MACHINERY == stems() & modules


def test_every_file_of_queries_belongs_to_a_stem_of_the_table_or_to_the_engine() -> None:
    engine = {"committer", "nodes", "clock", "snapshots", "idempotency"}
    queries = {path.stem for path in (ROOT / "sql/queries").glob("*.sql")}
    assert queries - engine <= stems()


def test_operations_tells_every_setting() -> None:
    told = (ROOT / "docs/operations.md").read_text("utf-8")
    assert [s.variable for s in SETTINGS if f"| `{s.variable}` |" not in told] == []


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text("utf-8")
    pages = sorted((ROOT / "docs/decisions").glob("0*.md"))
    assert [page.name for page in pages if f"({page.name})" not in index] == []
    assert [page.name[:4] for page in pages] == [f"{n + 1:04}" for n in range(len(pages))]
