"""YAML files whose errors carry file, line, column and a hint.

Knows PyYAML and positions. Does not know what a scenario or a configuration is.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

T = TypeVar("T")

#: No document that a person writes has as many parts or levels; aliases can make a few lines into more.
MOST_PARTS = 100_000
DEEPEST = 100

#: msgspec's words are JSON's; YAML's readers know others.
_WORDS = {
    "array": "a list",
    "object": "a mapping",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}
Path_ = tuple[str | int, ...]


class DocumentError(Exception):
    """A file cannot be used: says where (1-based line and column), what is wrong and what to do."""

    def __init__(self, name: str, line: int, column: int, message: str, hint: str = "") -> None:
        self.name, self.line, self.column, self.message, self.hint = name, line, column, message, hint
        super().__init__(f"{name}:{line}:{column}: {message}" + (f"\n  {hint}" if hint else ""))


@dataclass(frozen=True)
class Document:
    """Plain data read from YAML text, and where each part of it stands."""

    name: str
    data: Any
    positions: dict[Path_, tuple[int, int]] = field(repr=False, default_factory=dict)

    def error(self, path: Path_, message: str, hint: str = "") -> DocumentError:
        """Make (not raise) the error for the part at `path`, e.g. ``("partners", 0, "tls")``."""
        while path and path not in self.positions:
            path = path[:-1]

        line, column = self.positions.get(path, (1, 1))

        return DocumentError(self.name, line, column, message, hint)

    def convert(self, type_: type[T], path: Path_ = ()) -> T:
        """Validate the part at `path` as `type_` (a msgspec type); raises DocumentError at the exact place."""
        data = self.data

        for step in path:
            data = data[step]

        try:
            return msgspec.convert(data, type_)
        except msgspec.ValidationError as error:
            message, _, where = str(error).partition(" - at `")
            raise self.error(path + _steps(where.rstrip("`")), _in_words(message)) from None


def read_document(path: Path) -> Document:
    """Read a YAML file; raises DocumentError when it is missing, not UTF-8 or not YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DocumentError(str(path), 1, 1, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DocumentError(str(path), 1, 1, f"is not UTF-8: {error.reason} at byte {error.start}") from None

    return parse_document(text, str(path))


def parse_document(text: str, name: str = "<text>") -> Document:
    """Parse YAML text; `name` stands in error messages. Raises DocumentError, also for duplicate keys."""
    if _may_be_deep(text):
        raise DocumentError(name, 1, 1, f"is nested deeper than {DEEPEST} levels")

    try:
        node = _compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = error.problem or error.context or ""
        hint = "lines are indented with blanks, not with tabs" if "'\\t'" in problem else ""
        raise DocumentError(name, line, column, f"not YAML: {problem}", hint) from None
    except yaml.YAMLError as error:
        raise DocumentError(name, 1, 1, f"not YAML: {str(error).splitlines()[0]}") from None

    positions: dict[Path_, tuple[int, int]] = {}
    data = _build(node, (), positions, name) if node is not None else None

    return Document(name, data, positions)


def _may_be_deep(text: str) -> bool:
    """Whether the text is nested too deeply: whoever builds such a tree may run out of stack, and libyaml crashes.

    Events come without a tree, but cost time: only where there are signs enough for so many levels.
    """
    if sum(text.count(sign) for sign in ("[", "{", "- ", "? ")) < 10 * DEEPEST:
        return False

    # libyaml has a depth of its own, at which it gives up before the first event; then PyYAML's own reader tells.
    for loader in dict.fromkeys((getattr(yaml, "CSafeLoader", yaml.SafeLoader), yaml.SafeLoader)):
        with contextlib.suppress(yaml.YAMLError):
            return _is_deep(yaml.parse(text, Loader=loader))

    return False


def _is_deep(events: Iterable[yaml.Event]) -> bool:
    depth = 0

    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)

        if depth > DEEPEST:
            return True

    return False


def _compose(text: str) -> yaml.Node | None:
    # libyaml reads a requirements file twenty times faster, where PyYAML was built with it; its words for mistakes are
    # other ones, and those are the same everywhere.
    if hasattr(yaml, "CSafeLoader"):
        try:
            return yaml.compose(text, Loader=yaml.CSafeLoader)
        except yaml.YAMLError:
            pass

    return yaml.compose(text, Loader=yaml.SafeLoader)


def _build(node: yaml.Node, path: Path_, positions: dict[Path_, tuple[int, int]], name: str) -> Any:
    place = node.start_mark.line + 1, node.start_mark.column + 1
    positions.setdefault(path, place)

    if len(path) > DEEPEST:
        raise DocumentError(name, *place, f"is nested deeper than {DEEPEST} levels")

    if len(positions) > MOST_PARTS:
        raise DocumentError(name, *place, f"has more than {MOST_PARTS} parts", "does one alias repeat another?")

    if isinstance(node, yaml.MappingNode):
        built: dict[str, Any] = {}

        for key_node, value_node in node.value:
            line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1

            if not isinstance(key_node, yaml.ScalarNode):
                raise DocumentError(name, line, column, "a key must be plain text")

            key = key_node.value

            if key in built:
                raise DocumentError(name, line, column, f"the key {key!r} stands here twice")

            positions[(*path, key)] = (line, column)
            built[key] = _build(value_node, (*path, key), positions, name)

        return built

    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*path, index), positions, name) for index, item in enumerate(node.value)]

    try:
        # Construction of one scalar alone keeps YAML's own reading of numbers, booleans and null.
        return yaml.SafeLoader("").construct_object(node)
    except (ValueError, yaml.YAMLError) as error:
        raise DocumentError(name, *place, f"not a value: {error}") from None


def _in_words(message: str) -> str:
    """What msgspec says, for those who write YAML."""
    missing = re.fullmatch(r"Object missing required field `(.+)`", message)

    if missing:
        return f"the key {missing[1]!r} is missing"

    if not message.startswith("Expected `"):
        return message

    def said(match: re.Match[str]) -> str:
        return " or ".join(_WORDS.get(word, word) for word in match[1].split(" | "))

    return re.sub(r"`([\w |]+)`", said, message.replace("Expected", "expected", 1))


def _steps(where: str) -> Path_:
    """Turn msgspec's ``$.partners[0].tls`` into path steps; ``[...]`` (a mapping's value) ends the path."""
    steps: list[str | int] = []

    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", where):
        if index == "...":
            break

        steps.append(name or int(index))

    return tuple(steps)
