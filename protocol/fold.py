"""snapshot + events = snapshot: the one place that changes a room's public state."""

from collections.abc import Callable
from typing import Any

from protocol import (
    chat,
    members,
    moderation,
    owner,
    playback,
    queue,
    reactions,
    rooms,
    slash,
    votes,
)
from protocol.base import Event
from protocol.snapshot import Snapshot

FOLD: dict[type[Event], Callable[[Snapshot, Any], None]] = {
    rooms.RoomUpdated: rooms.fold_room_updated,
    rooms.RoomClosed: rooms.fold_room_closed,
    rooms.RoomSuspended: rooms.fold_room_suspended,
    rooms.RoomResumed: rooms.fold_room_resumed,
    members.MemberAdded: members.fold_member_added,
    members.MemberRemoved: members.fold_member_removed,
    members.MemberRoleChanged: members.fold_member_role_changed,
    owner.OwnerChanged: owner.fold_owner_changed,
    moderation.MemberKicked: moderation.fold_member_kicked,
    moderation.MemberMuted: moderation.fold_member_muted,
    moderation.MemberUnmuted: moderation.fold_member_unmuted,
    moderation.MemberBanned: moderation.fold_member_banned,
    moderation.MemberUnbanned: moderation.fold_member_unbanned,
    queue.QueueAdded: queue.fold_queue_added,
    queue.QueueRemoved: queue.fold_queue_removed,
    queue.QueueMoved: queue.fold_queue_moved,
    queue.QueueCleared: queue.fold_queue_cleared,
    queue.QueueOrdered: queue.fold_queue_ordered,
    queue.QueueRestored: queue.fold_queue_restored,
    votes.VotesChanged: votes.fold_votes_changed,
    playback.PlaybackWaiting: playback.fold_playback_waiting,
    playback.PlaybackStarted: playback.fold_playback_started,
    playback.PlaybackPaused: playback.fold_playback_paused,
    playback.PlaybackSeeked: playback.fold_playback_seeked,
    playback.PlaybackScheduled: playback.fold_playback_scheduled,
    playback.PlaybackEnded: playback.fold_playback_ended,
    chat.ChatSent: chat.fold_chat_sent,
    chat.ChatEdited: chat.fold_chat_edited,
    chat.ChatDeleted: chat.fold_chat_deleted,
    chat.ChatReacted: chat.fold_chat_reacted,
    reactions.ReactionsCounted: reactions.fold_reactions_counted,
    slash.SlashRegistered: slash.fold_slash_registered,
}


def fold(snapshot: Snapshot, event: Event) -> None:
    """Fold the next event in place; `seq` rises by one. Total: never refuses."""
    FOLD[type(event)](snapshot, event)
    snapshot.seq += 1
