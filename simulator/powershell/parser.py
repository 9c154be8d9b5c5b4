"""Reads a script: statements, pipelines, commands.

Knows what a statement begins and ends with. Does not know which commands there are.
"""

from __future__ import annotations

import re

from simulator.powershell.errors import Extent, ParseError
from simulator.powershell.expressions import ExpressionParser
from simulator.powershell.syntax import (
    Assignment,
    Command,
    Expression,
    Member,
    ParameterWord,
    Pipeline,
    Script,
    Statement,
    Variable,
)

KEYWORDS = frozenset(
    [
        "begin",
        "break",
        "catch",
        "class",
        "continue",
        "data",
        "do",
        "dynamicparam",
        "else",
        "elseif",
        "end",
        "enum",
        "exit",
        "filter",
        "finally",
        "for",
        "foreach",
        "from",
        "function",
        "if",
        "in",
        "param",
        "process",
        "return",
        "switch",
        "throw",
        "trap",
        "try",
        "until",
        "using",
        "while",
        "workflow",
    ]
)
#: No script that a person writes is longer; what is longer would cost memory many times its size.
LONGEST = 1 << 20

_COMMAND_NAME = re.compile(r"[^\s;|&(){},<>'\"$`@\u2018-\u201e]+")
_MISSING = {
    ")": ("Missing closing ')' in expression.", "MissingEndParenthesisInExpression"),
    "}": ("Missing closing '}' in statement block or type definition.", "MissingEndCurlyBrace"),
}


def parse(text: str) -> Script:
    """The statements of a text; raises ParseError, whose extent lies in the text."""
    if len(text) > LONGEST:
        raise ParseError(f"The script is longer than {LONGEST} characters.", Extent(LONGEST, LONGEST + 1), "TooLong")

    return Parser(text).statements("", 0)


class Parser(ExpressionParser):
    """Reads one text once."""

    def statements(self, closing: str, opened: int) -> Script:
        """The statements up to a closing bracket, or up to the end of the text where `closing` is empty."""
        found: list[Statement] = []

        while True:
            self.space("\n;")

            if self.ended:
                if closing:
                    message, identifier = _MISSING[closing]
                    raise ParseError(message, Extent(opened, opened + 1), identifier, incomplete=True)

                return Script(tuple(found))

            if closing and self.take(closing):
                return Script(tuple(found))

            found.append(self._statement())
            self.blanks()

            if not self.ended and self.peek() not in f"\n;{closing}":
                raise self.unexpected()

    def pipeline(self) -> Pipeline:
        """Commands with pipes between them; only the first may be an expression."""
        start = self.at

        return self._pipeline(start, self.expression() if self.begins_expression() else self._command())

    def _statement(self) -> Statement:
        start = self.at

        if not self.begins_expression():
            return self.pipeline()

        first = self.expression()
        operator = next((sign for sign in ("=", "+=") if self.take(sign)), "")

        if not operator:
            return self._pipeline(start, first)

        if not isinstance(first, Variable | Member):
            message = "The assignment expression is not valid. The input to an assignment operator must be an object "
            message += "that is able to accept assignments, such as a variable or a property."
            raise ParseError(message, first.extent, "InvalidLeftHandSide")

        self.space()

        return Assignment(first, operator, self.pipeline(), self.since(start))

    def _pipeline(self, start: int, first: Command | Expression) -> Pipeline:
        elements = [first]

        while True:
            end = self.at
            self.blanks()

            if self.peek(2) == "||":
                message = "The token '||' is not a valid statement separator in this version."
                raise ParseError(message, Extent(self.at, self.at + 2), "InvalidEndOfLine")

            if not self.take("|"):
                return Pipeline(tuple(elements), Extent(start, max(end, start + 1)))

            self.space()

            if self.ended or self.peek() in "|;)}":
                place = Extent(max(0, self.at - 1), self.at + 1 if self.ended else self.at)
                message = "An empty pipe element is not allowed."
                raise ParseError(message, place, "EmptyPipeElement", incomplete=self.ended)

            if self.begins_expression():
                message = "Expressions are only allowed as the first element of a pipeline."
                raise ParseError(message, Extent(self.at, self.at + 1), "ExpressionsMustBeFirstInPipeline")

            elements.append(self._command(piped=True))

    def _command(self, *, piped: bool = False) -> Command:
        start = self.at
        match = _COMMAND_NAME.match(self.text, start)

        if match is None:
            raise self.unexpected()

        self.at = match.end()
        name, name_extent = match[0], self.since(start)

        # ``foreach`` is a statement where one begins, and short for ForEach-Object behind a pipe.
        if name.lower() in KEYWORDS and not (piped and name.lower() == "foreach"):
            message = f"This shell runs commands one after the other: it has no '{name}'."
            raise ParseError(message, name_extent, "KeywordNotSupported")

        elements: list[ParameterWord | Expression] = []
        end = self.at

        while True:
            self.blanks()

            if self.ended or self.peek() in "\n;|)}":
                return Command(name, name_extent, tuple(elements), Extent(start, end))

            elements.append(self._element())
            end = self.at

    def _element(self) -> ParameterWord | Expression:
        start = self.at
        name = self.parameter()

        if not name:
            return self.argument()

        extent = self.since(start)

        if not self.take(":"):
            return ParameterWord(name, extent)

        self.blanks()

        if self.ended or self.peek() in "\n;|)}":
            message = f"The parameter '{self.text[extent.start : extent.end]}:' is missing an argument."
            raise ParseError(message, self.since(start), "ParameterRequiresArgument")

        return ParameterWord(name, extent, self.argument())


def parse_filter(text: str) -> Expression:
    """The condition of a ``-Filter {…}``, in which names stand for properties of ``$_``; raises ParseError."""
    reader = _FilterParser(text[:LONGEST])
    reader.space()
    found = reader.expression()
    reader.space()

    if not reader.ended:
        raise reader.unexpected()

    return found


class _FilterParser(Parser):
    def _primary(self) -> Expression | None:
        start = self.at
        name = self.name()

        if not name:
            return super()._primary()

        extent = self.since(start)

        return Member(Variable("_", extent), name, extent)

    def begins_expression(self) -> bool:
        """A name begins one, too."""
        return super().begins_expression() or self.peek().isalpha()
