"""The server as people run it: `python -m roomserver serve` in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.canary import require_no_secret

ADDRESS: Final = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")
STOP_WITHIN_S: Final = 15


class Server:
    """A server on a data folder; it can be killed and started again on the same port."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def _log_file(self) -> Path:
        return self._data_dir.with_suffix(".log")

    def start(self) -> None:
        """Returns when it listens."""
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-m", "roomserver", "serve",
                    "--port", str(self.port), "--data-dir", str(self._data_dir),
                ],
                env={**os.environ, "UNISONO_LIMITS_FACTOR": "0"},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )  # fmt: skip
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := ADDRESS.search(line):
                self.port = int(found[1])
                return
        raise AssertionError("the server ended before it listened")

    def stop(self) -> None:
        """As Ctrl-C does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a power cut does."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_WITHIN_S)
        finally:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None
        # Shown with what else a failed test has to say.
        printed = self._log_file.read_text("utf-8", "replace")
        sys.stderr.write(printed)
        require_no_secret(printed)
