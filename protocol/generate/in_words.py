"""A type and its limits in a few words, for the reference."""

import json
from typing import Final

from msgspec import inspect

_NAMES: Final = {
    inspect.StrType: "text",
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
    inspect.BoolType: "true or false",
    inspect.NoneType: "null",
}


def in_words(told: inspect.Type) -> str:
    """`text, 1 to 200 characters` and the like."""
    match told:
        case inspect.UnionType(types=types):
            return " | ".join(in_words(each) for each in types)
        case inspect.LiteralType(values=values):
            return " | ".join(json.dumps(value, ensure_ascii=False) for value in values)
        case inspect.StrType(pattern=pattern, min_length=least, max_length=most):
            length = f", {least or 0} to {most:,} characters" if most and not pattern else ""
            return f"text like {pattern}" if pattern else f"text{length}"
        case inspect.IntType(ge=least, le=most) | inspect.FloatType(ge=least, le=most):
            name = _NAMES[type(told)]
            if least is None:
                return name
            return f"{name}, at least {least}" + (f", at most {most:,}" if most else "")
        case inspect.ListType(item_type=item, max_length=most):
            return f"list of ({in_words(item)})" + (f", at most {most:,}" if most else "")
        case inspect.DictType(key_type=key, value_type=value, min_length=least):
            return f"object of ({in_words(key)}) to ({in_words(value)})" + (
                f", at least {least} of them" if least else ""
            )
        case inspect.StructType(cls=cls):
            return cls.__name__
    return _NAMES[type(told)]
