"""The link between the two halves of the gateway: one XMPP stream over mutual TLS, front end to edge.

Knows who may be at the other end, which session counts, and what is owed when it is lost. Does not know what the
stanzas mean. What is said besides stanzas is `link_words`, one session is `link_session`.

The front end is the client (`LinkClient`), the edge the server (`LinkListener`). Whoever finds the link down is told at
once (`LinkDown`). What of the edge's stanzas is not settled when it is lost comes back by `on_unsettled`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from xml.etree.ElementTree import Element

from simulator.gateway import link_words
from simulator.gateway.configuration import Configuration
from simulator.gateway.link_session import LinkSession
from simulator.wire.connection import Connection, open_connection
from simulator.wire.listener import Listener, listen
from simulator.wire.tls import client_context, server_context
from simulator.xmpp.errors import StreamCondition
from simulator.xmpp.events import Nonza, Stanza, StreamHeader
from simulator.xmpp.limits import Limits

Log = Callable[[str], None]

#: the largest element on the link: strangers' stanzas were bounded before, and a list of partners may be long
LINK_BYTES = 16 * 1024 * 1024


class LinkDown(ConnectionError):  # noqa: N818 - says what is the matter
    """The stanza cannot cross the link now: there is no other end, or it does not read. Nothing was sent."""


class _LinkEnd:
    """What both ends are: at most one session is up at a time.

    `on_stanza`, `on_up` and `on_down` are set by the owner and called from the event loop.
    """

    def __init__(self, configuration: Configuration, log: Log) -> None:
        limits = configuration.limits
        self._limits = Limits(stanza_bytes=LINK_BYTES, depth=limits.depth, attributes=limits.attributes)
        self._unsent_bytes, self._unsettled_bytes = limits.unsent_bytes, limits.unsettled_bytes
        self._configuration, self._log = configuration, log
        self.patience = configuration.gateway.stream_establishment_timeout
        self.keep_alive = configuration.edge.link_keep_alive
        self.name = configuration.certificates.internal_name
        self.on_stanza: Callable[[Element], None] = lambda _: None
        self.on_up: Callable[[], None] = lambda: None
        self.on_down: Callable[[], None] = lambda: None
        self._session: LinkSession | None = None
        self._sessions: set[LinkSession] = set()
        self._is_up = asyncio.Event()

    @property
    def up(self) -> bool:
        """Stanzas can cross now."""
        return self._session is not None

    @property
    def session(self) -> LinkSession | None:
        """The session that counts, while the link is up."""
        return self._session

    async def wait_up(self) -> None:
        """Return as soon as the link is up."""
        await self._is_up.wait()

    def send(self, stanza: Element) -> None:
        """Send a stanza (in ``jabber:server``) across; raises LinkDown."""
        self._usable().write(Stanza(element=stanza))

    def _tell(self, element: Element) -> None:
        """Say something that is no stanza; forgotten while the link is down or about to be."""
        if self._session is not None and not self._session.is_closing:
            self._session.write(Nonza(element=element))

    def _usable(self) -> LinkSession:
        session = self._session

        if session is None or session.is_closing:
            raise LinkDown("the link between front end and edge is down")

        if session.connection.unsent > self._unsent_bytes:
            raise LinkDown("the other end of the link does not read")

        if session.unsettled.full:
            raise LinkDown("the other end of the link owes too many answers")

        return session

    def _begin(self, connection: Connection, *, initiating: bool) -> LinkSession:
        session = LinkSession(
            self, connection, initiating=initiating, limits=self._limits, unsettled_bytes=self._unsettled_bytes
        )
        self._sessions.add(session)

        return session

    # -- what sessions tell

    def is_owed(self, stanza: Element) -> bool:
        """Whether somebody must answer for a stanza that is lost with the link; only on the edge."""
        return False

    def received(self, session: LinkSession, stanza: Element) -> None:
        """A stanza came."""
        self.on_stanza(stanza)

    def told(self, session: LinkSession, element: Element) -> None:
        """Something else than a stanza came; what is not known is passed over."""

    def established(self, session: LinkSession) -> None:
        """A session came up: from now on it is the one that counts."""
        old, self._session = self._session, session

        if old is not None:
            # The newer one counts: an older one from a front end that was restarted may be dead without a FIN.
            old.finish(StreamCondition.CONFLICT, "replaced by a newer link")
            self._went_down(old)

        self._is_up.set()
        self._log(f"link up with {session.connection.remote[0]}:{session.connection.remote[1]}")
        self.on_up()

    def lost(self, session: LinkSession) -> None:
        """A session is over."""
        self._sessions.discard(session)

        if session is self._session:
            self._session = None
            self._is_up.clear()
            self._log(f"link down: {session.why}")
            self._went_down(session)
        elif self._session is None:
            self._log(f"link not established: {session.why}")

    def _went_down(self, session: LinkSession) -> None:
        self.on_down()

    async def _finish_all(self) -> None:
        sessions = tuple(self._sessions)

        for session in sessions:
            session.finish(StreamCondition.SYSTEM_SHUTDOWN)

        for session in sessions:
            try:
                async with asyncio.timeout(1.0):
                    await session.over.wait()
            except TimeoutError:
                session.connection.abort()
                await session.over.wait()


class LinkListener(_LinkEnd):
    """The edge's end. Only a client whose certificate comes from our authority and holds the internal name gets in.

    `owes` says for which stanzas the edge answers when the link is lost before they were settled; they come back by
    `on_unsettled`. `on_route` is told when the front end says whether this edge is the site's route, and `on_replica`
    gets what the edge is to know.
    """

    def __init__(self, configuration: Configuration, *, log: Log) -> None:
        super().__init__(configuration, log)
        self._listener: Listener | None = None
        self._ids: list[str] = []
        self.serves = True
        """Whether this edge is the route; until the front end says otherwise, as where there is one edge."""
        self.owes: Callable[[Element], bool] = lambda _: False
        self.on_unsettled: Callable[[Element], None] = lambda _: None
        self.on_route: Callable[[bool], None] = lambda _: None
        self.on_replica: Callable[[str], None] = lambda _: None

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

    def send(self, stanza: Element) -> None:
        """Send a stanza across; raises LinkDown, also where this edge is not the site's route."""
        if self._session is not None and not self.serves:
            raise LinkDown("this edge is not the site's XMPP federation route")

        super().send(stanza)

    def handed_over(self, ids: Iterable[str]) -> None:
        """Tell the front end that the messages with these ids were handed over to a partner.

        All ids of one turn of the event loop cross in one element. With the link down they are forgotten: the
        front end has already told its users that nothing is known of their messages.
        """
        if not self._ids:
            asyncio.get_running_loop().call_soon(self._flush_ids)

        self._ids.extend(ids)

    def domain_lost(self, domain: str) -> None:
        """Tell the front end that nothing is known any more of the users of a partner's domain."""
        self._tell(link_words.domain(domain, lost=True))

    def domain_back(self, domain: str) -> None:
        """Tell the front end that the users of a domain that was lost can be asked about again."""
        self._tell(link_words.domain(domain, lost=False))

    def is_owed(self, stanza: Element) -> bool:
        """Whether the edge must answer for this stanza if it is lost with the link."""
        return self.owes(stanza)

    def told(self, session: LinkSession, element: Element) -> None:
        """The front end says which stanzas are settled, or whether we are the route."""
        if element.tag == link_words.SETTLED:
            session.unsettled.settle(link_words.numbers(element))
        elif element.tag == link_words.ROUTE and link_words.serves(element) != self.serves:
            self.serves = link_words.serves(element)
            self.on_route(self.serves)
        elif element.tag == link_words.REPLICA:
            self.on_replica(element.text or "")

    def _went_down(self, session: LinkSession) -> None:
        self.on_down()

        for stanza in session.unsettled.take_all():
            self.on_unsettled(stanza)

    def _flush_ids(self) -> None:
        ids, self._ids = self._ids, []
        element = link_words.handed_over(ids)

        if element.text:
            self._tell(element)

    def _accepted(self, connection: Connection) -> None:
        # Partners may have their certificates from the same authority: only the internal name makes a front end.
        if connection.tls is None or self.name.lower() not in connection.tls.names:
            self._log(f"link refused: {connection.remote[0]} shows no certificate for {self.name}")
            connection.close()
        else:
            self._begin(connection, initiating=False)


class LinkClient(_LinkEnd):
    """The front end's end: connects, and connects again whenever the link is lost.

    `on_handed_over` gets ids of messages; `on_domain_lost` and `on_domain_back` a partner's domain.
    """

    def __init__(self, configuration: Configuration, *, entropy: random.Random | None = None, log: Log) -> None:
        super().__init__(configuration, log)
        self._entropy = entropy or random.SystemRandom()
        self._task: asyncio.Task[None] | None = None
        self._current: tuple[LinkSession, int] | None = None
        self.on_handed_over: Callable[[list[str]], None] = lambda _: None
        self.on_domain_lost: Callable[[str], None] = lambda _: None
        self.on_domain_back: Callable[[str], None] = lambda _: None

    def begin(self, host: str | None = None, port: int | None = None) -> None:
        """Begin to connect, to the configured link host and port unless told otherwise; `wait_up` says when it is up.

        Raises CertificateError. May be called again after `stop`.
        """
        edge, certificates = self._configuration.edge, self._configuration.certificates
        self._context = client_context(
            certificates.internal.certificate, certificates.internal.key, certificates.authority
        )
        self._address = (host or edge.link_host or edge.host, edge.link_port if port is None else port)
        self._task = asyncio.create_task(self._stay_connected())

    async def start(self, host: str | None = None, port: int | None = None) -> None:
        """See `begin`."""
        self.begin(host, port)

    async def stop(self) -> None:
        """Close the link in order and connect no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

        await self._finish_all()

    def route(self, serves: bool) -> None:
        """Tell the edge whether it is the site's route."""
        self._tell(link_words.route(serves))

    def replicate(self, text: str) -> None:
        """Tell the edge what it is to know; see `replica`."""
        self._tell(link_words.replica(text))

    def hold(self) -> Callable[[], None]:
        """Keep the stanza that `on_stanza` is given at this moment unsettled, until what is returned here is called.

        Without it a stanza is settled when `on_stanza` returns: whoever sets something going that may still fail must
        hold the stanza, or its sender would not be told when this process is killed meanwhile. Calling twice, or
        when the link is gone, does no harm; outside of `on_stanza` nothing is held.
        """
        if self._current is None:
            return lambda: None

        current, self._current = self._current, None
        settled = False

        def settle() -> None:
            nonlocal settled

            if not settled:
                settled = True
                self._settle(*current)

        return settle

    def received(self, session: LinkSession, stanza: Element) -> None:
        """A stanza came from the edge."""
        self._current = session, session.stanzas_in
        self.on_stanza(stanza)

        if self._current is not None:
            self._settle(*self._current)
            self._current = None

    def told(self, session: LinkSession, element: Element) -> None:
        """The edge says what became of messages, or of a partner's domain."""
        if element.tag == link_words.HANDED_OVER:
            self.on_handed_over(link_words.words(element))
        elif element.tag == link_words.DOMAIN_LOST:
            self.on_domain_lost(element.text or "")
        elif element.tag == link_words.DOMAIN_BACK:
            self.on_domain_back(element.text or "")

    def _settle(self, session: LinkSession, number: int) -> None:
        session.settle(number, link_words.settled)

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
