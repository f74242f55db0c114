"""What the rows that people query should say, by the log alone."""

from collections.abc import Iterator

from protocol.chat import ChatDeleted, ChatEdited, ChatReacted, ChatSent
from protocol.codec import decode_snapshot
from protocol.members import MemberAdded, MemberRemoved, MemberRoleChanged
from protocol.moderation import MemberBanned, MemberKicked
from protocol.owner import OwnerChanged
from tests.cluster.log import Message, RoomLog


def check_rows(log: RoomLog) -> Iterator[str]:
    """Every message as it stands, every place with its role, and no other; and nothing is done to
    a message that was never said (in a log with a gap the gap may have been its saying)."""
    for message in _messages(log) ^ set(log.messages):
        yield f"message {message}"
    said = {row.event.message_id for row in log.rows if isinstance(row.event, ChatSent)}
    for row in log.rows:
        event = row.event
        if (
            isinstance(event, ChatEdited | ChatDeleted | ChatReacted)
            and event.message_id not in said
        ):
            yield f"event {row.seq} is about a message that was never said"
    for place in _places(log).items() ^ log.places.items():
        yield f"place {place}"


def _messages(log: RoomLog) -> set[Message]:
    said: dict[str, Message] = {}
    counts: dict[str, dict[str, int]] = {}
    for row in log.rows:
        event = row.event
        if isinstance(event, ChatSent):
            said[event.message_id] = Message(event.message_id, row.seq, event.content, 0, False)
        elif isinstance(event, ChatEdited | ChatDeleted | ChatReacted) and (
            before := said.get(event.message_id)
        ):
            own = counts.setdefault(event.message_id, {})
            said[event.message_id] = _after(before, event, own)
    return set(said.values())


def _after(
    before: Message, event: ChatEdited | ChatDeleted | ChatReacted, counts: dict[str, int]
) -> Message:
    """A message after what was done to it; `counts` are its reactions by emoji, kept here."""
    if isinstance(event, ChatEdited):
        return before._replace(content=event.content)
    if isinstance(event, ChatDeleted):
        counts.clear()
        return before._replace(content="", reactions=0, is_deleted=True)
    counts[event.emoji] = event.count
    return before._replace(reactions=sum(counts.values()))


def _places(log: RoomLog) -> dict[str, str]:
    """User -> role of those who have a place."""
    members = decode_snapshot(log.start).members
    places: dict[str, str] = {user_id: row.role for user_id, row in members.items()}
    for row in log.rows:
        event = row.event
        if isinstance(event, MemberAdded):
            places[event.member.person.user_id] = event.member.role
        elif isinstance(event, MemberRoleChanged):
            places[event.person.user_id] = event.role
        elif isinstance(event, OwnerChanged):
            places[event.before] = "moderator"
            places[event.owner.user_id] = "owner"
            if event.reason == "account_deleted":
                del places[event.before]
        elif isinstance(event, MemberRemoved):
            places.pop(event.user_id, None)
        elif isinstance(event, MemberKicked | MemberBanned):
            places.pop(event.person.user_id, None)
    return places
