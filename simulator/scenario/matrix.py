"""One file, many scenarios: the rows of a matrix and the filling in of ``${name}``.

Knows rows and their names. Does not know what a scenario is made of.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator
from typing import Any

from simulator.document import Document, Path_
from simulator.scenario.match import plain

Row = dict[str, Any]

NAME = "name"
INCLUDE, EXCLUDE = "include", "exclude"
LONGEST_NAME = 80

_HOLE = re.compile(r"\$\{([^{}]*)\}")
_UNREADABLE = re.compile(r"[^\w.+=@:-]+")


def rows(document: Document) -> list[tuple[str, Row]]:
    """Return (name, values) of every row of the file's ``matrix:``; of a file without one a single nameless row.

    A mapping of lists makes their product, in the order of the file, less what ``exclude`` names, and more by the rows
    of ``include``; a list of mappings is the rows themselves. A row is named by its value of ``name``, else by all its
    values. Where an axis is a mapping, its keys are names: they stand for their values in the row's name and in
    ``exclude``.
    """
    if "matrix" not in document.data:
        return [("", {})]

    matrix = document.data["matrix"]
    found = _product(document, matrix) if isinstance(matrix, dict) else _explicit(document, ("matrix",), matrix)
    named: dict[str, Row] = {}

    for path, row, names in found:
        name = _name(document, path, {**row, **names})

        if name in named:
            raise document.error(path, f"two rows are called {name!r}", "give each row a `name`")

        named[name] = row

    if not named:
        raise document.error(("matrix",), "the matrix has no rows")

    return list(named.items())


def fill(document: Document, row: Row) -> Document:
    """Return the document without its matrix and with ``${name}`` replaced by the row's values, everywhere.

    A scalar that is nothing but ``${name}`` becomes the value itself, of whatever type. Raises DocumentError for a
    name that the row does not have, and for a value of the row that nothing uses.
    """
    used: set[str] = set()
    data = {key: _fill(document, (key,), value, row, used) for key, value in document.data.items() if key != "matrix"}

    for name in row:
        if name not in used and name != NAME:
            raise document.error(
                ("matrix", name), f"nothing uses the matrix value {name!r}", f"write ${{{name}}}, or leave it out"
            )

    return Document(document.name, data, document.positions)


def _product(document: Document, matrix: dict[str, Any]) -> Iterator[tuple[Path_, Row, Row]]:
    """Yield place, values and names of each row."""
    axes = {name: _axis(document, name, values) for name, values in matrix.items() if name not in (INCLUDE, EXCLUDE)}
    excluded = [row for _, row, _ in _explicit(document, ("matrix", EXCLUDE), matrix.get(EXCLUDE, []))]

    if axes:
        for chosen in itertools.product(*axes.values()):
            names = {axis: name for axis, (name, _) in zip(axes, chosen, strict=True)}

            if not any(less.items() <= names.items() for less in excluded):
                yield ("matrix",), {axis: value for axis, (_, value) in zip(axes, chosen, strict=True)}, names

    yield from _explicit(document, ("matrix", INCLUDE), matrix.get(INCLUDE, []))


def _axis(document: Document, name: str, values: Any) -> list[tuple[Any, Any]]:
    """The values of an axis, each with what stands for it in names."""
    if not isinstance(values, (list, dict)) or not values:
        raise document.error(("matrix", name), f"{name!r} must be a list of values, or a mapping of names to values")

    return list(values.items()) if isinstance(values, dict) else [(value, value) for value in values]


def _explicit(document: Document, path: Path_, listed: Any) -> Iterator[tuple[Path_, Row, Row]]:
    if not isinstance(listed, list):
        raise document.error(path, "a matrix is a mapping of lists, or a list of rows")

    for number, row in enumerate(listed):
        if not isinstance(row, dict):
            raise document.error((*path, number), "a row is a mapping of names to values")

        yield (*path, number), row, {}


def _name(document: Document, path: Path_, row: Row) -> str:
    values = [row[NAME]] if NAME in row else list(row.values())
    name = ",".join(_UNREADABLE.sub("-", "none" if value is None else plain(value)).strip("-") for value in values)

    if not name or len(name) > LONGEST_NAME:
        raise document.error(path, "the values of this row make no readable name", "give the row a `name`")

    return name


def _fill(document: Document, path: Path_, value: Any, row: Row, used: set[str]) -> Any:
    """The value filled in; the very same object where it has no hole, so that rows share what does not differ."""
    if isinstance(value, str):
        return _fill_text(document, path, value, row, used) if "${" in value else value

    if isinstance(value, list):
        items = [_fill(document, (*path, number), item, row, used) for number, item in enumerate(value)]

        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value

    if isinstance(value, dict):
        filled = {
            key if "${" not in key else plain(_fill_text(document, (*path, key), key, row, used)): _fill(
                document, (*path, key), item, row, used
            )
            for key, item in value.items()
        }
        same = filled.keys() == value.keys() and all(filled[key] is item for key, item in value.items())

        return value if same else filled

    return value


def _fill_text(document: Document, path: Path_, text: str, row: Row, used: set[str]) -> Any:
    whole = _HOLE.fullmatch(text)

    def value(hole: re.Match[str]) -> Any:
        name, _, part = hole[1].partition(".")

        if name not in row:
            near = difflib.get_close_matches(name, row, n=1)
            known = f"did you mean ${{{near[0]}}}?" if near else f"the matrix has: {', '.join(row) or 'nothing'}"
            raise document.error(path, f"the matrix has no value for ${{{name}}}", known)

        used.add(name)

        return _part(document, path, name, part, row[name]) if part else row[name]

    return value(whole) if whole else _HOLE.sub(lambda hole: plain(value(hole)), text)


def _part(document: Document, path: Path_, name: str, part: str, value: Any) -> Any:
    """``${name.part}``: one of the parts of a value that is a mapping."""
    if not isinstance(value, dict) or part not in value:
        known = f"it has: {', '.join(value)}" if isinstance(value, dict) else "it is no mapping"
        raise document.error(path, f"the matrix value {name!r} has no {part!r}", known)

    return value[part]
