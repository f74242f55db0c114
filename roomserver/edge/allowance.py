"""How often one person may act: per second on one connection, per minute over all doors."""

from typing import TYPE_CHECKING, Final

from protocol.catalog import ClientCommand
from protocol.errors import ErrorCode, Rejected
from protocol.ids import UserId
from protocol.limits import COMMAND_LIMITS, KNOCK
from roomserver.edge.budget import Budget
from roomserver.runtime.limits import Verdict

if TYPE_CHECKING:
    from roomserver.edge.edge import Edge

JOINS_PER_MINUTE: Final = 60


class Allowance:
    """Of one connection. Raises Rejected(rate_limited) with the time of the next try."""

    __slots__ = ("_budget", "_edge")

    def __init__(self, edge: "Edge") -> None:
        self._edge = edge
        self._budget = Budget(edge.pace.commands_per_second)

    def command(self, user_id: UserId, command: ClientCommand) -> None:
        """Use one of this kind."""
        if self._edge.limited:
            self._burst()
            limit = COMMAND_LIMITS[type(command)]
            _check(
                self._edge.limiter.hit_within(limit.action, user_id, limit.amount, limit.window_ms)
            )

    def join(self, user_id: UserId, *, says_password: bool) -> None:
        """Use one join."""
        if self._edge.limited:
            self._burst()
            _check(self._edge.limiter.hit("rooms.join", user_id, JOINS_PER_MINUTE))
            if says_password:
                _check(
                    self._edge.limiter.hit_within(
                        KNOCK.action, user_id, KNOCK.amount, KNOCK.window_ms
                    )
                )

    def signal(self) -> bool:
        """Use one; what is too much is dropped, since nobody answers signals."""
        return not self._edge.limited or self._budget.take()

    def _burst(self) -> None:
        if not self._budget.take():
            raise Rejected(ErrorCode.RATE_LIMITED, retry_after_ms=self._budget.retry_after_ms)


def _check(verdict: Verdict) -> None:
    if not verdict.allowed:
        raise Rejected(ErrorCode.RATE_LIMITED, retry_after_ms=verdict.retry_after_ms)
