"""The notice that a message which was answered already did not arrive after all ([MS-CONFIM] 2.2.2, IMDN).

Knows the document. Does not know messages or dialogs.

The 200 to a MESSAGE bears a header Message-Id; a later BENOTIFY in the same dialog, of type
``application/ms-imdn+xml``, names it and says with which code it failed for whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from simulator.sip.body import NotXML, parse_xml, text_of, write_xml

MEDIA_TYPE = "application/ms-imdn+xml"
NAMESPACE = "http://schemas.microsoft.com/rtc/2005/08/imdn"
#: the header of the 200
MESSAGE_ID = "Message-Id"


@dataclass(frozen=True, slots=True)
class Disposition:
    """What became of one message for one recipient."""

    message_id: str
    recipient: str
    """A SIP URI."""
    code: int


def write_disposition(disposition: Disposition) -> bytes:
    """The document."""
    root = Element(f"{{{NAMESPACE}}}imdn")
    SubElement(root, f"{{{NAMESPACE}}}message-id").text = disposition.message_id
    recipient = SubElement(root, f"{{{NAMESPACE}}}recipient", {"uri": disposition.recipient})
    SubElement(recipient, f"{{{NAMESPACE}}}status").text = str(disposition.code)

    return write_xml(root)


def read_disposition(body: bytes) -> Disposition:
    """Read a document about one recipient; raises NotXML."""
    root = parse_xml(body)
    recipient = root.find(f"{{{NAMESPACE}}}recipient")
    status = text_of(recipient.find(f"{{{NAMESPACE}}}status") if recipient is not None else None)

    if root.tag != f"{{{NAMESPACE}}}imdn" or recipient is None or not (status.isdigit() and len(status) == 3):
        raise NotXML("the body is no disposition of a message")

    return Disposition(text_of(root.find(f"{{{NAMESPACE}}}message-id")), recipient.get("uri", ""), int(status))
