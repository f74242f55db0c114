"""What may be wrong with a machine before anything is started."""

import os
import socket
import sys
from typing import Final

from roomserver.runtime.config import Config
from roomserver.runtime.logs import mask
from sql import binaries
from sql.binaries import EmbeddedError
from sql.faults import FAULTS
from sql.pool import connect

PYTHON_MIN: Final = (3, 11)
POSTGRES_MIN: Final = 15

Finding = tuple[bool, str]


async def run(config: Config) -> int:
    """Print one line a check; 1 if one failed."""
    findings = [_python(), _data_dir(config), _port(config), await _database(config)]
    for is_fine, text in findings:
        print(f"{'ok  ' if is_fine else 'FAIL'}  {text}")
    return 0 if all(is_fine for is_fine, _ in findings) else 1


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON_MIN:
        return False, f"Python {version}: 3.11 or newer is needed"
    return True, f"Python {version}"


def _data_dir(config: Config) -> Finding:
    wanted = config.data_dir
    folder = next(place for place in (wanted, *wanted.parents) if place.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        return False, f"data folder {wanted}: {folder} is not writable"
    return True, f"data folder {wanted}"


def _port(config: Config) -> Finding:
    place = f"{config.host}:{config.port}"
    try:
        with socket.create_server((config.host, config.port)):
            return True, f"{place} is free"
    except OSError as error:
        return False, f"{place}: {error.strerror or error}; choose another --port or --host"


async def _database(config: Config) -> Finding:
    if config.database_url is None:
        try:
            return True, f"embedded PostgreSQL {binaries.find().major}"
        except EmbeddedError as error:
            return False, str(error)
    try:
        connection = await connect(config.database_url, application_name="unisono doctor")
    except (*FAULTS, ValueError) as error:
        return False, f"DATABASE_URL: {mask(str(error))}"
    version = connection.get_server_version().major
    await connection.close()
    if version < POSTGRES_MIN:
        return False, f"PostgreSQL {version}: {POSTGRES_MIN} or newer is needed"
    return True, f"PostgreSQL {version}"
