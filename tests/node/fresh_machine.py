"""A machine that has nothing but Python and make, as far as one machine can pretend to be another.

A copy of the tree in a folder with a long name full of spaces, a PATH with a handful of programs, a
home of its own, an ordinary user where we are root, and PostgreSQL programs that only fail.
"""

import os
import pwd
import re
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
LONG: Final = "a folder whose name has spaces and is longer than a socket may be, " * 2
PROGRAMS: Final = ("make", "sh", "echo", "touch")
ORDINARY: Final = "daemon"
"""An ordinary user that every Debian has; PostgreSQL run by root belongs to `nobody`."""
FAKES: Final = ("postgres", "initdb", "pg_ctl")
NEW_ENOUGH: Final = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"
PASSED_ON: Final = re.compile(r"PIP_\w+|\w+_proxy|\w+_PROXY|SSL_CERT_\w+")
LISTENING: Final = re.compile(r"^Unisono is listening on (http://127\.0\.0\.1:\d+)$")
DEMO: Final = re.compile(r"^The demo room is at http://\S+/rooms/(\S+)$")
STARTS_WITHIN_S: Final = 150
ENDS_WITHIN_S: Final = 25


class Machine:
    """Where the trial happens. `close` removes every trace."""

    def __init__(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="unisono trial "))
        self.base.chmod(0o755)
        self.user = ORDINARY if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.tree = self.base / LONG / "unisono"
        self.home = self.base / "home"
        self.home.mkdir()
        self._copy_tree()
        self._make_path()
        for folder in (self.tree, self.home):
            self._give_to_user(folder)

    def close(self) -> None:
        for pid in list(self.processes()):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.base)

    def environment(self) -> dict[str, str]:
        """What a person's shell would hand on: nothing of ours but the way to the packages."""
        given = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
        given |= {"PATH": str(self.base / "bin"), "HOME": str(self.home)}
        return given | {
            f"XDG_{kind}_HOME": str(self.home / kind.lower()) for kind in ("DATA", "CACHE")
        }

    def fakes_called(self) -> list[str]:
        """Which of the PostgreSQL programs on PATH somebody has run."""
        return [name for name in FAKES if (self.base / "bin" / f"{name}.called").exists()]

    def processes(self) -> Iterator[int]:
        """All that work in the trial's folders, or were started with its environment."""
        mark = os.fsencode(self.base)
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal() or int(entry.name) == os.getpid():
                continue
            try:
                told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
                if mark in told or mark in os.fsencode(os.readlink(entry / "cwd")):
                    yield int(entry.name)
            except OSError:
                continue  # Ended meanwhile, or another user's.

    def _copy_tree(self) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.tree / name)

    def _make_path(self) -> None:
        folder = self.base / "bin"
        folder.mkdir()
        for name in PROGRAMS:
            found = shutil.which(name)
            assert found is not None, name
            (folder / name).symlink_to(found)
        (folder / "python3").symlink_to(self._python())
        for name in FAKES:
            fake = folder / name
            fake.write_text(f"#!/bin/sh\n: >'{fake}.called'\necho 'not this one' >&2\nexit 99\n")
            fake.chmod(0o755)
        folder.chmod(0o777)  # So that whoever runs a fake can leave its mark.

    def _python(self) -> str:
        """A Python that the ordinary user may run and that can make virtual environments."""
        ours = os.path.realpath("/proc/self/exe")
        for found in (ours, *map(shutil.which, ("python3", "/usr/bin/python3"))):
            if found is None:
                continue
            try:
                tried = subprocess.run([found, "-c", NEW_ENOUGH], user=self.user, cwd="/")
            except PermissionError:
                continue
            if tried.returncode == 0:
                return found
        raise AssertionError(f"no Python here that {self.user} can make a virtual environment with")

    def _give_to_user(self, top: Path) -> None:
        if os.geteuid() == 0:
            for path in (top, *top.rglob("*")):
                shutil.chown(path, self.user)


class Run:
    """`make run` in the tree of a machine, in a terminal of its own."""

    def __init__(self, machine: Machine, *, as_root: bool = False, args: str = "") -> None:
        self._machine = machine
        self.errors = machine.base / f"errors-{monotonic()}"
        self._begun = monotonic()
        with self.errors.open("wb") as errors:
            self._make = subprocess.Popen(
                ["make", "run", "PORT=0", f"ARGS={args}"],
                executable=machine.base / "bin" / "make",
                cwd=machine.tree,
                env=machine.environment(),
                user=None if as_root else machine.user,
                group=None if as_root else pwd.getpwnam(machine.user).pw_gid,
                extra_groups=None if as_root or os.geteuid() != 0 else [],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        too_late = Timer(STARTS_WITHIN_S, self._end_all)
        too_late.start()
        self.address = self._says(LISTENING)
        self.listened_after_s = monotonic() - self._begun
        self.room_id = self._says(DEMO)
        self.played_after_s = monotonic() - self._begun
        too_late.cancel()

    @property
    def server_pid(self) -> int:
        """The process that make runs."""
        (pid,) = children(self._make.pid)
        return pid

    def ctrl_c(self) -> None:
        """As the terminal does it: for make and for all that it runs."""
        os.killpg(self._make.pid, signal.SIGINT)

    def kill_server(self) -> None:
        os.kill(self.server_pid, signal.SIGKILL)

    def kill_make(self) -> None:
        self._make.kill()

    def ended(self) -> None:
        """Wait until make has ended."""
        self._make.wait(ENDS_WITHIN_S)
        assert self._make.stdout is not None
        self._make.stdout.close()

    def traces(self) -> "Traces":
        return Traces(self._family())

    def _family(self) -> list[int]:
        found = [self._make.pid]
        for pid in found:
            found += children(pid)
        return found

    def _end_all(self) -> None:
        os.killpg(self._make.pid, signal.SIGKILL)

    def _says(self, wanted: re.Pattern[str]) -> str:
        assert self._make.stdout is not None
        for line in self._make.stdout:
            if found := wanted.match(line.strip()):
                return found[1]
        self.ended()
        raise AssertionError(
            f"make run ended, or said nothing for long:\n{self.errors.read_text()[-4_000:]}"
        )


class Traces:
    """Running processes, and what they hold outside of their data folder."""

    def __init__(self, pids: list[int]) -> None:
        # Descriptors, as a number may be another process's by the time that we look.
        self._running = {os.pidfd_open(pid): pid for pid in pids}
        self.files: set[Path] = set()
        self.segments: set[str] = set()
        for pid in pids:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            named = [word.partition("=")[2] for word in words if "unix_socket_directories=" in word]
            self.files |= {place for name in named for place in (Path(name), Path(name).parent)}
            for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
                if "/SYSV" in line:
                    self.segments.add(line.split()[4])
                elif "/dev/shm/" in line:
                    self.files.add(Path(line.split()[5]))

    def left(self) -> list[str]:
        """What is still there when all have ended, or have had their time."""
        poll = select.poll()
        for process in self._running:
            poll.register(process, select.POLLIN)
        deadline = monotonic() + ENDS_WITHIN_S
        while self._running and (left_s := deadline - monotonic()) > 0:
            for process, _ in poll.poll(left_s * 1000):
                poll.unregister(process)
                os.close(process)
                del self._running[process]
        processes = [f"process {pid}" for pid in self._running.values()]
        rows = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
        segments = self.segments & {row.split()[1] for row in rows}
        files = [str(path) for path in self.files if path.exists()]
        return processes + files + [f"segment {number}" for number in segments]


def children(pid: int) -> list[int]:
    """The processes that another one has started and that still run."""
    by_thread = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for text in by_thread for child in text.split()]
