"""Every valid message, drawn from the classes that declare them: what mutations begin with."""

import re
from typing import Any, Final

from hypothesis import strategies as st
from msgspec import inspect

from protocol.frames import AnyClientFrame

Tree = Any
"""A message as plain dicts, lists and scalars, with its tags."""

SCRIPTS: Final = "aZ09 _-./:\"'\\<>&%\n\té߷あ\u200d\u202e\ufeff👋🏽\U0010ffff"


def messages(ids: list[str]) -> st.SearchStrategy[Tree]:
    """Valid frames of a client. `ids` are rooms, users and entries that exist: names that fit
    nothing would never get further than the first check."""
    return _of(inspect.type_info(AnyClientFrame), ids)


def _of(shape: inspect.Type, ids: list[str]) -> st.SearchStrategy[Tree]:
    match shape:
        case inspect.Metadata():
            return _of(shape.type, ids)
        case inspect.UnionType():
            return st.one_of([_of(each, ids) for each in shape.types])
        case inspect.StructType():
            return _struct(shape, ids)
        case inspect.StrType():
            return _text(shape, ids)
        case inspect.IntType():
            return st.integers(shape.ge or 0, 2**53 if shape.le is None else shape.le)
        case inspect.FloatType():
            return st.floats(shape.ge, shape.le, allow_nan=False, allow_infinity=False)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.LiteralType():
            return st.sampled_from(shape.values)
        case inspect.EnumType():
            return st.sampled_from([member.value for member in shape.cls])
        case inspect.ListType():
            most = 4 if shape.max_length is None else min(4, shape.max_length)
            return st.lists(
                _of(shape.item_type, ids), min_size=shape.min_length or 0, max_size=most
            )
        case inspect.DictType():
            return st.dictionaries(_of(shape.key_type, ids), _of(shape.value_type, ids), max_size=3)
    raise TypeError(f"the grammar has no rule for {shape}")


def _struct(shape: inspect.StructType, ids: list[str]) -> st.SearchStrategy[Tree]:
    wanted = {f.encode_name: _of(f.type, ids) for f in shape.fields if f.required}
    if shape.tag_field is not None:
        wanted[shape.tag_field] = st.just(shape.tag)
    more = {f.encode_name: _of(f.type, ids) for f in shape.fields if not f.required}
    return st.fixed_dictionaries(wanted, optional=more)


def _text(shape: inspect.StrType, ids: list[str]) -> st.SearchStrategy[Tree]:
    if shape.pattern is not None:
        fitting = [name for name in ids if re.search(shape.pattern, name)]
        made = st.from_regex(shape.pattern, fullmatch=True)
        return st.one_of(st.sampled_from(fitting), made) if fitting else made
    least = shape.min_length or 0
    most = 20 if shape.max_length is None else min(20, shape.max_length)
    return st.text(SCRIPTS, min_size=least, max_size=max(least, most))
