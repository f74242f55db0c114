"""The processes that a server starts for media, as a test sees them."""

from contextlib import suppress

import psutil


def children_running(module: str) -> list[psutil.Process]:
    """Processes of ours, at any depth, that run `python -m module`."""
    found = []
    for child in psutil.Process().children(recursive=True):
        # Others come and go meanwhile: PostgreSQL's own, for one.
        with suppress(psutil.Error):
            if module in child.cmdline():
                found.append(child)
    return found
