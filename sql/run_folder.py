"""The short folder of a running server: its socket, and who may connect."""

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sql.binaries import EmbeddedError, may_use

PORT: Final = 5432
"""Only a part of the socket's name."""
SOCKETS: Final = "s"
SOCKET_PATH_MAX_BYTES: Final = 107


def make(data_dir: Path, role: str, uid: int, gid: int) -> Path:
    """A short folder with the socket and with who may connect; its name is the same at each
    start. Only its owner can write there, so the server cannot change who is admitted."""
    name = f"unisono-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]}"
    folder = next((where for where in _places(name, uid, gid)), None)
    if folder is None:
        raise EmbeddedError(
            "No folder is short and open enough for PostgreSQL's socket: make /tmp writable,"
            " or set TMPDIR to a short path."
        )
    dropped = uid != os.geteuid()
    folder.chmod(0o711 if dropped else 0o700)
    sockets = folder / SOCKETS
    shutil.rmtree(sockets, ignore_errors=True)
    sockets.mkdir(mode=0o700)
    os.chown(sockets, uid, gid)
    hba = f"local all {role} peer map=unisono\n"
    ident = f'unisono "{user_name(os.geteuid())}" {role}\n'
    for file, text in ((folder / "hba", hba), (folder / "ident", ident)):
        file.unlink(missing_ok=True)
        file.write_text(text)
        file.chmod(0o644 if dropped else 0o600)
    return folder


def user_name(uid: int) -> str:
    """The name that PostgreSQL will find for a user. Raises EmbeddedError if there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise EmbeddedError(
            f"User {uid} has no name in /etc/passwd, which PostgreSQL needs. Start Unisono as a"
            " user with a name, or set DATABASE_URL."
        ) from None


def _places(name: str, uid: int, gid: int) -> Iterator[Path]:
    """Folders for the socket that exist, are ours, are short and can be reached by that user."""
    wanted = [Path("/run")] if os.geteuid() == 0 else []
    wanted += [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    for parent in wanted:
        path = parent / name
        socket = path / SOCKETS / f".s.PGSQL.{PORT}"
        if len(os.fsencode(socket)) > SOCKET_PATH_MAX_BYTES:
            continue
        try:
            if uid != os.geteuid() and not may_use(parent, uid, gid):
                continue
            path.mkdir(mode=0o700, exist_ok=True)
            status = path.lstat()
        except OSError:
            continue
        # In a folder for everybody another user could have taken the name.
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():
            yield path
