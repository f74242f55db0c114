"""What people query about rooms, as rows; written in the statement that writes the events."""

from collections.abc import Callable
from typing import Any, Final

from protocol.chat import ChatDeleted, ChatEdited, ChatReacted, ChatSent
from protocol.members import MemberAdded, MemberRemoved, MemberRoleChanged
from protocol.moderation import (
    MemberBanned,
    MemberKicked,
    MemberMuted,
    MemberUnbanned,
    MemberUnmuted,
)
from protocol.owner import OwnerChanged
from protocol.playback import PlaybackEnded, PlaybackStarted
from protocol.rooms import RoomClosed, RoomUpdated
from roomserver.home.audit_rows import AUDITED, AuditRows
from roomserver.home.chat_rows import ChatRows
from roomserver.home.people_rows import PeopleRows
from roomserver.home.play_rows import Current, PlayRows
from roomserver.home.room_rows import RoomRows


class Projections:
    """Rows of one batch; one row a key, since one statement cannot touch a row twice."""

    __slots__ = ("audit", "chat", "only_said", "people", "plays", "room")

    def __init__(self) -> None:
        self.audit = AuditRows()
        self.chat = ChatRows()
        self.people = PeopleRows()
        self.plays = PlayRows()
        self.room = RoomRows()
        self.only_said = True
        """Whether new messages are all there is: so it is with most batches."""

    def add(self, seq: int, event: Any, current: Current) -> None:
        """Take the rows that an event means."""
        project = PROJECT.get(type(event))
        if project is not None:
            project(self, seq, event, current)
            self.only_said = self.only_said and type(event) is ChatSent
        if type(event) in AUDITED:
            self.audit.add(seq, event, self.chat)
            self.only_said = False

    def change_owner(self, event: OwnerChanged) -> None:
        """A role of a person and a field of the room."""
        self.people.change_owner(event)
        self.room.change_owner(event)


Project = Callable[[Projections, int, Any, Current], None]

PROJECT: Final[dict[type, Project]] = {
    ChatSent: lambda rows, seq, event, current: rows.chat.say(seq, event),
    ChatEdited: lambda rows, seq, event, current: rows.chat.edit(seq, event),
    ChatDeleted: lambda rows, seq, event, current: rows.chat.delete(event),
    ChatReacted: lambda rows, seq, event, current: rows.chat.react(event),
    MemberAdded: lambda rows, seq, event, current: rows.people.add(event),
    MemberRemoved: lambda rows, seq, event, current: rows.people.remove(event),
    MemberRoleChanged: lambda rows, seq, event, current: rows.people.set_role(event),
    OwnerChanged: lambda rows, seq, event, current: rows.change_owner(event),
    MemberKicked: lambda rows, seq, event, current: rows.people.kick(event),
    MemberBanned: lambda rows, seq, event, current: rows.people.ban(event),
    MemberUnbanned: lambda rows, seq, event, current: rows.people.bans.lift(event),
    MemberMuted: lambda rows, seq, event, current: rows.people.mutes.give(event),
    MemberUnmuted: lambda rows, seq, event, current: rows.people.mutes.lift(event),
    RoomUpdated: lambda rows, seq, event, current: rows.room.update(event),
    RoomClosed: lambda rows, seq, event, current: rows.room.close(),
    PlaybackStarted: lambda rows, seq, event, current: rows.plays.start(event, current),
    PlaybackEnded: lambda rows, seq, event, current: rows.plays.end(event),
}
