"""Become PostgreSQL: drop root, tie the process to its parent, and exec.

Run as `python -I -S postgres_shim.py PARENT_PID UID GID PROGRAM ARGUMENT…`. Open descriptors stay
open: `/proc/self/fd/N` leads to the cluster's folder although the new user may not walk the path
to it. Standard library only, and nothing of this package: it runs before and outside of everything.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, uid: int, gid: int, program: str, arguments: list[str]) -> None:
    """Replace this process by `program`. Exits with 1 if the parent is gone already."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # Only after the change of user, which clears it. The kernel sends the signal when the
        # *thread* that forked us ends.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    # SIG_IGN would be inherited, and a server that ignores SIGINT could not be stopped.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5:])
