"""A shell with two cmdlets that do nothing but tell what they were given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from simulator.powershell.builtin import BUILTIN
from simulator.powershell.cmdlet import Call, Cmdlet, CmdletError, Parameter, Shell
from simulator.powershell.errors import Source
from simulator.powershell.evaluation import Interpreter, Outcome
from simulator.powershell.help import help_cmdlets
from simulator.powershell.types import BOOLEAN, LIST_CHANGE, OBJECT, SWITCH, UINT32, enumeration, identity
from simulator.powershell.values import Record

TYPES = ("Federated", "PublicVerified", "PublicUnverified")
SHOWN = ("Identity", "Description", "EnableKeepAlive", "PartnerType", "ConnectionLimit", "AdditionalDomains")


async def _new(call: Call, shell: Shell) -> list[Record]:
    name = call.get("Identity") or call.get("Domain")

    if not await shell.should_process(call, name):
        return []

    return [Record("Thing", {**{each: call.get(each) for each in SHOWN}, "Identity": name})]


async def _remove(call: Call, shell: Shell) -> list[Record]:
    if call.get("Identity") == "stuck":
        raise CmdletError("It cannot be removed.", identifier="Stuck")

    return [Record("Removed", {"Was": call.get("Identity")})] if await shell.should_process(call, "it") else []


async def _set(call: Call, shell: Shell) -> list[Record]:
    return [Record("Set", {"Set": call.set, "Identity": str(call.get("Identity") or call.get("Instance"))})]


NEW = Cmdlet(
    name="New-Thing",
    run=_new,
    default_set="Identity",
    changes=True,
    parameters=(
        Parameter(name="Identity", type=identity("XdsIdentity"), position=2, required=True, sets=("Identity",)),
        Parameter(name="Domain", required=True, sets=("Parent",)),
        Parameter(name="Description", aliases=("ds",)),
        Parameter(name="EnableKeepAlive", type=BOOLEAN),
        Parameter(name="PartnerType", type=enumeration("PartnerType", TYPES)),
        Parameter(name="ConnectionLimit", type=UINT32),
        Parameter(name="AdditionalDomains", type=LIST_CHANGE),
        Parameter(name="InMemory", type=SWITCH),
    ),
)
REMOVE = Cmdlet(
    name="Remove-Thing",
    run=_remove,
    changes=True,
    parameters=(Parameter(name="Identity", type=identity("XdsIdentity"), position=2, required=True, by_name=True),),
)
SET = Cmdlet(
    name="Set-Thing",
    run=_set,
    default_set="Identity",
    parameters=(
        Parameter(name="Identity", type=identity("XdsIdentity"), position=2, sets=("Identity",)),
        Parameter(name="Instance", type=OBJECT, sets=("Instance",), by_value=True),
    ),
)

Play = Callable[[str], Awaitable[Outcome]]


def new_shell() -> Interpreter:
    """A session that nobody has used."""
    own = (*BUILTIN, NEW, REMOVE, SET)

    return Interpreter((*own, *help_cmdlets(own)))


@pytest.fixture
def play() -> Play:
    """Run text in one session."""
    shell = new_shell()

    async def run(text: str) -> Outcome:
        return await shell.run(Source(text))

    return run
