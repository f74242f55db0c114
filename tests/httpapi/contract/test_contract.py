"""R16: Schemathesis finds no 5xx, no undocumented status and no violation that is accepted."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Final

import pytest

from httpapi.app import ROUTES
from tests.cluster.server import ROOT, Served

PHASES: Final = "examples,coverage,fuzzing,stateful"
CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)
EXAMPLES: Final = 8
REACHED: Final = 0.9
"""The share of operations that must answer 2xx at least once."""
WITHIN_S: Final = 400


@pytest.mark.slow
@pytest.mark.timeout(WITHIN_S + 60)
async def test_r16_what_the_server_does_is_what_its_description_says(tmp_path: Path) -> None:
    served, counts = Served(tmp_path / "data"), tmp_path / "counts.json"
    await served.start()
    try:
        found = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "schemathesis.cli", "run", f"{served.url}/api/openapi.json",
            "--phases", PHASES, "--checks", ",".join(CHECKS), "--max-examples", str(EXAMPLES),
            "--continue-on-failure", "--no-color", "--generation-database", "none",
            # It keeps what it learned in the folder that it runs in.
            cwd=tmp_path,
            env=os.environ
            | {
                "UNISONO_CONTRACT_URL": served.url,
                "UNISONO_CONTRACT_COUNTS": str(counts),
                "SCHEMATHESIS_HOOKS": "tests.httpapi.contract.hooks",
                "PYTHONPATH": str(ROOT),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(WITHIN_S):
            told, _ = await found.communicate()
    finally:
        await served.stop()
    assert found.returncode == 0, told.decode()
    statuses = json.loads(counts.read_text())
    silent = [label for label, by in sorted(statuses.items()) if not any(s[0] == "2" for s in by)]
    print(f"{len(statuses)} operations, {len(silent)} never answered 2xx: {silent}")
    for label, by in sorted(statuses.items()):
        print(f"{label}: {by}")
    assert len(statuses) >= len(ROUTES), "not every operation was asked"
    assert len(silent) <= (1 - REACHED) * len(statuses), silent
