"""Characters of a script: blanks, comments, quotes, names, numbers. PowerShell's own reading, without meaning.

Knows what ends a word. Does not know what words are put together to.
"""

from __future__ import annotations

import re

from simulator.powershell.errors import Extent, ParseError

# Pages on the web are full of typographic signs; PowerShell takes them for what they look like (its language
# specification, "Dashes" and "Quotes").
DASHES = "-\u2013\u2014\u2015"
SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
DOUBLE_QUOTES = '"\u201c\u201d\u201e'
BLANKS = " \t\u00a0\v\f\ufeff\r"
#: what a word of a command ends at
ENDS = frozenset("\n;|&(){},<>" + BLANKS)
ESCAPES = {"0": "\0", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
#: No script that a person writes is nested so deeply.
DEEPEST = 40

_PARAMETER = re.compile(rf"[{DASHES}]([A-Za-z_?][^\s:.\[;|&(){{}},<>'\"\u2018-\u201e]*)")
_OPERATOR = re.compile(rf"[{DASHES}]([A-Za-z]+)")
_VARIABLE = re.compile(r"\$(?:\{([^}\n]+)\}|((?:global:|script:|local:)?\w+|[_?^$]))", re.IGNORECASE)
_NUMBER = re.compile(r"([+-]?)(?:0x([0-9a-f]{1,16})|(\d{1,18})(\.\d{1,18})?)(kb|mb|gb)?", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_]\w*")
_FACTORS = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}


def number(word: str) -> int | float | None:
    """The number that a word is as a whole, or None."""
    match = _NUMBER.fullmatch(word)

    if match is None:
        return None

    sign, hexadecimal, digits, fraction, factor = match.groups()
    value = int(hexadecimal, 16) if hexadecimal else float(digits + fraction) if fraction else int(digits)
    value *= _FACTORS[factor.lower()] if factor else 1

    return -value if sign == "-" else value


class Scanner:
    """A text and how far it was read. Whatever reads on, here and in those who inherit it, may raise ParseError."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self._depth = text, 0, 0

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.text)

    def peek(self, length: int = 1) -> str:
        """What comes next, without taking it; shorter at the end of the text."""
        return self.text[self.at : self.at + length]

    def take(self, expected: str) -> bool:
        """Take exactly these characters, if they come next."""
        if not self.text.startswith(expected, self.at):
            return False

        self.at += len(expected)

        return True

    def since(self, start: int) -> Extent:
        """From an offset to here."""
        return Extent(start, self.at)

    def blanks(self) -> None:
        """Pass over blanks, comments and continued lines, but over no end of a line."""
        while not self.ended:
            if self.peek() in BLANKS:
                self.at += 1
            elif self.peek() == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.peek(2) == "<#":
                self._block_comment()
            elif continued := re.compile(r"`\r?\n").match(self.text, self.at):
                self.at = continued.end()
            else:
                return

    def _block_comment(self) -> None:
        end = self.text.find("#>", self.at)

        if end < 0:
            message = "The terminator '#>' is missing from the multiline comment."
            raise ParseError(
                message, Extent(self.at, self.at + 2), "MissingTerminatorMultiLineComment", incomplete=True
            )

        self.at = end + 2

    def space(self, separators: str = "\n") -> None:
        """Pass over blanks and ends of lines, and over other signs that separate."""
        self.blanks()

        while not self.ended and self.peek() in separators:
            self.at += 1
            self.blanks()

    def deeper(self, change: int) -> None:
        """Count brackets that are open; too many are a mistake and would cost our stack."""
        self._depth += change

        if self._depth > DEEPEST:
            raise ParseError(
                f"The script is nested deeper than {DEEPEST} levels.", Extent(self.at, self.at + 1), "Deep"
            )

    def name(self) -> str:
        """An identifier; empty where none comes."""
        return self._taken(_NAME)

    def parameter(self) -> str:
        """The name behind a dash, where one comes; empty otherwise, and then nothing is taken."""
        return self._taken(_PARAMETER, 1)

    def operator(self) -> str:
        """An operator such as ``-eq``, in lower case and without its dash; nothing is taken."""
        match = _OPERATOR.match(self.text, self.at)

        return match[1].lower() if match else ""

    def variable(self) -> str:
        """The name of a variable behind its dollar sign; empty where none comes."""
        match = _VARIABLE.match(self.text, self.at)

        if match is None:
            return ""

        self.at = match.end()
        name: str = match[1] or match[2]

        return re.sub(r"^(?:global|script|local):", "", name, flags=re.IGNORECASE)

    def number_here(self) -> int | float | None:
        """A number, if one comes that no word goes on from."""
        match = _NUMBER.match(self.text, self.at)

        if match is None or re.compile(r"[\w.]").match(self.text, match.end()):
            return None

        self.at = match.end()

        return number(match[0])

    def single_quoted(self) -> str:
        """Text in single quotes, of which two in a row mean one; stands at the first quote."""
        start = self.at
        self.at += 1
        found: list[str] = []

        while not self.ended:
            if self.peek() not in SINGLE_QUOTES:
                found.append(self.peek())
                self.at += 1
            elif len(self.peek(2)) == 2 and self.peek(2)[1] in SINGLE_QUOTES:
                found.append(self.peek())
                self.at += 2
            else:
                self.at += 1
                return "".join(found)

        raise self.unterminated("'", start)

    def escaped(self) -> str:
        """What a backtick and the character behind it mean; stands at the backtick."""
        sign = self.peek(2)[1:]
        self.at += 1 + len(sign)

        return ESCAPES.get(sign, sign)

    def unterminated(self, quote: str, start: int) -> ParseError:
        """The error for text that has no end."""
        message = f"The string is missing the terminator: {quote}."

        return ParseError(message, Extent(start, start + 1), "TerminatorExpectedAtEndOfString", incomplete=True)

    def _taken(self, pattern: re.Pattern[str], group: int = 0) -> str:
        match = pattern.match(self.text, self.at)

        if match is None:
            return ""

        self.at = match.end()

        return match[group]
