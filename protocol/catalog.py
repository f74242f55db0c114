"""The closed unions: every command, event and signal there is."""

from protocol import (
    chat,
    members,
    moderation,
    owner,
    playback,
    presence,
    queue,
    reactions,
    rooms,
    slash,
    tracks,
    tune,
    votes,
)

ClientCommand = (
    rooms.RoomUpdate
    | rooms.RoomClose
    | members.MemberSetRole
    | owner.OwnerTransfer
    | moderation.MemberKick
    | moderation.MemberMute
    | moderation.MemberUnmute
    | moderation.MemberBan
    | moderation.MemberUnban
    | queue.QueueAdd
    | queue.QueueRemove
    | queue.QueueMove
    | queue.QueueClear
    | queue.QueueShuffle
    | queue.QueueUndo
    | votes.VotesCast
    | votes.VotesRetract
    | votes.VotesSkip
    | playback.PlaybackPlay
    | playback.PlaybackPause
    | playback.PlaybackSeek
    | playback.PlaybackNext
    | playback.PlaybackPlayEntry
    | chat.ChatSend
    | chat.ChatEdit
    | chat.ChatDelete
    | chat.ChatReact
    | reactions.ReactionSend
    | slash.SlashRegister
)
"""What a client may send in `cmd`."""

SystemCommand = (
    rooms.RoomRelock
    | rooms.RoomSuspend
    | rooms.RoomResume
    | rooms.Wake
    | members.MemberAdd
    | members.MemberRemove
    | owner.OwnerSucceed
    | votes.VotesCount
    | reactions.ReactionsCount
    | playback.LoadingDone
    | tracks.TrackGone
)
"""What only the home or the sidecar sends."""

RoomCommand = ClientCommand | SystemCommand

RoomEvent = (
    rooms.RoomUpdated
    | rooms.RoomClosed
    | rooms.RoomSuspended
    | rooms.RoomResumed
    | members.MemberAdded
    | members.MemberRemoved
    | members.MemberRoleChanged
    | owner.OwnerChanged
    | moderation.MemberKicked
    | moderation.MemberMuted
    | moderation.MemberUnmuted
    | moderation.MemberBanned
    | moderation.MemberUnbanned
    | queue.QueueAdded
    | queue.QueueRemoved
    | queue.QueueMoved
    | queue.QueueCleared
    | queue.QueueOrdered
    | queue.QueueRestored
    | votes.VotesChanged
    | playback.PlaybackWaiting
    | playback.PlaybackStarted
    | playback.PlaybackPaused
    | playback.PlaybackSeeked
    | playback.PlaybackScheduled
    | playback.PlaybackEnded
    | chat.ChatSent
    | chat.ChatEdited
    | chat.ChatDeleted
    | chat.ChatReacted
    | reactions.ReactionsCounted
    | slash.SlashRegistered
)

RoomSignal = presence.Typing | presence.Buffering | presence.Ready | tune.ClockReport | tune.Clicks

URGENT_EVENTS = (
    rooms.RoomResumed,
    playback.PlaybackWaiting,
    playback.PlaybackStarted,
    playback.PlaybackPaused,
    playback.PlaybackSeeked,
    playback.PlaybackScheduled,
    playback.PlaybackEnded,
)
"""Events of playback: an edge passes them on at once instead of at the next tick."""
