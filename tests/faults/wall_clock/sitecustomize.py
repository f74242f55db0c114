"""Python reads this at its start: the wall clock of the process is as far ahead as a file says.

Monotonic clocks go on as they do when a machine's time is set.
"""

import os
import time

_true_ns = time.time_ns


def _time_ns() -> int:
    with open(os.environ["WALL_CLOCK_AHEAD_S"], encoding="ascii") as file:
        return _true_ns() + int(file.read()) * 1_000_000_000


time.time_ns = _time_ns
time.time = lambda: _time_ns() / 1e9
