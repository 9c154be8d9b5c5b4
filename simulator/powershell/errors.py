"""What goes wrong in a script: one error with its place, printed as PowerShell prints it.

Knows places in a text and the shape of an error record. Does not know what causes one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Extent:
    """A part of a source text: offsets of its first character and of what follows its last."""

    start: int
    end: int


@dataclass(frozen=True)
class Source:
    """A text and where it came from; `name` is a file, or empty for what was typed. `first_line` numbers its lines."""

    text: str
    name: str = ""
    first_line: int = 1

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column (1-based) of an offset; what lies beyond the text is at its end."""
        before = self.text[: max(0, min(offset, len(self.text)))]

        return before.count("\n") + self.first_line, len(before) - (before.rfind("\n") + 1) + 1

    def line(self, number: int) -> str:
        """The text of a line, without its end."""
        return self.text.split("\n")[number - self.first_line].rstrip("\r")


class ShellError(Exception):
    """A statement failed; the fields are those of an error record.

    `category` is the left half of its CategoryInfo, such as ``InvalidArgument: (:)``, `kind` the name of the exception,
    `identifier` its FullyQualifiedErrorId, `activity` the cmdlet that failed. `hint` is ours: what to do about it.
    """

    def __init__(
        self,
        message: str,
        extent: Extent,
        *,
        identifier: str,
        kind: str,
        category: str = "InvalidArgument: (:)",
        activity: str = "",
        hint: str = "",
    ) -> None:
        self.message, self.extent, self.identifier, self.kind = message, extent, identifier, kind
        self.category, self.activity, self.hint = category, activity, hint
        super().__init__(message)


class ParseError(ShellError):
    """The text is no script. `incomplete`: it may become one when more lines follow."""

    def __init__(
        self, message: str, extent: Extent, identifier: str, *, hint: str = "", incomplete: bool = False
    ) -> None:
        self.incomplete = incomplete
        super().__init__(
            message,
            extent,
            identifier=identifier,
            kind="ParentContainsErrorRecordException",
            category="ParserError: (:)",
            hint=hint,
        )


def render(error: ShellError, source: Source) -> Iterator[str]:
    """The lines that PowerShell prints for an error, and a line with our hint where there is one."""
    line, column = source.place(error.extent.start)
    end_line, end_column = source.place(max(error.extent.end, error.extent.start + 1))
    text = source.line(line)
    # PowerShell marks the first line of whatever runs over several.
    marked = max(1, (end_column if end_line == line else len(text) + 1) - column)
    parsing = isinstance(error, ParseError)
    head = f"At {source.name or 'line'}:{line} char:{column}"
    said = f"{error.activity} : {error.message}" if error.activity else error.message

    if not parsing:
        yield said

    yield head
    yield f"+ {text}"
    yield f"+ {' ' * (column - 1)}{'~' * marked}"

    if parsing:
        yield error.message

    yield f"    + CategoryInfo          : {error.category} [{error.activity}], {error.kind}"
    yield f"    + FullyQualifiedErrorId : {error.identifier}"

    if error.hint:
        yield f"    + Suggestion            : {error.hint}"
