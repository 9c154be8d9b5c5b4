"""What the troubleshooting list says of DNS and of partners: a real name server, and whatever listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from simulator.gateway.configuration import Configuration, Negotiation
from simulator.gateway.examination.examination import examine
from simulator.gateway.examination.reach import reachable
from simulator.gateway.examination.records import own_records
from simulator.gateway.settings import DNSSettings
from simulator.wire.resolve import Resolver
from simulator.world.dns import NameServer

HEADER = (
    "<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='x' from='gmail.com'"
)
TLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>{}</starttls>"


def features(inside: str) -> str:
    return f"{HEADER} version='1.0'><stream:features>{inside}</stream:features>"


class Peer:
    """Answers every connection with one text, and keeps what it was told."""

    def __init__(self, answer: str) -> None:
        self.answer, self.heard, self.port = answer, b"", 0
        self.over = asyncio.Event()

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.answer.encode())

        while data := await reader.read(4096):
            self.heard += data

        writer.close()
        self.over.set()

    async def stop(self) -> None:
        self.server.close()
        await self.server.wait_closed()


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    server = NameServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def configured(configuration: Configuration, names: NameServer) -> Configuration:
    edge = msgspec.structs.replace(configuration.edge, connect_timeout=0.5)

    return msgspec.structs.replace(
        configuration, dns=DNSSettings(server="127.0.0.1", port=names.port, timeout=0.3), edge=edge
    )


def resolver(configuration: Configuration) -> Resolver:
    return Resolver(configuration.dns.server, configuration.dns.port, configuration.dns.timeout)


@pytest.mark.parametrize(
    ("zone", "place", "line"),
    [
        ("", ("127.0.0.1", 5269), "FAIL: there is no usable record _xmpp-server._tcp.contoso.com"),
        ("@ 60 IN SRV 0 0 0 .", ("127.0.0.1", 5269), "FAIL: contoso.com publishes that it does not federate"),
        ("@ 60 IN SRV 0 0 5269 sip", ("127.0.0.1", 5269), "FAIL: SRV names sip.contoso.com:5269, which has no address"),
        ("@ 60 IN SRV 0 0 5269 sip\nsip 60 IN A 127.0.0.1", ("127.0.0.1", 5269), "OK: SRV names sip.contoso.com:5269"),
        (
            "@ 60 IN SRV 0 0 5269 sip\nsip 60 IN A 127.0.0.9",
            ("127.0.0.1", 5269),
            "WARN: SRV names sip.contoso.com:5269",
        ),
        (
            "@ 60 IN SRV 0 0 5270 sip\nsip 60 IN A 127.0.0.1",
            ("127.0.0.1", 5269),
            "WARN: SRV names sip.contoso.com:5270",
        ),
        ("@ 60 IN SRV 0 0 5270 sip\nsip 60 IN A 127.0.0.9", ("0.0.0.0", 5269), "OK: SRV names sip.contoso.com:5270"),
    ],
)
async def test_own_records(
    configured: Configuration, names: NameServer, zone: str, place: tuple[str, int], line: str
) -> None:
    for record in zone.replace("@ ", "_xmpp-server._tcp.contoso.com. ").splitlines():
        words = ["sip.contoso.com." if word == "sip" else word for word in record.split(" ")]
        names.publish(" ".join(words))

    (found,) = [each async for each in own_records(configured, resolver(configured), dict([place]))]

    assert f"{found.level}: {found.text}".startswith(line)
    assert bool(found.advice) == (found.level != "OK")


@pytest.mark.parametrize(
    ("answer", "tls", "line"),
    [
        (features(TLS.format("")), Negotiation.OPTIONAL, "OK: {} answers with a stream header and offers TLS"),
        (features(""), Negotiation.OPTIONAL, "OK: {} answers with a stream header and offers no TLS"),
        (
            features(""),
            Negotiation.REQUIRED,
            "FAIL: {} answers with a stream header and offers no TLS, which is required",
        ),
        (
            features(TLS.format("<required/>")),
            Negotiation.NOT_SUPPORTED,
            "FAIL: {} answers with a stream header and dem",
        ),
        (f"{HEADER}>", Negotiation.OPTIONAL, "OK: {} answers with a stream header of old, without a version"),
        (f"{HEADER}>", Negotiation.REQUIRED, "FAIL: {} answers with a stream header of old, without TLS"),
        (
            f"{HEADER} version='1.0'>",
            Negotiation.OPTIONAL,
            "WARN: {} answers with a stream header, and with no features",
        ),
        ("", Negotiation.OPTIONAL, "FAIL: {} accepts TCP connections and sends no stream header within 0.5 s"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", Negotiation.OPTIONAL, "FAIL: {} ends the stream: it is no XMPP"),
        (
            f"{HEADER} version='1.0'><stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
            "</stream:error>",
            Negotiation.OPTIONAL,
            "FAIL: {} ends the stream: host-unknown",
        ),
    ],
)
async def test_what_a_partner_answers(
    configured: Configuration, names: NameServer, answer: str, tls: Negotiation, line: str
) -> None:
    peer = Peer(answer)
    await peer.start()
    names.publish(f"_xmpp-server._tcp.gmail.com. 60 IN SRV 0 0 {peer.port} talk.gmail.com.")
    names.publish("talk.gmail.com. 60 IN A 127.0.0.1")
    (partner,) = configured.partners
    changed = msgspec.structs.replace(configured, partners=(msgspec.structs.replace(partner, tls_negotiation=tls),))

    try:
        (found,) = [each async for each in reachable(changed, resolver(changed))]

        async with asyncio.timeout(5):
            await peer.over.wait()
    finally:
        await peer.stop()

    assert f"{found.level}: {found.text}".startswith(line.format(f"127.0.0.1:{peer.port}"))
    # Nothing is said but who we are, and goodbye.
    assert b"from='contoso.com'" in peer.heard
    assert b"to='gmail.com'" in peer.heard
    assert peer.heard.count(b"<") == peer.heard.count(b"<?xml") + 2


async def test_partners_that_are_not_there(configured: Configuration, names: NameServer) -> None:
    (nobody,) = [each async for each in reachable(configured, resolver(configured)) if each.level == "FAIL"]
    assert "gmail.com has no address" in nobody.text

    names.publish("_xmpp-server._tcp.gmail.com. 60 IN SRV 0 0 1 talk.gmail.com.")
    names.publish("talk.gmail.com. 60 IN A 127.0.0.1")
    (refused,) = [each async for each in reachable(configured, resolver(configured))]
    assert refused.text.startswith("no TCP connection to 127.0.0.1:1")
    assert "firewall" in refused.advice


async def test_a_name_server_that_is_silent_is_what_is_wrong(configured: Configuration, names: NameServer) -> None:
    await names.stop()
    asked = resolver(configured)
    found = [each async for each in own_records(configured, asked, {})]
    found += [each async for each in reachable(configured, asked)]

    assert [each.subject for each in found] == ["DNS of contoso.com", "way to gmail.com"]
    assert all("the name server 127.0.0.1 port" in each.text for each in found)
    assert all(each.level == "FAIL" and "is it the right one?" in each.advice for each in found)


async def test_the_whole_list_of_a_configuration(configured: Configuration) -> None:
    subjects = [each.subject async for each in examine(configured, None)]

    assert list(dict.fromkeys(subjects)) == [
        "route",
        "federation",
        "certificate for contoso.com",
        "certificate (internal)",
        "certificate (sip)",
        "DNS of contoso.com",
        "partner gmail.com",
        "users and gmail.com",
        "way to gmail.com",
    ]
