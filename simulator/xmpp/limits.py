"""How much of an unread stream we are willing to hold for a stranger.

Knows numbers only; `parser` enforces them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds on what one stream may send. Whatever is larger ends it with policy-violation.

    RFC 6120 §13.12: "A server implementation SHOULD enable a server administrator to limit the size of stanzas";
    the floor is 10000 bytes there, so a smaller `stanza_bytes` is a test's wish, not an operator's.
    """

    stanza_bytes: int = 262_144
    """From the ``<`` to the last ``>`` of one first-level element, in bytes of UTF-8 on the wire."""
    header_bytes: int = 8_192
    """From the first byte of the stream to the ``>`` of its header."""
    depth: int = 64
    """Elements within each other; a first-level element is at depth 1."""
    attributes: int = 64
    """On one element, namespace declarations not counted."""
