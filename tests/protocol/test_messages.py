"""The promises that hold for every message, whoever adds one."""

import json
import re

import msgspec
import pytest
from msgspec import Struct

from protocol.base import ClientFrame, Command, Event, ServerFrame, Signal
from protocol.catalog import SystemCommand
from protocol.close_codes import CLOSE_CODES, CloseCode
from protocol.codec import (
    decode_client_frame,
    decode_command,
    decode_event,
    decode_server_frame,
    encode,
)
from protocol.errors import ERRORS, ErrorCode, Rejected
from protocol.fold import FOLD
from protocol.frames import AnyClientFrame, AnyServerFrame
from protocol.generate.declared import (
    CLIENT_FRAMES,
    COMMANDS,
    EVENTS,
    MESSAGES,
    SERVER_FRAMES,
    SIGNALS,
    doc_of,
    stem_of,
    tag_of,
)
from protocol.generate.examples import examples
from protocol.snapshot import Snapshot

SYSTEM = SystemCommand.__args__
NOUNS = {
    "rooms": {"room"},
    "members": {"member"},
    "moderation": {"member"},
    "reactions": {"reaction", "reactions"},
    "tracks": {"track"},
}
"""What a stem is called in a tag, where it is not the stem itself."""


def by_name(shape: type[Struct]) -> str:
    return shape.__name__


def the_tag_is_its_own(shape: type[Struct]) -> bool:
    """A Struct that forgets its tag silently gets the name of its class."""
    return tag_of(shape) != shape.__name__ and re.fullmatch(r"[a-z_.]+", tag_of(shape)) is not None


@pytest.mark.parametrize("shape", [*MESSAGES, *SYSTEM], ids=by_name)
def test_every_message_has_a_tag_of_its_own(shape: type[Struct]) -> None:
    assert the_tag_is_its_own(shape)
    assert shape.__struct_config__.tag_field == "type"


def test_a_forgotten_tag_is_noticed() -> None:
    class Forgetful(Command, frozen=True, kw_only=True):
        pass

    assert not the_tag_is_its_own(Forgetful)


@pytest.mark.parametrize("shape", [*COMMANDS, *SYSTEM, *EVENTS], ids=by_name)
def test_commands_and_events_are_called_stem_dot_verb(shape: type[Struct]) -> None:
    noun, _, verb = tag_of(shape).partition(".")
    assert noun in NOUNS.get(stem_of(shape), {stem_of(shape)})
    assert shape.__name__.lower().endswith(verb.replace("_", ""))


@pytest.mark.parametrize("shapes", [CLIENT_FRAMES, SERVER_FRAMES, COMMANDS, EVENTS, SIGNALS])
def test_no_tag_is_used_twice_in_a_union(shapes: tuple[type[Struct], ...]) -> None:
    assert len({tag_of(shape) for shape in shapes}) == len(shapes)


@pytest.mark.parametrize("shape", [*CLIENT_FRAMES, *COMMANDS, *SYSTEM, *SIGNALS], ids=by_name)
def test_what_a_client_sends_is_strict(shape: type[Struct]) -> None:
    assert issubclass(shape, ClientFrame | Command | Signal)
    assert shape.__struct_config__.forbid_unknown_fields


@pytest.mark.parametrize("shape", [*SERVER_FRAMES, *EVENTS], ids=by_name)
def test_what_a_server_sends_may_gain_fields(shape: type[Struct]) -> None:
    assert issubclass(shape, ServerFrame | Event)
    assert not shape.__struct_config__.forbid_unknown_fields


@pytest.mark.parametrize("base", [ClientFrame, ServerFrame, Command, Event, Signal], ids=by_name)
def test_every_declared_message_is_in_a_union(base: type[Struct]) -> None:
    declared = {s for s in base.__subclasses__() if s.__module__.startswith("protocol.")}
    # The client's stand-in for an event that it does not know comes from no server.
    assert {s.__name__ for s in declared - {*MESSAGES, *SYSTEM}} <= {"UnknownEvent"}


@pytest.mark.parametrize("shape", [*MESSAGES, Snapshot], ids=by_name)
def test_every_message_has_an_example_that_comes_back_unchanged(shape: type[Struct]) -> None:
    lines = examples()[shape]
    assert lines != []
    for line in lines:
        assert encode(msgspec.json.decode(line, type=shape)) == line


@pytest.mark.parametrize("shape", [*MESSAGES, *SYSTEM], ids=by_name)
def test_every_message_says_what_it_is(shape: type[Struct]) -> None:
    assert len(doc_of(shape)) > 10


def test_the_examples_decode_as_frames_of_their_direction() -> None:
    for shape in CLIENT_FRAMES:
        assert all(type(decode_client_frame(line)) is shape for line in examples()[shape])
    for shape in SERVER_FRAMES:
        assert all(type(decode_server_frame(line)) is shape for line in examples()[shape])
    for shape in COMMANDS:
        assert all(type(decode_command(line)) is shape for line in examples()[shape])
    for shape in EVENTS:
        assert all(type(decode_event(line)) is shape for line in examples()[shape])
    assert {*AnyClientFrame.__args__} & {*AnyServerFrame.__args__} == set()


@pytest.mark.parametrize("shape", [*CLIENT_FRAMES, *COMMANDS], ids=by_name)
def test_an_unknown_field_of_a_client_is_refused(shape: type[Struct]) -> None:
    for line in examples()[shape]:
        message = json.loads(line) | {"colour": "red"}
        with pytest.raises(Rejected) if shape in CLIENT_FRAMES else pytest.raises(Exception):
            if shape in CLIENT_FRAMES:
                decode_client_frame(json.dumps(message))
            else:
                decode_command(json.dumps(message).encode())


@pytest.mark.parametrize("shape", SERVER_FRAMES, ids=by_name)
def test_an_unknown_field_of_a_server_is_ignored(shape: type[Struct]) -> None:
    for line in examples()[shape]:
        message = json.loads(line) | {"colour": "red"}
        assert encode(decode_server_frame(json.dumps(message))) == line


def test_every_event_has_its_fold() -> None:
    assert set(FOLD) == set(EVENTS)


def test_every_error_code_and_close_code_is_in_its_table() -> None:
    assert list(ERRORS) == list(ErrorCode)
    assert list(CLOSE_CODES) == list(CloseCode)
    assert all(400 <= kind.status < 600 for kind in ERRORS.values())
    assert all(kind.title.endswith(".") for kind in ERRORS.values())


def test_a_refusal_that_a_docstring_names_is_in_the_table() -> None:
    for shape in (*MESSAGES, *SYSTEM):
        _, found, told = doc_of(shape).partition("Rejects:")
        named = re.findall(r"[a-z]+(?:_[a-z]+)+", re.sub(r"\(.*?\)", "", told, flags=re.S))
        assert [name for name in named if name not in set(ErrorCode)] == [], shape
        assert not found or named
