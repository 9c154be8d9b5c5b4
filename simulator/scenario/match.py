"""Does what arrived match what was announced? If not, at which path do they part?

Knows the convention of patterns (`language.PATTERNS`). Does not decide what a mismatch means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element

import msgspec

from simulator.xmpp.element import ElementError, parse_element
from simulator.xmpp.namespaces import CLIENT, SERVER, XML

ANYTHING = "..."
LONGEST_QUOTE = 300
NAME = re.compile(r"\{([a-z][a-z0-9-]*)\}")
OTHER = re.compile(r"\{other than ([^{}]+)\}")

#: Compared only where the pattern has them: nobody can foresee an id, and a default language says nothing.
INCIDENTAL = {"id", f"{{{XML}}}lang"}

#: RFC 6121 §5.2.2: "if an application receives a message with no 'type' attribute", it is of type normal.
DEFAULTED = {f"{{{SERVER}}}message": {"type": "normal"}, f"{{{CLIENT}}}message": {"type": "normal"}}

#: Fields of what reaches a user that hold addresses.
ADDRESSES = {"from", "to"}


class Mismatch(msgspec.Struct, frozen=True):
    """Where two things part, and what stood there on both sides."""

    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected}, got {self.got}"


def match_element(pattern: Element | str, got: Element | str, captures: dict[str, str]) -> Mismatch | None:
    """Hold an element against a pattern.

    On a match the names that it captured are added to `captures`; on a mismatch `captures` stays as it was.
    A `pattern` that is not XML raises ElementError; a `got` that is not is a mismatch.
    """
    expected = _parse(pattern) if isinstance(pattern, str) else pattern

    try:
        arrived = _parse(got) if isinstance(got, str) else got
    except ElementError as error:
        return Mismatch("/", "an element", f"what is none: {error}")

    learned = dict(captures)
    found = _match(expected, arrived, f"/{local(expected.tag)}", learned)

    if found is None:
        captures.update(learned)

    return found


def match_fields(
    pattern: Mapping[str, Any], got: Mapping[str, Any], captures: dict[str, str], root: str
) -> Mismatch | None:
    """Hold named fields (of a header, of a message) against those that the pattern names; null: must be absent.

    `root` begins the path. Captures as in `match_element`.
    """
    learned = dict(captures)

    for name, wanted in pattern.items():
        value = got.get(name)
        path = f"{root}/{name}"

        if wanted is None:
            if value is not None:
                return Mismatch(path, "nothing", quote(value))
        elif value is None:
            return Mismatch(path, quote(wanted), "nothing")
        elif isinstance(wanted, Mapping) and isinstance(value, Mapping):
            found = match_fields(wanted, value, learned, path)

            if found:
                return found
        elif not _match_field(name, plain(wanted), plain(value), learned):
            return Mismatch(path, quote(fill(plain(wanted), learned)), quote(value))

    captures.update(learned)

    return None


def match_text(pattern: str, got: str, captures: dict[str, str]) -> bool:
    """Hold text against text with ``{name}``: known names must be equal, unknown ones are added to `captures`."""
    if pattern == ANYTHING:
        return True

    if "{" not in pattern:
        return pattern == got

    other = OTHER.fullmatch(pattern)

    if other is not None:
        return bool(got) and got != captures.get(other[1], other[1])

    new: list[str] = []
    expression, position = "", 0

    for hole in NAME.finditer(pattern):
        expression += re.escape(pattern[position : hole.start()])
        position = hole.end()
        name = hole[1]

        if name in captures:
            expression += re.escape(captures[name])
        elif name in new:
            expression += f"(?P=g{new.index(name)})"
        else:
            expression += f"(?P<g{len(new)}>.+{'' if _is_last_hole(pattern, position) else '?'})"
            new.append(name)

    found = re.fullmatch(expression + re.escape(pattern[position:]), got, re.DOTALL)

    if found is None:
        return False

    captures.update({name: found[f"g{number}"] for number, name in enumerate(new)})

    return True


def texts_within(got: str, tag: str) -> list[str]:
    """The texts of all elements of a name (``{namespace}local``) within an element."""
    return [(one.text or "").strip() for one in _parse(got).iter(tag)]


def fill(text: str, captures: Mapping[str, str]) -> str:
    """Put known values in place of ``{name}``; unknown names stay, for braces are ordinary characters too."""
    return NAME.sub(lambda hole: captures.get(hole[1], hole[0]), text)


def names_in(value: Any) -> set[str]:
    """Every ``{name}`` in text, or in the texts of a list or mapping."""
    if isinstance(value, str):
        return set(NAME.findall(value))

    if isinstance(value, Mapping):
        return {name for key, item in value.items() for name in names_in(key) | names_in(item)}

    if isinstance(value, (list, tuple)):
        return {name for item in value for name in names_in(item)}

    return set()


def plain(value: Any) -> str:
    """The text of a scalar of YAML or JSON: ``true`` rather than ``True``, ``404`` for a number."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def quote(value: Any) -> str:
    """A value as a mismatch shows it, cut where it is long."""
    text = plain(value).replace("\r", "\\r").replace("\n", "\\n")

    return (
        f'"{text}"' if len(text) <= LONGEST_QUOTE else f'"{text[:LONGEST_QUOTE]}" and {len(text) - LONGEST_QUOTE} more'
    )


def local(tag: str) -> str:
    """The local name of a Clark name."""
    return tag.rpartition("}")[2]


def _is_last_hole(pattern: str, position: int) -> bool:
    return NAME.search(pattern, position) is None


def _match_field(name: str, wanted: str, value: str, captures: dict[str, str]) -> bool:
    if match_text(wanted, value, captures):
        return True

    # An address without a resource stands for the person, whichever of their devices spoke.
    return name in ADDRESSES and "/" not in wanted and match_text(wanted, value.partition("/")[0], captures)


@lru_cache(maxsize=1024)
def _parse(text: str) -> Element:
    return parse_element(text)


def _match(pattern: Element, got: Element, path: str, captures: dict[str, str]) -> Mismatch | None:
    if pattern.tag != got.tag:
        return Mismatch(path, _name(pattern), _name(got))

    open_ended, wanted = _text(pattern)

    return (
        _match_attributes(pattern, got, path, open_ended, captures)
        or _match_content(wanted, _all_text(got), path, open_ended, captures)
        or _match_children(pattern, got, path, open_ended, captures)
    )


def _match_attributes(
    pattern: Element, got: Element, path: str, open_ended: bool, captures: dict[str, str]
) -> Mismatch | None:
    defaults = DEFAULTED.get(pattern.tag, {})

    for name, wanted in pattern.items():
        value = got.get(name, defaults.get(name))

        if value is None:
            return Mismatch(f"{path}/@{_attribute(name)}", quote(wanted), "nothing")

        if not match_text(wanted, value, captures):
            return Mismatch(f"{path}/@{_attribute(name)}", quote(fill(wanted, captures)), quote(value))

    if open_ended:
        return None

    for name, value in got.items():
        if name not in pattern.attrib and name not in INCIDENTAL and value != defaults.get(name):
            return Mismatch(f"{path}/@{_attribute(name)}", "nothing", quote(value))

    return None


def _match_content(wanted: str, value: str, path: str, open_ended: bool, captures: dict[str, str]) -> Mismatch | None:
    if (open_ended and not wanted) or match_text(wanted, value, captures):
        return None

    return Mismatch(path, quote(fill(wanted, captures)) if wanted else "no text", quote(value) if value else "no text")


def _match_children(
    pattern: Element, got: Element, path: str, open_ended: bool, captures: dict[str, str]
) -> Mismatch | None:
    waiting: dict[str, list[Element]] = {}

    for child in got:
        waiting.setdefault(child.tag, []).append(child)

    for child in pattern:
        found = _take(child, waiting.get(child.tag, []), _child_path(path, child, pattern), open_ended, captures)

        if found is not None:
            return _explain_absence(found, child, waiting)

    if open_ended:
        return None

    surplus = {id(child) for children in waiting.values() for child in children}
    first = next((child for child in got if id(child) in surplus), None)

    return None if first is None else Mismatch(_child_path(path, first, got), "nothing", _name(first))


def _take(
    pattern: Element, waiting: list[Element], path: str, open_ended: bool, captures: dict[str, str]
) -> Mismatch | None:
    """Take the next child of that name off `waiting`; where anything may stand between, the next one that matches."""
    first: Mismatch | None = None

    for number, child in enumerate(waiting):
        learned = dict(captures)
        found = _match(pattern, child, path, learned)

        if found is None:
            captures.update(learned)
            del waiting[: number + 1]
            return None

        first = first or found

        if not open_ended:
            break

    return first or Mismatch(path, _name(pattern), "nothing")


def _explain_absence(found: Mismatch, child: Element, waiting: Mapping[str, list[Element]]) -> Mismatch:
    """Where a child is missing but one of another namespace has its name, say so: the commonest mistake."""
    if found.got != "nothing" or found.expected != _name(child):
        return found

    for tag, others in waiting.items():
        if others and tag != child.tag and local(tag) == local(child.tag):
            return Mismatch(found.path, found.expected, _name(others[0]))

    return found


def _text(pattern: Element) -> tuple[bool, str]:
    """Whether a pattern's own text holds the mark ``...``, and the rest of that text."""
    pieces = [(piece or "").strip() for piece in (pattern.text, *(child.tail for child in pattern))]
    kept = [piece for piece in pieces if piece != ANYTHING]

    return len(kept) < len(pieces), " ".join(filter(None, kept))


def _all_text(got: Element) -> str:
    pieces = [(piece or "").strip() for piece in (got.text, *(child.tail for child in got))]

    return " ".join(filter(None, pieces))


def _child_path(path: str, child: Element, parent: Element) -> str:
    same = [other for other in parent if local(other.tag) == local(child.tag)]
    number = f"[{[id(other) for other in same].index(id(child)) + 1}]" if len(same) > 1 else ""

    return f"{path}/{local(child.tag)}{number}"


def _name(element: Element) -> str:
    namespace, _, name = element.tag.rpartition("}")

    return f"<{name} xmlns='{namespace[1:]}'/>"


def _attribute(name: str) -> str:
    return name.replace(f"{{{XML}}}", "xml:")
