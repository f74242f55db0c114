"""What a database of an older version holds, and how such a file is packed and put back.

A file `v….tar.xz` has `unisono.sql` (from pg_dump), `media/` (the files of its tracks) and
`facts.json`: what people saw of it when it was made.
"""

import json
import subprocess
import tarfile
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from sql import binaries

FOLDER: Final = Path(__file__).parent
PASSWORD: Final = "correct horse battery"


class Seen(NamedTuple):
    """A room as its people saw it last; lists are ids, in order."""

    room_id: str
    name: str
    seq: int
    said: list[str]
    queue: list[str]
    plays: str | None
    """The current entry's track, which waits or plays."""
    position_ms: float


class Facts(NamedTuple):
    """What must still be so after the upgrade; everybody's password is PASSWORD."""

    version: str
    people: dict[str, str]
    """username -> user_id"""
    bot_token: str
    kitchen: Seen
    attic_id: str
    """A room with the password `sesame`."""
    banned: str
    """Who may not come into the kitchen."""
    deleted: str
    """The message that was taken back."""
    tracks: list[str]
    favorite: str
    """A track that ann likes."""


def _connection(url: str) -> list[str]:
    """What PostgreSQL's own programs need to find the database of a URL."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    database = parts.path.removeprefix("/")
    return ["-h", query["host"][0], "-p", query["port"][0], "-U", "unisono", "-d", database]


def _program(name: str) -> str:
    return str(binaries.find().postgres.with_name(name))


def pack(file: Path, url: str, media: Path, facts: Facts, work: Path) -> None:
    """Write a file; `work` is a folder for what goes into it."""
    dump = work / "unisono.sql"
    options = ["--no-owner", "--no-privileges", "-f", str(dump)]
    subprocess.run([_program("pg_dump"), *_connection(url), *options], check=True)
    told = work / "facts.json"
    told.write_text(json.dumps(facts._asdict(), indent=1))
    with tarfile.open(file, "w:xz", preset=9) as tar:
        for path, name in ((dump, dump.name), (told, told.name), (media, "media")):
            tar.add(path, name, filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if "/incoming" in entry.name:
        return None
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def unpack(file: Path, url: str, data_dir: Path) -> Facts:
    """Put the rows into the empty database of the URL, and the media into the data folder."""
    with tarfile.open(file) as tar:
        tar.extractall(data_dir, filter="data")
    subprocess.run(
        [
            *(_program("psql"), *_connection(url)),
            *("-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(data_dir / "unisono.sql")),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    facts = json.loads((data_dir / "facts.json").read_text())
    return Facts(**facts | {"kitchen": Seen(*facts["kitchen"])})


def files() -> list[Path]:
    """All that are kept, the oldest version first."""
    return sorted(FOLDER.glob("v*.tar.xz"))
