"""The closed unions: every command, event and signal there is."""

from protocol import chat, members, playback, presence, queue, rooms

ClientCommand = (
    rooms.RoomUpdate
    | rooms.RoomClose
    | queue.QueueAdd
    | queue.QueueRemove
    | queue.QueueMove
    | playback.PlaybackPlay
    | playback.PlaybackPause
    | playback.PlaybackSeek
    | playback.PlaybackNext
    | playback.PlaybackPlayEntry
    | chat.ChatSend
)
"""What a client may send in `cmd`."""

SystemCommand = (
    rooms.RoomSuspend
    | rooms.RoomResume
    | rooms.Wake
    | members.MemberAdd
    | members.MemberRemove
    | playback.LoadingDone
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
    | queue.QueueAdded
    | queue.QueueRemoved
    | queue.QueueMoved
    | playback.PlaybackWaiting
    | playback.PlaybackStarted
    | playback.PlaybackPaused
    | playback.PlaybackSeeked
    | playback.PlaybackScheduled
    | playback.PlaybackEnded
    | chat.ChatSent
)

RoomSignal = presence.Typing | presence.Buffering | presence.Ready | presence.ClockReport

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
