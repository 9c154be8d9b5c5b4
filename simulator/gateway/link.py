"""The link between the two halves of the gateway: one XMPP stream over mutual TLS, front end to edge.

Knows how the link comes up, carries stanzas, and goes down. Does not know what the stanzas mean.

The front end is the client (`LinkClient`), the edge the server (`LinkListener`). Besides stanzas the edge sends
``<handed-over/>``: the ids of those messages that it wrote to an authenticated stream of a partner, so that the
front end can answer its SIP user truthfully. Whoever finds the link down is told at once (`LinkDown`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from xml.etree.ElementTree import Element

from simulator.gateway.configuration import Configuration
from simulator.wire.connection import Connection, open_connection
from simulator.wire.listener import Listener, listen
from simulator.wire.tls import client_context, server_context
from simulator.xmpp.errors import StreamCondition
from simulator.xmpp.events import (
    Event,
    Nonza,
    Stanza,
    StreamClosed,
    StreamError,
    StreamFeatures,
    StreamHeader,
    Violation,
)
from simulator.xmpp.limits import Limits
from simulator.xmpp.stream import Stream

LINK = "urn:s2sim:link"
HANDED_OVER = f"{{{LINK}}}handed-over"

Log = Callable[[str], None]


class LinkDown(ConnectionError):  # noqa: N818 - says what is the matter
    """The stanza cannot cross the link now: there is no other end, or it does not read. Nothing was sent."""


class _Session:
    """One connection of the link and the stream on it. `end` is told what comes."""

    def __init__(self, end: _LinkEnd, connection: Connection, *, initiating: bool, limits: Limits) -> None:
        self._end, self._initiating = end, initiating
        self.connection = connection
        self.stream = Stream(initiating, limits)
        self.over = asyncio.Event()
        self.was_up = False
        self.why = ""
        connection.on_data = self._received
        connection.on_closed = self._closed
        # A peer that authenticates and then says nothing would hold the place of a working one for ever.
        self._deadline = asyncio.get_running_loop().call_later(end.patience, self._too_slow)

    def write(self, event: Event) -> None:
        self.connection.write(self.stream.send(event))

    def finish(self, condition: StreamCondition | None = None, text: str = "") -> None:
        """Close in order, with a stream error if there is a reason; the owner hears of it from `_closed`."""
        if self.connection.closed:
            return

        self.why = self.why or text or (condition.value if condition else "")

        if self.stream.header is None:
            self.write(StreamHeader(sender=self._end.name, to=self._end.name))

        if condition is not None:
            self.write(StreamError(condition=condition, text=text))

        self.write(StreamClosed())
        self.connection.close()

    def _too_slow(self) -> None:
        self.why = "the other end did not open its stream in time"
        self.connection.abort()

    def _received(self, data: bytes) -> None:
        for event in self.stream.receive(data):
            if self.connection.closed:
                return

            self._handle(event)

    def _handle(self, event: Event) -> None:
        match event:
            case Stanza(element=element):
                self._end.on_stanza(element)
            case Nonza(element=element) if element.tag == HANDED_OVER:
                self._end.on_handed_over((element.text or "").split())
            case StreamHeader() if not self._initiating:
                self.write(StreamHeader(sender=self._end.name, to=self._end.name, id="link"))
                self.write(StreamFeatures())
                self._established()
            case StreamFeatures() if self._initiating:
                self._established()
            case StreamError(condition=condition, text=text):
                self.why = f"the other end says {condition}" + (f": {text}" if text else "")
            case StreamClosed():
                self.finish()
            case Violation(error=error):
                self.finish(error.condition, error.text)

    def _established(self) -> None:
        self._deadline.cancel()
        self.was_up = True
        self._end._established(self)

    def _closed(self, how: str, error: Exception | None) -> None:
        self._deadline.cancel()
        self.why = self.why or (str(error) if error else f"the connection ended ({how})")
        self.over.set()
        self._end._lost(self)


class _LinkEnd:
    """What both ends are: at most one session is up at a time.

    `on_stanza`, `on_handed_over`, `on_up` and `on_down` are set by the owner and called from the event loop.
    """

    def __init__(self, configuration: Configuration, log: Log) -> None:
        limits = configuration.limits
        self._limits = Limits(stanza_bytes=limits.stanza_bytes, depth=limits.depth, attributes=limits.attributes)
        self._unsent_bytes = limits.unsent_bytes
        self._configuration, self._log = configuration, log
        self.patience = configuration.gateway.stream_establishment_timeout
        self.name = configuration.certificates.internal_name
        self.on_stanza: Callable[[Element], None] = lambda _: None
        self.on_handed_over: Callable[[list[str]], None] = lambda _: None
        self.on_up: Callable[[], None] = lambda: None
        self.on_down: Callable[[], None] = lambda: None
        self._session: _Session | None = None
        self._sessions: set[_Session] = set()
        self._is_up = asyncio.Event()

    @property
    def up(self) -> bool:
        """Stanzas can cross now."""
        return self._session is not None

    async def wait_up(self) -> None:
        """Return as soon as the link is up."""
        await self._is_up.wait()

    def send(self, stanza: Element) -> None:
        """Send a stanza (in ``jabber:server``) across; raises LinkDown."""
        self._usable().write(Stanza(element=stanza))

    def _usable(self) -> _Session:
        session = self._session

        if session is None:
            raise LinkDown("the link between front end and edge is down")

        if session.connection.unsent > self._unsent_bytes:
            raise LinkDown("the other end of the link does not read")

        return session

    def _begin(self, connection: Connection, *, initiating: bool) -> _Session:
        session = _Session(self, connection, initiating=initiating, limits=self._limits)
        self._sessions.add(session)

        return session

    def _established(self, session: _Session) -> None:
        old, self._session = self._session, session

        if old is not None:
            # The newer one counts: an older one from a front end that was restarted may be dead without a FIN.
            old.finish(StreamCondition.CONFLICT, "replaced by a newer link")
            self.on_down()

        self._is_up.set()
        self._log(f"link up with {session.connection.remote[0]}:{session.connection.remote[1]}")
        self.on_up()

    def _lost(self, session: _Session) -> None:
        self._sessions.discard(session)

        if session is self._session:
            self._session = None
            self._is_up.clear()
            self._log(f"link down: {session.why}")
            self.on_down()
        elif self._session is None:
            self._log(f"link not established: {session.why}")

    async def _finish_all(self) -> None:
        sessions = tuple(self._sessions)

        for session in sessions:
            session.finish(StreamCondition.SYSTEM_SHUTDOWN)

        for session in sessions:
            try:
                await asyncio.wait_for(session.over.wait(), 1.0)
            except TimeoutError:
                session.connection.abort()
                await session.over.wait()


class LinkListener(_LinkEnd):
    """The edge's end. Only a client whose certificate comes from our authority and holds the internal name gets in."""

    def __init__(self, configuration: Configuration, *, log: Log) -> None:
        super().__init__(configuration, log)
        self._listener: Listener | None = None
        self._ids: list[str] = []

    @property
    def port(self) -> int:
        """The port that is listened on; only after `start`."""
        assert self._listener is not None

        return self._listener.port

    async def start(self) -> None:
        """Listen on the configured link host and port; raises ListenError or CertificateError."""
        edge, certificates = self._configuration.edge, self._configuration.certificates
        tls = server_context(
            certificates.internal.certificate, certificates.internal.key, certificates.authority, require_peer=True
        )
        host = edge.link_host or edge.host
        self._listener = await listen(host, edge.link_port, self._accepted, tls, service="the link")

    async def stop(self) -> None:
        """Listen no more and close the link in order."""
        if self._listener is not None:
            await self._listener.close()

        await self._finish_all()

    def handed_over(self, ids: Iterable[str]) -> None:
        """Tell the front end that the messages with these ids were written to an authenticated stream.

        All ids of one turn of the event loop cross in one element. With the link down they are forgotten: the
        front end has already told its users that nothing is known of their messages.
        """
        if not self._ids:
            asyncio.get_running_loop().call_soon(self._flush_ids)

        self._ids.extend(ids)

    def _flush_ids(self) -> None:
        # Ids that the front end made hold no space, so one with a space is none that it waits for.
        ids, self._ids = [name for name in self._ids if name and not any(map(str.isspace, name))], []

        if ids and self._session is not None:
            element = Element(HANDED_OVER)
            element.text = " ".join(ids)
            self._session.write(Nonza(element=element))

    def _accepted(self, connection: Connection) -> None:
        # Partners may have their certificates from the same authority: only the internal name makes a front end.
        if connection.tls is None or self.name.lower() not in connection.tls.names:
            self._log(f"link refused: {connection.remote[0]} shows no certificate for {self.name}")
            connection.close()
        else:
            self._begin(connection, initiating=False)


class LinkClient(_LinkEnd):
    """The front end's end: connects, and connects again whenever the link is lost."""

    def __init__(self, configuration: Configuration, *, entropy: random.Random | None = None, log: Log) -> None:
        super().__init__(configuration, log)
        self._entropy = entropy or random.SystemRandom()
        self._task: asyncio.Task[None] | None = None

    async def start(self, host: str | None = None, port: int | None = None) -> None:
        """Begin to connect, to the configured link host and port unless told otherwise; `wait_up` says when it is up.

        Raises CertificateError.
        """
        edge, certificates = self._configuration.edge, self._configuration.certificates
        self._context = client_context(
            certificates.internal.certificate, certificates.internal.key, certificates.authority
        )
        self._address = (host or edge.link_host or edge.host, edge.link_port if port is None else port)
        self._task = asyncio.create_task(self._stay_connected())

    async def stop(self) -> None:
        """Close the link in order and connect no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

        await self._finish_all()

    async def _stay_connected(self) -> None:
        retry = self._configuration.retry
        pause = retry.link_first

        while True:
            if await self._connect_once():
                pause = retry.link_first

            # Randomised, so that many front ends do not come back in the same instant.
            await asyncio.sleep(pause * self._entropy.uniform(0.5, 1.0))
            pause = min(pause * 2, retry.link_longest)

    async def _connect_once(self) -> bool:
        """Whether the link was up, now that it is down again."""
        host, port = self._address

        try:
            connection = await open_connection(
                host,
                port,
                timeout=self._configuration.edge.connect_timeout,
                tls=self._context,
                server_name=self.name,
            )
        except OSError as error:
            self._log(f"link to {host}:{port} cannot be established: {error}")

            return False

        session = self._begin(connection, initiating=True)
        session.write(StreamHeader(sender=self.name, to=self.name))
        await session.over.wait()

        return session.was_up
