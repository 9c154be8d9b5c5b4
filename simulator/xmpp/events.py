"""What can happen on a server-to-server stream, one frozen value each.

The same event is sent by one end and received by the other: `peer.receive(ours.send(event))` gives it back.
Addresses are the text that stood on the wire; normalising them is `address`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from xml.etree.ElementTree import Element

from simulator.xmpp.errors import RemoteProtocolError
from simulator.xmpp.namespaces import SERVER


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamHeader:
    """An opening ``<stream:stream>`` (RFC 6120 §4.7). None means the attribute is absent."""

    sender: str | None = None
    """The ``from`` attribute."""
    to: str | None = None
    id: str | None = None
    """Only the receiving entity sets it (§4.7.3)."""
    version: str | None = "1.0"
    lang: str | None = None
    content_namespace: str = SERVER
    dialback: bool = True
    """Whether the dialback namespace is declared (XEP-0220 §2.4.1)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamFeatures:
    """``<stream:features/>`` with its children (RFC 6120 §4.3.2)."""

    features: tuple[Element, ...] = ()


DialbackType = Literal["valid", "invalid", "error"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DialbackResult:
    """``<db:result/>``: a request when `type` is None, else the answer (XEP-0220 §2.1.1, §2.2.1)."""

    sender: str | None
    to: str | None
    key: str = ""
    type: str | None = None
    """A DialbackType; anything else is kept as it stood on the wire."""
    condition: str | None = None
    """The stanza error condition when `type` is ``error`` (§2.5)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DialbackVerify:
    """``<db:verify/>``: a request when `type` is None, else the answer (XEP-0220 §2.1.2, §2.2.2)."""

    sender: str | None
    to: str | None
    id: str | None
    key: str = ""
    type: str | None = None
    condition: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stanza:
    """A message, presence or iq in the content namespace."""

    element: Element


@dataclass(frozen=True, kw_only=True, slots=True)
class Nonza:
    """Any other first-level element, of whatever namespace."""

    element: Element


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamError:
    """``<stream:error/>`` (RFC 6120 §4.9)."""

    condition: str
    """A StreamCondition; an unknown one is kept as it stood on the wire."""
    text: str = ""
    content: str = ""
    """What stands inside the condition itself: the host of see-other-host (§4.9.3.19)."""
    children: tuple[Element, ...] = field(default=())
    """Application-specific conditions."""


@dataclass(frozen=True, slots=True)
class StreamClosed:
    """``</stream:stream>``."""


@dataclass(frozen=True, slots=True)
class Violation:
    """The peer broke the protocol; nothing after it is parsed. Only received, never sent."""

    error: RemoteProtocolError


Event = (
    StreamHeader
    | StreamFeatures
    | DialbackResult
    | DialbackVerify
    | Stanza
    | Nonza
    | StreamError
    | StreamClosed
    | Violation
)
