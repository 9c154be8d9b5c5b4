"""A gateway in processes that are killed, a link that is cut, a partner and a user who keep account of every message.

Knows what each of the two people was told. Does not know what that proves: that is `test_killed`.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import yaml

from simulator.sip.framing import Frame, MessageReader
from simulator.sip.message import Response, build_request, build_response, parse_message
from simulator.wire.connection import Connection, open_connection
from simulator.wire.listener import Listener, listen
from simulator.world.systems.child import Child
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


class Part:
    """One process of the gateway, which can be started again."""

    def __init__(self, name: str, file: Path) -> None:
        self.name, self._file = name, file
        self.child = Child(name)

    async def start(self) -> None:
        if self.child.ended.is_set():
            await self.child.end()
            self.child = Child(self.name)

        command = ("-m", "simulator", "gateway", "--config", str(self._file), "--role", self.name)
        await self.child.start(sys.executable, *command, read_stdout=True)
        line = await asyncio.wait_for(self.child.stdout.readline(), PATIENCE)
        assert line.startswith(b"s2sim gateway ready"), self.child.last_lines(20)

    async def kill(self) -> None:
        await self.child.kill()


class Relay:
    """Stands between front end and edge: it passes bytes, until it is cut or swallows them."""

    def __init__(self, host: str, port: int, to: tuple[str, int]) -> None:
        self._host, self._port, self._to = host, port, to
        self._swallows = self._refuses = False
        self._pairs: set[tuple[Connection, Connection]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._listener = await listen(self._host, self._port, self._accepted)

    async def stop(self) -> None:
        await self._listener.close()
        self.cut()

    def _accepted(self, connection: Connection) -> None:
        if self._refuses:
            connection.abort()
            return

        task = asyncio.create_task(self._join(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join(self, near: Connection) -> None:
        try:
            far = await open_connection(*self._to, timeout=5)
        except OSError:
            near.abort()
            return

        self._pairs.add((near, far))

        for one, other in ((near, far), (far, near)):
            one.on_data = lambda data, other=other: None if self._swallows else other.write(data)  # type: ignore[misc]
            one.on_closed = lambda how, error, other=other: other.abort()  # type: ignore[misc]

    def cut(self) -> None:
        """Break every connection (RST), and take no new one until `mend`."""
        self._refuses = True

        for near, far in self._pairs:
            near.abort()
            far.abort()

        self._pairs.clear()

    def swallow(self) -> None:
        """Let everything vanish that is said from now on; nobody is told."""
        self._swallows = True

    def mend(self) -> None:
        if self._swallows:
            self.cut()

        self._swallows = self._refuses = False


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
        for connection in self._connections:
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


def write_files(folder: Path, words: dict[str, Any], hosts: dict[str, str]) -> tuple[Path, Path]:
    """The files of the edge and of the front end, which seeks the edge at the relay."""
    files = []

    for name, link in (("edge", hosts["edge"]), ("front-end", hosts["relay"])):
        edge = {**words["edge"], "host": hosts["edge"], "port": 5269, "link-host": link, "link-port": 23456}
        file = folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump({**words, "edge": edge}), encoding="utf-8")
        files.append(file)

    return files[0], files[1]


def pace(seeded: random.Random) -> float:
    """A pause between two messages, in seconds: short, and never the same."""
    return seeded.random() * 0.01
