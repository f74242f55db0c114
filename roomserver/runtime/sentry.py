"""Errors reported to Sentry, or to what speaks its protocol: only where the operator wants it.

What leaves is what the log would tell: the message, the stack and the ids, masked. No variables of
the stack, no requests, no addresses.
"""

from typing import Any, Final

from roomserver.runtime.config import ConfigError
from roomserver.runtime.logs import SECRET_FIELDS, mask, told_about

VARIABLE: Final = "UNISONO_SENTRY_DSN"
DROPPED: Final = ("request", "user", "breadcrumbs", "server_name", "modules", "extra")


def set_up(dsn: str, *, transport: Any = None) -> None:
    """Report every log record of level error, and what ends the process.

    Raises ConfigError if the extra is not installed or the DSN is no good.
    """
    try:
        import sentry_sdk
        from sentry_sdk.integrations.excepthook import ExcepthookIntegration
        from sentry_sdk.integrations.logging import LoggingIntegration
        from sentry_sdk.utils import BadDsn
    except ImportError:
        raise ConfigError(VARIABLE, "needs the extra: pip install 'unisono[sentry]'") from None
    try:
        sentry_sdk.init(
            dsn,
            transport=transport,
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[LoggingIntegration(level=None), ExcepthookIntegration()],
            before_send=scrubbed,
            include_local_variables=False,
            include_source_context=False,
            max_breadcrumbs=0,
            traces_sample_rate=None,
        )
    except BadDsn as error:
        raise ConfigError(VARIABLE, f"is no DSN ({error})") from None


def scrubbed(event: Any, hint: Any) -> Any:
    """An event as it may leave: with the ids of its context, and without secrets."""
    for name in DROPPED:
        event.pop(name, None)
    event["tags"] = dict(told_about())
    return _masked(event)


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {k: None if SECRET_FIELDS.search(str(k)) else _masked(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(one) for one in value]
    return value
