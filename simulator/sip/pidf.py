"""Presence documents: PIDF (RFC 3863) with what Lync, XMPP and RPID add to it, read and written.

Knows elements and their bounds. Does not know what XMPP makes of them.

A status may be refined in three ways beside ``<basic/>``, and a document may use any of them: ``<show/>`` of XMPP (RFC
8048 §6.2 note 7), the activities of RPID (RFC 4480 in a person, and an older draft's inside of the status, which is the
only one that Lync's clients read in the documents of strangers), and Lync's number for availability.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from simulator.sip.body import LANG, NotXML, local_name, parse_xml, text_of, write_xml

MEDIA_TYPE = "application/pidf+xml"

PIDF = "urn:ietf:params:xml:ns:pidf"
DATA_MODEL = "urn:ietf:params:xml:ns:pidf:data-model"
RPID = "urn:ietf:params:xml:ns:pidf:rpid"
OLD_RPID = "urn:ietf:params:xml:ns:pidf:status:rpid-status"
SHOW = "{jabber:client}show"
AVAILABILITY = "{http://schemas.microsoft.com/2006/09/sip/state}availability"

#: what a document may hold; what is beyond is not read
TUPLES = 100
NOTES = 20
ACTIVITIES = 20
CHARACTERS = 4096

OPEN, CLOSED = "open", "closed"

_PREFIXES = {DATA_MODEL: "dm", RPID: "rpid", OLD_RPID: "ep"}
_PRIORITY = re.compile(r"0(?:\.(\d{1,3}))?|1(?:\.0{1,3})?")
_SHOWS = frozenset({"away", "chat", "dnd", "xa"})
_ACTIVITY = re.compile(r"[a-z][a-z\-]{0,40}")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9.\-_]|_(?=[0-9a-f]{1,6}_)")
_ESCAPE = re.compile(r"_([0-9a-f]{1,6})_")

Notes = tuple[tuple[str, str], ...]


class NotPresence(NotXML):
    """The body is not a PIDF document."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PresenceTuple:
    """One device, or whatever else the presentity counts as one way to be reached."""

    id: str
    basic: str = ""
    """``open`` or ``closed``; empty when neither is said, as by a user agent that writes ``?``."""
    show: str = ""
    activities: tuple[str, ...] = ()
    """RPID's words, e.g. ``away``, ``on-the-phone``."""
    availability: int | None = None
    """Lync's number: 3500 available ... 18500 offline."""
    contact: str = ""
    """A URI."""
    priority: int | None = None
    """Of the contact, in thousandths: 0 to 1000."""
    notes: Notes = ()
    """Language (or empty) and text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Presence:
    """A document."""

    entity: str
    """The URI of the presentity."""
    tuples: tuple[PresenceTuple, ...] = ()
    notes: Notes = ()
    """Those about the presentity as a whole."""
    activities: tuple[str, ...] = ()
    """Those of the person (RFC 4480)."""


def parse_presence(body: bytes) -> Presence:
    """Read a document; raises NotPresence, NotXML. What is unknown, malformed or beyond the bounds is passed over."""
    root = parse_xml(body)

    if root.tag != f"{{{PIDF}}}presence":
        raise NotPresence(f"the body is {local_name(root)[:60]}, not a presence document")

    tuples = root.findall(f"{{{PIDF}}}tuple")[:TUPLES]
    persons = [*root.findall(f"{{{DATA_MODEL}}}person"), root]

    return Presence(
        entity=root.get("entity", ""),
        tuples=tuple(_tuple(each) for each in tuples),
        notes=_notes(root, PIDF),
        activities=_activities([found for person in persons for found in person.findall(f"{{{RPID}}}activities")]),
    )


def write_presence(presence: Presence) -> bytes:
    """Write a document, in the order of RFC 3863 §4.4's schema."""
    root = Element(f"{{{PIDF}}}presence", {"entity": presence.entity})

    for each in presence.tuples:
        _add_tuple(root, each)

    _add_notes(root, presence.notes)

    if presence.activities:
        person = SubElement(root, f"{{{DATA_MODEL}}}person", {"id": "person"})
        activities = SubElement(person, f"{{{RPID}}}activities")

        for name in presence.activities:
            SubElement(activities, f"{{{RPID}}}{name}")

    return write_xml(root, _PREFIXES)


def tuple_id(resource: str) -> str:
    """The id of a resource's tuple (RFC 8048 §6.2 note 2: "it is RECOMMENDED to prepend [...] "ID-"").

    What an xs:ID cannot hold is written as its code point in hexadecimal digits between underscores.
    """
    return "ID-" + _NOT_IN_ID.sub(lambda match: f"_{ord(match[0]):x}_", resource)


def resource_of(identifier: str) -> str:
    """The resource that a tuple's id stands for; of a foreign id, all of it."""
    if not identifier.startswith("ID-"):
        return identifier

    text = identifier.removeprefix("ID-")
    resource = _ESCAPE.sub(lambda match: _character(match[1]) or match[0], text)

    return resource if tuple_id(resource) == identifier else text


def _character(digits: str) -> str:
    code = int(digits, 16)

    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else ""


def priority_of(thousandths: int) -> int:
    """A priority of XMPP, 0 to 127, of one of PIDF: `thousandths_of` undone (RFC 8048 §6.2 note 6)."""
    return -(-thousandths * 127 // 1000)


def thousandths_of(priority: int) -> int | None:
    """A priority of PIDF of one of XMPP, in thousandths.

    RFC 8048 §6.2 note 6: "If the value of the XMPP <priority/> element is negative, an XMPP-to-SIP gateway MUST NOT map
    the value"; the others so that "they are unique (e.g., XMPP priority 1 to PIDF priority 0.007 [...])".
    """
    return priority * 1000 // 127 if 0 <= priority <= 127 else None


def _tuple(element: Element) -> PresenceTuple:
    status = element.find(f"{{{PIDF}}}status")
    status = status if status is not None else Element("status")
    contact = element.find(f"{{{PIDF}}}contact")
    basic, show = text_of(status.find(f"{{{PIDF}}}basic")), text_of(status.find(SHOW))
    places = ((status, OLD_RPID), (status, RPID), (element, RPID))
    activities = [found for place, namespace in places for found in place.findall(f"{{{namespace}}}activities")]

    return PresenceTuple(
        id=element.get("id", "")[:CHARACTERS],
        basic=basic if basic in (OPEN, CLOSED) else "",
        show=show if show in _SHOWS else "",
        activities=_activities(activities),
        availability=_number(text_of(status.find(AVAILABILITY))),
        contact=text_of(contact)[:CHARACTERS],
        priority=_thousandths(contact.get("priority", "")) if contact is not None else None,
        notes=_notes(element, PIDF),
    )


def _activities(found: list[Element]) -> tuple[str, ...]:
    """RFC 4480 names an activity by an element, the draft before it by a text."""
    names: dict[str, None] = {}

    for child in [child for activities in found for child in activities][:ACTIVITIES]:
        name = text_of(child) if local_name(child) == "activity" else local_name(child)

        if _ACTIVITY.fullmatch(name) and name != "note":
            names[name] = None

    return tuple(names)


def _notes(element: Element, namespace: str) -> Notes:
    notes: dict[str, str] = {}

    for note in element.findall(f"{{{namespace}}}note")[:NOTES]:
        text = text_of(note)[:CHARACTERS]

        # RFC 8048 Table 2 makes <status/> of it, of which there is one for each language.
        if text:
            notes.setdefault(note.get(LANG, "")[:CHARACTERS], text)

    return tuple(notes.items())


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def _thousandths(text: str) -> int | None:
    match = _PRIORITY.fullmatch(text.strip())

    if match is None:
        return None

    return 1000 if text.strip().startswith("1") else int((match[1] or "").ljust(3, "0"))


def _add_tuple(root: Element, each: PresenceTuple) -> None:
    element = SubElement(root, f"{{{PIDF}}}tuple", {"id": each.id})
    status = SubElement(element, f"{{{PIDF}}}status")

    if each.basic:
        SubElement(status, f"{{{PIDF}}}basic").text = each.basic

    if each.show:
        SubElement(status, SHOW).text = each.show

    if each.activities:
        activities = SubElement(status, f"{{{OLD_RPID}}}activities")

        for name in each.activities:
            SubElement(activities, f"{{{OLD_RPID}}}activity").text = name

    if each.availability is not None:
        SubElement(status, AVAILABILITY).text = str(each.availability)

    if each.contact:
        contact = SubElement(element, f"{{{PIDF}}}contact")
        contact.text = each.contact

        if each.priority is not None:
            contact.set("priority", f"{each.priority // 1000}.{each.priority % 1000:03}")

    _add_notes(element, each.notes)


def _add_notes(element: Element, notes: Notes) -> None:
    for language, text in notes:
        note = SubElement(element, f"{{{PIDF}}}note")
        note.text = text

        if language:
            note.set(LANG, language)
