"""Whatever bytes a stranger sends, the codec gives a message back or says what is wrong."""

from random import Random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.encodings import ENCODINGS, EncodingName
from protocol.errors import ErrorCode, Rejected
from tests.hostile.grammar import Tree, messages
from tests.hostile.mutants import mutant

IDS: Final = ["5d1f6c1e-8d0f-4b4a-9d52-0c6c1f0f8a11"]
MUTANTS: Final = 100
"""Of each set of messages: drawing valid ones costs more than breaking them."""


def fuzz(name: EncodingName, examples: int) -> None:
    """Break `examples` × MUTANTS messages in that encoding."""
    encoding = ENCODINGS[name]

    @settings(max_examples=examples, deadline=None, database=None)
    @given(trees=st.lists(messages(IDS), min_size=1, max_size=4), seed=st.integers(0, 2**64))
    def answers(trees: list[Tree], seed: int) -> None:
        rng = Random(seed)
        for _ in range(MUTANTS):
            data = mutant(rng, trees, is_binary=encoding.is_binary)
            frame_id = encoding.salvage_id(data)
            assert frame_id is None or 1 <= frame_id <= 2**53, data
            try:
                frame = encoding.decode_client_frame(data)
            except Rejected as refusal:
                assert refusal.code is ErrorCode.BAD_REQUEST, data
                assert 0 < len(str(refusal)) <= 300, data
            else:
                assert encoding.decode_client_frame(encoding.encode(frame)) == frame, data

    answers()


@pytest.mark.parametrize("name", ENCODINGS)
def test_ws16_any_bytes_are_a_message_or_a_refusal(name: EncodingName) -> None:
    fuzz(name, 20)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ENCODINGS)
def test_ws16_any_bytes_are_a_message_or_a_refusal_at_length(name: EncodingName) -> None:
    fuzz(name, 600)
