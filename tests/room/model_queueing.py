"""What the commands of the queue do to the model."""

from msgspec import UNSET

from protocol.errors import ErrorCode as E
from protocol.queue import QueueAdd, QueueClear, QueueMove, QueueRemove, QueueShuffle, QueueUndo
from protocol.tracks import TrackGone
from protocol.votes import VotesCast, VotesRetract
from roomserver.room.context import Context
from tests.room.model import Model
from tests.room.model_line import NOT_NAMED_YET, RULED, Change
from tests.room.model_music import Piece
from tests.room.model_playing import recount


def add(model: Model, command: QueueAdd, told: Context) -> set[E]:
    """One more at the end, or where it is wished."""
    track, line, actor = told.track, model.line, told.actor
    if track is None:
        return {E.UNKNOWN_TRACK}
    reasons = line.has_room_for(actor.user_id, track.track_id, model.music)
    index: int | None = len(line.pieces)
    if command.after is not UNSET:
        index, more = _wished(model, command.after, told)
        reasons |= more
    if reasons or index is None:
        return reasons
    piece = Piece(NOT_NAMED_YET, track.track_id, track.duration_samples, actor)
    line.last = Change(actor.user_id, "add", [piece])
    line.pieces.insert(max(index, line.loop()), piece)
    return set()


def _wished(model: Model, after: str | None, told: Context) -> tuple[int | None, set[E]]:
    """The index behind an entry, and what speaks against it."""
    index = model.line.behind(after, model.music)
    reasons = set() if model.people.has(told.actor, "place") else {E.NOT_ALLOWED}
    if model.line.mode in RULED:
        reasons.add(E.FIXED_ORDER)
    if index is None:
        reasons.add(E.UNKNOWN_ENTRY)
    elif index < _starting(model, told):
        reasons.add(E.ENTRY_STARTING)
    return index, reasons


def _starting(model: Model, told: Context) -> int:
    return model.line.starting(model.music, told.now_ms, told.lead_ms)


def _fixed(model: Model, told: Context) -> int:
    return model.line.fixed(model.music, told.now_ms, told.lead_ms)


def remove(model: Model, command: QueueRemove, told: Context) -> set[E]:
    """Take one out."""
    index = model.line.index(command.entry_id)
    if index is None:
        return {E.UNKNOWN_ENTRY}
    if index < _starting(model, told):
        return {E.ENTRY_STARTING}
    model.line.take_out([model.line.pieces[index]], told.actor.user_id)
    return set()


def clear(model: Model, command: QueueClear, told: Context) -> set[E]:
    """Take out all that is not about to start."""
    model.line.take_out(model.line.pieces[_fixed(model, told) :], told.actor.user_id)
    return set()


def lose(model: Model, command: TrackGone, told: Context) -> set[E]:
    """A track is no more: whatever waits of it is gone, and so is what plays."""
    music, line = model.music, model.line
    line.pieces = [piece for piece in line.pieces if piece.track_id != command.track_id]
    if music.piece is not None and music.piece.track_id == command.track_id:
        at, end = music.act(told.now_ms, told.lead_ms), music.end()
        music.leave(at if end is None else min(at, end))
    return set()


def move(model: Model, command: QueueMove, told: Context) -> set[E]:
    """Put one elsewhere, but not before the copies of what plays."""
    line = model.line
    index, target = line.index(command.entry_id), line.behind(command.after, model.music)
    reasons = {E.FIXED_ORDER} if line.mode in RULED else set()
    if index is not None and line.pieces[index].loops:
        reasons.add(E.FIXED_ORDER)
    if index is None or target is None:
        return {E.UNKNOWN_ENTRY} | reasons
    if reasons or target in (index, index + 1):
        return reasons
    if min(index, target) < _starting(model, told):
        return {E.ENTRY_STARTING}
    target = max(target, line.loop())
    if target not in (index, index + 1):
        before = line.pieces[index - 1] if index else None
        line.last = Change(told.actor.user_id, "move", [line.pieces[index]], before)
        _put(line.pieces, index, target)
    return set()


def _put(pieces: list[Piece], index: int, target: int) -> None:
    piece = pieces.pop(index)
    pieces.insert(target - (index < target), piece)


def shuffle(model: Model, command: QueueShuffle, told: Context) -> set[E]:
    """Some order; those about to start keep theirs."""
    line = model.line
    if line.mode in RULED:
        return {E.FIXED_ORDER}
    before = list(line.pieces)
    rank = {entry.entry_id: index for index, entry in enumerate(model.shown.queue)}
    fixed = _fixed(model, told)
    line.pieces[fixed:] = sorted(before[fixed:], key=lambda piece: rank[piece.entry_id])
    if line.pieces != before:
        line.last = Change(told.actor.user_id, "shuffle", order=before)
    return set()


def undo(model: Model, command: QueueUndo, told: Context) -> set[E]:
    """Take the last change back."""
    line, last = model.line, model.line.last
    if last is None:
        return {E.NOTHING_TO_UNDO}
    reasons, pieces = UNDO[last.kind](model, last, told)
    if last.author != told.actor.user_id and not model.people.has(told.actor, "arrange"):
        reasons |= {E.NOT_ALLOWED}
    if not reasons:
        line.pieces, line.last = pieces, None
    return reasons


Undoing = tuple[set[E], list[Piece]]


def _undo_add(model: Model, last: Change, told: Context) -> Undoing:
    pieces, (piece,) = model.line.pieces, last.pieces
    if piece not in pieces:
        return {E.NOTHING_TO_UNDO}, []
    if pieces.index(piece) < _starting(model, told):
        return {E.ENTRY_STARTING}, []
    return set(), [one for one in pieces if one is not piece]


def _undo_remove(model: Model, last: Change, told: Context) -> Undoing:
    pieces = model.line.pieces
    index = max(_behind(pieces, last.after), _fixed(model, told))
    back = [*pieces[:index], *last.pieces, *pieces[index:]]
    return ({E.QUEUE_FULL} if len(back) > model.line.limit else set()), back


def _undo_move(model: Model, last: Change, told: Context) -> Undoing:
    pieces, (piece,) = list(model.line.pieces), last.pieces
    if piece not in pieces or model.line.mode in RULED:
        return {E.NOTHING_TO_UNDO}, []
    index = pieces.index(piece)
    target = max(_behind(pieces, last.after), _fixed(model, told))
    if index < _starting(model, told):
        return {E.ENTRY_STARTING}, []
    if target in (index, index + 1):
        return {E.NOTHING_TO_UNDO}, []
    _put(pieces, index, target)
    return set(), pieces


def _undo_shuffle(model: Model, last: Change, told: Context) -> Undoing:
    pieces, fixed = model.line.pieces, _fixed(model, told)
    rank = {id(piece): index for index, piece in enumerate(last.order)}
    rest = sorted(pieces[fixed:], key=lambda piece: rank.get(id(piece), len(rank)))
    if model.line.mode in RULED or rest == pieces[fixed:]:
        return {E.NOTHING_TO_UNDO}, []
    return set(), [*pieces[:fixed], *rest]


UNDO = {
    "add": _undo_add,
    "remove": _undo_remove,
    "move": _undo_move,
    "shuffle": _undo_shuffle,
}


def _behind(pieces: list[Piece], after: Piece | None) -> int:
    return pieces.index(after) + 1 if after in pieces else 0


def vote(model: Model, command: VotesCast, told: Context) -> set[E]:
    """One more for an entry."""
    piece = model.line.piece(command.entry_id)
    reasons = set() if model.line.mode == "votes" else {E.NO_VOTING}
    if told.actor.kind == "bot":
        reasons.add(E.NOT_ALLOWED)
    if piece is None:
        return reasons | {E.UNKNOWN_ENTRY}
    if not reasons:
        piece.votes.add(told.actor.user_id)
    return reasons


def retract(model: Model, command: VotesRetract, told: Context) -> set[E]:
    """One less, for an entry or for skipping."""
    current, piece = model.music.piece, model.line.piece(command.entry_id)
    if current is not None and current.entry_id == command.entry_id:
        if told.actor.user_id in model.music.skips:
            model.music.skips.remove(told.actor.user_id)
            recount(model, told)
    elif piece is None:
        return {E.UNKNOWN_ENTRY}
    else:
        piece.votes.discard(told.actor.user_id)
    return set()
