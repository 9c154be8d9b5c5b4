"""What a cmdlet is: a name, parameters with types, sets of parameters that exclude each other, and what it does.

Knows the shape, and the parameters that all have in common. Does not know how arguments find them: `binding` does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from simulator.powershell.errors import Extent
from simulator.powershell.syntax import Block, Expression
from simulator.powershell.types import INT32, STRING, SWITCH, Type, enumeration

ACTIONS = ("SilentlyContinue", "Stop", "Continue", "Inquire", "Ignore")
ACTION = enumeration("System.Management.Automation.ActionPreference", ACTIONS)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter. Without `sets` it belongs to all; `required` without `required_in` means in each of its sets.

    `position` is the documented one: only the order counts. `by_value` and `by_name` say what is taken from a pipe.
    """

    name: str
    type: Type = STRING
    aliases: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    position: int | None = None
    required: bool = False
    required_in: tuple[str, ...] = ()
    by_value: bool = False
    by_name: bool = False

    @property
    def is_switch(self) -> bool:
        """Whether it takes no argument unless one follows a colon."""
        return self.type is SWITCH

    def belongs_to(self, set_: str) -> bool:
        """Whether it may be used in a set."""
        return not self.sets or set_ in self.sets

    def is_required_in(self, set_: str) -> bool:
        """Whether a set cannot do without it."""
        return self.required and self.belongs_to(set_) and (not self.required_in or set_ in self.required_in)


#: "about_CommonParameters" of PowerShell 3.0, with which Lync Server 2013 came
COMMON = (
    Parameter(name="Verbose", type=SWITCH, aliases=("vb",)),
    Parameter(name="Debug", type=SWITCH, aliases=("db",)),
    Parameter(name="ErrorAction", type=ACTION, aliases=("ea",)),
    Parameter(name="WarningAction", type=ACTION, aliases=("wa",)),
    Parameter(name="ErrorVariable", aliases=("ev",)),
    Parameter(name="WarningVariable", aliases=("wv",)),
    Parameter(name="OutVariable", aliases=("ov",)),
    Parameter(name="OutBuffer", type=INT32, aliases=("ob",)),
)
#: those of cmdlets that change something
RISK_MITIGATION = (
    Parameter(name="WhatIf", type=SWITCH, aliases=("wi",)),
    Parameter(name="Confirm", type=SWITCH, aliases=("cf",)),
)


class CmdletError(Exception):
    """A cmdlet could not do what it was told, for one object; the fields are those of an error record."""

    def __init__(
        self,
        message: str,
        *,
        category: str = "InvalidArgument: (:)",
        identifier: str = "InvalidArgument",
        kind: str = "InvalidOperationException",
        hint: str = "",
    ) -> None:
        self.message, self.category, self.identifier, self.kind, self.hint = message, category, identifier, kind, hint
        super().__init__(message)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a cmdlet, with everything that was bound. `inputs` is the whole pipe of a cmdlet that `collects`."""

    cmdlet: Cmdlet
    values: Mapping[str, Any]
    set: str
    extent: Extent
    inputs: tuple[Any, ...] = ()

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str, default: Any = None) -> Any:
        """What a parameter was given, or the default."""
        return self.values.get(name, default)


class Shell(Protocol):
    """What a cmdlet may ask of the shell that runs it."""

    async def carry_out(self, block: Block, subject: Any) -> list[Any]:
        """What the statements of a block give with `$_` set to a subject. Raises ShellError."""

    async def condition(self, expression: Expression, subject: Any) -> bool:
        """Whether an expression is true with `$_` set to a subject. Raises ShellError."""

    async def should_process(self, call: Call, target: str, action: str = "") -> bool:
        """Whether to go on: not with -WhatIf, and with -Confirm only if the user says so. Raises CmdletError."""

    def warn(self, text: str) -> None:
        """Print a warning."""

    def detail(self, call: Call, text: str) -> None:
        """Print what -Verbose asks for."""

    def set_variable(self, name: str, value: Any) -> None:
        """Set a variable."""


Run = Callable[[Call, Shell], Awaitable[list[Any]]]


@dataclass(frozen=True, kw_only=True)
class Cmdlet:
    """A cmdlet. `changes` adds -WhatIf and -Confirm. One that `collects` is called once, with all that the pipe has."""

    name: str
    run: Run
    parameters: tuple[Parameter, ...] = ()
    default_set: str = ""
    aliases: tuple[str, ...] = ()
    changes: bool = False
    collects: bool = False
    says: str = ""
    all_parameters: tuple[Parameter, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        mitigation = RISK_MITIGATION if self.changes else ()
        object.__setattr__(self, "all_parameters", (*self.parameters, *mitigation, *COMMON))

    @property
    def sets(self) -> tuple[str, ...]:
        """The names of its sets of parameters, the default one first."""
        named = dict.fromkeys(set_ for parameter in self.parameters for set_ in parameter.sets)
        first = (self.default_set,) if self.default_set or not named else ()

        return (*first, *(set_ for set_ in named if set_ != self.default_set))
