"""First-level elements of a stream and the events they are: each one way, and back.

Knows the syntax of stanzas, dialback (XEP-0220), features and stream errors. Does not know states.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from simulator.xmpp.element import make_error_child, serialize
from simulator.xmpp.errors import StreamCondition
from simulator.xmpp.events import (
    DialbackResult,
    DialbackVerify,
    Event,
    Nonza,
    Stanza,
    StreamClosed,
    StreamError,
    StreamFeatures,
)
from simulator.xmpp.namespaces import CLIENT, DIALBACK, SERVER, STANZA_ERRORS, STREAM_ERRORS, STREAMS, XML


def read_element(element: Element) -> Event:
    """Say what a first-level element is; what is nothing else is a Nonza. Names count, prefixes do not.

    XEP-0220 §2.4.1: "the prefix is allowed to be other than "db" according to the XML namespaces specification".
    """
    reader = _READERS.get(element.tag)

    return reader(element) if reader else Nonza(element=element)


def write_event(event: Event, content_namespace: str = SERVER, declared: frozenset[str] = frozenset()) -> bytes:
    """Write anything but a header or a violation; `declared` as in `element.serialize`."""
    if isinstance(event, Stanza | Nonza):
        return serialize(event.element, content_namespace, declared)

    if isinstance(event, StreamClosed):
        return b"</stream:stream>"

    return serialize(_WRITERS[type(event)](event), content_namespace, declared)


def refusal(element: Element) -> StreamCondition:
    """The stream error for a Nonza that nobody here understands."""
    # RFC 6120 §4.8.3: "a first-level child element qualified by a content namespace it does not support" is
    # answered by invalid-namespace; §4.8.4, §4.9.3.24: any other by unsupported-stanza-type.
    if element.tag.startswith(f"{{{CLIENT}}}"):
        return StreamCondition.INVALID_NAMESPACE

    return StreamCondition.UNSUPPORTED_STANZA_TYPE


def _stanza(element: Element) -> Stanza:
    return Stanza(element=element)


def _features(element: Element) -> StreamFeatures:
    return StreamFeatures(features=tuple(element))


def _result(element: Element) -> DialbackResult:
    get = element.get

    return DialbackResult(
        sender=get("from"), to=get("to"), key=_key(element), type=get("type"), condition=_condition(element)
    )


def _verify(element: Element) -> DialbackVerify:
    get = element.get

    return DialbackVerify(
        sender=get("from"),
        to=get("to"),
        id=get("id"),
        key=_key(element),
        type=get("type"),
        condition=_condition(element),
    )


def _key(element: Element) -> str:
    # The XEP's own examples have white space around the key.
    return (element.text or "").strip()


def _condition(element: Element) -> str | None:
    if element.get("type") != "error":
        return None

    # XEP-0220 §2.5: "<error/> element (implicitly qualified by the 'jabber:server' namespace)".
    for child in element.iterfind(f"{{{SERVER}}}error/*"):
        namespace, _, name = child.tag[1:].partition("}")

        if namespace == STANZA_ERRORS and name != "text":
            return name

    return None


def _stream_error(element: Element) -> StreamError:
    condition: str | None = None
    text = content = ""
    children: list[Element] = []

    for child in element:
        namespace, _, name = child.tag[1:].partition("}")

        if namespace != STREAM_ERRORS:
            children.append(child)
        elif name == "text":
            text = text or child.text or ""
        elif condition is None:
            condition, content = name, child.text or ""

    # RFC 6120 §4.9.2 wants a condition; without one the error says no more than undefined-condition does.
    return StreamError(
        condition=condition or StreamCondition.UNDEFINED_CONDITION,
        text=text,
        content=content.strip(),
        children=tuple(children),
    )


_READERS: dict[str, Callable[[Element], Event]] = {
    f"{{{SERVER}}}message": _stanza,
    f"{{{SERVER}}}presence": _stanza,
    f"{{{SERVER}}}iq": _stanza,
    f"{{{DIALBACK}}}result": _result,
    f"{{{DIALBACK}}}verify": _verify,
    f"{{{STREAMS}}}features": _features,
    f"{{{STREAMS}}}error": _stream_error,
}


def _features_element(event: StreamFeatures) -> Element:
    element = Element(f"{{{STREAMS}}}features")
    element.extend(event.features)

    return element


def _dialback_element(event: DialbackResult | DialbackVerify) -> Element:
    name, id_ = ("verify", event.id) if isinstance(event, DialbackVerify) else ("result", None)
    element = Element(f"{{{DIALBACK}}}{name}")
    attributes = {"from": event.sender, "id": id_, "to": event.to, "type": event.type}

    for name, value in attributes.items():
        if value is not None:
            element.set(name, value)

    element.text = event.key

    if event.condition is not None:
        element.append(make_error_child(event.condition))

    return element


def _stream_error_element(event: StreamError) -> Element:
    element = Element(f"{{{STREAMS}}}error")
    condition = Element(f"{{{STREAM_ERRORS}}}{event.condition}")
    condition.text = event.content
    element.append(condition)

    if event.text:
        text = Element(f"{{{STREAM_ERRORS}}}text", {f"{{{XML}}}lang": "en"})
        text.text = event.text
        element.append(text)

    element.extend(event.children)

    return element


_WRITERS: dict[type[Event], Callable[[Any], Element]] = {
    StreamFeatures: _features_element,
    DialbackResult: _dialback_element,
    DialbackVerify: _dialback_element,
    StreamError: _stream_error_element,
}
