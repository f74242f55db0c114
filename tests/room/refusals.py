"""Which refusals the docstrings of the commands promise: `Rejects: …`, as everybody reads them."""

import re
from functools import cache
from inspect import getdoc
from typing import Final, get_args

from protocol.catalog import ClientCommand, RoomCommand, SystemCommand
from protocol.errors import ErrorCode, Rejected

AT_THE_DOOR: Final = {
    ErrorCode.RATE_LIMITED: "edge and REST count how often somebody asks, before a room hears of it"
}
"""Promised by a command, raised by no room, and why."""
OF_EVERY_SYSTEM_COMMAND: Final = {
    ErrorCode.ROOM_CLOSED: "the home stops asking; its docstrings name what it must expect before",
    ErrorCode.NOT_ALLOWED: "what only the home sends is told to nobody else",
}
"""Raised by a room, and promised to nobody, since no client sends the command; and why."""

CODES: Final = {str(code): code for code in ErrorCode}


@cache
def documented(kind: type[RoomCommand]) -> frozenset[ErrorCode]:
    """The codes that a command names."""
    told = re.sub(r"\(.*?\)", "", (getdoc(kind) or "").partition("Rejects:")[2], flags=re.DOTALL)
    return frozenset(ErrorCode) & frozenset(map(CODES.get, re.findall(r"[a-z_]+", told)))


def promised() -> list[tuple[type[RoomCommand], ErrorCode]]:
    """Every refusal that a room must be able to make."""
    kinds = (*get_args(ClientCommand), *get_args(SystemCommand))
    return [
        (kind, code)
        for kind in kinds
        for code in sorted(documented(kind))
        if code not in AT_THE_DOOR
    ]


def check_promised(command: RoomCommand, refusal: Rejected) -> None:
    """Whoever sends the command could have known of this refusal."""
    kind = type(command)
    told = documented(kind)
    if kind in get_args(SystemCommand):
        told = told | set(OF_EVERY_SYSTEM_COMMAND)
    assert refusal.code in told, f"{kind.__name__} does not say that it may be {refusal.code}"
