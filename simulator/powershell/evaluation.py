"""Carries out a script: variables, expressions, pipes, and cmdlets with what they are given.

Knows what statements mean. Does not know a cmdlet, nor what a time or a file is; what cmdlets wait for, it waits for.
"""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from simulator.powershell.binding import Bound, Given, bind, bind_input, complete
from simulator.powershell.cmdlet import Call, Cmdlet, CmdletError
from simulator.powershell.errors import Extent, ParseError, ShellError, Source, render
from simulator.powershell.evaluator import Evaluator
from simulator.powershell.formatting import default_view
from simulator.powershell.parser import parse
from simulator.powershell.syntax import (
    Assignment,
    Block,
    Command,
    Expression,
    Literal,
    Member,
    ParameterWord,
    Pipeline,
    Script,
    Statement,
    Variable,
)
from simulator.powershell.values import NoSuchProperty, Record, items, single, truth, written

#: how deeply blocks may call blocks
DEEPEST_CALL = 20

#: asks the user a question; the answer is None where nobody can be asked
Ask = Callable[[str], Awaitable[bool | None]]


@dataclass(frozen=True)
class Line:
    """A printed line; `stream` is ``output``, ``error``, ``warning`` or ``verbose``."""

    stream: str
    text: str


@dataclass(frozen=True)
class Outcome:
    """What a script printed, and its errors in their order."""

    lines: tuple[Line, ...]
    errors: tuple[ShellError, ...]

    @property
    def text(self) -> str:
        """Everything that was printed."""
        return "\n".join(line.text for line in self.lines)


T = TypeVar("T")


class _Stopped(Exception):  # noqa: N818 - says what happened
    """An error that ends the whole script was recorded."""


class Interpreter(Evaluator):
    """One session: its variables live as long as it does. `ask` answers -Confirm."""

    def __init__(self, cmdlets: Iterable[Cmdlet], ask: Ask | None = None) -> None:
        super().__init__()
        self.cmdlets: dict[str, Cmdlet] = {}
        self.ask = ask
        self._lines: list[Line] = []
        self._errors: list[ShellError] = []
        self._source = Source("")
        self._depth = 0

        for cmdlet in cmdlets:
            for name in (cmdlet.name, *cmdlet.aliases):
                self.cmdlets[name.lower()] = cmdlet

    async def run(self, source: Source, *, stop: bool = False) -> Outcome:
        """Carry out a script; with `stop` its first error ends it, as $ErrorActionPreference = "Stop" would."""
        self._lines, self._errors, self._source = [], [], source

        try:
            for statement in parse(source.text).statements:
                try:
                    await self._top(statement)
                except ShellError as error:
                    self._record(error)

                if stop and self._errors:
                    break
        except ParseError as error:
            self._record(error)
        except _Stopped:
            pass

        return Outcome(tuple(self._lines), tuple(self._errors))

    async def carry_out(self, block: Block, subject: Any) -> list[Any]:
        """What the statements of a block give with `$_` set to a subject. Raises ShellError."""
        return await self._with_subject(subject, self.script(block.script))

    async def condition(self, expression: Expression, subject: Any) -> bool:
        """Whether an expression is true with `$_` set to a subject. Raises ShellError."""
        return truth(await self._with_subject(subject, self.value(expression)))

    async def should_process(self, call: Call, target: str, action: str = "") -> bool:
        """Whether to go on: not with -WhatIf, and with -Confirm only if the user says so. Raises CmdletError."""
        question = f'Performing the operation "{action or call.cmdlet.name}" on target "{target}".'

        if call.get("WhatIf"):
            self.print("output", f"What if: {question}")

            return False

        if not call.get("Confirm"):
            self.detail(call, question)

            return True

        asked = f"Confirm\nAre you sure you want to perform this action?\n{question}"
        answer = None if self.ask is None else await self.ask(asked)

        if answer is None:
            message = "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available."
            raise CmdletError(message, category="NotImplemented: (:)", identifier="HostFunctionNotImplemented")

        return answer

    def warn(self, text: str) -> None:
        """Print a warning."""
        self.print("warning", f"WARNING: {text}")

    def detail(self, call: Call, text: str) -> None:
        """Print what -Verbose asks for."""
        if call.get("Verbose"):
            self.print("verbose", f"VERBOSE: {text}")

    def set_variable(self, name: str, value: Any) -> None:
        """Set a variable."""
        self.variables[name.lower()] = value

    def print(self, stream: str, text: str) -> None:
        """Print text, of one line or several."""
        self._lines.extend(Line(stream, line) for line in text.split("\n"))

    async def script(self, script: Script) -> list[Any]:
        """Everything that the statements give."""
        found: list[Any] = []

        for statement in script.statements:
            found.extend(await self._statement(statement))

        return found

    async def _with_subject(self, subject: Any, work: Awaitable[T]) -> T:
        before = self.variables.get("_")
        self.variables["_"] = subject
        self._depth += 1

        try:
            return await work
        finally:
            self.variables["_"] = before
            self._depth -= 1

    async def _top(self, statement: Statement) -> None:
        found = await self._statement(statement)

        for line in default_view(found):
            self.print("output", line)

    async def _statement(self, statement: Statement) -> list[Any]:
        if isinstance(statement, Pipeline):
            return await self._pipeline(statement)

        await self._assign(statement)

        return []

    async def _assign(self, statement: Assignment) -> None:
        value = single(await self._pipeline(statement.value))
        target = statement.target

        if statement.operator == "+=":
            value = self.operation("+", await self.value(target), value, statement.extent)

        if isinstance(target, Variable):
            if target.name.lower() in ("true", "false", "null"):
                message = f"Cannot overwrite variable {target.name} because it is read-only or constant."
                raise _runtime(message, target.extent, "VariableNotWritable", "SessionStateUnauthorizedAccessException")

            self.set_variable(target.name, value)
        else:
            self._assign_member(target, await self.value(target.target), value)

    def _assign_member(self, target: Member, owner: Any, value: Any) -> None:
        if isinstance(owner, dict):
            owner[target.name] = value
            return

        try:
            if not isinstance(owner, Record):
                raise NoSuchProperty

            owner[target.name] = value
        except NoSuchProperty:
            message = f"The property '{target.name}' cannot be found on this object. "
            message += "Verify that the property exists and can be set."
            close = difflib.get_close_matches(target.name, owner.names if isinstance(owner, Record) else [], n=1)
            hint = f"did you mean {close[0]}?" if close else ""
            raise _runtime(message, target.extent, "PropertyAssignmentException", "RuntimeException", hint) from None

    async def _pipeline(self, pipeline: Pipeline) -> list[Any]:
        if self._depth > DEEPEST_CALL:
            raise _runtime("The script failed due to call depth overflow.", pipeline.extent, "CallDepthOverflow")

        first, *others = pipeline.elements
        found: list[Any]

        if isinstance(first, Command):
            found = await self._command(first, None)
        else:
            found = items(await self.value(first))

        for element in others:
            assert isinstance(element, Command), "only the first element of a pipeline may be an expression"
            found = await self._command(element, found)

        return found

    async def _command(self, command: Command, inputs: list[Any] | None) -> list[Any]:
        cmdlet = self.cmdlets.get(command.name.lower())

        if cmdlet is None:
            raise self._unknown(command)

        bound = bind(cmdlet, await self._given(command), command.extent)
        found: list[Any] = []

        if inputs is None or cmdlet.collects:
            found = await self._call(complete(bound, tuple(inputs or ())), bound)
        else:
            for value in inputs:
                try:
                    fed = bind_input(bound, value)
                    found.extend(await self._call(complete(fed), bound))
                except ShellError as error:
                    # One object that is refused does not keep the others from being taken.
                    self._record(error, bound)

        if bound.values.get("OutVariable"):
            self.set_variable(bound.values["OutVariable"], single(found))

        return found

    async def _given(self, command: Command) -> list[Given]:
        given: list[Given] = []

        for element in command.elements:
            if isinstance(element, ParameterWord):
                value = None if element.argument is None else await self.value(element.argument)
                given.append(Given(element.name, value, element.extent, element.argument is not None))
            else:
                value = await self.value(element)

                # ``-Description 007`` is no number where text is wanted.
                if isinstance(element, Literal) and element.text:
                    value = written(value, element.text)

                given.append(Given("", value, element.extent))

        return given

    async def _call(self, call: Call, bound: Bound) -> list[Any]:
        try:
            return await call.cmdlet.run(call, self)
        except CmdletError as error:
            failure = ShellError(
                error.message,
                call.extent,
                identifier=f"{error.identifier},{call.cmdlet.name}",
                kind=error.kind,
                category=error.category,
                activity=call.cmdlet.name,
                hint=error.hint,
            )
            self._record(failure, bound)

            return []

    def _record(self, error: ShellError, bound: Bound | None = None) -> None:
        values = bound.values if bound is not None else {}
        action = values.get("ErrorAction", "Continue")

        if values.get("ErrorVariable"):
            self.set_variable(values["ErrorVariable"], error.message)

        if action in ("SilentlyContinue", "Ignore"):
            return

        self._errors.append(error)

        for line in render(error, self._source):
            self._lines.append(Line("error", line))

        if action == "Stop":
            raise _Stopped

    def _unknown(self, command: Command) -> ShellError:
        message = (
            f"The term '{command.name}' is not recognized as the name of a cmdlet, function, script file, or operable "
            "program. Check the spelling of the name, or if a path was included, verify that the path is correct and "
            "try again."
        )
        names = {cmdlet.name.lower(): cmdlet.name for cmdlet in self.cmdlets.values()}
        close = difflib.get_close_matches(command.name.lower(), names, n=1, cutoff=0.6)

        return ShellError(
            message,
            command.name_extent,
            identifier="CommandNotFoundException",
            kind="CommandNotFoundException",
            category=f"ObjectNotFound: ({command.name}:String)",
            activity=command.name,
            hint=f"did you mean {names[close[0]]}?" if close else "Get-Command names all that there are",
        )


def _runtime(
    message: str, extent: Extent, identifier: str, kind: str = "RuntimeException", hint: str = ""
) -> ShellError:
    category = "InvalidOperation: (:)"

    return ShellError(message, extent, identifier=identifier, kind=kind, category=category, hint=hint)
