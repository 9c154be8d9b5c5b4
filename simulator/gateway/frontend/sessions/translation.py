"""What crosses within a session: requests of a device into stanzas of a chat, and back (RFC 7572, RFC 7573).

Knows content. Does not know dialogs, or what was said before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from simulator.gateway.frontend.delivery import Letter
from simulator.gateway.frontend.flow import OnFinal
from simulator.gateway.frontend.sessions.rules import SessionRules
from simulator.gateway.frontend.translation import LANG, MESSAGE, THREAD, StanzaOf
from simulator.sip.composing import ChatState, add_chat_state
from simulator.sip.first_message import FirstMessage
from simulator.sip.message import Request
from simulator.xmpp.address import Address

PLAIN, HTML = "text/plain;charset=UTF-8", "text/html;charset=UTF-8"


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """A message of a contact on its way to a device."""

    letter: Letter
    """What it is as a MESSAGE without a session: body, headers, id."""
    html: bytes | None = None
    """The same in HTML, where the contact wrote XHTML-IM."""
    on_final: OnFinal
    """Called once."""
    went_before: bool = False
    """Whether it was sent already, to a device that did not know the session any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Speaker:
    """Who says something in which chat."""

    sender: Address
    to: Address
    call_id: str


def chat_of(
    request: Request,
    speaker: Speaker,
    *,
    id: str,  # noqa: A002
    rules: SessionRules,
    stanza_of: StanzaOf,
    state: ChatState | None,
) -> Element:
    """The stanza of a MESSAGE within a session; raises SIPSyntaxError, UnsupportedMedia."""
    stanza = stanza_of(request, sender=str(speaker.sender), to=str(speaker.to), id=id)
    stanza.set("type", rules.message_type)
    thread = stanza.find(THREAD)

    if thread is not None:
        thread.text = rules.thread_of(speaker.call_id)

    if state is not None:
        add_chat_state(stanza, state)

    return stanza


def state_of(speaker: Speaker, state: ChatState, *, id: str, rules: SessionRules) -> Element:  # noqa: A002
    """A chat state that stands alone (RFC 7573 example 22)."""
    attributes = {"from": str(speaker.sender), "to": str(speaker.to), "id": id, "type": rules.message_type}
    stanza = Element(MESSAGE, attributes)
    SubElement(stanza, THREAD).text = rules.thread_of(speaker.call_id)
    add_chat_state(stanza, state)

    return stanza


def as_message(invite: Request, first: FirstMessage) -> Request:
    """The MESSAGE that the text in an INVITE would have been."""
    kept: Mapping[str, list[str]] = invite.headers
    names = ("via", "from", "to", "call-id", "content-language", "subject")
    headers = {name: kept[name] for name in names if name in kept} | {"content-type": [first.content_type]}

    return Request("MESSAGE", invite.uri, headers, first.body)


__all__ = ["HTML", "LANG", "PLAIN", "Speaker", "Words", "as_message", "chat_of", "state_of"]
