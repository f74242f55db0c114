"""What the commands of playback do to the model."""

from math import ceil

from protocol.errors import ErrorCode as E
from protocol.playback import (
    LoadingDone,
    PlaybackNext,
    PlaybackPause,
    PlaybackPlay,
    PlaybackPlayEntry,
    PlaybackSeek,
)
from protocol.reactions import ReactionsCount, ReactionSend
from protocol.rooms import RoomResume, RoomSuspend, Wake
from protocol.votes import VotesCount, VotesSkip
from roomserver.room.context import Context
from tests.room.model import Model
from tests.room.model_music import Piece, samples


def play(model: Model, command: PlaybackPlay, told: Context) -> set[E]:
    """Go on."""
    music, line = model.music, model.line
    if music.piece is None and line.pieces and command.entry_id is None:
        model.play_first(told.now_ms, told)
        return set()
    reasons = music.means(command.entry_id)
    if not reasons and music.status == "paused":
        assert music.piece is not None
        if music.asleep:
            music.wait(music.piece, told.now_ms, music.position)
        else:
            music.start(music.piece, music.act(told.now_ms, told.lead_ms), music.position)
    return reasons


def pause(model: Model, command: PlaybackPause, told: Context) -> set[E]:
    """Rest."""
    music = model.music
    reasons = music.means(command.entry_id)
    if reasons or music.status == "paused":
        return reasons
    at = music.act(told.now_ms, told.lead_ms)
    if music.overtakes(at):
        return {E.ENTRY_STARTING}
    music.heard, music.position = music.heard_until(at), music.needle(at)
    music.status, music.at, music.until_ms, music.agreed = "paused", at, None, False
    return set()


def seek(model: Model, command: PlaybackSeek, told: Context) -> set[E]:
    """Jump."""
    music = model.music
    reasons = music.means(command.entry_id)
    if reasons or music.piece is None:
        return reasons
    to = min(samples(command.position_ms), music.piece.length)
    at = music.act(told.now_ms, told.lead_ms)
    if music.at is None and music.status != "paused":
        music.begin(music.piece, told.now_ms, at, told.present, to)
    elif music.overtakes(at):
        return {E.ENTRY_STARTING}
    else:
        music.heard, music.at, music.position = music.heard_until(at), at, to
    return set()


def next(model: Model, command: PlaybackNext, told: Context) -> set[E]:
    """Leave it for the next."""
    reasons = model.music.means(command.entry_id)
    if not reasons:
        _skip(model, told)
    return reasons


def _skip(model: Model, told: Context) -> None:
    """Leave the current entry, and its loop, for what follows."""
    music, line = model.music, model.line
    at, end = music.act(told.now_ms, told.lead_ms), music.end()
    following = line.pieces[0] if line.pieces else None
    if not line.starting(music, told.now_ms, told.lead_ms):
        waiting = [piece for piece in line.pieces if not piece.loops]
        following = _whose_turn(model, waiting) if waiting else None
    is_agreed = bool(line.pieces) and following is line.pieces[0]
    is_loaded = is_agreed and music.status != "waiting" and not music.asleep
    model.move_on(at if end is None else min(at, end), following, is_loaded, told.now_ms, told)


def _whose_turn(model: Model, waiting: list[Piece]) -> Piece:
    """The first; but a skip charges only what was heard, so that with turns the same person's next
    entry may come sooner: then the real room says so."""
    first, current, shown = waiting[0], model.music.piece, model.shown.playback.entry
    if model.line.mode != "fair" or current is None or shown is None:
        return first
    mine = [piece for piece in waiting if piece.owner.user_id == current.owner.user_id]
    return mine[0] if mine and mine[0].entry_id == shown.entry_id else first


def play_entry(model: Model, command: PlaybackPlayEntry, told: Context) -> set[E]:
    """Leave it for another."""
    piece = model.line.piece(command.entry_id)
    at = model.music.act(told.now_ms, told.lead_ms)
    if piece is None:
        return {E.UNKNOWN_ENTRY}
    if model.music.overtakes(at):
        return {E.ENTRY_STARTING}
    model.move_on(at, piece, False, told.now_ms, told)
    return set()


def vote_to_skip(model: Model, command: VotesSkip, told: Context) -> set[E]:
    """One more who wants the next; who may skip does."""
    reasons = model.music.means(command.entry_id)
    if not reasons and model.people.has(told.actor, "skip"):
        _skip(model, told)
    elif not reasons and told.actor.kind == "bot":
        reasons = {E.NOT_ALLOWED}
    elif not reasons and told.actor.user_id not in model.music.skips:
        model.music.skips.add(told.actor.user_id)
        recount(model, told)
    return reasons


def count_again(model: Model, command: VotesCount, told: Context) -> set[E]:
    """People have left; whenever it is told who is here, an open vote is counted."""
    return set()


def recount(model: Model, told: Context) -> set[E]:
    """Count who is here and may speak, as soon as that is told."""
    music, people = model.music, model.people
    silent = {key for key in told.here if people.is_silent(key, told.now_ms)}
    silent |= {key for key in told.here if people.is_out(key, told.now_ms)}
    able = told.here - silent
    music.tally = (len(music.skips & able), max(1, ceil(model.share * len(able))))
    return set()


def follow_votes(model: Model, told: Context) -> None:
    """Skip, if enough want it."""
    if model.music.tally is None or not told.here:
        return
    recount(model, told)
    votes, needed = model.music.tally
    if votes >= needed:
        _skip(model, told)


def loading_done(model: Model, command: LoadingDone, told: Context) -> set[E]:
    """People have it."""
    music = model.music
    is_meant = music.piece is not None and music.piece.entry_id == command.entry_id
    if is_meant and music.status == "waiting" and not music.asleep:
        assert music.piece is not None
        music.start(music.piece, music.act(told.now_ms, told.lead_ms), music.position)
    return set()


def suspend(model: Model, command: RoomSuspend, told: Context) -> set[E]:
    """Everybody has left."""
    music = model.music
    if not music.asleep and not model.always_on:
        at = samples(command.vacant_since_ms)
        music.heard, music.position = music.heard_until(at), music.needle(at)
        music.asleep, music.at, music.until_ms, music.agreed = True, None, None, False
    return set()


def resume(model: Model, command: RoomResume, told: Context) -> set[E]:
    """Somebody is back."""
    if model.music.asleep:
        model.wake_up(told.now_ms, told)
    return set()


def wake(model: Model, command: Wake, told: Context) -> set[E]:
    """Time is told by `pass_time`."""
    return set()


def react(model: Model, command: ReactionSend | ReactionsCount, told: Context) -> set[E]:
    """Music or no music."""
    is_heard = model.music.status == "playing" and not model.music.asleep
    return set() if is_heard else {E.NOTHING_PLAYING}
