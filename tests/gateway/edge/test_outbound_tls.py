"""TLS and SASL EXTERNAL on streams that the edge opens, with hosts spoken by hand."""

from __future__ import annotations

import asyncio
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from simulator.gateway.configuration import Negotiation
from simulator.gateway.settings import EdgeSettings, GatewaySettings
from simulator.wire.listener import listen
from simulator.xmpp import sasl, starttls
from simulator.xmpp.element import parse_element
from simulator.xmpp.events import (
    DialbackResult,
    Nonza,
    Stanza,
    StreamClosed,
    StreamError,
    StreamFeatures,
    StreamHeader,
)

TLS, SASL = "urn:ietf:params:xml:ns:xmpp-tls", "urn:ietf:params:xml:ns:xmpp-sasl"
REQUIRED, OPTIONAL, NEVER = Negotiation.REQUIRED, Negotiation.OPTIONAL, Negotiation.NOT_SUPPORTED
OFFER, EXTERNAL = starttls.feature(), sasl.mechanisms("EXTERNAL")
ERRORS = parse_element("<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>")
SUCCESS = f"<success xmlns='{SASL}'/>"


@pytest.fixture
async def site(world: Any) -> Any:
    return await made(world)


async def made(world: Any, **settings: Any) -> Any:
    partners = [
        world.partner("gmail.com", tls_negotiation=OPTIONAL, sasl_negotiation=OPTIONAL),
        world.partner("strict.example", tls_negotiation=REQUIRED, sasl_negotiation=REQUIRED),
        world.partner("bücher.example", tls_negotiation=REQUIRED, sasl_negotiation=OPTIONAL),
        world.partner("never.example", tls_negotiation=NEVER, sasl_negotiation=NEVER),
    ]
    gateway = GatewaySettings(stream_establishment_timeout=1.0)

    return await world.secure_site(
        "contoso.com", "sub.contoso.com", partners=partners, **({"gateway": gateway} | settings)
    )


def message(to: str = "juliet@gmail.com", sender: str = "alice@contoso.com") -> Element:
    element = parse_element("<message><body>hello</body></message>")
    element.attrib.update({"from": sender, "to": to, "id": "m1"})

    return element


async def bounced(site: Any) -> str:
    error = await site.link.next()
    assert (error.get("type"), error.get("to")) == ("error", "alice@contoso.com")

    return str(error.find("{jabber:server}error")[0].tag.rpartition("}")[2])


async def secured(
    world: Any, fake: Any, *features: Element, domain: str = "gmail.com", kind: str = "valid", **options: Any
) -> Any:
    """The next stream to a partner, over TLS; what its host shows and offers."""
    peer = await fake.next()
    await peer.accept(features=(OFFER,))
    await peer.accept_tls(world.server(domain, kind, **options))
    await peer.accept(features=features, id="s2")

    return peer


async def asked(peer: Any) -> Element:
    element: Element = (await peer.expect(Nonza)).element
    assert element.tag == f"{{{SASL}}}auth"

    return element


async def authenticated(peer: Any, *features: Element, xml: str = SUCCESS) -> None:
    await asked(peer)
    peer.send_xml(xml)
    peer.stream.restart()
    await peer.accept(features=features, id="s3")


def valid(request: DialbackResult) -> DialbackResult:
    return DialbackResult(sender=request.to, to=request.sender, type="valid")


async def test_stanzas_leave_after_external(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer = await secured(world, fake, EXTERNAL)
    header = peer.stream.peer_header
    assert (header.sender, header.to) == ("contoso.com", "gmail.com")
    assert peer.connection.tls.server_name == "gmail.com"
    assert peer.connection.tls.names == {"contoso.com", "sub.contoso.com"}
    auth = await asked(peer)
    assert (auth.get("mechanism"), auth.text) == ("EXTERNAL", "Y29udG9zby5jb20=")
    peer.send_xml(SUCCESS)
    peer.stream.restart()
    await peer.expect(StreamHeader)
    assert not site.link.ids
    peer.send(StreamHeader(sender="gmail.com", to="contoso.com", id="s3"))
    assert peer.events.empty()
    peer.send(StreamFeatures())
    assert (await peer.expect(Stanza)).element.get("id") == "m1"
    assert any("contoso.com to gmail.com: may send (SASL EXTERNAL over TLS)" in line for line in site.log)


@pytest.mark.parametrize("text", ["", "=", "YQ=="])
async def test_success_may_bring_data(world: Any, site: Any, text: str) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer = await secured(world, fake, EXTERNAL)
    await authenticated(peer, xml=f"<success xmlns='{SASL}'>{text}</success>")
    await peer.expect(Stanza)


async def test_an_empty_challenge_gets_the_response(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer = await secured(world, fake, EXTERNAL)
    await asked(peer)
    peer.send_xml(f"<challenge xmlns='{SASL}'/>")
    response = (await peer.expect(Nonza)).element
    assert (response.tag, response.text) == (f"{{{SASL}}}response", "Y29udG9zby5jb20=")
    peer.send_xml(SUCCESS)
    peer.stream.restart()
    await peer.accept()
    await peer.expect(Stanza)


@pytest.mark.parametrize("condition", ["not-authorized", "temporary-auth-failure", "brand-new"])
async def test_dialback_follows_a_failure_on_the_same_stream(world: Any, site: Any, condition: str) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer = await secured(world, fake, EXTERNAL, ERRORS)
    await asked(peer)
    peer.send_xml(f"<failure xmlns='{SASL}'><{condition}/></failure>")
    request = await peer.expect(DialbackResult)
    peer.send(valid(request))
    await peer.expect(Stanza)
    assert any("may send (dialback over TLS)" in line for line in site.log)


async def test_a_failure_ends_where_dialback_is_not_allowed(world: Any, site: Any) -> None:
    fake = await world.listen("strict.example")
    site.edge.submit(message("juliet@strict.example"))
    peer = await secured(world, fake, EXTERNAL, domain="strict.example")
    await asked(peer)
    peer.send_xml(f"<failure xmlns='{SASL}'><not-authorized/></failure>")
    await peer.expect(StreamClosed)
    assert await bounced(site) == "remote-server-timeout"


async def test_a_failure_that_closes_bounces(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer = await secured(world, fake, EXTERNAL)
    await asked(peer)
    peer.send_xml(f"<failure xmlns='{SASL}'><not-authorized/></failure>")
    peer.send(StreamClosed())
    assert await bounced(site) == "remote-server-timeout"
    assert fake.peers.empty()


async def test_a_success_that_closes_bounces(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer = await secured(world, fake, EXTERNAL)
    await asked(peer)
    peer.send_text(f"{SUCCESS}</stream:stream>")
    assert await bounced(site) == "remote-server-timeout"
    assert not site.link.ids


async def test_an_auth_without_answer_is_given_up(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    await asked(await secured(world, fake, EXTERNAL))
    assert await bounced(site) == "remote-server-timeout"


@pytest.mark.parametrize("mechanisms", [(), ("SCRAM-SHA-1", "PLAIN"), ("external",)])
async def test_no_other_mechanism_is_attempted(world: Any, site: Any, mechanisms: tuple[str, ...]) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer = await secured(world, fake, sasl.mechanisms(*mechanisms))
    peer.send(valid(await peer.expect(DialbackResult)))
    await peer.expect(Stanza)


@pytest.mark.parametrize("kind", ["self-signed", "expired", "wrong-name", "unknown-ca"])
async def test_external_is_not_said_to_a_server_that_proves_nothing(world: Any, site: Any, kind: str) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer = await secured(world, fake, EXTERNAL, ERRORS, kind=kind)
    peer.send(valid(await peer.expect(DialbackResult)))
    await peer.expect(Stanza)


@pytest.mark.parametrize(("kind", "reason"), [("expired", "has expired"), ("wrong-name", "not for strict.example")])
async def test_a_bad_certificate_ends_where_only_certificates_count(
    world: Any, site: Any, kind: str, reason: str
) -> None:
    fake = await world.listen("strict.example")
    site.edge.submit(message("juliet@strict.example"))
    peer = await fake.next()
    await peer.accept(features=(OFFER,))
    await peer.accept_tls(world.server("strict.example", kind))
    assert await peer.end() == "fin"
    assert peer.events.empty()
    assert await bounced(site) == "remote-server-timeout"
    assert any("is not acceptable" in line and reason in line for line in site.log)


async def test_external_may_come_without_our_certificate_being_asked_for(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer = await secured(world, fake, EXTERNAL, asks_for_certificate=False)
    assert peer.connection.tls.certificate is None
    await authenticated(peer)
    await peer.expect(Stanza)


async def test_mechanisms_before_tls_are_not_used(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer = await fake.next()
    await peer.accept(features=(EXTERNAL, ERRORS))
    await peer.expect(DialbackResult)


async def test_tls_that_is_not_offered_is_tried_and_never_gone_without(world: Any, site: Any) -> None:
    fake = await world.listen("strict.example")
    site.edge.submit(message("juliet@strict.example"))
    peer = await fake.next()
    await peer.accept(features=(ERRORS,))
    assert (await peer.expect(Nonza)).element.tag == starttls.STARTTLS
    peer.send_xml(f"<failure xmlns='{TLS}'/>")
    await peer.expect(StreamClosed)
    assert await bounced(site) == "remote-server-timeout"
    assert fake.peers.empty()


async def test_a_peer_of_before_features_is_tried_too(world: Any, site: Any) -> None:
    fake = await world.listen("strict.example")
    site.edge.submit(message("juliet@strict.example"))
    peer = await fake.next()
    await peer.accept(version=None)
    assert (await peer.expect(Nonza)).element.tag == starttls.STARTTLS


@pytest.mark.parametrize("required", [False, True])
async def test_tls_is_never_spoken_with_a_partner_without(world: Any, site: Any, required: bool) -> None:
    fake = await world.listen("never.example")
    site.edge.submit(message("juliet@never.example"))
    peer = await fake.next()
    await peer.accept(features=(starttls.feature(required),))
    assert (await peer.expect(StreamError)).condition == "unsupported-feature"
    assert await bounced(site) == "remote-server-timeout"


async def test_a_voluntary_offer_is_passed_over_with_a_partner_without(world: Any, site: Any) -> None:
    fake = await world.listen("never.example")
    site.edge.submit(message("juliet@never.example"))
    peer = await fake.next()
    await peer.accept(features=(OFFER, ERRORS))
    await peer.expect(DialbackResult)


@pytest.mark.parametrize("injected", ["<stream:features/>", "<a/>", "</stream:stream>", "<half", " "])
async def test_plaintext_behind_proceed_ends_the_connection(world: Any, site: Any, injected: str) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer = await fake.next()
    await peer.accept(features=(OFFER,))
    await peer.expect(Nonza)
    peer.send_text(f"<proceed xmlns='{TLS}'/>{injected}")
    assert await peer.end() == "fin"
    said = [peer.events.get_nowait() for _ in range(peer.events.qsize())]
    assert all(isinstance(event, StreamError | StreamClosed) for event in said)
    assert await bounced(site) == "remote-server-timeout"
    assert fake.peers.empty()


@pytest.mark.parametrize("after", ["\x15\x03\x03\x00\x02\x02\x28", "<stream:features/>", None])
async def test_a_failed_handshake_is_no_reason_to_go_on_without(world: Any, site: Any, after: str | None) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer = await fake.next()
    await peer.accept(features=(OFFER,))
    await peer.expect(Nonza)
    peer.send_xml(f"<proceed xmlns='{TLS}'/>")
    hello: asyncio.Queue[bytes] = asyncio.Queue()
    peer.connection.on_data = hello.put_nowait
    await hello.get()

    if after is None:
        peer.connection.close()
    else:
        peer.send_text(after)

    assert await bounced(site) == "remote-server-timeout"
    assert fake.peers.empty()
    assert any("TLS could not be negotiated" in line for line in site.log)


async def test_starttls_that_is_offered_again_means_nothing(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer = await secured(world, fake, starttls.feature(required=True), ERRORS)
    peer.send(valid(await peer.expect(DialbackResult)))
    await peer.expect(Stanza)


async def test_the_server_name_is_the_domain_in_a_labels(world: Any, site: Any) -> None:
    fake = await world.listen("xn--bcher-kva.example")
    site.edge.submit(message("juliet@bücher.example"))
    peer = await secured(world, fake, EXTERNAL, domain="bücher.example")
    assert peer.connection.tls.server_name == "xn--bcher-kva.example"
    await asked(peer)


async def test_another_domain_of_ours_shares_the_stream_by_dialback(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    site.edge.submit(message(sender="bob@sub.contoso.com"))
    peer = await secured(world, fake, EXTERNAL, ERRORS)
    await authenticated(peer)
    assert (await peer.expect(Stanza)).element.get("from") == "alice@contoso.com"
    request = await peer.expect(DialbackResult)
    assert request.sender == "sub.contoso.com"
    peer.send(valid(request))
    assert (await peer.expect(Stanza)).element.get("from") == "bob@sub.contoso.com"


async def test_another_domain_of_ours_has_its_own_stream_where_dialback_is_not_allowed(world: Any, site: Any) -> None:
    fake = await world.listen("strict.example")
    site.edge.submit(message("juliet@strict.example"))
    site.edge.submit(message("juliet@strict.example", sender="bob@sub.contoso.com"))
    senders = set()

    for _ in range(2):
        peer = await secured(world, fake, EXTERNAL, ERRORS, domain="strict.example")
        await authenticated(peer, ERRORS)
        stanza = (await peer.expect(Stanza)).element
        senders.add((peer.stream.peer_header.sender, stanza.get("from")))

    assert senders == {("contoso.com", "alice@contoso.com"), ("sub.contoso.com", "bob@sub.contoso.com")}


async def test_hosts_of_direct_tls_are_used_where_that_is_switched_on(world: Any) -> None:
    site = await made(world, edge=EdgeSettings(host="127.0.0.1", port=0, direct_tls=True))
    fake = await world.listen("elsewhere.example")
    direct = await listen("127.0.0.1", 0, fake.accepted, world.server("strict.example", application=("xmpp-server",)))
    world.dns.publish(f"_xmpps-server._tcp.strict.example. 60 IN SRV 0 0 {direct.port} host.elsewhere.example.")
    site.edge.submit(message("juliet@strict.example"))
    peer = await fake.next()
    info = peer.connection.tls
    assert (info.server_name, info.application) == ("strict.example", "xmpp-server")
    await peer.accept(features=(OFFER, EXTERNAL))
    await authenticated(peer)
    await peer.expect(Stanza)
    await direct.close()
