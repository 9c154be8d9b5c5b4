"""Who watches, and who waits to be let in: watcherinfo (RFC 3858), and the form of it that Lync's clients read.

Knows both documents. Does not know subscriptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from simulator.sip.body import NotXML, local_name, parse_xml, text_of, write_xml

MEDIA_TYPE = "application/watcherinfo+xml"
#: [MS-SIP], event ``presence.wpending``: ``<watchers><watcher uri=…/></watchers>``
MICROSOFT_MEDIA_TYPE = "text/xml+msrtc.wpending"

NAMESPACE = "urn:ietf:params:xml:ns:watcherinfo"

#: what a document may hold; what is beyond is not read
WATCHERS = 5000


@dataclass(frozen=True, slots=True)
class Watcher:
    """One watcher."""

    uri: str
    status: str = "pending"
    """RFC 3858 §4.3: ``pending``, ``active``, ``waiting`` or ``terminated``."""
    name: str = ""
    """The display name."""


def write_watchers(resource: str, watchers: list[Watcher], version: int) -> bytes:
    """The watcherinfo document of a resource, complete (``state='full'``)."""
    root = Element(f"{{{NAMESPACE}}}watcherinfo", {"version": str(version), "state": "full"})
    listed = SubElement(root, f"{{{NAMESPACE}}}watcher-list", {"resource": resource, "package": "presence"})

    for number, each in enumerate(watchers):
        attributes = {"id": f"w{number}", "status": each.status, "event": "subscribe"}

        if each.name:
            attributes["display-name"] = each.name

        SubElement(listed, f"{{{NAMESPACE}}}watcher", attributes).text = each.uri

    return write_xml(root)


def write_microsoft_watchers(watchers: list[Watcher]) -> bytes:
    """The pending watchers as Lync's clients read them."""
    root = Element("watchers")

    for each in watchers:
        SubElement(root, "watcher", {"uri": each.uri, "displayName": each.name})

    return write_xml(root)


def parse_watchers(body: bytes) -> list[Watcher]:
    """Read either document; raises NotXML. Lync's names only those that are pending."""
    root = parse_xml(body)

    if root.tag == f"{{{NAMESPACE}}}watcherinfo":
        found = [each for listed in root for each in listed if local_name(each) == "watcher"]

        return [
            Watcher(text_of(each), each.get("status", ""), each.get("display-name", "")) for each in found[:WATCHERS]
        ]

    if local_name(root) != "watchers":
        raise NotXML(f"the body is {local_name(root)[:60]}, and no list of watchers")

    return [Watcher(each.get("uri", ""), "pending", each.get("displayName", "")) for each in list(root)[:WATCHERS]]
