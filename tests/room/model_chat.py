"""The model's chat: the last messages and who reacts to them."""

from dataclasses import dataclass, field

from protocol.chat import ChatDelete, ChatEdit, ChatReact, ChatSend
from protocol.errors import ErrorCode as E
from protocol.snapshot import Snapshot

KEPT = 50


@dataclass
class Said:
    """A message."""

    message_id: str
    author: str
    content: str
    gone: bool = False
    reactions: dict[str, set[str]] = field(default_factory=dict)


@dataclass
class Chat:
    """All that was said, the oldest first; a snapshot shows the last of it."""

    said: list[Said] = field(default_factory=list)

    def find(self, message_id: str | None) -> Said | None:
        """A message, however old."""
        return next((said for said in self.said if said.message_id == message_id), None)

    def send(self, command: ChatSend, author: str, message_id: str) -> set[E]:
        """Say something."""
        if command.reply_to is not None and self.find(command.reply_to) is None:
            return {E.UNKNOWN_MESSAGE}
        self.said.append(Said(message_id, author, command.content))
        return set()

    def change(self, command: ChatEdit | ChatDelete | ChatReact, actor: str) -> set[E]:
        """Edit, delete or react."""
        said = self.find(command.message_id)
        is_lost = isinstance(command, ChatReact) and said not in self.said[-KEPT:]
        if said is None or is_lost or (said.gone and not isinstance(command, ChatDelete)):
            return {E.UNKNOWN_MESSAGE}
        match command:
            case ChatEdit():
                said.content = command.content
            case ChatDelete():
                said.gone, said.content, said.reactions = True, "", {}
            case ChatReact(on=True):
                said.reactions.setdefault(command.emoji, set()).add(actor)
            case ChatReact():
                said.reactions.get(command.emoji, set()).discard(actor)
        return set()

    def check(self, public: Snapshot) -> None:
        """The room shows the same."""
        assert [
            (said.message_id, said.author, said.content, said.gone, counts(said))
            for said in self.said[-KEPT:]
        ] == [(m.message_id, m.by.user_id, m.content, m.deleted, m.reactions) for m in public.chat]


def counts(said: Said) -> dict[str, int]:
    """How many people react with what."""
    return {emoji: len(people) for emoji, people in said.reactions.items() if people}
