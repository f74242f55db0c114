"""AsyncAPI 3 of the WebSocket, from the same classes and examples."""

import json

from msgspec import Struct

from protocol.base import FEATURE_LEVEL
from protocol.generate.declared import CLIENT_FRAMES, SERVER_FRAMES, doc_of, tag_of
from protocol.generate.examples import examples
from protocol.generate.schema import components, dumped

_WHAT = """\
One connection carries any number of rooms (at most 50). Subprotocol `unisono.v1.json`
(the default): JSON in text messages; `unisono.v1.msgpack`: the same maps as MessagePack in binary
messages. The first frame is `hello`, within 5 s. How to use it: docs/bots.md; every message:
docs/protocol.md."""


def asyncapi() -> str:
    """`protocol/schema/asyncapi.json`: the server receives client frames and sends the others."""
    client = {f"client.{tag_of(shape)}": shape for shape in CLIENT_FRAMES}
    server = {f"server.{tag_of(shape)}": shape for shape in SERVER_FRAMES}
    messages = client | server
    return dumped(
        {
            "asyncapi": "3.0.0",
            "info": {
                "title": "Unisono WebSocket",
                "version": f"1.{FEATURE_LEVEL}",
                "description": _WHAT,
                "license": {"name": "Apache-2.0"},
            },
            "defaultContentType": "application/json",
            "channels": {
                "ws": {
                    "address": "/ws",
                    "messages": {name: _ref("messages", name) for name in messages},
                }
            },
            "operations": {
                "receive": _operation("receive", "What a client sends.", list(client)),
                "send": _operation("send", "What a server sends.", list(server)),
            },
            "components": {
                "messages": {name: _message(shape) for name, shape in messages.items()},
                "schemas": components(messages.values(), "#/components/schemas/{name}"),
            },
        }
    )


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def _operation(action: str, summary: str, names: list[str]) -> dict[str, object]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/ws"},
        "messages": [{"$ref": f"#/channels/ws/messages/{name}"} for name in names],
    }


def _message(shape: type[Struct]) -> dict[str, object]:
    return {
        "name": tag_of(shape),
        "title": shape.__name__,
        "summary": doc_of(shape).partition("\n\n")[0].replace("\n", " "),
        "payload": _ref("schemas", shape.__name__),
        "examples": [{"payload": json.loads(line)} for line in examples()[shape]],
    }
