"""The parts of a script, as the parser makes them; each knows where it stands.

Knows shapes. Does not know what any of them comes to.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.powershell.errors import Extent


@dataclass(frozen=True)
class Literal:
    """A number, or text that is taken as it is. `text` is how a number was written: a name may look like one."""

    value: object
    extent: Extent
    text: str = ""


@dataclass(frozen=True)
class Expandable:
    """Text with variables in it: strings and expressions in turn."""

    parts: tuple[str | Expression, ...]
    extent: Extent


@dataclass(frozen=True)
class Variable:
    """``$name``."""

    name: str
    extent: Extent


@dataclass(frozen=True)
class Member:
    """``target.name``."""

    target: Expression
    name: str
    extent: Extent


@dataclass(frozen=True)
class Index:
    """``target[index]``."""

    target: Expression
    index: Expression
    extent: Extent


@dataclass(frozen=True)
class Many:
    """``a, b, c``."""

    items: tuple[Expression, ...]
    extent: Extent


@dataclass(frozen=True)
class Nested:
    """Statements inside an expression: ``( )``, ``$( )``, or ``@( )``, of which the last always gives an array."""

    script: Script
    extent: Extent
    always_many: bool = False


@dataclass(frozen=True)
class Hash:
    """``@{key = value; …}``; keys are text."""

    pairs: tuple[tuple[str, Script], ...]
    extent: Extent


@dataclass(frozen=True)
class Block:
    """``{ … }``, to be carried out by whoever gets it. `text` is what stands between the braces."""

    script: Script
    text: str
    extent: Extent


@dataclass(frozen=True)
class Unary:
    """``-not x``, ``!x``, ``-x``."""

    operator: str
    operand: Expression
    extent: Extent


@dataclass(frozen=True)
class Binary:
    """``x -eq y``; operators are in lower case and without their dash."""

    operator: str
    left: Expression
    right: Expression
    extent: Extent


Expression = Literal | Expandable | Variable | Member | Index | Many | Nested | Hash | Block | Unary | Binary


@dataclass(frozen=True)
class ParameterWord:
    """``-Name``, or ``-Name:argument``; `extent` is that of the name with its dash."""

    name: str
    extent: Extent
    argument: Expression | None = None


@dataclass(frozen=True)
class Command:
    """The name of a cmdlet and what follows it."""

    name: str
    name_extent: Extent
    elements: tuple[ParameterWord | Expression, ...]
    extent: Extent


@dataclass(frozen=True)
class Pipeline:
    """``first | second | …``; only the first may be an expression."""

    elements: tuple[Command | Expression, ...]
    extent: Extent


@dataclass(frozen=True)
class Assignment:
    """``$name = pipeline`` or ``$name.member = pipeline``; `operator` is ``=`` or ``+=``."""

    target: Variable | Member
    operator: str
    value: Pipeline
    extent: Extent


Statement = Pipeline | Assignment


@dataclass(frozen=True)
class Script:
    """Statements, in their order."""

    statements: tuple[Statement, ...]
