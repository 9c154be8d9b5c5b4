"""One connection of a partner with the system: bytes both ways in the journal, elements in order, how it ended.

Knows how a stream is opened, read and closed. Does not know what to answer: that is `partner.automation` for streams
that run by themselves, and a scenario's steps for the others.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from simulator.journal import Journal
from simulator.wire.connection import Connection
from simulator.world.partner import words
from simulator.world.partner.ending import Arrived, Ending
from simulator.world.quirks import Behaviour
from simulator.xmpp.element import serialize
from simulator.xmpp.events import StreamClosed, StreamHeader
from simulator.xmpp.header import negotiated_version
from simulator.xmpp.namespaces import DIALBACK, STREAMS
from simulator.xmpp.parser import StreamParser

#: Seconds that we wait for the peer's FIN once both closing tags are said (RFC 6120 §4.4).
PATIENCE = 0.5
#: Seconds for the same when the world ends.
FAREWELL = 0.05


class StreamOver(Exception):  # noqa: N818 - says what happened, it need not be wrong
    """The stream ended while something was awaited on it."""


class PartnerStream:
    """A stream that a partner dialled or accepted.

    `on_header` and `on_element` make it automatic: `on_element` returns why an element needs no step (and what to do
    once it is recorded), or None for one that nobody expected. Without them the stream is scripted: its elements wait
    in `elements`.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        journal: Journal,
        actor: str,
        label: str,
        behaviour: Behaviour,
        dialed: bool,
        host: str = "",
    ) -> None:
        self.connection, self.label, self.behaviour, self.dialed = connection, label, behaviour, dialed
        self.journal, self.actor = journal, actor
        self.own_id = ""
        """The id that we gave this stream (accepted ones)."""
        self.header: StreamHeader | None = None
        """The peer's header."""
        self.features: Element | None = None
        self.ending = Ending()
        self.elements: deque[Arrived] = deque()
        self.verified: set[tuple[str, str]] = set()
        """Pairs (sender domain, target domain) whose stanzas may flow here."""
        self.key = ""
        """The last dialback key that was offered on it."""
        self.awaits_result = False
        """A key was offered here and not yet answered."""
        self.on_header: Callable[[StreamHeader], None] | None = None
        self.on_element: Callable[[Element], tuple[str, Callable[[], None]] | None] | None = None
        self.on_over: Callable[[], None] | None = None
        self._parser = StreamParser()
        self._header_sent = self._closing_sent = False
        self._version: str | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._segments: deque[bytes] = deque()
        self._patience: asyncio.TimerHandle | None = None
        self._held: bytearray | None = None
        self.reads_for = ""
        """Why the dialback elements that come on it need no step; empty: they do."""
        self.deaf = False
        """What comes is recorded and not read."""
        self.last_entry = -1
        """The entry of the element that is being reacted to."""
        journal.record(
            "opened",
            actor,
            label,
            local="{}:{}".format(*connection.local),
            remote="{}:{}".format(*connection.remote),
            by="us" if dialed else "them",
            **({"host": host} if host else {}),
        )

    def begin(self) -> None:
        """Read what the peer sends."""
        self.connection.on_data = self._receive
        self.connection.on_closed = self._over

    @property
    def id(self) -> str:
        """The stream id: ours when the peer opened the stream, else the peer's (RFC 6120 §4.7.3)."""
        return (self.header.id or "" if self.header else "") if self.dialed else self.own_id

    @property
    def over(self) -> bool:
        """The connection is gone."""
        return bool(self.ending.tcp)

    # -- saying

    def send_header(self, header: words.Header) -> None:
        """Open our half of the stream."""
        self._header_sent = True
        self._version = header.version if header.raw is None else "1.0" if "version=" in header.raw else None
        self.own_id = self.own_id if self.dialed else header.id or ""
        self.send_bytes(header.text().encode())

    def send_xml(self, xml: str) -> None:
        """Send text as it stands, bar what the behaviour adds (white space, a namespace)."""
        if self.dialed and ":result" in xml and "type=" not in xml:
            self.awaits_result = True

        self.send_bytes((self.behaviour.whitespace + words.qualified(self.behaviour, xml)).encode())

    def send_bytes(self, data: bytes, segment: int = 0) -> None:
        """Send bytes, cut into pieces of `segment` bytes (0: what the behaviour says)."""
        if self.connection.closed or not data:
            return

        segment = segment or self.behaviour.segment
        self.journal.record_bytes("sent", self.actor, self.label, data)

        if not segment and not self._segments:
            self.connection.write(data)
            return

        began = bool(self._segments)
        self._segments.extend(
            data[at : at + (segment or len(data))] for at in range(0, len(data), segment or len(data))
        )

        if not began:
            self._send_segment()

    def fail(self, condition: str, text: str = "") -> None:
        """End the stream with an error (RFC 6120 §4.9); our header goes first if it has not been sent (§4.9.1.2)."""
        if not self._header_sent:
            self.send_header(words.header(self.behaviour, sender=self.actor, to=None, stream_id=self.own_id or "error"))

        self.send_xml(words.stream_error(self.behaviour, condition, text))
        self.close()

    def close(self) -> None:
        """Say ``</stream:stream>`` and wait for the peer's, a while."""
        if self._closing_sent or self.connection.closed:
            return

        self.ending.by = self.ending.by or "us"
        self._closing_sent = True
        self.send_bytes(words.closing(self.behaviour).encode())
        self._end_soon()

    def drop(self, how: str = "fin") -> None:
        """End the TCP connection without a word: fin or reset."""
        self.ending.by = self.ending.by or "us"

        if how == "reset":
            self._segments.clear()
            self.connection.abort()
        else:
            self.connection.close()

    # -- awaiting; the caller bounds the wait

    async def arrived_header(self) -> StreamHeader:
        """The peer's header; raises StreamOver."""
        await self._until(lambda: self.header is not None)
        assert self.header

        return self.header

    async def arrived_features(self) -> Element | None:
        """The features of the peer, None when its version has none (RFC 6120 §4.3.2); raises StreamOver."""
        header = await self.arrived_header()

        if not (_has_features(self._version) and _has_features(header.version)):
            return None

        await self._until(lambda: self.features is not None)

        return self.features

    async def next_element(self, choose: Callable[[list[str]], int | None] = lambda waiting: 0) -> Arrived:
        """The next element that waits for a step, or the one of them (as XML) that is chosen; raises StreamOver."""
        while True:
            await self._until(lambda: bool(self.elements))
            number = choose([arrived.xml for arrived in self.elements])

            if number is not None:
                arrived = self.elements[number]
                del self.elements[number]
                return arrived

            seen = len(self.elements)
            await self._until(lambda: len(self.elements) != seen)  # noqa: B023 - awaited before `seen` changes

    async def sent(self) -> None:
        """Wait until everything that was cut into segments has left."""
        await self._until(lambda: not self._segments)

    async def ended(self) -> Ending:
        """Wait for the end of the connection."""
        while not self.over:
            await self._change()

        return self.ending

    async def _until(self, true: Callable[[], bool]) -> None:
        while not true():
            if self.over:
                raise StreamOver(f"the stream {self.label} is over")

            await self._change()

    async def _change(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    def _changed(self) -> None:
        waiting, self._waiting = self._waiting, []

        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    # -- hearing

    def hold(self) -> None:
        """Record what comes, but do not read it until `release`."""
        self._held = bytearray()

    def release(self) -> None:
        """Read what came meanwhile, and whatever comes from now on."""
        held, self._held = self._held, None

        if held:
            self._read(bytes(held))

    def _receive(self, data: bytes) -> None:
        self.journal.record_bytes("received", self.actor, self.label, data)

        if self._held is not None:
            self._held += data
        elif not self.deaf:
            self._read(data)

    def _read(self, data: bytes) -> None:
        for event in self._parser.feed(data):
            if isinstance(event, Element):
                self._element(event)
            elif isinstance(event, StreamHeader):
                self.header = event

                if self.on_header:
                    self.on_header(event)
            elif isinstance(event, StreamClosed):
                self._closed_by_peer()
            else:
                self.header = self.header or self._parser.header
                self._violated(event.error.condition.value, event.error.text)

        self._changed()

    def _element(self, element: Element) -> None:
        if element.tag == f"{{{STREAMS}}}error":
            self.ending.hear(element)
            return

        if element.tag == f"{{{STREAMS}}}features" and self.dialed and self.features is None:
            self.features = element
            self._record(element, "negotiation")
            return

        if element.tag == f"{{{DIALBACK}}}result" and "type" in element.attrib:
            self.awaits_result = False

        if self.on_element:
            reaction = self.on_element(element)

            if reaction:
                self.last_entry = self._record(element, reaction[0])
                reaction[1]()
                return

        handled = self.reads_for if element.tag.startswith(f"{{{DIALBACK}}}") else ""
        xml = serialize(element).decode()
        self.elements.append(Arrived(self._record(element, handled, xml), element, xml))

    def _record(self, element: Element, handled: str, xml: str = "") -> int:
        data: dict[str, Any] = {"handled": handled} if handled else {}

        return self.journal.record("element", self.actor, self.label, xml=xml or serialize(element).decode(), **data)

    def _closed_by_peer(self) -> None:
        self.ending.closing_tag = True
        self.ending.by = self.ending.by or "them"

        # RFC 6120 §4.4: the closing tag is answered with ours; then the one that began ends TCP.
        if not self.behaviour.closes:
            return

        if not self._closing_sent and self._header_sent:
            self._closing_sent = True
            self.send_bytes(words.closing(self.behaviour).encode())
            self._end_soon()
        else:
            self.connection.close()

    def _violated(self, condition: str, text: str) -> None:
        """The peer sent what is no XMPP: nobody announces that, so it fails the scenario."""
        self.journal.record("element", self.actor, self.label, xml="", violation=condition, text=text)
        self.deaf = True
        self.fail(condition, text)
        # Whatever else comes cannot be read: no closing tag is waited for.
        self.connection.close()

    # -- the end

    def _end_soon(self) -> None:
        if not self._patience:
            self._patience = asyncio.get_running_loop().call_later(PATIENCE, self.connection.close)

    def _over(self, how: str, error: Exception | None) -> None:
        if self._patience:
            self._patience.cancel()

        ending = self.ending
        ending.tcp = how
        ending.by = ending.by or ("us" if how == "local" else "them")
        data = {"condition": ending.condition, "text": ending.text, "closing_tag": ending.closing_tag}
        kept = {name: value for name, value in data.items() if value}
        ending.entry = self.journal.record("ended", self.actor, self.label, tcp=how, by=ending.by, **kept)

        if self.on_over:
            self.on_over()

        self._changed()

    async def gone(self) -> None:
        """Wait a moment for an orderly end, then break off."""
        try:
            async with asyncio.timeout(FAREWELL):
                await self.ended()
        except TimeoutError:
            self.connection.abort()
            await self.ended()

    def _send_segment(self) -> None:
        # One piece per turn of the loop: the connection joins what is written within one turn.
        if self._segments and not self.connection.closed:
            self.connection.write(self._segments.popleft())

            if not self._segments:
                self._changed()

            asyncio.get_running_loop().call_soon(self._send_segment)


def _has_features(version: str | None) -> bool:
    """RFC 6120 §4.3.2: features are sent when both headers say 1.0 or above (§4.7.5: absent means 0.9)."""
    return (negotiated_version(version) or (0, 9)) >= (1, 0)
