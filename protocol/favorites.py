"""Favourites: tracks that a person keeps at hand."""

from protocol.base import Entity
from protocol.tracks import Track
from protocol.users import Instant


class Favorite(Entity, frozen=True, kw_only=True):
    """A track that somebody likes."""

    track: Track
    added_at: Instant


class FavoritePage(Entity, frozen=True, kw_only=True):
    """A page of somebody's favourites, the newest first; only tracks that the caller may see."""

    items: list[Favorite]
    next_cursor: str | None
