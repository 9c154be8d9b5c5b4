"""Reads text of which parts may be variables: in double quotes, and as a word without quotes.

Knows what expands. Does not know expressions: whoever inherits it reads what stands in brackets.
"""

from __future__ import annotations

from abc import abstractmethod

from simulator.powershell.errors import Extent, ParseError
from simulator.powershell.scanner import DOUBLE_QUOTES, ENDS, SINGLE_QUOTES, Scanner, number
from simulator.powershell.syntax import Expandable, Expression, Literal, Variable


class WordParser(Scanner):
    """Reads words and texts."""

    @abstractmethod
    def bracketed(self, start: int) -> Expression | None:
        """Whatever begins with a bracket, with or without a sign before it; None where none comes."""

    def word(self) -> Expression:
        """A word without quotes around it, but perhaps with some in it, and variables."""
        start = self.at
        parts: list[str | Expression] = []
        plain = True

        while not self.ended and self.peek() not in ENDS:
            sign = self.peek()
            plain = plain and sign not in f"`${SINGLE_QUOTES}{DOUBLE_QUOTES}"

            if sign == "`":
                parts.append(self.escaped())
            elif sign in SINGLE_QUOTES:
                parts.append(self.single_quoted())
            elif sign in DOUBLE_QUOTES:
                parts.extend(self.double_quoted())
            elif sign == "$":
                parts.append(self.variable_in_text())
            else:
                parts.append(sign)
                self.at += 1

        if self.at == start:
            raise self.unexpected()

        return text_from(parts, self.since(start), plain=plain)

    def double_quoted(self) -> list[str | Expression]:
        """The parts of text in double quotes; stands at the first quote."""
        start = self.at
        self.at += 1
        parts: list[str | Expression] = []

        while not self.ended:
            sign = self.peek()

            if sign == "`":
                parts.append(self.escaped())
            elif sign == "$":
                parts.append(self.variable_in_text())
            elif sign in DOUBLE_QUOTES:
                self.at += 1

                if self.ended or self.peek() not in DOUBLE_QUOTES:
                    return parts

                parts.append(self.peek())
                self.at += 1
            else:
                parts.append(sign)
                self.at += 1

        raise self.unterminated('"', start)

    def variable_in_text(self) -> str | Expression:
        """A variable without members, or ``$( )``; otherwise the dollar sign itself."""
        start = self.at

        if self.peek(2) == "$(":
            return self.bracketed(start) or ""

        name = self.variable()

        if name:
            return Variable(name, self.since(start))

        self.at += 1

        return "$"

    def unexpected(self) -> ParseError:
        """The error for a sign that cannot stand here."""
        place, sign = self.here(), self.peek()

        if self.ended:
            return ParseError("Missing expression.", place, "MissingExpression", incomplete=True)

        if sign == "<":
            return ParseError("The '<' operator is reserved for future use.", place, "RedirectionNotSupported")

        if sign == ">":
            return ParseError("This shell writes no files: '>' cannot be used.", place, "RedirectionNotSupported")

        if sign == "&":
            message = (
                "The ampersand (&) character is not allowed. The & operator is reserved for future use; wrap an "
                'ampersand in double quotation marks ("&") to pass it as part of a string.'
            )
            return ParseError(message, place, "AmpersandNotAllowed")

        if sign == "|":
            return ParseError("An empty pipe element is not allowed.", place, "EmptyPipeElement")

        if sign == ",":
            return ParseError("Missing argument in parameter list.", place, "MissingArgument")

        shown = sign.replace("\n", "end of line")

        return ParseError(f"Unexpected token '{shown}' in expression or statement.", place, "UnexpectedToken")

    def here(self) -> Extent:
        """The next character."""
        return Extent(self.at, self.at + 1)


def plain_text(expression: Expression) -> str | Expression:
    """The text of a literal; anything else as it is."""
    if isinstance(expression, Literal):
        return expression.text or str(expression.value)

    return expression


def text_from(parts: list[str | Expression], extent: Extent, *, plain: bool = False) -> Expression:
    """Text without variables as a literal (`plain`: a number where it looks like one), else as what it expands to."""
    joined: list[str | Expression] = []

    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)

    if not joined:
        return Literal("", extent)

    if len(joined) == 1 and isinstance(joined[0], str):
        value = number(joined[0]) if plain else None

        return Literal(joined[0], extent) if value is None else Literal(value, extent, joined[0])

    return Expandable(tuple(joined), extent)
