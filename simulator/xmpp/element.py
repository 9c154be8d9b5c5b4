"""XML elements of a server-to-server stream: text to element, element to bytes, and what RFC 6120 does with them.

Knows namespaces and escaping. Does not know streams, states or limits: an untrusted stream goes through `parser`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from xml.etree.ElementTree import Element, ParseError, fromstring

from simulator.xmpp.errors import LocalProtocolError, StanzaCondition
from simulator.xmpp.namespaces import DIALBACK, SERVER, STANZA_ERRORS, STREAMS, XML

#: Prefixes that a first-level element carries because the stream header declares them (XEP-0220 §2, RFC 6120 §4.8.5).
PREFIXES = {DIALBACK: "db", STREAMS: "stream"}

_NAME = re.compile(r"[^\W\d][\w.\-\u00b7]*")

# Characters outside the Char production of XML 1.0 §2.2; lone surrogates have no UTF-8.
_ILLEGAL = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
_IS_ILLEGAL = re.compile(f"[{_ILLEGAL}]").search
# A bare carriage return would reach the peer as a line feed (XML 1.0 §2.11), so it is written as a reference.
_needs_escape_in_text = re.compile(f"[&<>\r{_ILLEGAL}]").search
# Inside attributes tab and line feed would be normalised to spaces (XML 1.0 §3.3.3).
_needs_escape_in_attribute = re.compile(f"[&<>'\r\n\t{_ILLEGAL}]").search
_TEXT_REFERENCES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE_REFERENCES = _TEXT_REFERENCES | str.maketrans({"'": "&apos;", "\n": "&#10;", "\t": "&#9;"})


class ElementError(ValueError):
    """The text is not exactly one well-formed element, or the element cannot be written as XML."""


def parse_element(text: str | bytes, default_namespace: str = SERVER) -> Element:
    """Parse one element as if it stood on a stream; ``db:`` and ``stream:`` are declared already.

    For text that we wrote ourselves (scenarios, tests). Raises ElementError with line and column (1-based) of `text`.
    """
    try:
        source = text.decode("utf-8") if isinstance(text, bytes) else text
        source.encode("utf-8")
    except UnicodeError as error:
        raise ElementError(f"not UTF-8: {error}") from None

    opening = f"<s xmlns='{escape_attribute(default_namespace)}' xmlns:db='{DIALBACK}' xmlns:stream='{STREAMS}'>"

    try:
        wrapper = fromstring(opening + source + "</s>")
    except ParseError as error:
        line, column = error.position
        column -= len(opening) if line == 1 else 0
        what = str(error).partition(": line ")[0]
        raise ElementError(f"line {line}, column {max(column, 0) + 1}: {what}") from None

    if len(wrapper) != 1 or (wrapper.text or "").strip() or (wrapper[0].tail or "").strip():
        raise ElementError(f"exactly one element is wanted, this is not one: {source.strip()[:80]!r}")

    element = wrapper[0]
    element.tail = None

    return element


def serialize(
    element: Element, default_namespace: str = SERVER, declared: frozenset[str] = frozenset(PREFIXES)
) -> bytes:
    """Write a first-level element as UTF-8, in a stream whose default namespace is `default_namespace`.

    `declared` names the namespaces of `PREFIXES` that the stream header declares; others are declared on the element.
    Raises ElementError for characters and names that XML 1.0 does not have.
    """
    parts: list[str] = []
    namespace, name = split_name(element.tag)

    if namespace in PREFIXES:
        prefixed = f"{PREFIXES[namespace]}:{name}"
        extra = "" if namespace in declared else f" xmlns:{PREFIXES[namespace]}='{namespace}'"
        _write(parts.append, element, f"<{prefixed}{extra}", f"</{prefixed}>", default_namespace)
    else:
        _write(parts.append, element, *_tags(element.tag, default_namespace))

    return "".join(parts).encode("utf-8")


def rescope(element: Element, from_namespace: str, to_namespace: str) -> Element:
    """Copy `element` with its content namespace changed, as for delivery onto another kind of stream.

    RFC 6120 §4.8.3: the rule applies to a stanza and "by namespace inheritance to all child elements", but not to
    "elements qualified by namespaces other than [the content namespaces] nor to any children of such elements";
    those subtrees are shared with the original.
    """
    namespace, name = split_name(element.tag)

    if namespace != from_namespace:
        return element

    copy = Element(f"{{{to_namespace}}}{name}", element.attrib)
    copy.text, copy.tail = element.text, element.tail
    copy.extend([rescope(child, from_namespace, to_namespace) for child in element])

    return copy


#: The error type that RFC 6120 §8.3.3 recommends for each condition.
DEFAULT_ERROR_TYPE: dict[str, str] = {
    StanzaCondition.BAD_REQUEST: "modify",
    StanzaCondition.CONFLICT: "cancel",
    StanzaCondition.FEATURE_NOT_IMPLEMENTED: "cancel",
    StanzaCondition.FORBIDDEN: "auth",
    StanzaCondition.GONE: "cancel",
    StanzaCondition.INTERNAL_SERVER_ERROR: "cancel",
    StanzaCondition.ITEM_NOT_FOUND: "cancel",
    StanzaCondition.JID_MALFORMED: "modify",
    StanzaCondition.NOT_ACCEPTABLE: "modify",
    StanzaCondition.NOT_ALLOWED: "cancel",
    StanzaCondition.NOT_AUTHORIZED: "auth",
    StanzaCondition.POLICY_VIOLATION: "modify",
    StanzaCondition.RECIPIENT_UNAVAILABLE: "wait",
    StanzaCondition.REDIRECT: "modify",
    StanzaCondition.REGISTRATION_REQUIRED: "auth",
    StanzaCondition.REMOTE_SERVER_NOT_FOUND: "cancel",
    StanzaCondition.REMOTE_SERVER_TIMEOUT: "wait",
    StanzaCondition.RESOURCE_CONSTRAINT: "wait",
    StanzaCondition.SERVICE_UNAVAILABLE: "cancel",
    StanzaCondition.SUBSCRIPTION_REQUIRED: "auth",
    StanzaCondition.UNDEFINED_CONDITION: "cancel",
    StanzaCondition.UNEXPECTED_REQUEST: "wait",
    StanzaCondition.REMOTE_CONNECTION_FAILED: "cancel",
}


def make_error(stanza: Element, condition: str, type: str | None = None, text: str = "", by: str = "") -> Element:  # noqa: A002
    """Make the error stanza that answers `stanza` (RFC 6120 §8.3): addresses swapped, same id, same kind.

    `type` is the error type, by default the recommended one. The sender's own XML is given back for messages only:
    it is "OPTIONAL to include sender XML", and useful where a person must recognise what was lost.
    Raises LocalProtocolError when `stanza` is an error itself: "MUST NOT respond to the stanza with a further error
    stanza".
    """
    if stanza.get("type") == "error":
        raise LocalProtocolError("an error stanza is not answered with an error (RFC 6120 §8.3.1)")

    namespace, name = split_name(stanza.tag)
    answer = Element(stanza.tag)

    for target, source in (("from", "to"), ("to", "from"), ("id", "id")):
        value = stanza.get(source)

        if value is not None:
            answer.set(target, value)

    answer.set("type", "error")

    if name == "message":
        answer.extend(stanza)

    error = make_error_child(condition, type, text, by, namespace)
    answer.append(error)

    return answer


def make_error_child(
    condition: str,
    type: str | None = None,  # noqa: A002
    text: str = "",
    by: str = "",
    namespace: str = SERVER,
) -> Element:
    """Make the ``<error/>`` that stands in error stanzas and dialback errors (RFC 6120 §8.3.2, XEP-0220 §2.5)."""
    error = Element(f"{{{namespace}}}error", {"by": by} if by else {})
    error.set("type", type or DEFAULT_ERROR_TYPE.get(condition, "cancel"))
    error.append(Element(f"{{{STANZA_ERRORS}}}{condition}"))

    if text:
        explanation = Element(f"{{{STANZA_ERRORS}}}text", {f"{{{XML}}}lang": "en"})
        explanation.text = text
        error.append(explanation)

    return error


@lru_cache(maxsize=4096)
def split_name(tag: str) -> tuple[str, str]:
    """Split ``{namespace}local`` into both; the namespace is empty where there is none. Raises ElementError."""
    namespace, brace, name = tag.rpartition("}")

    if not _NAME.fullmatch(name) or (brace and not namespace.startswith("{")):
        raise ElementError(f"not a name of XML: {tag!r}")

    return namespace[1:], name


def escape_text(text: str) -> str:
    """Escape character data; raises ElementError for characters outside XML 1.0 §2.2."""
    _refuse_illegal(text)

    return text.translate(_TEXT_REFERENCES)


def escape_attribute(text: str) -> str:
    """Escape the value of an attribute in single quotes; raises ElementError as `escape_text` does."""
    _refuse_illegal(text)

    return text.translate(_ATTRIBUTE_REFERENCES)


def _refuse_illegal(text: str) -> None:
    found = _IS_ILLEGAL(text)

    if found:
        raise ElementError(f"U+{ord(found[0]):04X} is not a character of XML 1.0")


@lru_cache(maxsize=4096)
def _tags(tag: str, scope: str) -> tuple[str, str, str]:
    """The unfinished start tag, the end tag and the default namespace inside, of `tag` where `scope` is the default."""
    namespace, name = split_name(tag)
    declaration = "" if namespace == scope else f" xmlns='{escape_attribute(namespace)}'"

    return f"<{name}{declaration}", f"</{name}>", namespace


@lru_cache(maxsize=4096)
def _attribute_name(name: str) -> str:
    """The name of an attribute as it is written; empty when it needs a prefix that is not declared yet."""
    namespace, local = split_name(name)

    if namespace == XML:
        return f"xml:{local}"

    return "" if namespace else local


def _write(write: Callable[[str], None], element: Element, start: str, end: str, scope: str) -> None:
    write(start)

    for position, (name, value) in enumerate(element.items()):
        if _needs_escape_in_attribute(value):
            value = escape_attribute(value)

        write(f" {_attribute_name(name) or _declare(name, position)}='{value}'")

    text = element.text

    if not text and not len(element):
        write("/>")
        return

    write(">")

    if text:
        write(escape_text(text) if _needs_escape_in_text(text) else text)

    for child in element:
        _write(write, child, *_tags(child.tag, scope))
        tail = child.tail

        if tail:
            write(escape_text(tail) if _needs_escape_in_text(tail) else tail)

    write(end)


def _declare(name: str, position: int) -> str:
    # A prefix of its own for each such attribute of an element is always right, and they are rare in XMPP.
    namespace, local = split_name(name)

    return f"xmlns:p{position}='{escape_attribute(namespace)}' p{position}:{local}"
