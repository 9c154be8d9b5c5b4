"""What stays of a partner's stream: the elements that wait for a step, and how it ended.

Knows values only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from simulator.xmpp.namespaces import STREAM_ERRORS


@dataclass
class Ending:
    """How a stream ended; filled as it happens."""

    condition: str = ""
    text: str = ""
    closing_tag: bool = False
    """The peer said ``</stream:stream>``."""
    tcp: str = ""
    """fin, reset or timeout; local when we ended the connection; empty while it lives."""
    by: str = ""
    """Who began it: us or them."""
    tls: str = ""
    """Why TLS failed, in the handshake or later."""
    close_notify: bool = False
    """The peer ended TLS in order."""
    entry: int | None = None
    """The number of the `ended` entry in the journal."""

    def said(self) -> dict[str, Any]:
        """The data of an `ended` entry, bar how TCP ended and who began it."""
        data = {
            "condition": self.condition,
            "text": self.text,
            "closing_tag": self.closing_tag,
            "tls": self.tls,
            "close_notify": self.close_notify,
        }

        return {name: value for name, value in data.items() if value}

    def hear(self, error: Element) -> None:
        """Take in a stream error of the peer (RFC 6120 §4.9.2)."""
        for child in error:
            namespace, _, name = child.tag[1:].rpartition("}")

            if namespace == STREAM_ERRORS and name == "text":
                self.text = child.text or ""
            elif namespace == STREAM_ERRORS and not self.condition:
                self.condition = name

        self.by = self.by or "them"


@dataclass(frozen=True)
class Arrived:
    """A first-level element that waits for a step: its entry in the journal and itself."""

    entry: int
    element: Element
    xml: str
