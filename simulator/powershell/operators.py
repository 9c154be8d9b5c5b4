"""What operators make of two values.

Knows comparisons, logic and arithmetic. Does not know where the values come from.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from simulator.powershell.values import equal, number_of, text_of, truth, wildcard

#: how large a number, or how long a text, an operator may make
LARGEST = 1 << 62
LONGEST = 1 << 20


class NotPossible(Exception):  # noqa: N818 - says what is wrong
    """The operator cannot be used with these values; the text is PowerShell's."""


def apply(operator: str, left: Any, right: Any) -> Any:
    """What ``left -operator right`` comes to; ``and``, ``or`` and ``xor`` included. Raises NotPossible."""
    if operator in _LOGIC:
        return _LOGIC[operator](truth(left), truth(right))

    if operator in _ARITHMETIC:
        return _calculated(operator, left, right)

    name = operator
    case = False

    if operator not in _COMPARISONS and operator[1:] in _COMPARISONS:
        case, name = operator[0] == "c", operator[1:]

    if name in ("contains", "notcontains", "in", "notin"):
        many, one = (left, right) if name.endswith("contains") else (right, left)
        found = any(equal(item, one, case=case) for item in (many if isinstance(many, list) else [many]))

        return found != name.startswith("not")

    compare = _COMPARISONS[name]

    # A list on the left is not compared: it is filtered.
    if isinstance(left, list):
        return [item for item in left if compare(item, right, case)]

    return compare(left, right, case)


def _order(left: Any, right: Any, case: bool) -> int:
    if isinstance(left, str):
        first, second = text_of(left), text_of(right)
        first, second = (first, second) if case else (first.lower(), second.lower())

        return (first > second) - (first < second)

    one, two = number_of(left), number_of(right)

    if one is None or two is None:
        raise NotPossible(f'Cannot compare "{text_of(left)}" to "{text_of(right)}".')

    return (one > two) - (one < two)


def _like(left: Any, right: Any, case: bool) -> bool:
    return wildcard(text_of(right), case=case).fullmatch(text_of(left)) is not None


def _match(left: Any, right: Any, case: bool) -> bool:
    pattern = text_of(right)

    try:
        return re.search(pattern, text_of(left), 0 if case else re.IGNORECASE) is not None
    except (re.error, OverflowError, RecursionError) as error:
        raise NotPossible(f'parsing "{pattern}" - {error}.') from None


_COMPARISONS: dict[str, Callable[[Any, Any, bool], bool]] = {
    "eq": lambda left, right, case: equal(left, right, case=case),
    "ne": lambda left, right, case: not equal(left, right, case=case),
    "gt": lambda left, right, case: _order(left, right, case) > 0,
    "ge": lambda left, right, case: _order(left, right, case) >= 0,
    "lt": lambda left, right, case: _order(left, right, case) < 0,
    "le": lambda left, right, case: _order(left, right, case) <= 0,
    "like": _like,
    "notlike": lambda left, right, case: not _like(left, right, case),
    "match": _match,
    "notmatch": lambda left, right, case: not _match(left, right, case),
    "contains": lambda left, right, case: equal(left, right, case=case),
    "notcontains": lambda left, right, case: not equal(left, right, case=case),
    "in": lambda left, right, case: equal(left, right, case=case),
    "notin": lambda left, right, case: not equal(left, right, case=case),
}
_LOGIC: dict[str, Callable[[bool, bool], bool]] = {
    "and": lambda left, right: left and right,
    "or": lambda left, right: left or right,
    "xor": lambda left, right: left != right,
}
_ARITHMETIC = frozenset("+-*/%")


def _calculated(operator: str, left: Any, right: Any) -> Any:
    if operator == "+" and isinstance(left, str | list):
        if isinstance(left, str):
            return _bounded(left + text_of(right))

        return _bounded([*left, *(right if isinstance(right, list) else [right])])

    one, two = number_of(left), number_of(right)

    if one is None or two is None:
        wrong = left if one is None else right
        raise NotPossible(
            f'Cannot convert value "{text_of(wrong)}" to type "System.Int32". '
            'Error: "Input string was not in a correct format."'
        )

    try:
        found = {
            "+": lambda: one + two,
            "-": lambda: one - two,
            "*": lambda: one * two,
            "/": lambda: one / two if one % two else one // two,
            "%": lambda: one % two,
        }[operator]()
    except ZeroDivisionError:
        raise NotPossible("Attempted to divide by zero.") from None

    if abs(found) > LARGEST:
        raise NotPossible("Value was either too large or too small for an Int64.")

    return found


def _bounded(value: Any) -> Any:
    if len(value) > LONGEST:
        raise NotPossible("Insufficient memory to continue the execution of the program.")

    return value
