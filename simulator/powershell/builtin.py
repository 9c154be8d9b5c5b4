"""The cmdlets that belong to PowerShell itself: choose objects, choose properties, format, print.

Knows what the documents use of them. Does not know what the objects are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from simulator.powershell import formatting, operators
from simulator.powershell.cmdlet import Call, Cmdlet, CmdletError, Parameter, Run, Shell
from simulator.powershell.expressions import COMPARISONS
from simulator.powershell.formatting import Formatted
from simulator.powershell.operators import NotPossible
from simulator.powershell.types import BLOCK, INT32, OBJECT, STRING, STRINGS, SWITCH
from simulator.powershell.values import Record, items, member, text_of, truth

_INPUT = Parameter(name="InputObject", type=OBJECT, by_value=True)
_PROPERTIES = Parameter(name="Property", type=STRINGS, position=0)
#: the switches of ``Where-Object Name -eq value``
_COMPARES = tuple(sorted(COMPARISONS - {word for word in COMPARISONS if word[0] == "i" and word[1:] in COMPARISONS}))


async def where_object(call: Call, shell: Shell) -> list[Any]:
    """Let objects pass for which a condition is true."""
    if "FilterScript" in call:
        block = call.get("FilterScript")

        return [each for each in call.inputs if truth(_last(await shell.carry_out(block, each)))]

    name = call.get("Property")
    operator = next((word for word in _COMPARES if call.get(_switch(word))), "")

    def passes(each: Any) -> bool:
        if not operator:
            return truth(member(each, name))

        return truth(operators.apply(operator, member(each, name), call.get("Value")))

    try:
        return [each for each in call.inputs if passes(each)]
    except NotPossible as error:
        raise CmdletError(str(error), identifier="OperatorFailed") from None


async def for_each_object(call: Call, shell: Shell) -> list[Any]:
    """Carry out statements for each object, which they call `$_`."""
    return [found for each in call.inputs for found in await shell.carry_out(call.get("Process"), each)]


async def select_object(call: Call, shell: Shell) -> list[Any]:
    """Choose the first or last objects, or some of their properties."""
    chosen = list(call.inputs)

    if "First" in call:
        chosen = chosen[: max(0, call.get("First"))]

    if "Last" in call:
        chosen = chosen[-call.get("Last") :] if call.get("Last") > 0 else []

    if "ExpandProperty" in call:
        name = call.get("ExpandProperty")

        for each in chosen:
            if not isinstance(each, Record) or name not in each:
                raise CmdletError(f'Property "{name}" cannot be found.', identifier="ExpandPropertyNotFound")

        return [value for each in chosen for value in items(each[name])]

    if "Property" not in call:
        return chosen

    return [
        Record(
            f"Selected.{each.type}",
            {name: member(each, name) for name in formatting.chosen(each, call.get("Property"))},
        )
        if isinstance(each, Record)
        else each
        for each in chosen
    ]


async def format_list(call: Call, shell: Shell) -> list[Any]:
    """Print properties below each other."""
    return [Formatted(tuple(formatting.as_list(_records(call.inputs), call.get("Property"))))]


async def format_table(call: Call, shell: Shell) -> list[Any]:
    """Print objects below each other."""
    return [Formatted(tuple(formatting.as_table(_records(call.inputs), call.get("Property"))))]


async def write_output(call: Call, shell: Shell) -> list[Any]:
    """Hand on what it is given."""
    return items(call.get("InputObject"))


async def get_credential(call: Call, shell: Shell) -> list[Any]:
    """The name that a user would sign in with; there are no passwords here."""
    properties = {"UserName": call.get("Credential"), "Password": "System.Security.SecureString"}

    return [Record("System.Management.Automation.PSCredential", properties)]


def _cmdlet(name: str, run: Run, *parameters: Parameter, aliases: tuple[str, ...] = (), set_: str = "") -> Cmdlet:
    says = (run.__doc__ or "").split(".")[0]

    return Cmdlet(
        name=name,
        run=run,
        parameters=(*parameters, _INPUT),
        aliases=aliases,
        collects=True,
        default_set=set_,
        says=says[:1].lower() + says[1:],
    )


def _switch(word: str) -> str:
    return word.upper() if len(word) < 3 else word.capitalize()


def _last(found: list[Any]) -> Any:
    return found[0] if len(found) == 1 else found


def _records(values: Iterable[Any]) -> list[Record]:
    return [each if isinstance(each, Record) else Record("", {"Value": text_of(each)}) for each in values]


_TWO = ("ScriptBlock", "Comparison")
BUILTIN = (
    _cmdlet(
        "Where-Object",
        where_object,
        Parameter(name="FilterScript", type=BLOCK, position=0, required=True, sets=_TWO[:1]),
        Parameter(name="Property", type=STRING, position=0, required=True, sets=_TWO[1:]),
        Parameter(name="Value", type=OBJECT, position=1, sets=_TWO[1:]),
        *(Parameter(name=_switch(word), type=SWITCH, sets=_TWO[1:]) for word in _COMPARES),
        aliases=("where", "?"),
        set_=_TWO[0],
    ),
    _cmdlet(
        "ForEach-Object",
        for_each_object,
        Parameter(name="Process", type=BLOCK, position=0, required=True),
        aliases=("foreach", "%"),
    ),
    _cmdlet(
        "Select-Object",
        select_object,
        _PROPERTIES,
        Parameter(name="ExpandProperty"),
        Parameter(name="First", type=INT32),
        Parameter(name="Last", type=INT32),
        aliases=("select",),
    ),
    _cmdlet("Format-List", format_list, _PROPERTIES, aliases=("fl",)),
    _cmdlet(
        "Format-Table",
        format_table,
        _PROPERTIES,
        Parameter(name="AutoSize", type=SWITCH),
        Parameter(name="Wrap", type=SWITCH),
        aliases=("ft",),
    ),
    Cmdlet(
        name="Write-Output",
        run=write_output,
        parameters=(Parameter(name="InputObject", type=OBJECT, position=0, by_value=True),),
        aliases=("echo", "write"),
        says="hand on what it is given",
    ),
    Cmdlet(
        name="Get-Credential",
        run=get_credential,
        parameters=(Parameter(name="Credential", position=0, required=True),),
        says="the name of a user; there are no passwords here",
    ),
)
