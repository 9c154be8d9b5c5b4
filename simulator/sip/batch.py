"""Subscriptions to many at once: the list that is asked for, and the notifications that answer it (RFC 4662, 5367).

Knows resource lists in their three dialects, RLMI, and multipart/related. Does not know subscriptions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from simulator.sip.body import NotXML, local_name, parse_xml, write_xml
from simulator.sip.errors import SIPSyntaxError
from simulator.sip.message import parse_media_type

RLMI = "urn:ietf:params:xml:ns:rlmi"
RLMI_TYPE = "application/rlmi+xml"
RESOURCE_LISTS = "urn:ietf:params:xml:ns:resource-lists"
BATCH = "http://schemas.microsoft.com/2006/01/sip/batch-subscribe"

#: media types of a list: RFC 5367's, and Lync's with and without categories
LIST_TYPES = frozenset(
    {"application/resource-lists+xml", "application/msrtc-adrl-categorylist+xml", "application/adrl+xml"}
)

#: contacts that one subscription may name
RESOURCES = 5000

_BOUNDARY = re.compile(r"[A-Za-z0-9'()+_,\-./:=?]{1,70}")


@dataclass(frozen=True, slots=True)
class Batch:
    """A list of URIs."""

    uris: tuple[str, ...]
    subscribe: bool = True
    """False: [MS-PRES] ``<action name="unsubscribe">``."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a notification says of one resource of a list."""

    uri: str
    state: str
    """Of the virtual subscription (RFC 4662 §5.4): ``active``, ``pending`` or ``terminated``."""
    reason: str = ""
    media_type: str = ""
    body: bytes = b""
    """Empty: nothing is known, or may be told."""


def parse_batch(body: bytes) -> Batch:
    """Read a list in any dialect; raises NotXML, also when it names more than RESOURCES or nobody."""
    root = parse_xml(body)
    action = next((each for each in root if local_name(each) == "action"), None)
    wanted = "entry" if root.tag == f"{{{RESOURCE_LISTS}}}resource-lists" else "resource"
    uris = [each.get("uri", "") for each in root.iter() if local_name(each) == wanted]

    if not uris or "" in uris or len(uris) > RESOURCES:
        raise NotXML(f"the list names nobody, or more than {RESOURCES}")

    return Batch(tuple(dict.fromkeys(uris)), action is None or action.get("name") != "unsubscribe")


def write_batch(own_uri: str, batch: Batch) -> bytes:
    """The list as Lync's clients send it, of media type ``application/msrtc-adrl-categorylist+xml``."""
    root = Element(f"{{{BATCH}}}batchSub", {"uri": own_uri, "name": ""})
    name = "subscribe" if batch.subscribe else "unsubscribe"
    action = SubElement(root, f"{{{BATCH}}}action", {"name": name, "id": "1"})
    listed = SubElement(action, f"{{{BATCH}}}adhocList")

    for uri in batch.uris:
        SubElement(listed, f"{{{BATCH}}}resource", {"uri": uri})

    return write_xml(root)


def write_parts(list_uri: str, parts: list[Part], *, version: int, full: bool, boundary: str) -> tuple[str, bytes]:
    """Content-Type and body of a notification. `version` counts up from 0 within a subscription (RFC 4662 §5.1).

    `boundary` is a token that no body holds; it also makes the Content-IDs.
    """
    attributes = {"uri": list_uri, "version": str(version), "fullState": "true" if full else "false"}
    root = Element(f"{{{RLMI}}}list", attributes)
    pieces: list[bytes] = []

    for number, part in enumerate(parts):
        resource = SubElement(root, f"{{{RLMI}}}resource", {"uri": part.uri})
        instance = SubElement(resource, f"{{{RLMI}}}instance", {"id": "1", "state": part.state})

        if part.reason:
            instance.set("reason", part.reason)

        if part.body:
            cid = f"{number}.{boundary}@s2sim"
            instance.set("cid", cid)
            pieces.append(_piece(cid, part.media_type, part.body))

    start = f"list.{boundary}@s2sim"
    pieces.insert(0, _piece(start, f"{RLMI_TYPE};charset=UTF-8", write_xml(root)))
    separator = f"\r\n--{boundary}".encode()
    body = separator.lstrip() + separator.join(pieces) + separator + b"--\r\n"

    return f'multipart/related;type="{RLMI_TYPE}";start="<{start}>";boundary="{boundary}"', body


def parse_parts(content_type: str, body: bytes) -> list[Part]:
    """Read a notification; raises SIPSyntaxError. Resources come in the order of the list."""
    media_type, parameters = parse_media_type(content_type)
    boundary = parameters.get("boundary", "")

    if media_type != "multipart/related" or not _BOUNDARY.fullmatch(boundary):
        raise SIPSyntaxError("the body is not multipart/related")

    pieces = dict(_pieces(body, boundary))
    start = parameters.get("start", "").strip("<>")
    root = parse_xml(pieces[start][1] if start in pieces else next(iter(pieces.values()), ("", b""))[1])

    if local_name(root) != "list":
        raise NotXML("the first part is not RLMI")

    found = []

    for resource in [each for each in root if local_name(each) == "resource"][:RESOURCES]:
        instance = next((each for each in resource if local_name(each) == "instance"), Element("instance"))
        kind, content = pieces.get(instance.get("cid", ""), ("", b""))
        state, reason = instance.get("state", ""), instance.get("reason", "")
        found.append(Part(resource.get("uri", ""), state, reason, kind, content))

    return found


def _piece(cid: str, media_type: str, body: bytes) -> bytes:
    head = f"\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{cid}>\r\nContent-Type: {media_type}\r\n\r\n"

    return head.encode() + body


def _pieces(body: bytes, boundary: str) -> list[tuple[str, tuple[str, bytes]]]:
    """RFC 2046 §5.1: Content-ID, media type and content of every part, in order."""
    found = []

    for piece in (b"\r\n" + body).split(f"\r\n--{boundary}".encode())[1 : RESOURCES + 2]:
        if piece.startswith(b"--"):
            break

        head, _, content = piece.partition(b"\r\n\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n"))
        }
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        found.append((headers.get("content-id", "").strip("<>"), (media_type, content)))

    return found
