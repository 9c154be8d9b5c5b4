"""Is the argument of a step what its verb takes? XML must parse, keys and error conditions must exist.

Knows the verb table. Raises errors at the very line, inside a block of XML as well.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

from simulator.document import Document, DocumentError, Path_
from simulator.scenario.encounter import REFUSED, Direction, Means, Point
from simulator.scenario.match import ANYTHING, NAME
from simulator.scenario.negotiation_table import Method
from simulator.scenario.presence_steps import AVAILABLE, SHOWS, UNAVAILABLE
from simulator.scenario.steps import Verb
from simulator.scenario.take import ENDS
from simulator.xmpp.element import ElementError, parse_element
from simulator.xmpp.errors import StanzaCondition, StreamCondition

#: Conditions of RFC 3920 that servers still send; RFC 6120 dropped them.
LEGACY_STREAM_CONDITIONS = {"invalid-id", "xml-not-well-formed", "handshake-failure"}

CONDITIONS: dict[str, set[str]] = {
    "end": {condition.value for condition in StreamCondition} | LEGACY_STREAM_CONDITIONS,
    "refusal": {condition.value for condition in StanzaCondition},
}

_ERROR_POSITION = re.compile(r"line (\d+), column (\d+): (.*)", re.DOTALL)


def check_argument(document: Document, path: Path_, verb: Verb, argument: Any) -> None:
    """Raise DocumentError when `verb` does not take this argument; `path` is that of the step's sentence."""
    if argument is None:
        if verb.argument == "required":
            raise document.error(path, f"{verb.name!r} needs an argument", f"for example: {verb.example}")

        return

    if verb.argument == "none":
        raise document.error(path, f"{verb.name!r} takes no argument", f"for example: {verb.example}")

    if isinstance(argument, dict):
        _check_keys(document, path, verb, argument)
        _check_values(document, path, verb, argument)
    elif isinstance(argument, list):
        _check_list(document, path, verb, argument)
    elif verb.words:
        _check_word(document, path, verb, argument, verb.words)
    elif verb.xml or (verb.expects == "features" and argument != "none"):
        check_xml(document, path, argument)

    if verb.expects in CONDITIONS:
        _check_conditions(document, path, argument, CONDITIONS[verb.expects])
    elif verb.expects == "negotiation":
        _check_negotiation(document, path, verb, argument)


def check_patterns(document: Document, path: Path_, patterns: list[Any]) -> None:
    """Raise DocumentError for a pattern of *may also receive* that is neither XML, fields, nor the end of a stream."""
    for number, pattern in enumerate(patterns):
        where = (*path, number)

        if isinstance(pattern, dict):
            if ENDS in pattern:
                _check_conditions(document, where, pattern[ENDS], CONDITIONS["end"])
        elif isinstance(pattern, str):
            if pattern.lstrip().startswith("<"):
                check_xml(document, where, pattern)
        else:
            raise document.error(where, "a pattern is XML, a mapping of fields, or {ends: CONDITION}")


def check_xml(document: Document, path: Path_, argument: Any) -> None:
    """Raise DocumentError at the line and column of the fault when `argument` is not one XML element."""
    if not isinstance(argument, str):
        raise document.error(path, "an XML element is wanted here", "put it between quotes or after `|`")

    try:
        parse_element(argument)
    except ElementError as error:
        raise _locate(document, path, argument, str(error)) from None


def _locate(document: Document, path: Path_, argument: str, message: str) -> DocumentError:
    """Translate a place inside the XML to a place in the file, as far as YAML's own line breaking allows."""
    found = _ERROR_POSITION.fullmatch(message)
    error = document.error(path, f"not XML: {found[3] if found else message}")

    if not found:
        return error

    row, column = int(found[1]), int(found[2])

    # A block (`|`) begins on the line after its key; anything else on the same line, after the key and a colon.
    if "\n" in argument:
        return DocumentError(document.name, error.line + row, column, error.message)

    key = path[-1] if isinstance(path[-1], str) else ""
    shift = len(key) + 2 if key else 0

    return DocumentError(document.name, error.line, error.column + shift + column - 1, error.message)


def _check_keys(document: Document, path: Path_, verb: Verb, argument: Mapping[str, Any]) -> None:
    if not verb.keys:
        raise document.error(path, f"{verb.name!r} takes no mapping", f"for example: {verb.example}")

    for key in argument:
        if key not in verb.keys and "*" not in verb.keys:
            near = difflib.get_close_matches(key, verb.keys, n=2)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(verb.keys)}"
            raise document.error((*path, key), f"{verb.name!r} knows no {key!r}", hint)


def _check_values(document: Document, path: Path_, verb: Verb, argument: Mapping[str, Any]) -> None:
    """The words in a mapping that may stand alone as well; null: absent."""
    words = SHOWS if verb.brief == "show" else verb.words

    if words and argument.get(verb.brief) is not None:
        _check_word(document, (*path, verb.brief), verb, argument[verb.brief], words)

    if verb.brief == "show" and argument.get("type") is not None:
        _check_word(document, (*path, "type"), verb, argument["type"], (AVAILABLE, UNAVAILABLE))


def _check_word(document: Document, path: Path_, verb: Verb, word: Any, words: Collection[str]) -> None:
    if word not in words and not (isinstance(word, str) and NAME.search(word)):
        near = difflib.get_close_matches(str(word), words, n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(words)}"
        raise document.error(path, f"{verb.name!r} knows no {word!r}", hint)


def _check_list(document: Document, path: Path_, verb: Verb, argument: list[Any]) -> None:
    if verb.expects == "features":
        for number, pattern in enumerate(argument):
            check_xml(document, (*path, number), pattern)
    elif verb.expects != "refusal" and "*" not in verb.keys:
        raise document.error(path, f"{verb.name!r} takes no list", f"for example: {verb.example}")


def _check_negotiation(document: Document, path: Path_, verb: Verb, argument: Any) -> None:
    words = {
        "direction": [direction.value for direction in Direction],
        "outcome": [*(method.value for method in Method), REFUSED],
        "at": [point.value for point in Point],
        "by": [means.value for means in Means],
    }

    for key in ("direction", "outcome"):
        if not isinstance(argument, dict) or key not in argument:
            raise document.error(path, f"{verb.name!r} needs {key!r}", f"for example: {verb.example}")

    for key, known in words.items():
        if argument.get(key, known[0]) not in known:
            message = f"no {key} of a negotiation is called {argument[key]!r}"
            raise document.error((*path, key), message, f"there are: {', '.join(known)}")

    if argument["outcome"] != REFUSED and argument.keys() & {"at", "by", "condition"}:
        raise document.error(path, "what is not refused has no `at`, `by` or `condition`")


def _check_conditions(document: Document, path: Path_, argument: Any, known: Collection[str]) -> None:
    if isinstance(argument, Mapping):
        argument = argument.get("condition")

    for condition in argument if isinstance(argument, list) else [argument]:
        if condition is None or condition in known or condition == ANYTHING:
            continue

        if not isinstance(condition, str) or not NAME.search(condition):
            near = difflib.get_close_matches(str(condition), known, n=2)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(sorted(known))}"
            raise document.error(path, f"no error condition is called {condition!r}", hint)
