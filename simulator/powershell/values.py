"""What expressions come to, and how it is compared, taken for true or false, and written as text.

Values are Python's None, bool, int, float, str, list and dict (a hash table), and `Record` for objects; the members
of an enumeration are strings. Knows PowerShell's conversions. Does not know expressions or commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

#: the members of every collection that PowerShell lets one ask for
SIZES = frozenset({"count", "length"})


class NoSuchProperty(Exception):  # noqa: N818 - says what is wrong
    """An object has no property of this name."""


class Record:
    """An object with properties, whose names have no case. `type` is the name of its .NET type.

    `subject` is whatever the object stands for, and passes unseen. `shown` names the properties that a table shows and
    the headings that it shows them under; without it, what is printed follows from how many properties there are.
    """

    def __init__(
        self,
        type_: str,
        properties: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        *,
        subject: Any = None,
        shown: Mapping[str, str] | None = None,
    ) -> None:
        self.type, self.subject, self.shown = type_, subject, shown
        self._values: dict[str, Any] = dict(properties)
        self._names = {name.lower(): name for name in self._values}

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(self._values.items())

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._names

    def __getitem__(self, name: str) -> Any:
        return self._values[self._names[name.lower()]]

    def __setitem__(self, name: str, value: Any) -> None:
        if name.lower() not in self._names:
            raise NoSuchProperty(name)

        self._values[self._names[name.lower()]] = value

    def __str__(self) -> str:
        return str(self["Identity"]) if "Identity" in self else self.type

    def get(self, name: str) -> Any:
        """A property, or None where there is none."""
        return self._values.get(self._names.get(name.lower(), ""))

    @property
    def names(self) -> list[str]:
        """The names of its properties, in their order."""
        return list(self._values)


class _WrittenInteger(int):
    text: str


class _WrittenFraction(float):
    text: str


def written(value: Any, text: str) -> Any:
    """A number that remembers how it was written; `text_of` gives that."""
    found = _WrittenFraction(value) if isinstance(value, float) else _WrittenInteger(value)
    found.text = text

    return found


def member(value: Any, name: str) -> Any:
    """A property of a value; None where it has none. Of a list: its size, or that property of each item.

    "about_Arrays": "Beginning in Windows PowerShell 3.0, a collection of zero or one object has some properties of
    arrays": the size of ``$null`` is 0, that of any other single value 1.
    """
    if isinstance(value, Record) and (name in value or name.lower() not in SIZES):
        return value.get(name)

    if isinstance(value, dict):
        found = next((key for key in value if key.lower() == name.lower()), None)

        return len(value) if found is None and name.lower() == "count" else value.get(found)

    if isinstance(value, list):
        if name.lower() in SIZES:
            return len(value)

        return [item for item in (member(each, name) for each in value) if item is not None] or None

    if isinstance(value, str) and name.lower() == "length":
        return len(value)

    return int(value is not None) if name.lower() in SIZES else None


def items(value: Any) -> list[Any]:
    """What a value puts into a pipe: each item of a list, nothing for None."""
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def single(found: list[Any]) -> Any:
    """What came out of a pipe, as a value."""
    return None if not found else found[0] if len(found) == 1 else found


def truth(value: Any) -> bool:
    """Whether a value counts as true."""
    if isinstance(value, list):
        return truth(value[0]) if len(value) == 1 else bool(value)

    return True if isinstance(value, Record | dict) else bool(value)


def text_of(value: Any) -> str:
    """A value inside of text."""
    if value is None:
        return ""

    if isinstance(value, bool):
        return "True" if value else "False"

    if isinstance(value, Enum):
        return str(value.value)

    if isinstance(value, _WrittenInteger | _WrittenFraction):
        return value.text

    if isinstance(value, list | tuple):
        return " ".join(map(text_of, value))

    if isinstance(value, dict):
        return "System.Collections.Hashtable"

    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))

    return str(value)


def number_of(value: Any) -> float | int | None:
    """A value as a number, or None: text that is one counts, and true is 1."""
    if isinstance(value, int | float):
        return int(value) if isinstance(value, bool) else value

    if value is None:
        return 0

    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,18}(\.\d{1,18})?\s*", value):
        return float(value) if "." in value else int(value)

    return None


def equal(left: Any, right: Any, *, case: bool = False) -> bool:
    """``-eq`` between two single values: the left one says as what they are compared."""
    if left is None or right is None:
        return left is None and right is None

    if isinstance(left, bool):
        return left == truth(right)

    if isinstance(left, int | float):
        number = number_of(right)

        return number is not None and left == number

    if isinstance(left, Record) or isinstance(right, Record):
        return left is right

    return text_of(left) == text_of(right) if case else text_of(left).lower() == text_of(right).lower()


def wildcard(pattern: str, *, case: bool = False) -> re.Pattern[str]:
    """The expression of a pattern with ``*``, ``?``, ``[a-z]`` and backticks, to be matched with all of a text."""
    found, at = "", 0

    while at < len(pattern):
        sign = pattern[at]
        end = pattern.find("]", at + 2)

        if sign == "*":
            # Several in a row mean what one means, but would cost far more.
            found += "" if found.endswith(".*") else ".*"
        elif sign == "?":
            found += "."
        elif sign == "[" and end > 0:
            found += _one_of(pattern[at + 1 : end])
            at = end
        elif sign == "`" and at + 1 < len(pattern):
            at += 1
            found += re.escape(pattern[at])
        else:
            found += re.escape(sign)

        at += 1

    return re.compile(found, re.DOTALL if case else re.DOTALL | re.IGNORECASE)


def _one_of(signs: str) -> str:
    """``[a-z]`` as an expression; one that makes no sense stands for itself."""
    inside = "".join("-" if sign == "-" else re.escape(sign) for sign in signs)

    try:
        return re.compile(f"[{inside}]").pattern
    except re.error:
        return re.escape(f"[{signs}]")
