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
SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""The number of the system call: glibc has no name for it before 2.41."""
KEEP_POLICY = 0x08
SLICE_NS = 100_000
"""The shortest that the kernel takes."""


class SchedAttr(ctypes.Structure):
    """`struct sched_attr`, version 0: sched_setattr(2)."""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime_ns", ctypes.c_uint64),
        ("deadline_ns", ctypes.c_uint64),
        ("period_ns", ctypes.c_uint64),
    ]


def shorten_slices() -> None:
    """Ask for many short turns on a core instead of few long ones; the share of it stays the same.

    A room waits for each commit, and a commit needs a core for a tenth of a millisecond now and
    then, between waits for the disk. With usual turns it waits some milliseconds for it each time,
    if others are busy. Linux before 6.12 changes nothing.
    """
    number = SCHED_SETATTR.get(os.uname().machine)
    if sys.platform == "linux" and number is not None:
        attr = SchedAttr(
            flags=KEEP_POLICY, nice=os.getpriority(os.PRIO_PROCESS, 0), runtime_ns=SLICE_NS
        )
        attr.size = ctypes.sizeof(attr)
        # Where it is unknown or forbidden things go on as they would have.
        ctypes.CDLL(None).syscall(number, 0, ctypes.byref(attr), 0)


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
    shorten_slices()
    if os.getppid() != parent:
        sys.exit(1)
    # SIG_IGN would be inherited, and a server that ignores SIGINT could not be stopped.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5:])
