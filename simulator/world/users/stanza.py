"""Stanzas of users who speak XMPP, inside or at a partner: fields to element, element to fields.

Knows the shape of a message, of a presence and of an error (RFC 6121 §5.2, §4.7; RFC 6120 §8.3). Does not know how they
travel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from simulator.world.users.user import AVAILABLE, COMPOSING, MESSAGE, PRESENCE, REFUSAL, SUBSCRIPTION
from simulator.xmpp.element import parse_element, serialize
from simulator.xmpp.namespaces import STANZA_ERRORS, XML

#: RFC 6121 §4.7.1: what may stand in place of a presence's type.
SUBSCRIPTION_TYPES = frozenset({"subscribe", "subscribed", "unsubscribe", "unsubscribed"})

CHAT_STATES = "http://jabber.org/protocol/chatstates"


def message(
    namespace: str,
    *,
    to: str,
    body: str,
    id: str,  # noqa: A002
    sender: str | None = None,
    type: str | None = None,  # noqa: A002
    subject: str | None = None,
    thread: str | None = None,
    language: str | None = None,
    extra: str = "",
) -> Element:
    """Make a ``<message/>`` of a content namespace; `type` None is ``chat``, ``normal`` leaves the attribute out."""
    attributes = {"from": sender, "to": to, "id": id, "type": type or "chat", f"{{{XML}}}lang": language}
    element = Element(f"{{{namespace}}}message", {key: value for key, value in attributes.items() if value is not None})

    # RFC 6121 §5.2.2: normal is the default.
    if type == "normal":
        del element.attrib["type"]

    for name, text in (("subject", subject), ("body", body), ("thread", thread)):
        if text is not None:
            SubElement(element, f"{{{namespace}}}{name}").text = text

    if extra:
        element.extend(parse_element(f"<all>{extra}</all>", namespace))

    return element


def chat_state(
    namespace: str,
    *,
    to: str,
    state: str,
    id: str,  # noqa: A002
    sender: str | None = None,
) -> Element:
    """Make a message that says nothing but how far the conversation is (XEP-0085 §5.5)."""
    attributes = {"from": sender, "to": to, "id": id, "type": "chat"}
    element = Element(f"{{{namespace}}}message", {key: value for key, value in attributes.items() if value is not None})
    SubElement(element, f"{{{CHAT_STATES}}}{state}")

    return element


def presence(
    namespace: str,
    *,
    type: str | None = None,  # noqa: A002
    to: str | None = None,
    sender: str | None = None,
    id: str | None = None,  # noqa: A002
    show: str = "",
    note: str | Mapping[str, str] = "",
    priority: int | None = None,
    extra: str = "",
) -> Element:
    """Make a ``<presence/>`` of a content namespace; `note` may be one text, or one for each language."""
    attributes = {"from": sender, "to": to, "id": id, "type": type}
    element = Element(f"{{{namespace}}}presence", {key: value for key, value in attributes.items() if value})

    if show:
        SubElement(element, f"{{{namespace}}}show").text = show

    for language, text in ({"": note} if isinstance(note, str) else note).items():
        if text:
            SubElement(element, f"{{{namespace}}}status", {f"{{{XML}}}lang": language} if language else {}).text = text

    if priority is not None:
        SubElement(element, f"{{{namespace}}}priority").text = str(priority)

    if extra:
        element.extend(parse_element(f"<all>{extra}</all>", namespace))

    return element


def arrival(element: Element) -> tuple[str, dict[str, Any]]:
    """What a stanza is to the user whom it reaches, and its fields, as Inbox.arrived takes them."""
    namespace, _, name = element.tag[1:].partition("}")
    fields: dict[str, Any] = {key: element.get(key) for key in ("from", "to", "id", "type")}
    fields["xml"] = serialize(element, namespace).decode()

    if element.get("type") == "error":
        return REFUSAL, fields | _error(element.find(f"{{{namespace}}}error"))

    if name == "presence":
        return _presence(element, namespace, fields)

    if name != "message":
        return name, fields

    fields["type"] = element.get("type", "normal")
    fields["xml:lang"] = element.get(f"{{{XML}}}lang")
    fields |= {part: element.findtext(f"{{{namespace}}}{part}") for part in ("body", "subject", "thread")}
    state = next(
        (child.tag.rpartition("}")[2] for child in element if child.tag.startswith(f"{{{CHAT_STATES}}}")), None
    )

    # XEP-0085 §5.5: a standalone notification is one without a body.
    if state is not None and fields["body"] is None:
        return COMPOSING, fields | {"state": state}

    return MESSAGE, fields


def _presence(element: Element, namespace: str, fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    texts = {status.get(f"{{{XML}}}lang", ""): status.text or "" for status in element.iter(f"{{{namespace}}}status")}
    fields["status"] = next(iter(texts.values()), None)

    if fields["type"] in SUBSCRIPTION_TYPES:
        return SUBSCRIPTION, fields

    priority = element.findtext(f"{{{namespace}}}priority")
    fields["type"] = fields["type"] or AVAILABLE
    fields["show"] = element.findtext(f"{{{namespace}}}show")
    fields["priority"] = int(priority) if priority is not None and _is_integer(priority) else priority
    fields["notes"] = texts if any(texts) else None

    return PRESENCE, fields


def _is_integer(text: str) -> bool:
    return text.strip().removeprefix("-").removeprefix("+").isdecimal()


def _error(error: Element | None) -> dict[str, Any]:
    if error is None:
        return {"conditions": [], "type": None}

    names = [child.tag.rpartition("}")[2] for child in error if child.tag.startswith(f"{{{STANZA_ERRORS}}}")]
    conditions = [name for name in names if name != "text"]

    return {"conditions": conditions, "type": error.get("type"), "text": error.findtext(f"{{{STANZA_ERRORS}}}text")}
