"""Remove the run folder of a PostgreSQL server when nobody needs it any more.

Run as `python -I -S postgres_sweeper.py FOLDER`, with a pipe as stdin whose other end is held by
those who need the folder: when the last of them has ended, however that happened, it is removed.
Standard library only, and nothing of this package: it outlives everything.
"""

import os
import shutil
import signal
import sys


def main(folder: str) -> None:
    """Wait, remove, end."""
    # The signal that ends the others must not end this first.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 1):
        pass  # Nobody writes: the end of the pipe is the end of the last who held it.
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
