"""Signals of those who are here: passed on at once, or kept where only the home needs them."""

from typing import Final

from protocol.cluster import SignalSent
from protocol.frames import SignalDown
from protocol.permissions import may
from protocol.playback import Playback
from protocol.presence import Ready, Typing
from protocol.queue import place
from protocol.tune import Clicks, ClockReport
from protocol.users import Person
from roomserver.home.gate import Gate
from roomserver.home.here import Here
from roomserver.home.metrics import SYNC_ERROR
from roomserver.home.parts import Parts
from roomserver.home.tune import MEASURED, state_of

LOADED_AHEAD: Final = 4
"""So many waiting entries may be reported as loaded before their turn."""
ERROR_MAX_MS: Final = 60_000


def pass_on(here: Here, gate: Gate, parts: Parts, message: SignalSent) -> None:
    """Take a signal of one connection."""
    if not here.presence.holds(message.conn):
        return
    signal = message.signal
    if isinstance(signal, Ready):
        playback, queue = here.public.playback, here.public.queue
        index = place(queue[:LOADED_AHEAD], signal.entry_id)
        if index is not None or _is_current(playback, signal.entry_id):
            here.loading.ready(signal.entry_id, message.person.user_id)
            parts.touch(here.room_id)
    elif isinstance(signal, ClockReport):
        # What a client made up (no number at all, or an endless one) measures nothing.
        if abs(signal.error_ms) < ERROR_MAX_MS:
            if state_of(signal) in MEASURED:
                SYNC_ERROR.observe(abs(signal.error_ms) / 1_000)
            now_ms = parts.clock.now_ms()
            if here.tune.heard(message.person.user_id, signal, now_ms):
                gate.tune(now_ms)
    elif isinstance(signal, Clicks):
        if may(here.public, message.person, "control"):
            gate.signal(_told(here, message), message.conn)
    elif not isinstance(signal, Typing) or _may_speak(here, message.person, parts.clock.now_ms()):
        gate.signal(_told(here, message), message.conn)


def _told(here: Here, message: SignalSent) -> SignalDown:
    return SignalDown(room=here.room_id, from_=message.person.user_id, signal=message.signal)


def _may_speak(here: Here, person: Person, now_ms: float) -> bool:
    """Whether what somebody is writing could be said."""
    member = here.public.members.get(person.user_id)
    if member is not None and member.is_muted(now_ms):
        return False
    return may(here.public, person, "chat")


def _is_current(playback: Playback, entry_id: str) -> bool:
    return playback.entry is not None and playback.entry.entry_id == entry_id
