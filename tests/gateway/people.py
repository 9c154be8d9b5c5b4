"""A partner and a user who keep account of every message: what they sent, what they got, what they were told.

Knows what each of the two people was told. Does not know what that proves: that is for tests.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Callable
from xml.etree.ElementTree import Element

from simulator.sip.framing import Frame, MessageReader
from simulator.sip.message import Response, build_request, build_response, parse_message
from simulator.wire.connection import Connection, open_connection
from simulator.wire.listener import Listener, listen
from simulator.xmpp.element import parse_element
from simulator.xmpp.events import (
    DialbackResult,
    DialbackVerify,
    Event,
    Stanza,
    StreamClosed,
    StreamFeatures,
    StreamHeader,
)
from simulator.xmpp.stream import Stream

PATIENCE = 30.0
CONTOSO = "contoso.com"
#: octets of a message of alice: several fill the buffers on the way to a partner who does not read
SIZE = 6000


async def until(what: Callable[[], bool], says: str) -> None:
    """Wait until something is so; says what was waited for."""
    pause = 0.002

    try:
        async with asyncio.timeout(PATIENCE):
            while not what():
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, 0.1)
    except TimeoutError:
        raise AssertionError(f"waited in vain until {says}") from None


class Outgoing:
    """A stream of the partner to the gateway. What was sent on it, in order; `over` when it has ended."""

    def __init__(self, sender: str) -> None:
        self.sender = sender
        self.sent: list[str] = []
        self.ready = self.over = False
        self._stream = Stream(True, strict=False)
        self.connection: Connection | None = None

    async def open(self, host: str) -> bool:
        """Whether it can be had."""
        try:
            self.connection = await open_connection(host, 5269, timeout=2)
        except OSError:
            self.over = True
            return False

        self.connection.on_data, self.connection.on_closed = self._received, self._closed
        self._send(StreamHeader(sender=self.sender, to=CONTOSO))
        await until(lambda: self.ready or self.over, f"the gateway takes a stream of {self.sender}")

        return self.ready

    def send(self, name: str, *texts: str) -> bool:
        """Send stanzas; False when the stream is known to be over."""
        if self.over:
            return False

        for text in texts:
            self._send(Stanza(element=parse_element(text)))

        self.sent.append(name)

        return True

    def _send(self, event: Event) -> None:
        assert self.connection is not None
        self.connection.write(self._stream.send(event))

    def _received(self, data: bytes) -> None:
        for event in self._stream.receive(data):
            if isinstance(event, StreamFeatures):
                self._send(DialbackResult(sender=self.sender, to=CONTOSO, key="key"))
            elif isinstance(event, DialbackResult):
                assert event.type == "valid", event
                self.ready = True
            elif isinstance(event, StreamClosed):
                self.over = True
                assert self.connection is not None
                self.connection.close()

    def _closed(self, how: str, error: Exception | None) -> None:
        self.over = True


class Partner:
    """The server of both partners' domains: it takes every stanza, vouches for every key, and remembers."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.bodies: list[str] = []
        self.errors: set[str] = set()
        self.answered: set[str] = set()
        """Ids of questions that came back, as result or as error."""
        self.presences: list[tuple[str, str, str]] = []
        """From, to and type, in order."""
        self.streams: list[Outgoing] = []
        self._connections: list[Connection] = []
        self._carrying: list[Connection] = []
        """Those on which stanzas come; on others the gateway asks about keys, for which the partner has always time."""

    async def start(self) -> None:
        self._listener: Listener = await listen(self.host, 5269, self._accepted)

    async def stop(self) -> None:
        await self._listener.close()

        for connection in (*self._connections, *(each.connection for each in self.streams)):
            if connection is not None:
                connection.abort()

    async def stream(self, sender: str, host: str) -> Outgoing | None:
        """A stream from a domain to the gateway at `host`: the one that there is, or a new one; None if none is had."""
        for stream in self.streams:
            if stream.sender == sender and stream.ready and not stream.over:
                return stream

        self.streams.append(stream := Outgoing(sender))

        return stream if await stream.open(host) else None

    def be_busy(self, busy: bool) -> None:
        """Read nothing that the gateway sends, for a while: it piles up in buffers on the way."""
        for connection in self._carrying:
            if not connection.closed:
                connection.pause_reading() if busy else connection.resume_reading()

    def _accepted(self, connection: Connection) -> None:
        stream = Stream(False, strict=False)
        self._connections.append(connection)
        assert connection._transport is not None
        # A small window: what is not read soon fills the buffers of the sender.
        sock = connection._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        def received(data: bytes) -> None:
            for event in stream.receive(data):
                if isinstance(event, DialbackResult):
                    self._carrying.append(connection)

                for answer in self._answers(event):
                    connection.write(stream.send(answer))

                if isinstance(event, StreamClosed):
                    connection.close()

        connection.on_data, connection.on_closed = received, lambda how, error: None

    def _answers(self, event: Event) -> list[Event]:
        if isinstance(event, StreamHeader):
            header = StreamHeader(sender=event.to, to=event.sender, id="s")

            return [header, StreamFeatures()]

        if isinstance(event, DialbackResult):
            return [DialbackResult(sender=event.to, to=event.sender, type="valid")]

        if isinstance(event, DialbackVerify):
            return [DialbackVerify(sender=event.to, to=event.sender, id=event.id, type="valid")]

        if isinstance(event, Stanza):
            self._took(event.element)

        return [StreamClosed()] if isinstance(event, StreamClosed) else []

    def _took(self, stanza: Element) -> None:
        kind, name = stanza.get("type", ""), stanza.get("id", "")

        if stanza.tag.endswith("}presence"):
            self.presences.append((stanza.get("from", ""), stanza.get("to", ""), kind))
        elif stanza.tag.endswith("}iq"):
            self.answered.add(name)
        elif kind == "error":
            self.errors.add(name)
        else:
            self.bodies.append((stanza.findtext("{jabber:server}body") or "").strip())


class User:
    """Alice: one connection at a time; what she sent, what she was told of it, and what she got."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._numbers = itertools.count(1)
        self.codes: dict[str, int] = {}
        """Name of a message -> the final code; 0 when the connection broke before."""
        self.bodies: list[str] = []
        self._connection: Connection | None = None
        self._pending: set[str] = set()
        self._registered = False
        self._holds = False
        self._unanswered: list[bytes] = []

    @property
    def settled(self) -> bool:
        return not self._pending

    async def sign_in(self) -> None:
        """Connect and register; takes as long as it takes for somebody to listen."""
        pause = 0.01

        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    self._connection = await open_connection(self._host, 5060, timeout=2)
                    break
                except OSError:
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 0.2)

        reader = MessageReader()
        self._connection.on_data = lambda data: self._received(reader, data)
        self._connection.on_closed = self._closed
        self._registered = False
        contact = ("Contact", f"<sip:alice@{self._host}:9>")
        self._request("REGISTER", f"sip:{CONTOSO}", "register", f"sip:alice@{CONTOSO}", (contact, ("Expires", "600")))
        await until(lambda: self._registered, "alice is registered")

    def vanish(self) -> None:
        if self._connection is not None:
            self._connection.abort()

    def hold(self, holds: bool) -> None:
        """Answer no message, for a while: others wait for her in the front end."""
        self._holds = holds

        if not holds and self._connection is not None:
            for answer in self._unanswered:
                self._connection.write(answer)

            self._unanswered.clear()

    def write(self, name: str, to: str) -> bool:
        """Send a message; False when the connection is known to be over."""
        if self._connection is None or self._connection.closed:
            return False

        self._pending.add(name)
        body = name.ljust(SIZE).encode()
        self._request("MESSAGE", f"sip:{to}", name, f"sip:{to}", (("Content-Type", "text/plain"),), body)

        return True

    def _request(
        self, method: str, uri: str, name: str, to: str, headers: tuple[tuple[str, str], ...], body: bytes = b""
    ) -> None:
        assert self._connection is not None
        number = next(self._numbers)
        always = (
            ("Via", f"SIP/2.0/TCP {self._host}:9;branch=z9hG4bK-{name}-{number}"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:alice@{CONTOSO}>;tag=a{number}"),
            ("To", f"<{to}>"),
            ("Call-ID", name),
            ("CSeq", f"{number} {method}"),
        )
        self._connection.write(build_request(method, uri, [*always, *headers], body))

    def _received(self, reader: MessageReader, data: bytes) -> None:
        assert self._connection is not None

        for frame in reader.receive(data):
            assert isinstance(frame, Frame)
            message = parse_message(frame.head, frame.body)

            if isinstance(message, Response):
                self._answered(message)
            elif message.method == "MESSAGE":
                self.bodies.append(message.body.decode())
                self._unanswered.append(build_response(message, 200, "", tag="b"))
                self.hold(self._holds)
            else:
                self._connection.write(build_response(message, 405, "", tag="b", headers=[("Allow", "MESSAGE")]))

    def _answered(self, response: Response) -> None:
        if response.cseq[1] == "REGISTER":
            assert response.code == 200, response.code
            self._registered = True
        elif response.code >= 200:
            self.codes[response.call_id] = response.code
            self._pending.discard(response.call_id)

    def _closed(self, how: str, error: Exception | None) -> None:
        for name in self._pending:
            self.codes[name] = 0

        self._pending.clear()
        self._unanswered.clear()
