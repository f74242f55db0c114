"""The command line: `unisono serve`, `migrate`, `doctor`, `config`."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from typing import Final

from roomserver import doctor
from roomserver.runtime import config as settings
from roomserver.runtime import logs, loop, sentry
from roomserver.runtime.config import Config, ConfigError
from roomserver.runtime.tasks import Tasks
from sql.embedded import EmbeddedError
from sql.faults import FAULTS
from sql.migrate import MigrationError

USAGE_ERROR: Final = 2


def serve(config: Config) -> int:
    """Run everything in one process until Ctrl-C or SIGTERM."""
    # Imported late: the other commands need none of it and must work where it is broken.
    from roomserver import serving

    loop.raise_descriptor_limit()
    try:
        return loop.run(serving.serve(config))
    except serving.CannotServe as error:
        return _complain(error)
    finally:
        logs.let_go()


def migrate(config: Config) -> int:
    """Bring the database to this version's schema."""
    from roomserver.serving import database_of

    async def run() -> None:
        tasks = Tasks("migrate")
        async with database_of(config, tasks):
            print("The database has the schema of this version.")
        await tasks.close()

    asyncio.run(run())
    return 0


def show(config: Config) -> int:
    """Print the settings, secrets masked."""
    print(settings.table(config))
    return 0


def check(config: Config) -> int:
    """Say what is wrong with the environment."""
    return asyncio.run(doctor.run(config))


COMMANDS: Final[dict[str, Callable[[Config], int]]] = {
    "serve": serve,
    "migrate": migrate,
    "doctor": check,
    "config": show,
}


def parser() -> argparse.ArgumentParser:
    """What the command line understands; the environment says the rest."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data-dir", help="data folder (default: the XDG data folder)")
    top = argparse.ArgumentParser(prog="unisono", description="A listen-together room server.")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    for name, command in COMMANDS.items():
        text = (command.__doc__ or "").rstrip(".")
        sub = commands.add_parser(name, parents=[shared], help=text, description=text)
        if name in ("serve", "doctor"):
            sub.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
            sub.add_argument("--port", help="port to listen on, 0 = any free (default: 8000)")
        if name == "serve":
            sub.add_argument(
                "--demo", action="store_true", default=None, help="make a demo room with tracks"
            )
            sub.add_argument(
                "--parent",
                type=int,
                metavar="PID",
                help="stop as on SIGTERM when that process, which started this one, ends (Linux)",
            )
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit code: 0, 1 for a failure, 2 for a wrong setting."""
    given = vars(parser().parse_args(arguments))
    command = COMMANDS[given.pop("command")]
    parent = given.pop("parent", None)
    try:
        if parent is not None:
            loop.end_with(parent)
        config = settings.load(**given)
        logs.set_up(config.log_level, form=config.log_format)
        if config.sentry_dsn is not None:
            sentry.set_up(config.sentry_dsn)
        return command(config)
    except ConfigError as error:
        _complain(error)
        return USAGE_ERROR
    except (EmbeddedError, MigrationError) as error:
        return _complain(error)
    except BrokenPipeError:
        return 1  # Nobody reads what is printed any more.
    except FAULTS as error:
        return _complain(f"The database cannot be reached: {logs.mask(str(error))}")
    except KeyboardInterrupt:
        return 130


def _complain(what: object) -> int:
    print(f"unisono: {what}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
