"""Reads expressions, and the arguments of commands, which are expressions with words between them.

Knows the precedence of operators and what may stand where. Does not know statements: `parser` does.
"""

from __future__ import annotations

from abc import abstractmethod

from simulator.powershell.errors import Extent, ParseError
from simulator.powershell.scanner import DASHES, DOUBLE_QUOTES, ENDS, SINGLE_QUOTES
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
    Pipeline,
    Script,
    Unary,
    Variable,
)
from simulator.powershell.words import WordParser, plain_text, text_from

_WORDS = ("eq", "ne", "gt", "ge", "lt", "le", "like", "notlike", "match", "notmatch")
_MEMBERSHIP = ("contains", "notcontains", "in", "notin")
#: with and without the letter that says whether case matters
COMPARISONS = frozenset(f"{case}{word}" for case in ("", "c", "i") for word in (*_WORDS, *_MEMBERSHIP))
#: operator -> how strongly it binds ("about_Operator_Precedence")
STRENGTH = {
    **dict.fromkeys(("and", "or", "xor"), 1),
    **dict.fromkeys(COMPARISONS, 2),
    **dict.fromkeys(("+", "-"), 3),
    **dict.fromkeys(("*", "/", "%"), 4),
    ",": 5,
}
#: how many operators may stand in a row: each costs our stack when it is carried out
MOST_OPERATORS = 100


class ExpressionParser(WordParser):
    """Reads expressions; whoever inherits it reads the statements inside of brackets."""

    @abstractmethod
    def statements(self, closing: str, opened: int) -> Script:
        """The statements up to a closing bracket, which is taken; `opened` is where its partner stands."""

    @abstractmethod
    def pipeline(self) -> Pipeline:
        """Commands with pipes between them."""

    def expression(self, least: int = 0) -> Expression:
        """An expression of operators that bind at least so strongly."""
        start = self.at
        found = self._operand()
        operators = 0

        while True:
            self.blanks()
            operator = self._operator()

            if STRENGTH.get(operator, -1) <= least:
                return found

            operators += 1

            if operators > MOST_OPERATORS:
                raise ParseError("There are too many operators in a row.", self.here(), "TooManyOperators")

            place = self.here()
            self.at += len(operator) + (operator.isalpha())
            self.space()

            if operator == ",":
                item = self._operand(",", place)
                items = (*found.items, item) if isinstance(found, Many) else (found, item)
                found = Many(items, self.since(start))
            else:
                found = Binary(operator, found, self._right(operator, place), self.since(start))

    def argument(self) -> Expression:
        """What a command is given: a word or an expression without operators, or several with commas."""
        start = self.at
        items = [self._item()]

        while self._comma():
            comma = Extent(self.at - 1, self.at)
            self.space()

            if self.ended:
                raise ParseError("Missing argument in parameter list.", comma, "MissingArgument", incomplete=True)

            items.append(self._item())

        return items[0] if len(items) == 1 else Many(tuple(items), self.since(start))

    def begins_expression(self) -> bool:
        """Whether an expression comes, and not the name of a command."""
        sign = self.peek()

        if sign and sign in DASHES:
            return bool(self.operator()) or self.peek(2)[1:].isdigit()

        return bool(sign) and (sign in f"$@({{[!{SINGLE_QUOTES}{DOUBLE_QUOTES}" or sign.isdigit())

    def _right(self, operator: str, place: Extent) -> Expression:
        if self.ended or not (self.begins_expression() or self.peek() in DASHES):
            message = f"You must provide a value expression following the '{_shown(operator)}' operator."
            raise ParseError(message, place, "ExpectedValueExpression", incomplete=self.ended)

        return self.expression(STRENGTH[operator])

    def _operand(self, operator: str = "", place: Extent | None = None) -> Expression:
        start = self.at

        if not self.ended and self.peek() in f"!{DASHES}":
            name = "not" if self.peek() == "!" else self.operator()

            if name in ("not", ""):
                self.at += 1 if name == "" or self.peek() == "!" else len("-not")
                self.blanks()
                self.deeper(1)
                operand = self._operand()
                self.deeper(-1)

                return Unary(name or "-", operand, self.since(start))

        found = self._primary()

        if found is None:
            if operator:
                message = f"You must provide a value expression following the '{operator}' operator."
                raise ParseError(message, place or self.here(), "ExpectedValueExpression", incomplete=self.ended)

            raise self.unexpected()

        return found

    def _primary(self) -> Expression | None:
        """A value with what follows it immediately, or None where none begins."""
        start, sign = self.at, self.peek()
        found: Expression

        if not sign:
            return None

        if sign in SINGLE_QUOTES:
            found = Literal(self.single_quoted(), self.since(start))
        elif sign in DOUBLE_QUOTES:
            parts = self.double_quoted()
            found = text_from(parts, self.since(start))
        elif sign in "$@({":
            found = self.bracketed(start) or self._variable()
        elif (value := self.number_here()) is not None:
            found = Literal(value, self.since(start), self.text[start : self.at])
        elif sign == "[":
            raise ParseError("This shell has no types in square brackets.", self.here(), "TypeNotFound")
        else:
            return None

        return self._with_members(found, start)

    def _item(self) -> Expression:
        sign = self.peek()

        if sign and sign in f"$@({{{SINGLE_QUOTES}{DOUBLE_QUOTES}" and not self._is_text_ahead():
            begin = self.at
            found = self._primary()

            if found is not None and (self.ended or self.peek() in ENDS):
                return found

            # ``$name/rest`` is text with a variable in it.
            if isinstance(found, Variable | Literal | Expandable):
                rest = self.word()
                more = rest.parts if isinstance(rest, Expandable) else (plain_text(rest),)

                return text_from(
                    [found if isinstance(found, Variable) else plain_text(found), *more], self.since(begin)
                )

            raise self.unexpected()

        return self.word()

    def _is_text_ahead(self) -> bool:
        """A dollar sign that no variable follows, or an at sign that no bracket follows, is text."""
        following = self.peek(2)[1:]

        if self.peek() == "@":
            return following not in ("(", "{")

        return self.peek() == "$" and not (following in ("(", "{", "_", "?", "^", "$") or following.isalnum())

    def bracketed(self, start: int) -> Expression | None:
        """Whatever begins with a bracket, with or without a sign before it; stands at its first character."""
        if self.peek(2) in ("@'", '@"'):
            raise ParseError("This shell has no here-strings.", Extent(start, start + 2), "HereString")

        for opening, closing in (("@{", "}"), ("@(", ")"), ("$(", ")"), ("(", ")"), ("{", "}")):
            if not self.take(opening):
                continue

            self.deeper(1)

            if opening == "@{":
                found: Expression = self._hash(start)
            else:
                script = self.statements(closing, start)
                inside = self.text[start + len(opening) : self.at - 1]
                extent = self.since(start)
                found = Block(script, inside, extent) if opening == "{" else Nested(script, extent, opening == "@(")

            self.deeper(-1)

            return found

        return None

    def _hash(self, start: int) -> Hash:
        pairs: dict[str, tuple[str, Script]] = {}
        self.space("\n;")

        while not self.take("}"):
            place = self.at

            if self.ended:
                message = "The hash literal was incomplete."
                raise ParseError(message, Extent(start, start + 2), "IncompleteHashLiteral", incomplete=True)

            key = self._key()
            self.blanks()

            if not self.take("="):
                message = "Missing '=' operator after key in hash literal."
                raise ParseError(message, self.here(), "MissingEqualsInHashLiteral", incomplete=self.ended)

            if key.lower() in pairs:
                message = f"Duplicate keys '{key}' are not allowed in hash literals."
                raise ParseError(message, Extent(place, place + max(1, len(key))), "DuplicateKeyInHashLiteral")

            self.space()
            pairs[key.lower()] = key, Script((self.pipeline(),))
            self.blanks()

            if not self.ended and self.peek() not in "\n;}":
                raise self.unexpected()

            self.space("\n;")

        return Hash(tuple(pairs.values()), self.since(start))

    def _key(self) -> str:
        if self.peek() in SINGLE_QUOTES:
            return self.single_quoted()

        start = self.at
        key = self._taken_quoted() if self.peek() in DOUBLE_QUOTES else self.name()

        if not key:
            raise ParseError("A key of a hash literal is a name or text.", Extent(start, start + 1), "InvalidKey")

        return key

    def _taken_quoted(self) -> str:
        parts = self.double_quoted()

        return "".join(part for part in parts if isinstance(part, str))

    def _variable(self) -> Expression:
        start = self.at
        name = self.variable()

        if not name:
            raise self.unexpected()

        return Variable(name, self.since(start))

    def _with_members(self, found: Expression, start: int) -> Expression:
        for _ in range(MOST_OPERATORS):
            if self.peek() == "[" and not isinstance(found, Literal):
                self.at += 1
                self.deeper(1)
                self.space()
                index = self.expression()
                self.space()
                self.deeper(-1)

                if not self.take("]"):
                    raise ParseError(
                        "Array index expression is missing or not valid.", self.here(), "MissingArrayIndex"
                    )

                found = Index(found, index, self.since(start))
            elif self.peek() == "." and (self.peek(2)[1:].isalpha() or self.peek(2)[1:] == "_"):
                self.at += 1
                name = self.name()

                if not name:
                    raise self.unexpected()

                found = Member(found, name, self.since(start))

                if self.peek() == "(":
                    raise ParseError("This shell calls no methods.", self.since(start), "MethodInvocation")
            else:
                return found

        raise ParseError("There are too many members in a row.", self.here(), "TooManyOperators")

    def _operator(self) -> str:
        sign = self.peek()

        if sign == "," or (sign and sign in "+*/%" and self.peek(2)[1:] != "="):
            return sign

        if sign and sign in DASHES:
            return self.operator() or "-"

        return ""

    def _comma(self) -> bool:
        start = self.at
        self.blanks()

        if self.take(","):
            return True

        self.at = start

        return False


def _shown(operator: str) -> str:
    return f"-{operator}" if operator.isalpha() else operator
