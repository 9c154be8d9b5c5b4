"""Finds keys and choices in plain data that a msgspec type does not know, and names the nearest it does.

Knows msgspec types. Does not know what any key means.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec

PathSteps = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """Something wrong at a place in the configuration: what, and what to do."""

    path: PathSteps
    message: str
    hint: str = ""


def misspelled(
    data: Any, type_: Any, path: PathSteps = (), *, but_not: frozenset[str] = frozenset()
) -> Iterator[Fault]:
    """Yield a fault for every unknown key and unknown choice in `data`, which should become a `type_`.

    `but_not` are fields that a file cannot set. Data of the wrong shape is passed over: msgspec reports it better.
    """
    type_ = _bare(type_)

    if isinstance(type_, type) and issubclass(type_, msgspec.Struct) and isinstance(data, dict):
        fields = {field.encode_name: field.type for field in msgspec.structs.fields(type_)}

        for key, value in data.items():
            if key not in fields or key in but_not:
                yield Fault((*path, key), f"unknown key {key!r}", nearest(key, set(fields) - but_not))
            else:
                yield from misspelled(value, fields[key], (*path, key))
    elif typing.get_origin(type_) in (list, tuple) and isinstance(data, list):
        for index, item in enumerate(data):
            yield from misspelled(item, typing.get_args(type_)[0], (*path, index))
    elif typing.get_origin(type_) is dict and isinstance(data, dict):
        for key, value in data.items():
            yield from misspelled(value, typing.get_args(type_)[1], (*path, key))
    elif isinstance(type_, type) and issubclass(type_, Enum) and isinstance(data, str):
        choices = [str(choice.value) for choice in type_]

        if data not in choices:
            yield Fault(path, f"{data!r} is none of {', '.join(choices)}", nearest(data, set(choices)))


def nearest(word: str, known: set[str]) -> str:
    """A hint: the known word most like this one in any spelling, or all known words where none is like it."""
    shapes = {known_word.lower().replace("-", ""): known_word for known_word in known}
    shape = word.lower().replace("-", "").replace("_", "")
    close = difflib.get_close_matches(shape, shapes, n=1, cutoff=0.6)

    return f"did you mean {shapes[close[0]]!r}?" if close else "known here: " + ", ".join(sorted(known))


def _bare(type_: Any) -> Any:
    """The type without Annotated and without ``| None``."""
    if typing.get_origin(type_) is typing.Annotated:
        return _bare(typing.get_args(type_)[0])

    if typing.get_origin(type_) in (typing.Union, types.UnionType):
        kinds = [kind for kind in typing.get_args(type_) if kind is not type(None)]

        return _bare(kinds[0]) if len(kinds) == 1 else type_

    return type_
