"""The contact list on the server ([MS-SIP] §2.2.4, §9): what a SERVICE asks for, and the list that is notified.

Knows both documents. Does not know who may add whom.

The list bears two attributes of our own beside Microsoft's, in a namespace of their own: what RFC 6121 §2.1.2 calls
``subscription`` and ``ask``. Clients that do not know them pass them over.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from simulator.sip.body import NotXML, local_name, parse_xml, text_of, write_xml

EVENT = "vnd-microsoft-roaming-contacts"
MEDIA_TYPE = "application/vnd-microsoft-roaming-contacts+xml"
SOAP_TYPE = "application/soap+xml"

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = "http://schemas.microsoft.com/winrtc/2002/11/sip"
EXTENSION = "urn:x-s2sim:contact-list"

#: what a document may hold; what is beyond is not read
CONTACTS = 20000
GROUPS = 64
CHARACTERS = 1024


@dataclass(frozen=True, slots=True)
class SetContact:
    """Add a contact, or change it."""

    uri: str
    name: str = ""
    groups: tuple[int, ...] = ()
    """Numbers of groups, as in the list that was notified."""
    subscribed: bool = True
    """Whether its presence is wanted."""
    delta: int = 0


@dataclass(frozen=True, slots=True)
class DeleteContact:
    """Remove a contact."""

    uri: str
    delta: int = 0


@dataclass(frozen=True, slots=True)
class SetACE:
    """Say what somebody may do. `rights` are two letters, for presence and for invitations.

    ``A`` allow, ``D`` deny, ``P`` prompt (nothing is decided yet) and ``B`` block (deny, and pretend to be offline).
    """

    mask: str
    """A URI."""
    rights: str
    type: str = "USER"
    delta: int = 0


@dataclass(frozen=True, slots=True)
class AddGroup:
    """Make a group."""

    name: str
    delta: int = 0


@dataclass(frozen=True, slots=True)
class ModifyGroup:
    """Rename a group."""

    number: int
    name: str
    delta: int = 0


@dataclass(frozen=True, slots=True)
class DeleteGroup:
    """Remove a group."""

    number: int
    delta: int = 0


Operation = SetContact | DeleteContact | SetACE | AddGroup | ModifyGroup | DeleteGroup


@dataclass(frozen=True, slots=True)
class ListedContact:
    """One line of the list."""

    uri: str
    """With its scheme; the document has it without, as Lync's clients expect."""
    name: str = ""
    groups: tuple[int, ...] = (1,)
    subscribed: bool = True
    subscription: str = ""
    """RFC 6121 §2.1.2.5: ``none``, ``to``, ``from``, ``both``; empty in a list of Microsoft's own."""
    ask: str = ""
    """RFC 6121 §2.1.2.2: ``subscribe``, or empty."""


@dataclass(frozen=True, slots=True)
class ContactList:
    """A whole list, or the changes since the one before."""

    delta: int
    """The version of the list, which counts up from 1."""
    groups: tuple[tuple[int, str], ...] = ()
    contacts: tuple[ListedContact, ...] = ()
    """Of changes: those that were added or changed."""
    deleted: tuple[str, ...] = ()
    """URIs."""
    full: bool = True
    added: frozenset[str] = frozenset()
    """Of changes: the URIs of `contacts` that are new."""


def parse_operation(body: bytes) -> Operation:
    """Read the SOAP of a SERVICE; raises NotXML."""
    root = parse_xml(body)
    envelope = next((each for each in root if local_name(each) == "Body"), None)

    if local_name(root) != "Envelope" or envelope is None or not len(envelope):
        raise NotXML("the body is not a SOAP envelope")

    asked = envelope[0]
    fields = {local_name(each).lower(): text_of(each)[:CHARACTERS] for each in asked}
    delta = _number(fields.get("deltanum", ""))
    uri = with_scheme(fields.get("uri", ""))

    match local_name(asked):
        case "setContact" if uri:
            groups = tuple(_number(text) for text in fields.get("groups", "").split()[:GROUPS])

            return SetContact(uri, fields.get("displayname", ""), groups, fields.get("subscribed") != "false", delta)
        case "deleteContact" if uri:
            return DeleteContact(uri, delta)
        case "setACE" if len(fields.get("rights", "")) == 2 and fields.get("mask"):
            return SetACE(with_scheme(fields["mask"]), fields["rights"].upper(), fields.get("type", "USER"), delta)
        case "addGroup" if fields.get("name"):
            return AddGroup(fields["name"], delta)
        case "modifyGroup" if fields.get("name") and fields.get("groupid"):
            return ModifyGroup(_number(fields["groupid"]), fields["name"], delta)
        case "deleteGroup" if fields.get("groupid"):
            return DeleteGroup(_number(fields["groupid"]), delta)
        case name:
            raise NotXML(f"{name[:60]} is not known, or lacks an element")


def write_operation(operation: Operation) -> bytes:
    """The SOAP of a SERVICE."""
    envelope = Element(f"{{{SOAP}}}Envelope")
    body = SubElement(envelope, f"{{{SOAP}}}Body")

    match operation:
        case SetContact():
            subscribed = "true" if operation.subscribed else "false"
            groups = " ".join(map(str, operation.groups))
            fields = [("displayName", operation.name), ("groups", groups), ("subscribed", subscribed)]
            name, fields = "setContact", [*fields, ("URI", operation.uri), ("externalURI", "")]
        case DeleteContact():
            name, fields = "deleteContact", [("URI", operation.uri)]
        case SetACE():
            name = "setACE"
            fields = [("type", operation.type), ("mask", operation.mask), ("rights", operation.rights)]
        case AddGroup():
            name, fields = "addGroup", [("name", operation.name), ("externalURI", "")]
        case ModifyGroup():
            name, fields = "modifyGroup", [("groupID", str(operation.number)), ("name", operation.name)]
        case DeleteGroup():
            name, fields = "deleteGroup", [("groupID", str(operation.number))]

    asked = SubElement(body, f"{{{SERVICE}}}{name}")

    for field, text in [*fields, ("deltaNum", str(operation.delta))]:
        SubElement(asked, f"{{{SERVICE}}}{field}").text = text

    return write_xml(envelope, {SOAP: "s", SERVICE: "m"})


def write_answer(operation: str, fields: list[tuple[str, str]]) -> bytes:
    """The SOAP that answers, e.g. ``addGroup`` with its ``groupID``."""
    envelope = Element(f"{{{SOAP}}}Envelope")
    answer = SubElement(SubElement(envelope, f"{{{SOAP}}}Body"), f"{{{SERVICE}}}{operation}")

    for name, text in fields:
        SubElement(answer, f"{{{SERVICE}}}{name}").text = text

    return write_xml(envelope, {SOAP: "s", SERVICE: "m"})


def write_contacts(listed: ContactList) -> bytes:
    """``<contactList/>``, or ``<contactDelta/>`` where the list is not full."""
    if listed.full:
        root = Element("contactList", {"deltaNum": str(listed.delta)})
    else:
        root = Element("contactDelta", {"deltaNum": str(listed.delta), "prevDeltaNum": str(listed.delta - 1)})

    for number, name in listed.groups:
        tag = "group" if listed.full else "addedGroup"
        SubElement(root, tag, {"id": str(number), "name": name, "externalURI": ""})

    for contact in listed.contacts:
        tag = "contact" if listed.full else "addedContact" if contact.uri in listed.added else "modifiedContact"
        SubElement(root, tag, _attributes(contact))

    for uri in listed.deleted:
        SubElement(root, "deletedContact", {"uri": without_scheme(uri)})

    return write_xml(root)


def parse_contacts(body: bytes) -> ContactList:
    """Read either document; raises NotXML."""
    root = parse_xml(body)

    if local_name(root) not in ("contactList", "contactDelta"):
        raise NotXML(f"the body is {local_name(root)[:60]}, and no list of contacts")

    children = list(root)[:CONTACTS]
    groups = [each for each in children if local_name(each) in ("group", "addedGroup", "modifiedGroup")]
    contacts = [each for each in children if local_name(each) in ("contact", "addedContact", "modifiedContact")]
    added = [each for each in contacts if local_name(each) == "addedContact"]

    return ContactList(
        _number(root.get("deltaNum", "")),
        tuple((_number(each.get("id", "")), each.get("name", "")) for each in groups),
        tuple(_contact(each) for each in contacts),
        tuple(with_scheme(each.get("uri", "")) for each in children if local_name(each) == "deletedContact"),
        full=local_name(root) == "contactList",
        added=frozenset(with_scheme(each.get("uri", "")) for each in added),
    )


def with_scheme(uri: str) -> str:
    """Lync leaves ``sip:`` out here and there."""
    return uri if not uri or ":" in uri.partition("@")[0] else f"sip:{uri}"


def without_scheme(uri: str) -> str:
    """As it stands in the list."""
    return uri.removeprefix("sip:")


def _attributes(contact: ListedContact) -> dict[str, str]:
    found = {
        "uri": without_scheme(contact.uri),
        "name": contact.name,
        "groups": " ".join(map(str, contact.groups)),
        "subscribed": "true" if contact.subscribed else "false",
        "externalURI": "",
    }

    if contact.subscription:
        found[f"{{{EXTENSION}}}subscription"] = contact.subscription

    if contact.ask:
        found[f"{{{EXTENSION}}}ask"] = contact.ask

    return found


def _contact(element: Element) -> ListedContact:
    return ListedContact(
        with_scheme(element.get("uri", "")),
        element.get("name", ""),
        tuple(_number(text) for text in element.get("groups", "").split()[:GROUPS]),
        element.get("subscribed") != "false",
        element.get(f"{{{EXTENSION}}}subscription", ""),
        element.get(f"{{{EXTENSION}}}ask", ""),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
