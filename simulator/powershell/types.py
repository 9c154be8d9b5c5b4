"""The types that parameters have: what they take, and what they say to what they do not take.

Knows .NET's names of types, and the words of PowerShell's refusals. Does not know which parameter has which type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.powershell.syntax import Block
from simulator.powershell.values import Record, items, number_of, text_of


class NotConvertible(Exception):  # noqa: N818 - says what is wrong
    """A value cannot become one of this type; the text is PowerShell's."""


@dataclass(frozen=True)
class Type:
    """A type by its .NET name. `accepts` says whether a value is one already; `convert` raises NotConvertible."""

    name: str
    accepts: Callable[[Any], bool]
    convert: Callable[[Any], Any]


@dataclass(frozen=True)
class ListChange:
    """What an ``@{Add=…; Remove=…}``, or a list that replaces another, does to a list of strings."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    replace: tuple[str, ...] | None = None

    def of(self, before: tuple[str, ...]) -> tuple[str, ...]:
        """The list afterwards; comparisons have no case. What is there already is not added a second time."""
        kept = list(before if self.replace is None else self.replace)
        gone = {text.lower() for text in self.remove}
        kept = [text for text in kept if text.lower() not in gone]

        for text in self.add:
            if text.lower() not in {each.lower() for each in kept}:
                kept.append(text)

        return tuple(kept)


def _cannot(value: Any, name: str, error: str) -> NotConvertible:
    return NotConvertible(f'Cannot convert value "{text_of(value)}" to type "{name}". {error}')


def _only(value: Any) -> Any:
    """A list of one counts as what is in it."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _string(value: Any) -> str | None:
    value = _only(value)

    if value is None or isinstance(value, str):
        return value

    if isinstance(value, list | dict):
        raise NotConvertible("Cannot convert value to type System.String.")

    return value.text.strip() if isinstance(value, Block) else text_of(value)


def _boolean(value: Any) -> bool:
    value = _only(value)

    if isinstance(value, bool | int | float):
        return bool(value)

    hint = "Boolean parameters accept only Boolean values and numbers, such as $True, $False, 1 or 0."
    raise _cannot(value, "System.Boolean", hint)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _integer(name: str, least: int, most: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        found = number_of(_only(value))

        if found is None:
            raise _cannot(value, f"System.{name}", 'Error: "Input string was not in a correct format."')

        # .NET rounds halves to the even neighbour, as Python does.
        if not least <= round(found) <= most:
            error = f'Error: "Value was either too large or too small for a {name}."'
            raise _cannot(value, f"System.{name}", error)

        return round(found)

    return convert


def _list_change(value: Any) -> ListChange:
    value = _only(value)

    if not isinstance(value, dict):
        return ListChange(replace=tuple(text_of(item) for item in items(value)))

    known = {"add", "remove", "replace"}
    wrong = [key for key in value if key.lower() not in known]
    changes = {key.lower(): tuple(text_of(item) for item in items(given)) for key, given in value.items()}

    if wrong or not value or ("replace" in changes and len(changes) > 1):
        raise NotConvertible(
            "The hash table of a list modifier has the keys Add and Remove, or the key Replace alone"
            + (f', and not "{wrong[0]}".' if wrong else ".")
        )

    return ListChange(**changes)


def _block(value: Any) -> Block:
    if not isinstance(value, Block):
        raise _cannot(value, "System.Management.Automation.ScriptBlock", "Write it in braces: {…}.")

    return value


STRING = Type("System.String", lambda value: isinstance(value, str), _string)
BOOLEAN = Type("System.Boolean", lambda value: isinstance(value, bool), _boolean)
SWITCH = Type("System.Management.Automation.SwitchParameter", lambda value: isinstance(value, bool), _boolean)
INT32 = Type("System.Int32", _is_integer, _integer("Int32", -(2**31), 2**31 - 1))
UINT32 = Type("System.UInt32", _is_integer, _integer("UInt32", 0, 2**32 - 1))
OBJECT = Type("System.Management.Automation.PSObject", lambda value: value is not None, lambda value: value)
BLOCK = Type("System.Management.Automation.ScriptBlock", lambda value: isinstance(value, Block), _block)
STRINGS = Type(
    "System.String[]",
    lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    lambda value: [text_of(item) for item in items(value)],
)
LIST_CHANGE = Type("Microsoft.Rtc.Management.Xds.PSListModifier", lambda value: False, _list_change)


def nullable(kind: Type) -> Type:
    """The same type, which takes ``$null`` as well and leaves it as it is."""
    return Type(kind.name, kind.accepts, lambda value: None if value is None else kind.convert(value))


def identity(name: str) -> Type:
    """A name of something, which that something has as its property Identity."""

    def convert(value: Any) -> Any:
        value = _only(value)

        return text_of(value["Identity"]) if isinstance(value, Record) and "Identity" in value else _string(value)

    return Type(name, lambda value: isinstance(value, str), convert)


def record(name: str) -> Type:
    """Objects of one type, and nothing that would have to become one."""

    def convert(value: Any) -> Record:
        value = _only(value)

        if not isinstance(value, Record) or value.type != name:
            raise _cannot(value, name, "No such object.")

        return value

    return Type(name, lambda value: isinstance(value, Record) and value.type == name, convert)


def enumeration(name: str, members: tuple[str, ...]) -> Type:
    """One of these words, whose case does not matter."""

    def convert(value: Any) -> str:
        said = text_of(_only(value))
        exact = [word for word in members if word.lower() == said.strip().lower()]
        # The beginning of a name will do, where no other one begins so.
        begun = [word for word in members if said.strip() and word.lower().startswith(said.strip().lower())]
        found = exact or begun

        if not found:
            error = (
                f'Error: "Unable to match the identifier name {said} to a valid enumerator name. '
                f'Specify one of the following enumerator names and try again: {", ".join(members)}"'
            )
            raise _cannot(said, name, error)

        if len(found) > 1:
            error = (
                f'Error: "The identifier name {said} cannot be processed because of the inability to differentiate '
                "between the following enumerator names. Specify one of the following enumerator names, and try "
                f'again: {", ".join(found)}"'
            )
            raise _cannot(said, name, error)

        return found[0]

    return Type(name, lambda value: value in members, convert)
