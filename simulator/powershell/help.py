"""The cmdlets that tell of cmdlets: which there are, and how each is typed.

Knows the layout of PowerShell's syntax diagrams ("about_Command_Syntax"). Does not know what the cmdlets do.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from simulator.powershell.cmdlet import RISK_MITIGATION, Call, Cmdlet, CmdletError, Parameter, Shell
from simulator.powershell.formatting import Formatted
from simulator.powershell.values import Record, wildcard

#: columns of a line of help
WIDTH = 100
#: a blank at which no line is broken
JOINT = "\N{NO-BREAK SPACE}"


def help_cmdlets(others: Iterable[Cmdlet]) -> tuple[Cmdlet, ...]:
    """Get-Command and Get-Help, which tell of these cmdlets and of themselves."""

    async def get_command(call: Call, shell: Shell) -> list[Any]:
        return [
            Record("CommandInfo", {"CommandType": "Cmdlet", "Name": cmdlet.name, "Definition": cmdlet.says})
            for cmdlet in _fitting(known, call.get("Name", "*"))
        ]

    async def get_help(call: Call, shell: Shell) -> list[Any]:
        fitting = _fitting(known, call.get("Name", "*"))

        if not fitting:
            message = f"Get-Help could not find {call.get('Name')} in a help file in this session."
            hint = "Get-Command names all that there are"
            raise CmdletError(message, category="ResourceUnavailable: (:)", identifier="HelpNotFound", hint=hint)

        return [Formatted(tuple(explained(fitting[0])))] if len(fitting) == 1 else await get_command(call, shell)

    name = Parameter(name="Name", position=0)
    own = (
        Cmdlet(name="Get-Command", run=get_command, parameters=(name,), aliases=("gcm",), says="list cmdlets"),
        Cmdlet(name="Get-Help", run=get_help, parameters=(name,), aliases=("help", "man"), says="explain a cmdlet"),
    )
    known = sorted((*others, *own), key=lambda cmdlet: cmdlet.name)

    return own


def explained(cmdlet: Cmdlet) -> Iterator[str]:
    """What Get-Help prints of a cmdlet: one diagram for each set of parameters."""
    yield ""
    yield from ("NAME", f"    {cmdlet.name}", "", "SYNOPSIS", f"    {cmdlet.says}", "", "SYNTAX")

    for set_ in cmdlet.sets:
        # A name and its type stay together.
        text = syntax(cmdlet, set_).replace(" <", f"{JOINT}<")
        lines = textwrap.wrap(
            text,
            WIDTH,
            initial_indent=" " * 4,
            subsequent_indent=" " * 8,
            break_on_hyphens=False,
            break_long_words=False,
        )
        yield from (line.replace(JOINT, " ") for line in lines)
        yield ""


def syntax(cmdlet: Cmdlet, set_: str) -> str:
    """How a cmdlet is typed with the parameters of a set."""
    parameters = [each for each in cmdlet.parameters if each.belongs_to(set_)]
    parameters.sort(key=lambda each: (each.position is None, each.position or 0, not each.is_required_in(set_)))
    mitigation = RISK_MITIGATION if cmdlet.changes else ()

    diagrams = [_diagram(each, set_) for each in (*parameters, *mitigation)]

    return " ".join([cmdlet.name, *diagrams, "[<CommonParameters>]"])


def _diagram(parameter: Parameter, set_: str) -> str:
    """The name, in brackets where a position can take its place; all in brackets where it can be left out."""
    kind = parameter.type.name.rpartition(".")[2]
    name = f"-{parameter.name}" if parameter.position is None else f"[-{parameter.name}]"
    text = name if parameter.is_switch else f"{name} <{kind}>"

    return text if parameter.is_required_in(set_) else f"[{text}]"


def _fitting(known: Iterable[Cmdlet], name: str | None) -> list[Cmdlet]:
    """The cmdlets that a name, an alias or a pattern fits."""
    fits = wildcard(name or "*")

    return [cmdlet for cmdlet in known if any(fits.fullmatch(each) for each in (cmdlet.name, *cmdlet.aliases))]
