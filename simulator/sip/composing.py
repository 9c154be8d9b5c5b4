"""Who is typing: isComposing documents (RFC 3994) and the chat states of XMPP (XEP-0085), mapped by RFC 7573 §6.

Knows both vocabularies and the two tables between them. Does not know who types, or when.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from xml.etree.ElementTree import Element, SubElement

from simulator.sip.body import NotXML, local_name, parse_xml, text_of, write_xml

MEDIA_TYPE = "application/im-iscomposing+xml"
NAMESPACE = "urn:ietf:params:xml:ns:im-iscomposing"

#: older clients of Microsoft tell it by INFO, with a document of their own
KEYBOARD_MEDIA_TYPE = "application/xml"

#: seconds; RFC 3994 §3.3: a receiver falls back to idle when nothing refreshed the active state for so long
DEFAULT_REFRESH = 120
#: nobody types for longer without a word
LONGEST_REFRESH = 3600

CHAT_STATES = "http://jabber.org/protocol/chatstates"


class Typing(StrEnum):
    """The states of RFC 3994."""

    ACTIVE = "active"
    IDLE = "idle"


class ChatState(StrEnum):
    """The states of XEP-0085."""

    ACTIVE = "active"
    COMPOSING = "composing"
    PAUSED = "paused"
    INACTIVE = "inactive"
    GONE = "gone"


#: RFC 7573 Table 3
TO_CHAT_STATE: dict[Typing, ChatState] = {
    Typing.ACTIVE: ChatState.COMPOSING,
    Typing.IDLE: ChatState.ACTIVE,
}

#: RFC 7573 Table 4. ``gone`` has none: §6.1 makes a BYE of it.
TO_TYPING: dict[ChatState, Typing | None] = {
    ChatState.ACTIVE: Typing.IDLE,
    ChatState.INACTIVE: Typing.IDLE,
    ChatState.GONE: None,
    ChatState.COMPOSING: Typing.ACTIVE,
    ChatState.PAUSED: Typing.IDLE,
}


@dataclass(frozen=True, slots=True)
class Composing:
    """What an isComposing document says."""

    state: Typing
    refresh: int = DEFAULT_REFRESH
    """Seconds until an active state that nobody repeats is over."""


def read_composing(body: bytes) -> Composing:
    """Read an isComposing document; raises NotXML. Tokens of extensions count as idle."""
    root = parse_xml(body)

    if root.tag != f"{{{NAMESPACE}}}isComposing":
        raise NotXML("the body is no isComposing document")

    state = text_of(root.find(f"{{{NAMESPACE}}}state"))
    refresh = text_of(root.find(f"{{{NAMESPACE}}}refresh"))
    seconds = int(refresh) if refresh.isdigit() and len(refresh) < 10 else DEFAULT_REFRESH

    return Composing(Typing.ACTIVE if state == Typing.ACTIVE else Typing.IDLE, min(max(seconds, 1), LONGEST_REFRESH))


def write_composing(state: Typing) -> bytes:
    """The isComposing document for a state, about a text."""
    root = Element(f"{{{NAMESPACE}}}isComposing")
    SubElement(root, f"{{{NAMESPACE}}}state").text = state.value
    SubElement(root, f"{{{NAMESPACE}}}contenttype").text = "text/plain"

    if state is Typing.ACTIVE:
        SubElement(root, f"{{{NAMESPACE}}}refresh").text = str(DEFAULT_REFRESH)

    return write_xml(root)


def read_keyboard(body: bytes) -> Composing:
    """Read the ``<KeyboardActivity/>`` of an INFO; raises NotXML. Its ``type`` is our active, all else idle."""
    root = parse_xml(body)

    if local_name(root) != "KeyboardActivity":
        raise NotXML("the body is no KeyboardActivity")

    found = {each.get("status", "") for each in root if local_name(each) == "status"}

    return Composing(Typing.ACTIVE if "type" in found else Typing.IDLE)


def chat_state_of(message: Element) -> ChatState | None:
    """The chat state that a message carries, or None."""
    for child in message:
        namespace, _, name = child.tag.rpartition("}")

        if namespace == f"{{{CHAT_STATES}" and name in set(ChatState):
            return ChatState(name)

    return None


def add_chat_state(message: Element, state: ChatState) -> None:
    """Add a chat state to a message."""
    SubElement(message, f"{{{CHAT_STATES}}}{state}")


def write_keyboard(state: Typing) -> bytes:
    """The ``<KeyboardActivity/>`` for a state."""
    root = Element("KeyboardActivity")
    SubElement(root, "status", {"status": "type" if state is Typing.ACTIVE else "idle"})

    return write_xml(root)
