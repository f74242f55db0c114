"""The file of signing keys: followed while the server runs."""

import base64
import json
from pathlib import Path

import pytest

from protocol.errors import Rejected
from roomserver.runtime import config, keys
from roomserver.runtime.tokens import Tokens


def write(folder: Path, **secrets: bytes) -> None:
    """Put a file with these keys in the place of the one that is there."""
    told = [
        {"kid": kid, "secret": base64.b64encode(secret).decode()} for kid, secret in secrets.items()
    ]
    draft = folder / "draft"
    draft.write_text(json.dumps(told))
    draft.replace(folder / keys.FILE_NAME)


def test_j5_both_nodes_follow_a_change_of_keys_without_a_restart(tmp_path: Path) -> None:
    settings = config.load({}, data_dir=tmp_path)
    write(tmp_path, old=b"o" * 32)
    nodes = [Tokens(keys.signing_keys(settings)) for _ in range(2)]
    files = [keys.KeyFile(settings, tokens) for tokens in nodes]
    old = nodes[0].issue("u", "l", "person", "Ann").token

    write(tmp_path, new=b"n" * 32, old=b"o" * 32)
    for file in files:
        file.look()
    new = nodes[0].issue("u", "l", "person", "Ann").token
    assert [nodes[1].verify(token).sub for token in (old, new)] == ["u", "u"]

    write(tmp_path, new=b"n" * 32)
    for file in files:
        file.look()
    for tokens in nodes:
        assert tokens.verify(new).sub == "u"
        with pytest.raises(Rejected):
            tokens.verify(old)


def test_a_file_of_keys_that_is_no_good_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = config.load({}, data_dir=tmp_path)
    tokens = Tokens(keys.signing_keys(settings))
    file = keys.KeyFile(settings, tokens)
    good = tokens.issue("u", "l", "person", "Ann").token
    for wrong in ({"short": b"s" * 31}, {}):
        write(tmp_path, **wrong)
        file.look()
        assert tokens.verify(good).sub == "u"
    (tmp_path / keys.FILE_NAME).unlink()
    file.look()
    assert tokens.verify(good).sub == "u"
    assert caplog.text.count("the old signing keys stay") == 3
