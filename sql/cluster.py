"""What the folder of a database cluster says about its server, and what of it is believed."""

import os
from pathlib import Path

from sql.binaries import Binaries, EmbeddedError


def check_version(cluster: Path, found: Binaries) -> None:
    """Refuse a folder that is no cluster, or one of another major version: EmbeddedError."""
    try:
        version = (cluster / "PG_VERSION").read_text().strip()
    except OSError:
        raise EmbeddedError(
            f"{cluster} is not a database: it has no PG_VERSION. Move it away, or choose"
            " another --data-dir."
        ) from None
    if version != str(found.major):
        raise EmbeddedError(
            f"The database in {cluster} was made by PostgreSQL {version}; this program"
            f" brings PostgreSQL {found.major}. Export it with the program that made it, move"
            " the folder away and import it here, or run PostgreSQL"
            f" {version} on it yourself and set DATABASE_URL."
        )


def forget_stale_pid(cluster: Path) -> None:
    """Remove the pid file of a server that was killed. Who calls this holds the lock, so none that
    we started lives; PostgreSQL would take another process of that number for its server."""
    pid_file = cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        pid_file.unlink(missing_ok=True)
        return
    try:
        foreign = os.path.samestat(os.stat(f"/proc/{pid}/cwd"), cluster.stat())
    except OSError:
        foreign = False
    if foreign:
        raise EmbeddedError(
            f"A PostgreSQL server (process {pid}) that Unisono did not start runs on"
            f" {cluster}. Stop it first."
        )
    pid_file.unlink()


def is_ending(pid_file: Path) -> bool:
    """Whether the server that wrote this file says that it is shutting down, or is gone, so that
    only its children are left. Decides how long to wait and nothing else."""
    try:
        lines = pid_file.read_text().split("\n")
        os.kill(int(lines[0]), 0)
    except PermissionError:
        pass
    except (OSError, ValueError):
        return True
    return len(lines) > 7 and lines[7].strip() == "stopping"
