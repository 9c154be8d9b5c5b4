"""What an error stanza says (RFC 6120 §8.3).

Knows its form. Does not know what it answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from simulator.gateway.frontend.addressing import uri_of
from simulator.xmpp.address import Address, AddressError, parse_address
from simulator.xmpp.namespaces import SERVER, STANZA_ERRORS

_ERROR = f"{{{SERVER}}}error"
_PREFIX = f"{{{STANZA_ERRORS}}}"
_TEXT = f"{_PREFIX}text"


@dataclass(frozen=True, slots=True)
class Bounce:
    """An error stanza, read."""

    sender: Address | None
    condition: str
    text: str = ""
    new_address: str = ""
    """A URI for a Contact header: what ``<gone/>`` or ``<redirect/>`` holds, mapped where it is an XMPP address."""


def read_bounce(stanza: Element) -> Bounce:
    """Read an error stanza; what is missing or malformed counts as undefined-condition from nobody."""
    sender = _address(stanza.get("from", ""))
    error = stanza.find(_ERROR)
    condition, text, new_address = "undefined-condition", "", ""

    for child in error if error is not None else ():
        if child.tag == _TEXT:
            text = child.text or ""
        elif child.tag.startswith(_PREFIX):
            condition = child.tag.removeprefix(_PREFIX)
            new_address = _contact(child.text or "")

    return Bounce(sender, condition, text, new_address)


def may_report(sender: Address | None, to: Address) -> bool:
    """Whether an error of this sender can be about a message to somebody: the error swaps the addresses (§8.3.1).

    An id is no secret, so it alone proves nothing. The device may be another than the one that was written to, or none.
    """
    return sender is not None and sender.bare == to.bare


def _address(text: str) -> Address | None:
    try:
        return parse_address(text)
    except AddressError:
        return None


def _contact(text: str) -> str:
    """RFC 6120 §8.3.3.5: a URI or IRI, "typically an XMPP IRI", is the new address; SIP users get a SIP URI."""
    text = text.strip()

    if text.startswith("xmpp:"):
        try:
            return uri_of(text.removeprefix("xmpp:").partition("?")[0])
        except AddressError:
            return ""

    # Anything else must at least be one URI that cannot leave its angle brackets.
    return text if ":" in text and text.isascii() and not set(text) & set('<>" \t\r\n') else ""
