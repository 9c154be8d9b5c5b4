"""How the words behind a cmdlet's name find its parameters: names, positions, sets, and what comes from a pipe.

Knows the rules of "about_Parameters" and PowerShell's words for whoever breaks them. Does not know what a cmdlet does.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from simulator.powershell.cmdlet import Call, Cmdlet, Parameter
from simulator.powershell.errors import Extent, ShellError
from simulator.powershell.types import NotConvertible
from simulator.powershell.values import Record, text_of


@dataclass(frozen=True)
class Given:
    """A word behind a cmdlet's name. `name` empty: an argument; `colon`: `value` came with the name."""

    name: str
    value: Any
    extent: Extent
    colon: bool = False


@dataclass(frozen=True)
class Bound:
    """What is bound so far, and which sets of parameters are still possible."""

    cmdlet: Cmdlet
    extent: Extent
    values: dict[str, Any] = field(default_factory=dict)
    sets: tuple[str, ...] = ()


def bind(cmdlet: Cmdlet, given: Sequence[Given], extent: Extent) -> Bound:
    """Bind names first, and then what is left by position. Raises ShellError."""
    bound = Bound(cmdlet, extent, {}, cmdlet.sets)
    left: list[Given] = []
    words = iter(given)

    for word in words:
        if not word.name:
            left.append(word)
            continue

        parameter = _named(cmdlet, word)
        argument = word if word.colon else None

        if argument is None and not parameter.is_switch:
            argument = next(words, None)

            if argument is None or argument.name:
                message = f"Missing an argument for parameter '{parameter.name}'. Specify a parameter of type "
                raise _error(cmdlet, f"{message}'{parameter.type.name}' and try again.", word.extent, "MissingArgument")

        bound = _bind_one(bound, parameter, True if argument is None else argument.value, word, argument or word)

    for word in left:
        bound = _bind_position(bound, word)

    return bound


def bind_input(bound: Bound, value: Any) -> Bound:
    """Bind an object from a pipe: by value before by property, as it is before converted. Raises ShellError."""
    free = [each for each in bound.cmdlet.parameters if each.name not in bound.values and _possible(bound, each)]

    for converting in (False, True):
        by_value = _first_by_value(bound, free, value, converting=converting)

        if by_value is not None:
            return by_value

        found = bound

        for parameter in free:
            taken, property_ = _property(parameter, value) if parameter.by_name else (False, None)

            if taken and (converting or parameter.type.accepts(property_)) and _possible(found, parameter):
                try:
                    found = _with(found, parameter, parameter.type.convert(property_))
                except NotConvertible:
                    continue

        if found is not bound:
            return found

    message = (
        "The input object cannot be bound to any parameters for the command either because the command does not take "
        "pipeline input or the input and its properties do not match any of the parameters that take pipeline input."
    )
    raise _error(bound.cmdlet, message, bound.extent, "InputObjectNotBound", kind="ParameterBindingException")


def complete(bound: Bound, inputs: tuple[Any, ...] = ()) -> Call:
    """Choose the set of parameters, and demand what it cannot do without. Raises ShellError."""
    cmdlet = bound.cmdlet
    missing = {set_: list(_missing(bound, set_)) for set_ in bound.sets}
    chosen = next((set_ for set_ in bound.sets if not missing[set_]), None)

    if chosen is None:
        # What PowerShell would ask for at a prompt is that of the default set, the first.
        names = " ".join(parameter.name for parameter in missing[bound.sets[0]])
        message = f"Cannot process command because of one or more missing mandatory parameters: {names}."
        raise _error(cmdlet, message, bound.extent, "MissingMandatoryParameter")

    return Call(cmdlet=cmdlet, values=bound.values, set=chosen, extent=bound.extent, inputs=inputs)


def nearest_parameter(cmdlet: Cmdlet, word: str) -> str:
    """A hint for a word that no parameter is called."""
    names = {parameter.name.lower(): parameter.name for parameter in cmdlet.all_parameters}
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.7)

    return f"did you mean -{names[close[0]]}?" if close else ""


def _named(cmdlet: Cmdlet, word: Given) -> Parameter:
    """The parameter of this name or alias, or the only one whose name begins so."""
    wanted = word.name.lower()
    everything = cmdlet.all_parameters

    for parameter in everything:
        if wanted == parameter.name.lower() or wanted in (alias.lower() for alias in parameter.aliases):
            return parameter

    begun = [parameter for parameter in everything if parameter.name.lower().startswith(wanted)]

    if len(begun) == 1:
        return begun[0]

    if begun:
        names = " ".join(f"-{parameter.name}" for parameter in begun)
        message = f"Parameter cannot be processed because the parameter name '{word.name}' is ambiguous. "
        raise _error(cmdlet, f"{message}Possible matches include: {names}.", word.extent, "AmbiguousParameter")

    message = f"A parameter cannot be found that matches parameter name '{word.name}'."
    hint = nearest_parameter(cmdlet, word.name)
    raise _error(cmdlet, message, word.extent, "NamedParameterNotFound", hint=hint)


def _bind_one(bound: Bound, parameter: Parameter, value: Any, word: Given, argument: Given) -> Bound:
    cmdlet, extent = bound.cmdlet, word.extent

    if parameter.name in bound.values:
        message = f"Cannot bind parameter because parameter '{parameter.name}' is specified more than once. To provide "
        message += "multiple values to parameters that can accept multiple values, use the array syntax. For example, "
        raise _error(cmdlet, f'{message}"-parameter value1,value2,value3".', extent, "ParameterAlreadyBound")

    if not _possible(bound, parameter):
        message = "Parameter set cannot be resolved using the specified named parameters."
        others = [
            f"-{each.name}" for each in cmdlet.parameters if each.name in bound.values and not _agree(each, parameter)
        ]
        hint = f"-{parameter.name} cannot be used together with {', '.join(others)}" if others else ""
        raise _error(cmdlet, message, extent, "AmbiguousParameterSet", hint=hint)

    try:
        converted = parameter.type.convert(value)
    except NotConvertible as error:
        message = f"Cannot bind parameter '{parameter.name}'. {error}"
        raise _error(cmdlet, message, argument.extent, "CannotConvertArgumentNoMessage") from None

    if parameter.required and converted in (None, ""):
        kind = "null" if converted is None else "an empty string"
        message = f"Cannot bind argument to parameter '{parameter.name}' because it is {kind}."
        identifier = f"ParameterArgumentValidationError{'Null' if converted is None else 'EmptyString'}NotAllowed"
        raise _error(cmdlet, message, argument.extent, identifier, kind="ParameterBindingValidationException")

    return _with(bound, parameter, converted)


def _bind_position(bound: Bound, word: Given) -> Bound:
    """Bind an argument to the first free position: of a set that takes it as it is, or else of the default one."""
    nearest: list[Parameter] = []

    for set_ in bound.sets:
        free = [
            parameter
            for parameter in bound.cmdlet.parameters
            if parameter.position is not None and parameter.belongs_to(set_) and parameter.name not in bound.values
        ]
        nearest.extend(sorted(free, key=lambda parameter: parameter.position or 0)[:1])

    if nearest:
        fitting = next((parameter for parameter in nearest if parameter.type.accepts(word.value)), nearest[0])

        return _bind_one(bound, fitting, word.value, word, word)

    said = text_of(word.value)
    message = f"A positional parameter cannot be found that accepts argument '{said}'."
    named = nearest_parameter(bound.cmdlet, said) if said.isalpha() else ""
    hint = named.replace("did you mean", "is the dash missing? Did you mean") if named else ""
    raise _error(bound.cmdlet, message, word.extent, "PositionalParameterNotFound", hint=hint)


def _possible(bound: Bound, parameter: Parameter) -> bool:
    return any(parameter.belongs_to(set_) for set_ in bound.sets)


def _agree(one: Parameter, other: Parameter) -> bool:
    return not one.sets or not other.sets or bool(set(one.sets) & set(other.sets))


def _with(bound: Bound, parameter: Parameter, value: Any) -> Bound:
    return replace(
        bound,
        values={**bound.values, parameter.name: value},
        sets=tuple(set_ for set_ in bound.sets if parameter.belongs_to(set_)),
    )


def _first_by_value(bound: Bound, free: Sequence[Parameter], value: Any, *, converting: bool) -> Bound | None:
    for parameter in free:
        if parameter.by_value and (converting or parameter.type.accepts(value)):
            try:
                return _with(bound, parameter, parameter.type.convert(value))
            except NotConvertible:
                continue

    return None


def _property(parameter: Parameter, value: Any) -> tuple[bool, Any]:
    """Whether an object has a property of the parameter's name or alias, and what is in it."""
    for name in (parameter.name, *parameter.aliases):
        if isinstance(value, Record) and name in value:
            return True, value[name]

    return False, None


def _missing(bound: Bound, set_: str) -> Iterator[Parameter]:
    for parameter in bound.cmdlet.parameters:
        if parameter.is_required_in(set_) and parameter.name not in bound.values:
            yield parameter


def _error(
    cmdlet: Cmdlet,
    message: str,
    extent: Extent,
    identifier: str,
    *,
    kind: str = "ParameterBindingException",
    hint: str = "",
) -> ShellError:
    return ShellError(
        message,
        extent,
        identifier=f"{identifier},{cmdlet.name}",
        kind=kind,
        activity=cmdlet.name,
        hint=hint,
    )
