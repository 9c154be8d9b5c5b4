"""The link between front end and edge: who gets in, what crosses, and that both sides say when it is down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from simulator.gateway.configuration import (
    CertificateFiles,
    CertificateSettings,
    Configuration,
    DNSSettings,
    EdgeSettings,
    GatewaySettings,
    LimitSettings,
    RetrySettings,
)
from simulator.gateway.link import LinkClient, LinkDown, LinkListener
from simulator.wire.connection import open_connection
from simulator.wire.listener import listen
from simulator.wire.tls import client_context
from simulator.world.ca import CertificateAuthority
from simulator.xmpp.element import parse_element, serialize

MESSAGE = "<message from='a@contoso.com' to='b@gmail.com' id='m1'><body>Hi</body></message>"


def configured(
    authority: CertificateAuthority, name: str = "link.internal", trusted: Path | None = None
) -> Configuration:
    files = authority.issue(name)

    return Configuration(
        domains=("contoso.com",),
        dns=DNSSettings(server="127.0.0.1"),
        certificates=CertificateSettings(
            authority=str(trusted or authority.authority),
            internal=CertificateFiles(certificate=str(files.certificate), key=str(files.key)),
        ),
        edge=EdgeSettings(link_port=0),
        gateway=GatewaySettings(stream_establishment_timeout=5.0),
        retry=RetrySettings(link_first=0.01, link_longest=0.05),
    )


class Ends:
    """Both ends, what each received, and what each said."""

    def __init__(self, configuration: Configuration) -> None:
        self.lines: list[str] = []
        self.edge = LinkListener(configuration, log=self.lines.append)
        self.frontend = LinkClient(configuration, log=self.lines.append)
        self.got: asyncio.Queue[str] = asyncio.Queue()
        self.edge.on_stanza = lambda stanza: self.got.put_nowait("edge " + serialize(stanza).decode())
        self.frontend.on_stanza = lambda stanza: self.got.put_nowait("frontend " + serialize(stanza).decode())
        self.frontend.on_handed_over = lambda ids: self.got.put_nowait("handed over " + ",".join(ids))
        self.edge.on_down = lambda: self.got.put_nowait("edge down")
        self.frontend.on_down = lambda: self.got.put_nowait("frontend down")

    async def up(self) -> None:
        await asyncio.wait_for(asyncio.gather(self.edge.wait_up(), self.frontend.wait_up()), 5)

    async def next(self) -> str:
        return await asyncio.wait_for(self.got.get(), 5)

    async def stop(self) -> None:
        await self.frontend.stop()
        await self.edge.stop()


@pytest.fixture
async def ends(authority: CertificateAuthority) -> AsyncIterator[Ends]:
    made = Ends(configured(authority))
    await made.edge.start()
    await made.frontend.start(port=made.edge.port)
    await made.up()
    yield made
    await made.stop()


async def test_stanzas_cross_both_ways(ends: Ends) -> None:
    ends.frontend.send(parse_element(MESSAGE))
    assert await ends.next() == "edge " + MESSAGE

    ends.edge.send(parse_element(MESSAGE))
    assert await ends.next() == "frontend " + MESSAGE


async def test_ids_of_one_turn_cross_together_and_in_order(ends: Ends) -> None:
    ends.edge.handed_over(["m1", "m2"])
    ends.edge.handed_over(["m3", "with space", ""])
    ends.edge.send(parse_element(MESSAGE))

    assert sorted([await ends.next(), await ends.next()]) == ["frontend " + MESSAGE, "handed over m1,m2,m3"]


async def test_both_sides_say_when_it_is_down(ends: Ends) -> None:
    await ends.frontend.stop()

    assert {await ends.next(), await ends.next()} == {"edge down", "frontend down"}
    assert not ends.edge.up
    assert not ends.frontend.up

    for end in (ends.edge, ends.frontend):
        with pytest.raises(LinkDown):
            end.send(parse_element(MESSAGE))

    ends.edge.handed_over(["m1"])


async def test_nothing_is_said_behind_the_closing_tag(ends: Ends) -> None:
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    session = ends.edge.session
    assert session is not None
    # It is due at the end of this turn, and comes too late.
    ends.edge.handed_over(["m1"])
    session.finish()

    with pytest.raises(LinkDown):
        ends.edge.send(parse_element(MESSAGE))

    assert {await ends.next(), await ends.next()} == {"edge down", "frontend down"}
    assert problems == []


async def test_front_end_comes_back_when_the_edge_does(authority: CertificateAuthority) -> None:
    configuration = configured(authority)
    ends = Ends(configuration)
    await ends.edge.start()
    port = ends.edge.port
    await ends.frontend.start(port=port)
    await ends.up()
    await ends.edge.stop()
    assert {await ends.next(), await ends.next()} == {"edge down", "frontend down"}

    again = LinkListener(
        msgspec.structs.replace(configuration, edge=EdgeSettings(link_port=port)), log=ends.lines.append
    )
    await again.start()

    try:
        await asyncio.wait_for(ends.frontend.wait_up(), 5)
    finally:
        await ends.frontend.stop()
        await again.stop()


async def test_newer_link_replaces_the_older(ends: Ends, authority: CertificateAuthority) -> None:
    newer = LinkClient(configured(authority), log=ends.lines.append)
    arrived: asyncio.Queue[str] = asyncio.Queue()
    newer.on_stanza = lambda stanza: arrived.put_nowait(serialize(stanza).decode())
    ends.frontend.on_down = lambda: arrived.put_nowait("older down")
    await newer.start(port=ends.edge.port)

    try:
        assert await asyncio.wait_for(arrived.get(), 5) == "older down"
        await asyncio.wait_for(newer.wait_up(), 5)
    finally:
        await ends.frontend.stop()
        await newer.stop()


async def refusal(edge: LinkListener, configuration: Configuration) -> str:
    """What a client says that does not get in."""
    said: asyncio.Queue[str] = asyncio.Queue()
    client = LinkClient(configuration, log=said.put_nowait)
    client.on_up = lambda: said.put_nowait("up")
    edge.on_up = lambda: said.put_nowait("edge up")
    await client.start(port=edge.port)
    line = await asyncio.wait_for(said.get(), 5)
    await client.stop()

    return line


async def test_client_of_another_authority_is_refused(authority: CertificateAuthority) -> None:
    edge = LinkListener(configured(authority), log=lambda _: None)
    await edge.start()

    with CertificateAuthority() as stranger:
        line = await refusal(edge, configured(stranger, trusted=authority.authority))

    assert line.startswith(("link not established", "link to"))
    assert not edge.up
    await edge.stop()


async def test_client_with_a_partners_certificate_is_refused(authority: CertificateAuthority) -> None:
    said: list[str] = []
    edge = LinkListener(configured(authority), log=said.append)
    await edge.start()
    files = authority.issue("gmail.com")
    context = client_context(files.certificate, files.key, authority.authority)
    connection = await open_connection("127.0.0.1", edge.port, timeout=5, tls=context, server_name="link.internal")
    events: asyncio.Queue[str] = asyncio.Queue()
    connection.on_data = lambda data: events.put_nowait(f"data {data!r}")
    connection.on_closed = lambda how, _: events.put_nowait(how)

    assert await asyncio.wait_for(events.get(), 5) == "fin"
    assert said == ["link refused: 127.0.0.1 shows no certificate for link.internal"]
    await edge.stop()


async def test_client_without_a_certificate_is_refused(authority: CertificateAuthority) -> None:
    edge = LinkListener(configured(authority), log=lambda _: None)
    await edge.start()
    context = client_context(authority=authority.authority)
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    try:
        # With TLS 1.3 the client learns of the refusal only after its own handshake is over.
        connection = await open_connection("127.0.0.1", edge.port, timeout=5, tls=context, server_name="link.internal")
        connection.on_data = lambda data: None
        connection.on_closed = lambda how, error: ended.set_result(how)
        await asyncio.wait_for(ended, 5)
    except OSError:
        pass

    assert not edge.up
    await edge.stop()


async def test_edge_with_another_name_is_not_trusted(authority: CertificateAuthority) -> None:
    impostor = LinkListener(configured(authority, name="gmail.com"), log=lambda _: None)
    await impostor.start()

    assert "gmail.com" in await refusal(impostor, configured(authority))
    await impostor.stop()


async def test_peer_that_says_nothing_loses_its_place(authority: CertificateAuthority) -> None:
    configuration = msgspec.structs.replace(
        configured(authority), gateway=GatewaySettings(stream_establishment_timeout=0.05)
    )
    said: asyncio.Queue[str] = asyncio.Queue()
    edge = LinkListener(configuration, log=said.put_nowait)
    await edge.start()
    files = authority.issue("link.internal")
    context = client_context(files.certificate, files.key, authority.authority)
    connection = await open_connection("127.0.0.1", edge.port, timeout=5, tls=context, server_name="link.internal")

    assert "in time" in await asyncio.wait_for(said.get(), 5)
    connection.abort()
    await edge.stop()


async def test_other_end_that_does_not_read_is_down(authority: CertificateAuthority) -> None:
    configuration = msgspec.structs.replace(configured(authority), limits=LimitSettings(unsent_bytes=1))
    ends = Ends(configuration)
    await ends.edge.start()
    await ends.frontend.start(port=ends.edge.port)
    await ends.up()
    ends.frontend.send(parse_element(MESSAGE))

    with pytest.raises(LinkDown, match="does not read"):
        ends.frontend.send(parse_element(MESSAGE))

    await ends.stop()


async def test_start_names_the_port_that_is_taken(authority: CertificateAuthority) -> None:
    taken = await listen("127.0.0.1", 0, lambda connection: None)
    configuration = msgspec.structs.replace(configured(authority), edge=EdgeSettings(link_port=taken.port))

    with pytest.raises(OSError, match=f"{taken.port} for the link"):
        await LinkListener(configuration, log=lambda _: None).start()

    await taken.close()
