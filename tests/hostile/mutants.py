"""Messages gone wrong at every level: the tree, its values, the spelling, single bytes."""

import copy
import json
import math
import struct
from random import Random
from typing import Final

from tests.hostile.grammar import Tree

NASTY: Final[list[Tree]] = [
    None, True, -1, 0, 2**31, 2**53, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**400,
    -0.0, 1e-320, 1e308, math.nan, math.inf, "", "\x00", "a\x00b", "\ud800", "\udfff\ud800",
    "x" * 2_001, "👋" * 2_000, "\u202e", "null", "type", "room.wake", "member.add", "cmd",
    [], {}, [[]], {"": {}}, {"type": "cmd"}, {"type": []}, {"type": 7}, ["x"] * 500,
]  # fmt: skip
DEEP: Final = "~deep~"
"""Where nesting goes that no encoder of ours would spell."""
DEPTHS: Final = (10, 1_000, 15_000)
FRAME_BYTES: Final = 32 * 1024


def mutant(rng: Random, trees: list[Tree], *, is_binary: bool) -> bytes:
    """One message in which something is wrong, or nothing at all."""
    tree = copy.deepcopy(rng.choice(trees))
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        tree = _wrong_tree(rng, tree, trees)
    data = _packed(rng, tree) if is_binary else _spelt(rng, tree)
    if rng.random() < 0.25:
        data = _wrong_bytes(rng, data)
    return data[:FRAME_BYTES]


def _places(tree: Tree, where: tuple[int | str, ...] = ()) -> list[tuple[int | str, ...]]:
    found = [where]
    keys = list(tree) if isinstance(tree, dict) else []
    if isinstance(tree, list):
        keys = list(range(min(50, len(tree))))
    for key in keys:
        found += _places(tree[key], (*where, key))
    return found


def _wrong_tree(rng: Random, tree: Tree, trees: list[Tree]) -> Tree:
    place = rng.choice(_places(tree))
    if not place:
        return rng.choice((tree, [tree], copy.deepcopy(rng.choice(NASTY)), {"type": tree}))
    parent, last = _at(tree, place[:-1]), place[-1]
    match rng.randrange(7):
        case 0:
            del parent[last]
        case 1:
            parent[last] = rng.choice(([parent[last]], {"": parent[last]}, DEEP))
        case 2:
            other = rng.choice(trees)
            parent[last] = copy.deepcopy(_at(other, rng.choice(_places(other))))
        case 3 if isinstance(parent, dict):
            parent[rng.choice(("type", "id", "room", "extra", "", "\x00", f"{last}_"))] = last
        case 4 if isinstance(parent[last], str):
            parent[last] = parent[last] * rng.choice((2, 100)) + rng.choice(("\n", "\x00", "é", ""))
        case 5 if isinstance(parent[last], int | float):
            parent[last] = rng.choice((str(parent[last]), -parent[last], [parent[last]]))
        case _:
            parent[last] = copy.deepcopy(rng.choice(NASTY))
    return tree


def _at(tree: Tree, place: tuple[int | str, ...]) -> Tree:
    for key in place:
        tree = tree[key]
    return tree


def _spelt(rng: Random, tree: Tree) -> bytes:
    """JSON as no encoder of ours writes it: NaN, bad UTF-8, spaces, one key twice."""
    text = json.dumps(tree, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, None, 9)))
    data = text.encode("utf-8", "surrogatepass")
    if DEEP in text:
        depth = rng.choice(DEPTHS)
        data = data.replace(f'"{DEEP}"'.encode(), b"[" * depth + b"]" * depth)
    match rng.randrange(12):
        case 0:
            data = data.replace(b":", b":0,", 1)
        case 1:
            data = data.replace(b"{", b'{"type":"probe",', 1)
        case 2:
            data = data.replace(b"0", b"0" * 400 + b"1")
        case 3:
            data = data.replace(b"e", b"\\u0065", 3).replace(b'"', b'"\\ud83d', 1)
        case _:
            pass
    return data


def _packed(rng: Random, tree: Tree) -> bytes:
    """MessagePack as no encoder of ours writes it: any width, any kind of key, extensions."""
    wide = rng.random() < 0.3
    match tree:
        case None:
            return b"\xc0"
        case bool():
            return b"\xc3" if tree else b"\xc2"
        case int() if 0 <= tree < 128 and not wide:
            return bytes((tree,))
        case int():
            return b"\xcf" + (tree % 2**64).to_bytes(8, "big")
        case float():
            return b"\xcb" + struct.pack(">d", tree)
        case str() if tree == DEEP:
            return b"\x91" * rng.choice(DEPTHS) + b"\xc0"
        case str():
            data = tree.encode("utf-8", "surrogatepass")
            if len(data) < 32 and not wide:
                return bytes((0xA0 | len(data),)) + data
            kind = rng.choice((0xDB, 0xDB, 0xDB, 0xC6, 0xC9))  # str, bin, ext
            return struct.pack(">BI", kind, len(data)) + data
        case list():
            return struct.pack(">BI", 0xDD, len(tree)) + b"".join(_packed(rng, i) for i in tree)
        case dict():
            count = len(tree) + (rng.random() < 0.02)
            pairs = b"".join(_packed(rng, k) + _packed(rng, v) for k, v in tree.items())
            return struct.pack(">BI", 0xDF, count) + pairs
    raise TypeError(tree)


def _wrong_bytes(rng: Random, data: bytes) -> bytes:
    start = rng.randrange(len(data) + 1)
    end = min(len(data), start + rng.choice((1, 1, 4, 40)))
    match rng.randrange(5):
        case 0:
            return data[:start] + data[end:]
        case 1:
            return data[:start]
        case 2:
            return data[:start] + rng.randbytes(rng.choice((1, 4))) + data[end:]
        case 3:
            return data[:start] + data[start:end] * rng.choice((2, 50)) + data[end:]
        case _:
            return data + data
