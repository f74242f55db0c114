"""The private half of a room: what it must remember and nobody may read in a snapshot.

A `Fact` stands beside a public event in the same row of the log; `remember` folds both, before the
public half takes the event. Like the public half, the private half is what the log makes of it, and
nothing else changes it.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from protocol.base import Event, WholeAtMs
from protocol.chat import CHAT_IN_SNAPSHOT, ChatDeleted, ChatReacted, ChatSent, Emoji, find
from protocol.ids import MessageId, UserId
from protocol.members import MemberAdded, MemberRemoved, MemberRoleChanged
from protocol.moderation import MemberBanned, MemberKicked, MemberUnbanned
from protocol.owner import OwnerChanged
from protocol.snapshot import Snapshot
from roomserver.room.queue_memory import LEARN_QUEUE, QueueFact, QueueMemory, learn_queue

WAITED_FOR: Final = 2
"""Who was missing at this many starts in a row is not waited for."""


class Private(Struct, kw_only=True):
    """What the room remembers for itself."""

    heard_ms: float = 0.0
    """What was heard of the current entry up to its anchor; after it the anchor tells."""
    misses: dict[UserId, int] = {}
    """At how many starts in a row somebody had not loaded the entry."""
    members: dict[UserId, WholeAtMs] = {}
    """Everybody with a durable place, and since when; the public half tells of a few."""
    banned_addresses: dict[str, dict[UserId, WholeAtMs | None]] = {}
    """Digest of an address: whose bans hold for it, and until when (null: until taken back)."""
    reacted: dict[MessageId, dict[UserId, list[Emoji]]] = {}
    """Who reacts with what to the messages of the snapshot; the public half tells how many."""
    queue: QueueMemory = field(default_factory=QueueMemory)
    """The last change, votes, copies and turns."""

    def waits_for(self, user_id: UserId) -> bool:
        """Whether a start waits until this person has loaded the entry."""
        return self.misses.get(user_id, 0) < WAITED_FOR

    def is_address_banned(self, digest: str, now_ms: float) -> bool:
        """Whether a ban that is in force holds for an address."""
        bans = self.banned_addresses.get(digest)
        return bans is not None and any(_is_ahead(end_ms, now_ms) for end_ms in bans.values())

    def addresses_of_ban(self, user_id: UserId, now_ms: float) -> list[str]:
        """Digests of the addresses for which somebody's ban holds now."""
        return [
            digest
            for digest, bans in self.banned_addresses.items()
            if user_id in bans and _is_ahead(bans[user_id], now_ms)
        ]


def _is_ahead(end_ms: WholeAtMs | None, now_ms: float) -> bool:
    return end_ms is None or now_ms < end_ms


class Heard(Struct, frozen=True, kw_only=True, tag_field="type", tag="heard"):
    """The anchor changed: so much was heard of the current entry, none of one yet to come."""

    heard_ms: float


class Missed(Struct, frozen=True, kw_only=True, tag_field="type", tag="missed"):
    """A start was waited for; these had not loaded the entry, everybody else had."""

    user_ids: list[UserId]


class AddressesBanned(Struct, frozen=True, kw_only=True, tag_field="type", tag="addresses_banned"):
    """A ban holds for these addresses too, and for no others that it held for before."""

    user_id: UserId
    until_ms: WholeAtMs | None
    digests: list[str]


Fact = Heard | Missed | AddressesBanned | QueueFact


def remember_heard(private: Private, public: Snapshot, fact: Heard) -> None:
    """Keep the sum."""
    private.heard_ms = fact.heard_ms


def remember_missed(private: Private, public: Snapshot, fact: Missed) -> None:
    """Count those who are missing again; whoever was there in time starts at none."""
    private.misses = {
        user_id: min(private.misses.get(user_id, 0) + 1, WAITED_FOR) for user_id in fact.user_ids
    }


def remember_addresses(private: Private, public: Snapshot, fact: AddressesBanned) -> None:
    """Keep whose ban it is, so that it ends with it."""
    _forget_addresses(private, fact.user_id)
    for digest in fact.digests:
        private.banned_addresses.setdefault(digest, {})[fact.user_id] = fact.until_ms


def _forget_addresses(
    private: Private, user_id: UserId | None, over_at_ms: float | None = None
) -> None:
    """Those of one person's ban; with an instant those that are over by then."""
    kept = {}
    for digest, bans in private.banned_addresses.items():
        left = {
            key: end_ms
            for key, end_ms in bans.items()
            if key != user_id and (over_at_ms is None or _is_ahead(end_ms, over_at_ms))
        }
        if left:
            kept[digest] = left
    private.banned_addresses = kept


def learn_added(private: Private, public: Snapshot, event: MemberAdded) -> None:
    """A place."""
    joined_at_ms = event.member.joined_at_ms
    user_id = event.member.person.user_id
    private.members[user_id] = event.at_ms if joined_at_ms is None else joined_at_ms


def learn_removed(private: Private, public: Snapshot, event: MemberRemoved) -> None:
    """A place given up."""
    private.members.pop(event.user_id, None)


def learn_role(private: Private, public: Snapshot, event: MemberRoleChanged) -> None:
    """Who is given a role has a place."""
    private.members[event.person.user_id] = event.joined_at_ms


def learn_owner(private: Private, public: Snapshot, event: OwnerChanged) -> None:
    """The new owner has a place; that of a deleted account is gone."""
    private.members[event.owner.user_id] = event.joined_at_ms
    if event.reason == "account_deleted":
        private.members.pop(event.before, None)


def learn_kicked(private: Private, public: Snapshot, event: MemberKicked) -> None:
    """Who is put out loses the place."""
    private.members.pop(event.person.user_id, None)


def learn_banned(private: Private, public: Snapshot, event: MemberBanned) -> None:
    """The place is lost; a ban by account alone takes the place of one by address."""
    user_id = event.person.user_id
    private.members.pop(user_id, None)
    if private.banned_addresses:
        # Those of this very ban stand already, and are not over.
        _forget_addresses(private, None if event.by_address else user_id, event.at_ms)


def learn_unbanned(private: Private, public: Snapshot, event: MemberUnbanned) -> None:
    """The addresses are free as well."""
    _forget_addresses(private, event.user_id)


def learn_chat_sent(private: Private, public: Snapshot, event: ChatSent) -> None:
    """The message that falls out of the snapshot takes no more reactions."""
    if private.reacted and len(public.chat) >= CHAT_IN_SNAPSHOT:
        private.reacted.pop(public.chat[0].message_id, None)


def learn_chat_deleted(private: Private, public: Snapshot, event: ChatDeleted) -> None:
    """Nobody reacts to what is gone."""
    private.reacted.pop(event.message_id, None)


def learn_chat_reacted(private: Private, public: Snapshot, event: ChatReacted) -> None:
    """Who, so that each account counts once; nothing of a message outside the snapshot."""
    if find(public.chat, event.message_id) is None:
        return
    people = private.reacted.setdefault(event.message_id, {})
    emojis = people.setdefault(event.by, [])
    if event.on:
        emojis.append(event.emoji)
    elif event.emoji in emojis:
        emojis.remove(event.emoji)
    if not emojis:
        del people[event.by]
    if not people:
        del private.reacted[event.message_id]


REMEMBER: Final[dict[type[Fact], Callable[[Private, Snapshot, Any], None]]] = {
    Heard: remember_heard,
    Missed: remember_missed,
    AddressesBanned: remember_addresses,
}
"""What a fact means by itself; those of the queue go with their event."""

LEARN: Final[dict[type[Event], Callable[[Private, Snapshot, Any], None]]] = {
    MemberAdded: learn_added,
    MemberRemoved: learn_removed,
    MemberRoleChanged: learn_role,
    OwnerChanged: learn_owner,
    MemberKicked: learn_kicked,
    MemberBanned: learn_banned,
    MemberUnbanned: learn_unbanned,
    ChatSent: learn_chat_sent,
    ChatDeleted: learn_chat_deleted,
    ChatReacted: learn_chat_reacted,
}
"""What a public event means to the private half."""


def remember(private: Private, public: Snapshot, event: Event, fact: Fact | None) -> None:
    """Fold one row in place; `public` is the room before the event. Total: never refuses."""
    kind = type(event)
    if fact is not None and (fold_fact := REMEMBER.get(type(fact))) is not None:
        fold_fact(private, public, fact)
    if fact is not None or kind in LEARN_QUEUE:
        learn_queue(private, public, event, fact)
    learn = LEARN.get(kind)
    if learn is not None:
        learn(private, public, event)


_encoder = msgspec.json.Encoder()
_private = msgspec.json.Decoder(Private)
_fact: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)


def encode_private(value: Private | Fact) -> bytes:
    """JSON bytes of the private half, or of one fact."""
    return _encoder.encode(value)


def decode_private(data: bytes | str) -> Private:
    """The private half that was stored with a snapshot."""
    return _private.decode(data)


def decode_fact(data: bytes | str) -> Fact:
    """The private body of a row of the log."""
    return _fact.decode(data)
