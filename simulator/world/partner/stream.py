"""One connection of a partner with the system: bytes both ways in the journal, elements in order, how it ended.

Knows how a stream is opened, secured, read and closed. Does not know what to answer: that is `partner.automation` for
streams that run by themselves, and a scenario's steps for the others. What it records as sent and received is what TLS
protects, not its ciphertext.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from simulator.journal import Journal
from simulator.wire.connection import Connection
from simulator.wire.rough import give_back, heard_close_notify, truncate
from simulator.wire.tls import ResumableSession, TLSContext, TLSError, TLSInfo
from simulator.world.behaviour import Behaviour
from simulator.world.partner import words
from simulator.world.partner.ending import Arrived, Ending
from simulator.world.partner.reading import Reader, has_features, ignore
from simulator.world.partner.segments import Segments
from simulator.world.partner.shown import described
from simulator.world.partner.waiting import Choice, StreamOver, Waiting, first
from simulator.xmpp.element import serialize
from simulator.xmpp.events import StreamClosed, StreamHeader
from simulator.xmpp.namespaces import DIALBACK, SASL, STREAMS

DIALBACK_METHOD, EXTERNAL_METHOD = "dialback", "SASL EXTERNAL"

#: Seconds that we wait for the peer's FIN once both closing tags are said (RFC 6120 §4.4).
PATIENCE = 0.5
#: Seconds for the same when the world ends.
FAREWELL = 0.05

__all__ = ["DIALBACK_METHOD", "EXTERNAL_METHOD", "PartnerStream", "StreamOver"]


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
        self._waiting = Waiting(lambda: f"the stream {label} is over" if self.over else "")
        self.elements = self._waiting.elements
        self.verified: set[tuple[str, str]] = set()
        """Pairs (sender domain, target domain) whose stanzas may flow here."""
        self.pair = actor, ""
        """Sender and target of the header that we opened it with."""
        self.key = ""
        """The last dialback key that was offered on it."""
        self.awaits_result = False
        """A key was offered here and not yet answered."""
        self.on_header: Callable[[StreamHeader], None] | None = None
        self.on_element: Callable[[Element], tuple[str, Callable[[], None]] | None] | None = None
        self.on_over: Callable[[], None] | None = None
        self._reader = Reader()
        self._header_sent = self._closing_sent = False
        self._version: str | None = None
        self._segments = Segments(connection, self._waiting.changed)
        self._patience: asyncio.TimerHandle | None = None
        self.accounted: dict[str, str] = {}
        """Namespaces, and ids, of elements that need no step, with the reason."""
        self.tls: TLSInfo | None = None
        """What the handshake showed; None: the stream is in the clear, or the handshake is not over."""
        self.securing = False
        """TLS has begun, whether or not the handshake is over."""
        self.method = ""
        """By what the last pair was authenticated, such as "SASL EXTERNAL over TLS"."""
        self.on_bytes: Callable[[bytes], None] | None = None
        """Gets what comes instead of the parser, once it is recorded; see `ignore`."""
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

    @property
    def authenticated_by_sasl(self) -> bool:
        """SASL EXTERNAL has succeeded on it."""
        return self.method.startswith(EXTERNAL_METHOD)

    # -- beginning anew

    def secure(
        self, context: TLSContext, server_name: str | None = None, *, resume: ResumableSession | None = None
    ) -> None:
        """Begin TLS in the role that the context has, if the peer is still there; `secured` waits for the handshake."""
        self.securing = True
        self.restart()
        self.connection.on_secured = self._secured

        if not self.connection.closed:
            self.connection.start_tls(context, server_name, resume=resume)

    def restart(self) -> None:
        """Forget both headers: a new stream begins on this connection (RFC 6120 §4.3.3)."""
        self._reader.renew()
        self._forget()

    def expect_restart(self) -> None:
        """The peer may begin a new stream: what it sends before its new header is still read."""
        self._reader.expect_renewal()

        if not self.dialed:
            self._forget()

    def _forget(self) -> None:
        self.header = self.features = None
        self._header_sent = False

    def _secured(self, info: TLSInfo) -> None:
        self.tls = info
        by = "us" if self.dialed else "them"
        self.journal.record("secured", self.actor, self.label, **described(info), by=by)
        self._waiting.changed()

    def authenticated(self, method: str, sender: str, target: str) -> None:
        """Stanzas of this pair may flow from now on; `method` is dialback or SASL EXTERNAL."""
        pair = sender.lower(), target.lower()
        self.method = f"{method} over {'TLS' if self.tls else 'TCP'}"
        self.verified.add(pair)
        self.journal.record("authenticated", self.actor, self.label, method=self.method, pair=list(pair))

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

        if self.dialed and xml.lstrip().startswith("<starttls"):
            self._reader.expect_tls()

        # RFC 6120 §6.4.6: upon sending <success/>, a new stream begins with the header of the peer.
        if not self.dialed and xml.lstrip().startswith("<success"):
            self.expect_restart()

    def send_bytes(self, data: bytes, segment: int = 0) -> None:
        """Send bytes, cut into pieces of `segment` bytes (0: what the behaviour says)."""
        if self.connection.closed or not data:
            return

        self.journal.record_bytes("sent", self.actor, self.label, data)
        self._segments.send(data, segment or self.behaviour.segment)

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
        elif self.behaviour.says_close_notify:
            self.connection.close()
        else:
            truncate(self.connection)

    # -- awaiting; the caller bounds the wait

    async def secured(self) -> TLSInfo:
        """Wait until the handshake is over; raises StreamOver."""
        await self._waiting.until(lambda: self.tls is not None)
        assert self.tls

        return self.tls

    async def arrived_header(self) -> StreamHeader:
        """The peer's header; raises StreamOver."""
        await self._waiting.until(lambda: self.header is not None)
        assert self.header

        return self.header

    async def arrived_features(self) -> Element | None:
        """The features of the peer, None when its version has none (RFC 6120 §4.3.2); raises StreamOver."""
        header = await self.arrived_header()

        if not (has_features(self._version) and has_features(header.version)):
            return None

        await self._waiting.until(lambda: self.features is not None)

        return self.features

    async def next_element(self, choose: Choice = first) -> Arrived:
        """The next element that waits for a step, or the one of them (as XML) that is chosen; raises StreamOver."""
        return await self._waiting.element(choose)

    async def sent(self) -> None:
        """Wait until everything that was cut into segments has left."""
        await self._waiting.until(lambda: not self._segments)

    async def ended(self) -> Ending:
        """Wait for the end of the connection."""
        while not self.over:
            await self._waiting.change()

        return self.ending

    # -- hearing

    def hold(self) -> None:
        """Record what comes, but do not read it until `release`."""
        self._reader.hold()

    def release(self) -> None:
        """Read what came meanwhile, and whatever comes from now on."""
        self._read(self._reader.release())

    def _receive(self, data: bytes) -> None:
        self.journal.record_bytes("received", self.actor, self.label, data)
        (self.on_bytes or self._read)(data)

    def _read(self, data: bytes) -> None:
        for event in self._reader.feed(data):
            if isinstance(event, Element):
                self._element(event)
            elif isinstance(event, StreamHeader):
                self.header = event

                if self.on_header:
                    self.on_header(event)
            elif isinstance(event, StreamClosed):
                self._closed_by_peer()
            else:
                self.header = self.header or self._reader.header
                self._violated(event.error.condition.value, event.error.text)

        if self._reader.rest:
            # Where TLS begins the rest is its business.
            rest, self._reader.rest = self._reader.rest, b""
            give_back(self.connection, rest)

        self._waiting.changed()

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

        if element.tag == f"{{{SASL}}}success" and self.dialed:
            self.expect_restart()

        if self.on_element:
            reaction = self.on_element(element)

            if reaction:
                self.last_entry = self._record(element, reaction[0])
                reaction[1]()
                return

        namespace = element.tag[1:].partition("}")[0]
        handled = self.accounted.get(namespace) or self.accounted.get(element.get("id", ""), "")
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
        self.on_bytes = ignore
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
        ending.close_notify = heard_close_notify(self.connection)

        if self.securing and (isinstance(error, TLSError) or self.tls is None):
            ending.tls = str(error or "the connection ended during the handshake")

        data = ending.said()
        ending.entry = self.journal.record("ended", self.actor, self.label, tcp=how, by=ending.by, **data)

        if self.on_over:
            self.on_over()

        self._waiting.changed()

    async def gone(self) -> None:
        """Wait a moment for an orderly end, then break off."""
        try:
            async with asyncio.timeout(FAREWELL):
                await self.ended()
        except TimeoutError:
            self.connection.abort()
            await self.ended()
