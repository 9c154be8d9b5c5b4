"""From bytes to headers and elements, across the restarts of a stream.

Knows where one stream ends and the next begins (RFC 6120 §4.3.3). Does not know what anything means.
"""

from __future__ import annotations

from simulator.xmpp.events import StreamHeader
from simulator.xmpp.header import negotiated_version
from simulator.xmpp.parser import Parsed, StreamParser

#: How a header begins, and nothing else that is XMPP.
_OPENINGS = (b"<?xml", b"<stream:stream", b"<stream ")


class Reader:
    """Reads one stream after the other on the same connection."""

    def __init__(self) -> None:
        self._parser = StreamParser()
        self._undecided: bytes | None = None

    @property
    def header(self) -> StreamHeader | None:
        """The header of this stream, also when it is refused."""
        return self._parser.header

    def renew(self) -> None:
        """What comes from now on is another stream."""
        self._parser, self._undecided = StreamParser(), None

    def expect_renewal(self) -> None:
        """Another stream begins with the next header; what comes before that belongs to this one.

        Once SASL has succeeded nobody can tell whether the peer keeps to RFC 6120 §6.3.2 and sends a new header.
        """
        self._undecided = b""

    def feed(self, data: bytes) -> list[Parsed]:
        """Read more bytes."""
        if self._undecided is None:
            return self._parser.feed(data)

        held = self._undecided + data
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
