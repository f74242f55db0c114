"""Times that a test judges.

Speed is measured by the benches. Some rows of security, though, promise a time while something
goes wrong, and a shared machine stands still now and then. So a test that is `timed` and fails by
`TooSlow`, and by nothing else, is run again from its start, twice at most: a defect is slow each
time. All that it asserts comes before, also in the runs that were too slow.
"""

from typing import Final

import pytest

TRIES: Final = 3
timed: Final = pytest.mark.flaky(reruns=TRIES - 1, only_rerun=["^TooSlow"])


class TooSlow(AssertionError):
    """Something took longer than it may."""


def within(took: float, most: float, what: str) -> None:
    """Judge one time, or distance in time; both in the unit that `what` names. The last thing
    that a test does, outside of all that it opened.

    Raises:
        TooSlow: it is not below `most`.
    """
    if not took < most:
        raise TooSlow(f"{what}: {took:.1f} is not below {most:.1f}")
