"""Times that a test judges.

Speed is measured by the benches. Some rows of security, though, promise a time while something
goes wrong, and a shared machine stands still now and then. So a test that fails by `TooSlow`, and
by nothing else, is run again from its start, twice at most (`--only-rerun` in pyproject.toml): a
defect is slow each time.
"""


class TooSlow(AssertionError):
    """Something took longer than it may."""


def within(took: float, most: float, what: str) -> None:
    """Judge one time, or distance in time; both in the unit that `what` names.

    Raises:
        TooSlow: it is not below `most`.
    """
    if not took < most:
        raise TooSlow(f"{what}: {took:.1f} is not below {most:.1f}")
