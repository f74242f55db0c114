"""The documentation names what is there."""

import re
from pathlib import Path
from typing import Final

import pytest

from roomserver.runtime.config import SETTINGS
from tests.architecture import metrics
from tests.architecture.features import files_of, rows
from tests.architecture.tree import PACKAGES, ROOT

PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OURS: Final = re.compile(rf"(?:{'|'.join((*PACKAGES, 'tests', 'docs'))})/[\w./*-]*")
MACHINERY: Final = {
    "base",
    "bot",
    "bot_clock",
    "bot_events",
    "bot_journal",
    "bot_listener",
    "bot_login",
    "bot_room",
    "bot_slash",
    "bot_wire",
    "catalog",
    "client",
    "client_backoff",
    "client_clock",
    "client_outbox",
    "client_playhead",
    "client_room",
    "close_codes",
    "cluster",
    "codec",
    "encodings",
    "errors",
    "fold",
    "frames",
    "ids",
    "names",
    "snapshot",
    "limits",
}
"""Modules of protocol/ that are no feature."""
ENGINE_QUERIES: Final = {
    "doctor",
    "embedded",
    "enrich",
    "nodes",
    "room_homes",
    "room_log",
    "schema",
    "schema_migrations",
}
"""Queries that serve every feature alike."""


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


def test_the_table_of_features_lists_the_files_of_each_stem() -> None:
    assert {stem: told for stem, told in rows().items() if told != files_of(stem)} == {}


def test_every_feature_of_the_protocol_is_a_stem_in_the_table() -> None:
    modules = {path.stem for path in (ROOT / "protocol").glob("[a-z]*.py")}
    assert modules - MACHINERY - set(rows()) == set()


def test_every_file_of_queries_belongs_to_a_stem_of_the_table_or_to_the_engine() -> None:
    queries = {path.stem for path in (ROOT / "sql/queries").glob("*.sql")}
    assert queries - ENGINE_QUERIES - set(rows()) == set()


def test_operations_tells_every_setting() -> None:
    told = (ROOT / "docs/operations.md").read_text("utf-8")
    assert [s.variable for s in SETTINGS if f"| `{s.variable}` |" not in told] == []


def test_operations_tells_every_metric() -> None:
    assert metrics.told() == metrics.table()


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text("utf-8")
    pages = sorted((ROOT / "docs/decisions").glob("0*.md"))
    assert [page.name for page in pages if f"({page.name})" not in index] == []
    assert len({page.name[:4] for page in pages}) == len(pages)
