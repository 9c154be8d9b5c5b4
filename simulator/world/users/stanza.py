"""Messages of users who speak XMPP, inside or at a partner: fields to element, element to fields.

Knows the shape of a message and of an error (RFC 6121 §5.2, RFC 6120 §8.3). Does not know how they travel.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, SubElement

from simulator.world.users.user import MESSAGE, REFUSAL
from simulator.xmpp.element import parse_element, serialize
from simulator.xmpp.namespaces import STANZA_ERRORS, XML


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


def arrival(element: Element) -> tuple[str, dict[str, Any]]:
    """What a stanza is to the user whom it reaches, and its fields, as Inbox.arrived takes them."""
    namespace, _, name = element.tag[1:].partition("}")
    fields: dict[str, Any] = {key: element.get(key) for key in ("from", "to", "id", "type")}
    fields["xml"] = serialize(element, namespace).decode()

    if element.get("type") == "error":
        return REFUSAL, fields | _error(element.find(f"{{{namespace}}}error"))

    if name != "message":
        return name, fields

    fields["type"] = element.get("type", "normal")
    fields["xml:lang"] = element.get(f"{{{XML}}}lang")
    fields |= {part: element.findtext(f"{{{namespace}}}{part}") for part in ("body", "subject", "thread")}

    return MESSAGE, fields


def _error(error: Element | None) -> dict[str, Any]:
    if error is None:
        return {"conditions": [], "type": None}

    names = [child.tag.rpartition("}")[2] for child in error if child.tag.startswith(f"{{{STANZA_ERRORS}}}")]
    conditions = [name for name in names if name != "text"]

    return {"conditions": conditions, "type": error.get("type"), "text": error.findtext(f"{{{STANZA_ERRORS}}}text")}
