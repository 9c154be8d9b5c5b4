"""Two or more edges on loopback, a real name server, and links held in memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from xml.etree.ElementTree import Element

import pytest

from simulator.gateway.configuration import AllowedPartner, Configuration, Negotiation
from simulator.gateway.edge.edge import Edge
from simulator.gateway.link import LinkDown
from simulator.gateway.rules import Rules
from simulator.gateway.settings import CertificateFiles, CertificateSettings, DNSSettings, EdgeSettings
from simulator.wire.connection import Connection, open_connection
from simulator.wire.listener import Listener, listen
from simulator.wire.tls import TLSContext, TLSOptions, client_context, server_context
from simulator.world.ca import CertificateAuthority
from simulator.world.dns import NameServer
from simulator.xmpp.element import parse_element
from simulator.xmpp.events import (
    DialbackResult,
    DialbackVerify,
    Event,
    Nonza,
    StreamClosed,
    StreamError,
    StreamFeatures,
    StreamHeader,
)
from simulator.xmpp.stream import Stream

PATIENCE = 15.0
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
PROCEED = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
Wanted = TypeVar("Wanted")


class MemoryLink:
    """A link without a network; it keeps what crosses it."""

    def __init__(self) -> None:
        self.on_stanza: Callable[[Element], None] = lambda _: None
        self.on_unsettled: Callable[[Element], None] = lambda _: None
        self.on_route: Callable[[bool], None] = lambda _: None
        self.on_up: Callable[[], None] = lambda: None
        self.on_down: Callable[[], None] = lambda: None
        self.owes: Callable[[Element], bool] = lambda _: False
        self.down = False
        self.crossed: asyncio.Queue[Element] = asyncio.Queue()
        self.ids: list[str] = []
        self.domains: list[str] = []
        self._handed_over = asyncio.Event()
        self._domains_changed = asyncio.Event()

    def send(self, stanza: Element) -> None:
        if self.down:
            raise LinkDown("the link is down")

        self.crossed.put_nowait(stanza)

    def handed_over(self, ids: Iterable[str]) -> None:
        self.ids += ids
        self._handed_over.set()

    def domain_lost(self, domain: str) -> None:
        self.domains.append(f"lost {domain}")
        self._domains_changed.set()

    def domain_back(self, domain: str) -> None:
        self.domains.append(f"back {domain}")

    async def told(self, count: int) -> list[str]:
        """The first ids of messages that were handed over; TCP may take its time with an acknowledgement."""
        async with asyncio.timeout(PATIENCE):
            while len(self.ids) < count:
                self._handed_over.clear()
                await self._handed_over.wait()

        return self.ids

    async def lost(self, count: int) -> list[str]:
        """What was told of domains, once so many things were."""
        async with asyncio.timeout(PATIENCE):
            while len(self.domains) < count:
                self._domains_changed.clear()
                await self._domains_changed.wait()

        return self.domains

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def next(self) -> Element:
        async with asyncio.timeout(PATIENCE):
            return await self.crossed.get()


@dataclass
class Site:
    """An edge with everything around it."""

    edge: Edge
    link: MemoryLink
    log: list[str]


@dataclass
class World:
    """Starts edges and fakes, publishes them, and stops them all."""

    dns: NameServer
    authority: CertificateAuthority
    edge_settings: EdgeSettings = field(default_factory=lambda: EdgeSettings(host="127.0.0.1", port=0))
    _stops: list[Callable[[], Any]] = field(default_factory=list)

    async def site(
        self, *domains: str, partners: Iterable[AllowedPartner] = (), rules: Rules | None = None, **sections: Any
    ) -> Site:
        link = MemoryLink()
        log: list[str] = []
        files = CertificateFiles(certificate="none", key="none")
        plain = CertificateSettings(authority="none", internal=files)
        configuration = Configuration(
            domains=domains,
            dns=DNSSettings(server=self.dns.host, port=self.dns.port, timeout=0.5),
            partners=tuple(partners),
            **({"edge": self.edge_settings, "certificates": plain} | sections),
        )
        edge = Edge(configuration, rules, entropy=random.Random(1), log=log.append, link=link)
        await edge.start()
        self._stops.append(edge.stop)
        self.publish(edge.port, *domains)

        return Site(edge, link, log)

    def publish(self, port: int, *domains: str, host: str = "127.0.0.1") -> None:
        for domain in domains:
            self.dns.publish(f"_xmpp-server._tcp.{domain}. 60 IN SRV 0 0 {port} host.{domain}.")
            self.dns.publish(f"host.{domain}. 60 IN A {host}")

    async def secure_site(self, *domains: str, partners: Iterable[AllowedPartner] = (), **sections: Any) -> Site:
        """An edge with a certificate for its domains."""
        return await self.site(
            *domains, partners=partners, **({"certificates": self.certificates(*domains)} | sections)
        )

    def certificates(self, *domains: str, **settings: Any) -> CertificateSettings:
        issued = self.authority.issue(*domains)
        files = CertificateFiles(certificate=str(issued.certificate), key=str(issued.key))

        return CertificateSettings(authority=str(self.authority.authority), internal=files, external=files, **settings)

    def client(self, domain: str | None, kind: str = "valid", **options: Any) -> TLSContext:
        """What a partner's server shows when it dials; without a domain nothing."""
        minted = self.authority.mint(kind, domain) if domain is not None else None
        files = (minted.certificate, minted.key) if minted is not None else (None, None)

        return client_context(*files, require_peer=False, options=TLSOptions(**options))

    def server(self, domain: str, kind: str = "valid", **options: Any) -> TLSContext:
        """What a partner's server shows when it is dialled."""
        minted = self.authority.mint(kind, domain)

        return server_context(minted.certificate, minted.key, self.authority.authority, options=TLSOptions(**options))

    async def secured(
        self, site: Site, sender: str, to: str = "contoso.com", *, kind: str = "valid", certified: str | None = ""
    ) -> tuple[Peer, StreamFeatures]:
        """A stream to an edge over TLS, and the features that are offered on it."""
        peer = await self.dial(site, header=StreamHeader(sender=sender, to=to))
        await peer.expect(StreamFeatures)
        await peer.start_tls(self.client(sender if certified == "" else certified, kind), to)

        return peer, await peer.reopen(StreamHeader(sender=sender, to=to))

    async def dial(self, site: Site, *, header: StreamHeader | None = None) -> Peer:
        """Connect to an edge; with a header, also open a stream and wait for the answer."""
        peer = Peer(await open_connection("127.0.0.1", site.edge.port, timeout=PATIENCE), initiating=True)

        if header is not None:
            peer.send(header)
            await peer.expect(StreamHeader)

        return peer

    async def listen(self, *domains: str) -> Fake:
        """A host of a partner that accepts connections and does nothing by itself."""
        fake = Fake()
        fake.listener = await listen("127.0.0.1", 0, fake.accepted)
        self._stops.append(fake.stop)
        self.publish(fake.listener.port, *domains)

        return fake

    async def authenticated(self, site: Site, fake: Fake, sender: str, to: str) -> Peer:
        """A stream to an edge on which this pair is valid."""
        peer = await self.dial(site, header=StreamHeader(sender=sender, to=to))
        await peer.expect(StreamFeatures)
        peer.send(DialbackResult(sender=sender, to=to, key="abc"))
        await fake.verify()
        assert (await peer.expect(DialbackResult)).type == "valid"

        return peer

    def partner(self, identity: str, **settings: Any) -> AllowedPartner:
        """The administrator's recipe for a partner that knows dialback over TCP only."""
        recipe: dict[str, Any] = {
            "tls_negotiation": Negotiation.NOT_SUPPORTED,
            "sasl_negotiation": Negotiation.NOT_SUPPORTED,
            "enable_keep_alive": False,
        }

        return AllowedPartner(identity=identity, **(recipe | settings))

    async def stop(self) -> None:
        for stop in reversed(self._stops):
            await stop()


class Peer:
    """One end of a stream, spoken by hand."""

    def __init__(self, connection: Connection, *, initiating: bool) -> None:
        self.connection = connection
        self.stream = Stream(initiating, strict=False)
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        connection.on_data, connection.on_closed = self._received, lambda how, _: self.closed.set_result(how)

    def _received(self, data: bytes) -> None:
        for event in self.stream.receive(data):
            self.events.put_nowait(event)

    def send(self, event: Event) -> None:
        self.connection.write(self.stream.send(event))

    def send_text(self, text: str) -> None:
        self.connection.write(text.encode())

    def send_xml(self, text: str) -> None:
        self.send(Nonza(element=parse_element(text)))

    async def secure(self, context: TLSContext, server_name: str | None = None) -> None:
        """TLS from here on, and a new stream in it."""
        done = asyncio.get_running_loop().create_future()
        self.stream.restart()
        self.connection.on_secured = done.set_result
        self.connection.start_tls(context, server_name)

        async with asyncio.timeout(PATIENCE):
            await asyncio.wait((done, self.closed), return_when=asyncio.FIRST_COMPLETED)

        assert done.done(), "the connection ended in the handshake"

    async def start_tls(self, context: TLSContext, server_name: str | None = None) -> None:
        """Ask an edge for TLS."""
        self.send_xml(STARTTLS)
        assert (await self.expect(Nonza)).element.tag == "{urn:ietf:params:xml:ns:xmpp-tls}proceed"
        await self.secure(context, server_name)

    async def accept_tls(self, context: TLSContext) -> None:
        """Give TLS to an edge that asks for it."""
        assert (await self.expect(Nonza)).element.tag == "{urn:ietf:params:xml:ns:xmpp-tls}starttls"
        self.send_xml(PROCEED)
        await self.secure(context)

    async def reopen(self, header: StreamHeader) -> StreamFeatures:
        """Open a stream anew; gives its features, and its header is in `stream`."""
        self.send(header)
        await self.expect(StreamHeader)

        return await self.expect(StreamFeatures)

    async def next(self) -> Event:
        async with asyncio.timeout(PATIENCE):
            return await self.events.get()

    async def expect(self, kind: type[Wanted]) -> Wanted:
        event = await self.next()
        assert isinstance(event, kind), f"expected {kind.__name__}, got {event}"

        return event

    async def end(self) -> str:
        """How the connection ended; closes our half in answer to theirs."""
        async with asyncio.timeout(PATIENCE):
            return await self.closed

    async def fails(self, condition: str) -> None:
        """The next thing is this stream error, then the closing tag, then the end of the connection."""
        error = await self.expect(StreamError)
        assert error.condition == condition
        await self.expect(StreamClosed)
        assert await self.end() == "fin"

    async def accept(self, *, version: str | None = "1.0", features: tuple[Element, ...] = (), id: str = "s1") -> str:  # noqa: A002
        """Answer the header of an edge that dialled us, and give the id of the stream."""
        header = await self.expect(StreamHeader)
        self.send(StreamHeader(sender=header.to, to=header.sender, id=id, version=version))

        if version is not None:
            self.send(StreamFeatures(features=features))

        return id


class Fake:
    """Connections that an edge made to a partner's host, in the order in which they came."""

    listener: Listener

    def __init__(self) -> None:
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()
        self._all: list[Peer] = []

    def accepted(self, connection: Connection) -> None:
        peer = Peer(connection, initiating=False)
        self._all.append(peer)
        self.peers.put_nowait(peer)

    async def next(self) -> Peer:
        async with asyncio.timeout(PATIENCE):
            return await self.peers.get()

    async def verify(self, type: str = "valid", condition: str | None = None) -> Peer:  # noqa: A002
        """Be the authoritative server once: answer the next verification."""
        peer = await self.next()
        await peer.accept()
        request = await peer.expect(DialbackVerify)
        peer.send(DialbackVerify(sender=request.to, to=request.sender, id=request.id, type=type, condition=condition))

        return peer

    async def stop(self) -> None:
        await self.listener.close()

        for peer in self._all:
            peer.connection.abort()


@pytest.fixture(scope="session")
def authority() -> Iterator[CertificateAuthority]:
    authority = CertificateAuthority()
    yield authority
    authority.close()


@pytest.fixture
async def world(authority: CertificateAuthority) -> AsyncIterator[World]:
    dns = NameServer()
    await dns.start()
    world = World(dns, authority)
    yield world
    await world.stop()
    await dns.stop()
