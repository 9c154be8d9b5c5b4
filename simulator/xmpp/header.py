"""The stream header: what a root element says, how ours is written, which version two headers agree on.

Knows RFC 6120 §4.7 and §4.8. Does not know what follows the header.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from simulator.xmpp.element import escape_attribute, split_name
from simulator.xmpp.errors import RemoteProtocolError, StreamCondition
from simulator.xmpp.events import StreamHeader
from simulator.xmpp.namespaces import DIALBACK, SERVER, STREAMS, XML

#: The version that we speak (RFC 6120 §4.7.5).
VERSION = (1, 0)

_VERSION = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})")
_LANG = f"{{{XML}}}lang"


def read_header(tag: str, attributes: Mapping[str, str], namespaces: Mapping[str | None, str]) -> StreamHeader:
    """Read a root element; `namespaces` are its declarations, prefix (None for the default) to name.

    Raises RemoteProtocolError when the root is no stream at all; whether its content namespace will do is
    `check_content_namespace`.
    """
    namespace, name = split_name(tag)

    if name != "stream":
        raise RemoteProtocolError(StreamCondition.BAD_FORMAT, f"the root element is called {name}, not stream")

    # RFC 6120 §4.8.1: the root "MUST be qualified by the namespace 'http://etherx.jabber.org/streams'", else a
    # stream error "which SHOULD be <invalid-namespace/>".
    if namespace != STREAMS:
        raise RemoteProtocolError(StreamCondition.INVALID_NAMESPACE, f"the stream namespace is {namespace!r}")

    default = namespaces.get(None) or STREAMS

    return StreamHeader(
        sender=attributes.get("from"),
        to=attributes.get("to"),
        id=attributes.get("id"),
        version=attributes.get("version"),
        lang=attributes.get(_LANG),
        # §4.8.2: without a content namespace as the default ("prefix-free canonicalization") each first-level
        # element brings its own, so the stream is good for ours.
        content_namespace=SERVER if default == STREAMS else default,
        dialback=DIALBACK in namespaces.values(),
    )


def check_content_namespace(header: StreamHeader) -> None:
    """Raise RemoteProtocolError when the header's default namespace is not that of servers (RFC 6120 §4.9.3.10)."""
    if header.content_namespace != SERVER:
        raise RemoteProtocolError(
            StreamCondition.INVALID_NAMESPACE, f"the content namespace is {header.content_namespace!r}"
        )


def write_header(header: StreamHeader) -> bytes:
    """Write an XML declaration and an opening ``<stream:stream>``, in the order of RFC 6120's own examples.

    §11.5: "an implementation SHOULD send an XML declaration".
    """
    attributes = {
        "from": header.sender,
        "id": header.id,
        "to": header.to,
        "version": header.version,
        "xml:lang": header.lang,
        "xmlns": header.content_namespace,
        "xmlns:db": DIALBACK if header.dialback else None,
        "xmlns:stream": STREAMS,
    }
    written = [f" {name}='{escape_attribute(value)}'" for name, value in attributes.items() if value is not None]

    return f"<?xml version='1.0'?><stream:stream{''.join(written)}>".encode()


def negotiated_version(theirs: str | None) -> tuple[int, int] | None:
    """The (major, minor) that holds on a stream whose peer says `theirs`: the lower of that and ours.

    None means XMPP 0.9: the attribute is absent, or is no version at all. Then our answer has none either, and there
    are no features: RFC 6120 §4.7.5, "MUST consider the version supported by the other entity to be "0.9" and SHOULD
    NOT include a 'version' attribute in the response stream header".
    """
    # "The major and minor numbers MUST be treated as separate integers […] Leading zeros MUST be ignored".
    match = _VERSION.fullmatch(theirs or "")

    return min(VERSION, (int(match[1]), int(match[2]))) if match else None
