"""What was taken back is gone: its words leave the log, the ring and every snapshot.

In the log they go in the statement that makes the deletion durable. Stored snapshots follow: that
statement leaves a row in `room_redactions`, and the next snapshot that is stored drops the older
ones with it. Until then the home owes that snapshot, whoever it is by then.
"""

from collections.abc import Iterable, Set

from msgspec.structs import replace

from protocol.chat import ChatDeleted, ChatEdited, ChatSent
from protocol.codec import decode_event, encode
from protocol.ids import MessageId


def redacted(body: bytes, message_ids: Set[MessageId]) -> bytes:
    """An encoded event, without its words if it is about one of these messages."""
    if not any(message_id.encode() in body for message_id in message_ids):
        return body
    event = decode_event(body)
    if isinstance(event, ChatSent | ChatEdited) and event.message_id in message_ids:
        return encode(replace(event, content="", mentions=[]))
    return body


def taken_back(bodies: Iterable[bytes]) -> set[MessageId]:
    """The messages that encoded events delete."""
    events = (decode_event(body) for body in bodies if b"chat.deleted" in body)
    return {event.message_id for event in events if isinstance(event, ChatDeleted)}
