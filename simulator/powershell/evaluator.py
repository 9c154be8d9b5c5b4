"""What expressions come to, given variables.

Knows each kind of expression. Does not know commands: whoever inherits it carries out statements inside of brackets.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from simulator.powershell import operators
from simulator.powershell.errors import Extent, ShellError
from simulator.powershell.operators import NotPossible
from simulator.powershell.syntax import (
    Binary,
    Block,
    Expandable,
    Expression,
    Hash,
    Index,
    Literal,
    Many,
    Member,
    Nested,
    Script,
    Unary,
    Variable,
)
from simulator.powershell.values import items, member, number_of, single, text_of, truth


class Evaluator:
    """Variables by their name in lower case, and what expressions with them come to."""

    def __init__(self) -> None:
        self.variables: dict[str, Any] = {"true": True, "false": False, "null": None}

    @abstractmethod
    async def script(self, script: Script) -> list[Any]:
        """Everything that the statements give. Raises ShellError."""

    async def value(self, expression: Expression) -> Any:
        """What an expression comes to. Raises ShellError."""
        match expression:
            case Literal(value=value):
                return value
            case Variable(name=name):
                return self.variables.get(name.lower())
            case Expandable(parts=parts):
                return "".join([part if isinstance(part, str) else text_of(await self.value(part)) for part in parts])
            case Member(target=target, name=name):
                return member(await self.value(target), name)
            case Many(items=parts):
                return [await self.value(part) for part in parts]
            case Nested(script=script, always_many=always_many):
                found = await self.script(script)

                return found if always_many else single(found)
            case Hash(pairs=pairs):
                return {key: single(await self.script(script)) for key, script in pairs}
            case Block():
                return expression
            case Index(target=target, index=index, extent=extent):
                return self._indexed(await self.value(target), await self.value(index), extent)
            case Unary(operator=operator, operand=operand, extent=extent):
                value = await self.value(operand)

                return not truth(value) if operator == "not" else self.operation("-", 0, value, extent)
            case Binary():
                return await self._binary(expression)

    def operation(self, operator: str, left: Any, right: Any, extent: Extent) -> Any:
        """What an operator makes of two values. Raises ShellError."""
        try:
            return operators.apply(operator, left, right)
        except NotPossible as error:
            raise _failed(str(error), extent, "OperationNotPossible") from None

    async def _binary(self, expression: Binary) -> Any:
        left = await self.value(expression.left)

        # The right side is left alone where the left one has decided.
        if expression.operator == ("or" if truth(left) else "and"):
            return truth(left)

        return self.operation(expression.operator, left, await self.value(expression.right), expression.extent)

    def _indexed(self, value: Any, index: Any, extent: Extent) -> Any:
        if value is None:
            raise _failed("Cannot index into a null array.", extent, "NullArray")

        if isinstance(value, dict):
            return member(value, text_of(index)) if text_of(index).lower() in map(str.lower, value) else None

        position = number_of(index)
        found = value if isinstance(value, str) else items(value)

        if position is None or position != int(position):
            raise _failed(f'Cannot convert value "{text_of(index)}" to type "System.Int32".', extent, "InvalidCast")

        return found[int(position)] if -len(found) <= position < len(found) else None


def _failed(message: str, extent: Extent, identifier: str) -> ShellError:
    category = "InvalidOperation: (:)"

    return ShellError(message, extent, identifier=identifier, kind="RuntimeException", category=category)
