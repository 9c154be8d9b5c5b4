"""Parts of the configuration as PowerShell's objects, and what is set on those as parts of the configuration.

Knows how names and types correspond: `enable_keep_alive: bool` is EnableKeepAlive, a System.Boolean. Does not know
which part is which.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import msgspec

from simulator.gateway.management.change import refusal
from simulator.powershell.cmdlet import Call, Parameter
from simulator.powershell.types import (
    BOOLEAN,
    LIST_CHANGE,
    OBJECT,
    STRING,
    SWITCH,
    UINT32,
    ListChange,
    NotConvertible,
    Type,
    enumeration,
    identity,
    nullable,
)
from simulator.powershell.values import Record, wildcard


class HasIdentity(Protocol):
    """A part of which there are several, told apart by name."""

    @property
    def identity(self) -> str:
        """Its name."""


Part = TypeVar("Part", bound=msgspec.Struct)
Identified = TypeVar("Identified", bound=HasIdentity)

GLOBAL_IDENTITY = identity("Microsoft.Rtc.Management.Xds.XdsIdentity")
RELATIVE_IDENTITY = identity("Microsoft.Rtc.Management.Xds.XdsGlobalRelativeIdentity")
USER_IDENTITY = identity("Microsoft.Rtc.Management.AD.UserIdParameter")
FORCE = Parameter(name="Force", type=SWITCH)
INSTANCE = Parameter(name="Instance", type=OBJECT, sets=("Instance",), by_value=True)
IN_MEMORY = Parameter(name="InMemory", type=SWITCH)
FILTER = Parameter(name="Filter", sets=("Filter",))
LOCAL_STORE = Parameter(name="LocalStore", type=SWITCH)


@dataclass(frozen=True)
class Field:
    """A field of a part: its own name, that of its property, and its PowerShell type."""

    own: str
    name: str
    type: Type
    default: Any


def pascal(name: str) -> str:
    """A field's name as the documents write it."""
    return "".join(word.capitalize() for word in name.split("_"))


def fields_of(part: type[msgspec.Struct]) -> list[Field]:
    """The fields of a part, but for its identity."""
    return [
        Field(
            field.name,
            pascal(field.name),
            _type(field.type, pascal(field.name)),
            None if field.required else field.default,
        )
        for field in msgspec.structs.fields(part)
        if field.name != "identity"
    ]


def parameters_of(
    part: type[msgspec.Struct], *, sets: Mapping[str, tuple[str, ...]] | None = None, but_not: tuple[str, ...] = ()
) -> tuple[Parameter, ...]:
    """One parameter for each field; `sets` says to which sets it belongs, where not to all ("" is for all others)."""
    sets = sets or {}

    return tuple(
        Parameter(name=field.name, type=field.type, sets=sets.get(field.name, sets.get("", ())))
        for field in fields_of(part)
        if field.name not in but_not
    )


def record_of(part: msgspec.Struct, type_: str, **first: Any) -> Record:
    """A part as an object; `first` are properties before its own."""
    found = {field.name: getattr(part, field.own) for field in fields_of(type(part))}

    return Record(type_, {**first, **{name: _shown(value) for name, value in found.items()}}, subject=part)


def with_parameters(before: Part, call: Call) -> Part:
    """A part with what a call has set on it. Raises CmdletError for what is out of range."""
    changes = {}

    for field in fields_of(type(before)):
        if field.name in call:
            changes[field.own] = _value(field, call.get(field.name), getattr(before, field.own))

    return _valid(msgspec.structs.replace(before, **changes))


def with_properties(before: Part, record: Record) -> Part:
    """A part with the properties of an object, which somebody may have changed. Raises CmdletError."""
    changes = {}

    for field in fields_of(type(before)):
        if field.name in record:
            try:
                given = field.type.convert(record[field.name])
            except NotConvertible as error:
                raise refusal(f"{field.name}: {error}", identifier="InvalidProperty") from None

            changes[field.own] = _value(field, given, ())

    return _valid(msgspec.structs.replace(before, **changes))


def instance_of(call: Call, type_: str) -> Record | None:
    """The object that -Instance was given, if it was. Raises CmdletError for one of another type."""
    given = call.get("Instance")

    if given is None:
        return None

    if not isinstance(given, Record) or given.type != type_:
        kind = given.type if isinstance(given, Record) else "no object of Lync Server"
        raise refusal(f"The Instance is {kind}, and not {type_}", identifier="InvalidInstance")

    return given


def choose(names: list[str], call: Call) -> list[str]:
    """The names that -Filter, a pattern, lets through."""
    if "Filter" not in call:
        return names

    pattern = wildcard(call.get("Filter") or "*")

    return [name for name in names if pattern.fullmatch(name)]


def placed(parts: Iterable[Identified], part: Identified) -> tuple[Identified, ...]:
    """These parts with this one in the place of that with its identity, or behind the others."""
    return tuple(({each.identity: each for each in parts} | {part.identity: part}).values())


def told(known: Sequence[Identified], find: Callable[[str], Identified], call: Call) -> list[Identified]:
    """The parts that Get- was asked for: that of -Identity, or those of -Filter.

    `find` gives the one or raises CmdletError.
    """
    if "Identity" in call:
        return [find(call.get("Identity"))]

    chosen = set(choose([each.identity for each in known], call))

    return [each for each in known if each.identity in chosen]


def _type(annotation: Any, name: str) -> Type:
    """The PowerShell type of a field; an enumeration is called as the parameter is, such as TlsNegotiation."""
    origin = typing.get_origin(annotation)

    if origin is typing.Annotated:
        return _type(typing.get_args(annotation)[0], name)

    if origin in (typing.Union, types.UnionType):
        return nullable(_type(next(kind for kind in typing.get_args(annotation) if kind is not type(None)), name))

    if origin is tuple:
        return LIST_CHANGE

    if annotation is bool:
        return BOOLEAN

    # COMPAT: durations are whole seconds here, and may be fractions in a configuration file.
    if annotation in (int, float):
        return UINT32

    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return enumeration(name, tuple(member.value for member in annotation))

    return STRING


def _value(field: Field, given: Any, before: Any) -> Any:
    if isinstance(given, ListChange):
        return given.of(before)

    # ``$null`` puts back what a new one has.
    if given is None or (given == "" and field.default is None):
        return field.default

    return given


def _valid(part: Part) -> Part:
    """The part with its values in the types of its fields."""
    try:
        return msgspec.convert(msgspec.to_builtins(part), type(part))
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$.")
        name = pascal(where.rstrip("`").replace("-", "_"))
        said = re.sub(r"Expected (?:int|float) (\W+ \d+)(?:\.0)?$", r"Expected a number \1", message.replace("`", ""))
        raise refusal(f"{name}: {said}", identifier="ValueOutOfRange") from None


def _shown(value: Any) -> Any:
    """A value as a property has it: lists can be changed there, and whole numbers of seconds are whole."""
    if isinstance(value, tuple):
        return list(value)

    if isinstance(value, float) and value.is_integer():
        return int(value)

    return str(value.value) if isinstance(value, StrEnum) else value
