"""How objects are printed: as a list of properties, or as a table.

Knows the layout of Format-List and Format-Table. Does not know what the objects are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from simulator.powershell.values import Record, text_of, wildcard

#: PowerShell makes a table of objects with no more properties than this, and lists of those with more.
MOST_COLUMNS = 4


@dataclass(frozen=True)
class Formatted:
    """Lines that a Format- cmdlet made."""

    lines: tuple[str, ...]


def default_view(objects: Iterable[Any]) -> Iterator[str]:
    """What is printed of objects that nobody has formatted."""
    for kind, group in groupby(objects, _kind):
        found = list(group)

        if kind == "formatted":
            for each in found:
                yield from each.lines
        elif kind == "":
            yield from map(_line, found)
        elif kind == "hash":
            for each in found:
                yield from as_table([Record("", {"Name": key, "Value": value}) for key, value in each.items()])
        elif found[0].shown is not None:
            yield from as_table(found, found[0].shown)
        elif len(found[0].names) <= MOST_COLUMNS:
            yield from as_table(found)
        else:
            yield from as_list(found)


def as_list(records: Sequence[Record], wanted: Sequence[str] | None = None) -> Iterator[str]:
    """One property a line, with an empty line around each object."""
    yield ""

    for record in records:
        names = chosen(record, wanted)
        width = max(map(len, names), default=0)

        for name in names:
            yield f"{name:<{width}} : {shown(record.get(name))}".rstrip()

        yield ""


def as_table(records: Sequence[Record], wanted: Mapping[str, str] | Sequence[str] | None = None) -> Iterator[str]:
    """One object a line, under headings; `wanted` may map names of properties to headings."""
    if not records:
        return

    headings = dict(wanted) if isinstance(wanted, Mapping) else {name: name for name in chosen(records[0], wanted)}
    rows = [[shown(record.get(name)) for name in headings] for record in records]
    titles = list(headings.values())
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]

    yield ""

    for cells in (titles, ["-" * len(title) for title in titles], *rows):
        yield " ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()

    yield ""


def shown(value: Any) -> str:
    """A property's value as it is printed: collections in braces."""
    if isinstance(value, list | tuple):
        return "{" + ", ".join(map(text_of, value)) + "}"

    if isinstance(value, dict):
        return "{" + ", ".join(value) + "}"

    return text_of(value).replace("\n", " ").replace("\r", " ")


def chosen(record: Record, wanted: Sequence[str] | None) -> list[str]:
    """The names of the properties that are wanted, which may be patterns; all without a choice."""
    if wanted is None:
        return record.names

    found: dict[str, None] = {}

    for pattern in wanted:
        matching = [name for name in record.names if wildcard(pattern).fullmatch(name)]
        # A name that is no property is shown all the same, with nothing in it.
        found.update(dict.fromkeys(matching or ([] if set(pattern) & set("*?[") else [pattern])))

    return list(found)


def _kind(value: Any) -> str:
    """Objects of one kind are printed together."""
    if isinstance(value, Formatted):
        return "formatted"

    if isinstance(value, dict):
        return "hash"

    return f"record {value.type} {' '.join(value.names)}" if isinstance(value, Record) else ""


def _line(value: Any) -> str:
    return " ".join(map(_line, value)) if isinstance(value, list) else text_of(value)
