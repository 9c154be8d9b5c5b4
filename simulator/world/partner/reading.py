"""From bytes to headers and elements, across the restarts of a stream.

Knows where one stream ends and the next begins, or TLS does (RFC 6120 §4.3.3 and §5.4.3). Does not know what anything
else means.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from simulator.xmpp.events import StreamHeader
from simulator.xmpp.header import negotiated_version
from simulator.xmpp.namespaces import SASL, TLS
from simulator.xmpp.parser import Parsed, StreamParser

#: How a header begins, and nothing else that is XMPP.
_OPENINGS = (b"<?xml", b"<stream:stream", b"<stream ")

_PROCEED = f"{{{TLS}}}proceed"
_SUCCESS = f"{{{SASL}}}success"


class Reader:
    """Reads one stream after the other on the same connection."""

    def __init__(self) -> None:
        self._parser = StreamParser()
        self._undecided: bytes | None = None
        self._held: bytes | None = None
        self._expects_tls = self._succeeds = False
        self.rest = b""
        """What came behind ``<proceed/>``: it is no XMPP, whatever it looks like."""

    @property
    def header(self) -> StreamHeader | None:
        """The header of this stream, also when it is refused."""
        return self._parser.header

    def renew(self) -> None:
        """What comes from now on is another stream."""
        self._parser, self._undecided, self._expects_tls = StreamParser(), None, False

    def expect_renewal(self) -> None:
        """Another stream begins with the next header; what comes before that belongs to this one.

        Once SASL has succeeded nobody can tell whether the peer keeps to RFC 6120 §6.3.2 and sends a new header.
        """
        self._undecided = self._undecided or b""

    def expect_tls(self) -> None:
        """``<starttls/>`` was said: reading ends with ``<proceed/>``."""
        self._expects_tls = True

    def hold(self) -> None:
        """Keep what comes, until `release`."""
        self._held = self._held or b""

    def release(self) -> bytes:
        """Go on; returns what was kept, which is to be fed now."""
        held, self._held = self._held or b"", None

        return held

    def feed(self, data: bytes) -> list[Parsed]:
        """Read more bytes."""
        if self._held is not None:
            self._held += data
            return []

        if self._expects_tls:
            return self._feed_up_to_tls(data)

        if self._undecided is not None:
            return self._feed_or_renew(self._undecided + data)

        if self._succeeds or b"success" in data:
            return self._feed_up_to_success(data)

        return self._parser.feed(data)

    def _feed_up_to_tls(self, data: bytes) -> list[Parsed]:
        parsed: list[Parsed] = []

        # Byte by byte, for the parser does not say where in its bytes an element ends.
        for at in range(len(data)):
            parsed += self._parser.feed(data[at : at + 1])

            if parsed and isinstance(parsed[-1], Element) and parsed[-1].tag == _PROCEED:
                self.rest = data[at + 1 :]
                break

        return parsed

    def _feed_up_to_success(self, data: bytes) -> list[Parsed]:
        """A peer that did not have to wait for us may put its new header into one piece with ``<success/>``."""
        parsed: list[Parsed] = []

        for at in range(len(data)):
            parsed += self._parser.feed(data[at : at + 1])

            if parsed and isinstance(parsed[-1], Element) and parsed[-1].tag == _SUCCESS:
                self._succeeds = False
                return parsed + self._feed_or_renew(data[at + 1 :])

        # It may be there in part.
        self._succeeds = not parsed

        return parsed

    def _feed_or_renew(self, held: bytes) -> list[Parsed]:
        begun = held.lstrip()

        if any(opening.startswith(begun) for opening in _OPENINGS):
            self._undecided = held
            return []

        if begun.startswith(_OPENINGS):
            self.renew()
            return self._parser.feed(begun)

        self._undecided = b""

        return self._parser.feed(held)


def ignore(_: bytes) -> None:
    """Read nothing of what comes."""


def has_features(version: str | None) -> bool:
    """RFC 6120 §4.3.2: features are sent when both headers say 1.0 or above (§4.7.5: absent means 0.9)."""
    return (negotiated_version(version) or (0, 9)) >= (1, 0)
