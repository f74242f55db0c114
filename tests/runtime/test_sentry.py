"""What is reported to Sentry: the error and whom it hit, never a secret."""

import logging
from collections.abc import Iterator

import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from roomserver.runtime import logs, sentry
from roomserver.runtime.config import ConfigError

LOG = logging.getLogger("unisono.tests")
TOKEN = "eyJhbGciOiJIUzI1NiJ9.canarycanary.canary"


class Kept(Transport):
    """Envelopes go nowhere."""

    sent: list[str] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope.serialize().decode())


@pytest.fixture
def sent() -> Iterator[list[str]]:
    Kept.sent = []
    sentry.set_up("https://key@sentry.example/1", transport=Kept)
    yield Kept.sent
    sentry_sdk.init()


def test_an_error_is_reported_with_its_ids_and_without_secrets(sent: list[str]) -> None:
    password = "canary horse"
    with logs.about(request_id="5f3a", user_id="u-1"):
        LOG.warning("not worth it")
        try:
            raise ValueError(f"no {TOKEN} at postgresql://me:canary@db\nDETAIL:  (canary)")
        except ValueError:
            LOG.exception("failed", extra={"cookie": "canary", "room_id": password})
    [told] = sent
    assert "ValueError" in told and "failed" in told
    assert '"request_id":"5f3a"' in told and '"user_id":"u-1"' in told
    assert "canary" not in told and "not worth it" not in told


def test_a_dsn_that_is_none_is_refused_by_the_name_of_its_variable() -> None:
    with pytest.raises(ConfigError, match="UNISONO_SENTRY_DSN"):
        sentry.set_up("https://sentry.example")
