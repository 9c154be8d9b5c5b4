"""A federated domain in raw bytes: it says what dialback wants to hear, and counts what comes then.

Knows XEP-0220 as patterns of bytes. Parses nothing, checks nothing: it must be cheap beside what is measured.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Protocol

_HEADER = (
    "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
    " xmlns:db='jabber:server:dialback' version='1.0'{}>"
)
_FEATURES = b"<stream:features><dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></stream:features>"
_REQUEST = re.compile(rb"<db:(result|verify)\b([^>]*)>[^<]+</db:(?:result|verify)>")
_ATTRIBUTE = re.compile(rb"\b(from|to|id)=['\"]([^'\"]*)")
_ID = re.compile(rb"<message\b[^>]*?\sid=['\"]b(\d+)['\"]")
_MESSAGE_END = b"</message>"
_CLOSING = b"</stream:stream>"

Note = Callable[[list[bytes]], None]


class Scanner(Protocol):
    """Finds what is counted."""

    def ids(self, data: bytes) -> list[bytes]:
        """Of all that is complete now."""


class MessageScanner:
    """Finds the ids of whole messages in a stream of bytes."""

    def __init__(self) -> None:
        self._rest = b""

    def ids(self, data: bytes) -> list[bytes]:
        """The ids of the messages that are complete now."""
        data = self._rest + data
        end = data.rfind(_MESSAGE_END) + len(_MESSAGE_END)

        if end < len(_MESSAGE_END):
            self._rest = data
            return []

        self._rest = data[end:]

        return _ID.findall(data, 0, end)


class _Accepted(asyncio.Protocol):
    """A stream that the system opened to us: answer every key and every question with valid, then count."""

    def __init__(self, partner: RawPartner) -> None:
        self._partner = partner
        self._buffer = b""
        self._open = self._counting = False
        self._scanner = partner.make_scanner()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        # Prosody asks for verification on this stream, too, once its own key was found valid.
        if not self._counting or b"<db:" in data:
            self._negotiate(data)

        if self._counting:
            self._partner.note(self._scanner.ids(data))

        if data.endswith(_CLOSING):
            self._transport.write(_CLOSING)
            self._transport.close()

    def _negotiate(self, data: bytes) -> None:
        self._buffer += data

        if not self._open and (at := self._buffer.find(b"<stream:stream")) >= 0 and b">" in self._buffer[at:]:
            self._open = True
            self._partner.opened += 1
            self._transport.write(_HEADER.format(f" id='s{self._partner.opened}'").encode() + _FEATURES)

        while match := _REQUEST.search(self._buffer):
            self._buffer = self._buffer[match.end() :]
            self._transport.write(_valid(match[1], dict(_ATTRIBUTE.findall(match[2]))))

            self._counting = self._counting or match[1] == b"result"


def _valid(kind: bytes, given: dict[bytes, bytes]) -> bytes:
    number = b" id='%b'" % given[b"id"] if b"id" in given else b""

    return b"<db:%b from='%b' to='%b'%b type='valid'/>" % (kind, given[b"to"], given[b"from"], number)


class RawPartner:
    """Listens for all domains that are not the system's; `note` gets the ids of messages that came.

    Something else is counted on streams that are accepted once `make_scanner` was changed.
    """

    def __init__(self) -> None:
        self.make_scanner: Callable[[], Scanner] = MessageScanner
        self.note: Note = lambda ids: None
        self.opened = 0
        self.address = ("", 0)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port of the loopback."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Accepted(self), "127.0.0.1", 0, backlog=1024)
        self.address = self._server.sockets[0].getsockname()

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()


class DialledStream(asyncio.Protocol):
    """A stream from a domain of ours to the system; `valid` is done when its key was found valid."""

    def __init__(self, sender: str, to: str) -> None:
        self.valid: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sender, self._to = sender, to
        self._received = b""
        self._asked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(_HEADER.format(f" from='{self._sender}' to='{self._to}'").encode())

    def data_received(self, data: bytes) -> None:
        if self.valid.done():
            return

        self._received += data

        if not self._asked and b"</stream:features>" in self._received:
            self._asked = True
            self._transport.write(f"<db:result from='{self._sender}' to='{self._to}'>key</db:result>".encode())
        elif re.search(rb"<db:result[^>]*type=['\"]valid['\"]", self._received):
            self.valid.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.valid.done():
            text = f"the stream from {self._sender} ended: {exc}; {self._received[-300:]!r}"
            self.valid.set_exception(ConnectionError(text))

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    def close(self) -> None:
        """Close the stream and the connection."""
        self._transport.write(_CLOSING)
        self._transport.close()


async def dial(place: tuple[str, int], sender: str, to: str) -> DialledStream:
    """Open a stream and authenticate it; raises OSError."""
    _, stream = await asyncio.get_running_loop().create_connection(lambda: DialledStream(sender, to), *place)

    async with asyncio.timeout(30):
        await stream.valid

    return stream
