"""STARTTLS and direct TLS on streams that reach the edge, spoken by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulator.gateway.configuration import Negotiation
from simulator.gateway.rules import Rules
from simulator.gateway.settings import CertificateFiles, EdgeSettings, GatewaySettings
from simulator.wire.connection import open_connection
from simulator.wire.tls import TLSError
from simulator.xmpp import starttls
from simulator.xmpp.events import (
    DialbackResult,
    DialbackVerify,
    Nonza,
    StreamClosed,
    StreamError,
    StreamFeatures,
    StreamHeader,
)

TLS = "urn:ietf:params:xml:ns:xmpp-tls"
STARTTLS = f"<starttls xmlns='{TLS}'/>"
OFFER = (starttls.feature(),)
REQUIRED, OPTIONAL, NEVER = Negotiation.REQUIRED, Negotiation.OPTIONAL, Negotiation.NOT_SUPPORTED


@pytest.fixture
async def site(world: Any) -> Any:
    partners = [
        world.partner("required.example", tls_negotiation=REQUIRED, sasl_negotiation=OPTIONAL),
        world.partner("optional.example", tls_negotiation=OPTIONAL, sasl_negotiation=OPTIONAL),
        world.partner("never.example", tls_negotiation=NEVER, sasl_negotiation=NEVER),
    ]

    return await world.secure_site(
        "contoso.com",
        "xn--bcher-kva.example",
        partners=partners,
        gateway=GatewaySettings(stream_establishment_timeout=2.0),
    )


def names(features: StreamFeatures) -> list[str]:
    return [feature.tag.rpartition("}")[2] for feature in features.features]


async def opened(world: Any, site: Any, sender: str | None, to: str | None = "contoso.com") -> tuple[Any, Any]:
    peer = await world.dial(site, header=StreamHeader(sender=sender, to=to))

    return peer, await peer.expect(StreamFeatures)


async def fails_tls(peer: Any) -> None:
    assert (await peer.expect(Nonza)).element.tag == f"{{{TLS}}}failure"
    await peer.expect(StreamClosed)
    peer.send(StreamClosed())
    assert await peer.end() == "fin"


@pytest.mark.parametrize(
    ("sender", "offered", "required"),
    [
        ("required.example", ["starttls"], True),
        ("optional.example", ["starttls", "dialback"], False),
        ("never.example", ["dialback"], False),
        (None, ["starttls", "dialback"], False),
    ],
)
async def test_the_settings_say_what_is_offered(
    world: Any, site: Any, sender: str | None, offered: list[str], required: bool
) -> None:
    _, features = await opened(world, site, sender)
    assert names(features) == offered
    assert any(child.tag == f"{{{TLS}}}required" for one in features.features for child in one) == required


async def test_nothing_is_offered_without_a_certificate_of_our_own(world: Any) -> None:
    partner = world.partner("optional.example", tls_negotiation=OPTIONAL, sasl_negotiation=OPTIONAL)
    site = await world.site("contoso.com", partners=[partner])
    peer, features = await opened(world, site, "optional.example")
    assert names(features) == ["dialback"]
    peer.send_xml(STARTTLS)
    await fails_tls(peer)


@pytest.mark.parametrize(
    "command",
    [
        f"<starttls xmlns='{TLS}'><required/></starttls>",
        f"<starttls xmlns='{TLS}'>now</starttls>",
    ],
)
async def test_a_malformed_command_fails(world: Any, site: Any, command: str) -> None:
    peer, _ = await opened(world, site, "optional.example")
    peer.send_xml(command)
    await fails_tls(peer)


async def test_a_command_fails_where_tls_is_not_offered(world: Any, site: Any) -> None:
    peer, _ = await opened(world, site, "never.example")
    peer.send_xml(STARTTLS)
    await fails_tls(peer)


async def test_a_second_command_fails(world: Any, site: Any) -> None:
    peer, _ = await world.secured(site, "required.example")
    peer.send_xml(STARTTLS)
    await fails_tls(peer)


async def test_a_restarted_stream_has_another_id_and_no_starttls(world: Any, site: Any) -> None:
    peer, _ = await opened(world, site, "required.example")
    before = peer.stream.peer_header.id
    await peer.start_tls(world.client("required.example"), "contoso.com")
    features = await peer.reopen(StreamHeader(sender="required.example", to="contoso.com"))
    assert peer.stream.peer_header.id != before
    assert names(features) == ["mechanisms", "dialback"]


async def test_the_command_may_come_with_the_header(world: Any, site: Any) -> None:
    peer = await world.dial(site)
    peer.send(StreamHeader(sender="required.example", to="contoso.com"))
    peer.send_xml(STARTTLS)
    await peer.expect(StreamHeader)
    await peer.expect(StreamFeatures)
    assert (await peer.expect(Nonza)).element.tag == f"{{{TLS}}}proceed"
    await peer.secure(world.client("required.example"), "contoso.com")
    assert names(await peer.reopen(StreamHeader(sender="required.example", to="contoso.com"))) != []


async def test_what_was_said_before_tls_is_forgotten(world: Any, site: Any) -> None:
    peer, _ = await opened(world, site, "never.example", "xn--bcher-kva.example")
    peer.connection.abort()
    peer, _ = await opened(world, site, "required.example")
    await peer.start_tls(world.client("optional.example"), "contoso.com")
    features = await peer.reopen(StreamHeader(sender="optional.example", to="contoso.com"))
    assert names(features) == ["mechanisms", "dialback"]


async def test_pairs_of_before_tls_are_forgotten(world: Any, site: Any) -> None:
    fake = await world.listen("optional.example")
    peer, _ = await opened(world, site, "optional.example")
    peer.send(DialbackResult(sender="optional.example", to="contoso.com", key="abc"))
    await fake.verify()
    assert (await peer.expect(DialbackResult)).type == "valid"
    await peer.start_tls(world.client("optional.example"), "contoso.com")
    await peer.reopen(StreamHeader(sender="optional.example", to="contoso.com"))
    peer.send_text("<message from='a@optional.example' to='b@contoso.com'/>")
    assert (await peer.expect(StreamError)).condition == "not-authorized"
    assert site.link.crossed.empty()


@pytest.mark.parametrize(
    "injected",
    [
        "<message from='a@optional.example' to='b@contoso.com'/>",
        "<db:verify from='optional.example' to='contoso.com' id='x'>y</db:verify>",
        "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams'>",
        "<half",
        " ",
    ],
)
async def test_plaintext_behind_the_command_ends_the_connection(world: Any, site: Any, injected: str) -> None:
    peer, _ = await opened(world, site, "optional.example")
    peer.send_text(STARTTLS + injected)
    assert await peer.end() == "fin"
    assert peer.events.empty()
    assert any("plain text behind <starttls/>" in line for line in site.log)


async def test_a_gateway_that_carries_plaintext_into_tls_can_be_told(world: Any) -> None:
    right = Rules()
    wrong = replace(right, negotiation=replace(right.negotiation, plaintext_behind_starttls_ends=lambda: False))
    partner = world.partner("optional.example", tls_negotiation=OPTIONAL)
    site = await world.secure_site("contoso.com", partners=[partner], rules=wrong)
    peer, _ = await opened(world, site, "optional.example")
    peer.send_text(f"{STARTTLS}<db:verify from='optional.example' to='contoso.com' id='x'>y</db:verify>")
    await peer.expect(Nonza)
    await peer.secure(world.client("optional.example"), "contoso.com")
    await peer.reopen(StreamHeader(sender="optional.example", to="contoso.com"))
    assert (await peer.expect(DialbackVerify)).type == "invalid"


@pytest.mark.parametrize("instead", ["<message/>", "\x16\x03\x01\x00\x05junk!", "GET / HTTP/1.0\r\n\r\n"])
async def test_a_failed_handshake_ends_without_another_word(world: Any, site: Any, instead: str) -> None:
    peer, _ = await opened(world, site, "optional.example")
    peer.send_xml(STARTTLS)
    await peer.expect(Nonza)
    raw: list[bytes] = []
    peer.connection.on_data = raw.append
    peer.send_text(instead)
    assert await peer.end() == "fin"
    assert b"<" not in b"".join(raw)
    await site.edge.stop()
    assert any("in the TLS handshake" in line for line in site.log)


async def test_a_silent_handshake_is_bounded(world: Any) -> None:
    partner = world.partner("optional.example", tls_negotiation=OPTIONAL)
    settings = GatewaySettings(stream_establishment_timeout=0.3)
    site = await world.secure_site("contoso.com", partners=[partner], gateway=settings)
    peer, _ = await opened(world, site, "optional.example")
    peer.send_xml(STARTTLS)
    await peer.expect(Nonza)
    assert await peer.end() == "fin"
    assert peer.events.empty()


async def test_dialback_in_plain_text_is_refused_where_tls_is_required(world: Any, site: Any) -> None:
    peer, _ = await opened(world, site, "required.example")
    peer.send(DialbackResult(sender="required.example", to="contoso.com", key="abc"))
    answer = await peer.expect(DialbackResult)
    assert (answer.type, answer.condition) == ("error", "policy-violation")


async def test_dialback_is_verified_over_tls_with_the_id_of_the_secured_stream(world: Any, site: Any) -> None:
    fake = await world.listen("required.example")
    peer, _ = await world.secured(site, "required.example")
    peer.send(DialbackResult(sender="required.example", to="contoso.com", key="abc"))
    verifier = await fake.next()
    await verifier.accept(features=OFFER)
    await verifier.accept_tls(world.server("required.example"))
    await verifier.accept()
    request = await verifier.expect(DialbackVerify)
    assert (request.id, request.key) == (peer.stream.peer_header.id, "abc")
    verifier.send(DialbackVerify(sender=request.to, to=request.sender, id=request.id, type="valid"))
    assert (await peer.expect(DialbackResult)).type == "valid"
    peer.send_text("<message from='a@required.example' to='b@contoso.com'/>")
    await site.link.next()
    assert any("may send to contoso.com (dialback over TLS)" in line for line in site.log)


async def test_a_verification_never_leaves_in_plain_text_where_tls_is_required(world: Any, site: Any) -> None:
    fake = await world.listen("required.example")
    peer, _ = await world.secured(site, "required.example")
    peer.send(DialbackResult(sender="required.example", to="contoso.com", key="abc"))
    verifier = await fake.next()
    await verifier.accept()
    # RFC 7590 §3.1: TLS is tried though it is not offered.
    assert (await verifier.expect(Nonza)).element.tag == f"{{{TLS}}}starttls"
    verifier.send_xml(f"<failure xmlns='{TLS}'/>")
    await verifier.expect(StreamClosed)
    assert (await peer.expect(DialbackResult)).condition == "remote-server-timeout"


async def test_each_domain_may_have_a_certificate_of_its_own(world: Any) -> None:
    own = world.authority.issue("tailspin.com")
    files = CertificateFiles(certificate=str(own.certificate), key=str(own.key))
    certificates = world.certificates("contoso.com", by_domain={"tailspin.com": files})
    partner = world.partner("optional.example", tls_negotiation=OPTIONAL)
    site = await world.site("contoso.com", "tailspin.com", partners=[partner], certificates=certificates)
    shown = []

    for to, name in (("tailspin.com", None), ("contoso.com", "tailspin.com"), ("contoso.com", "unknown.example")):
        peer, _ = await opened(world, site, "optional.example", to)
        await peer.start_tls(world.client(None), name)
        shown += sorted(peer.connection.tls.names)

    assert shown == ["tailspin.com", "tailspin.com", "contoso.com"]


async def test_direct_tls_needs_no_command(world: Any) -> None:
    partner = world.partner("required.example", tls_negotiation=REQUIRED, sasl_negotiation=OPTIONAL)
    settings = EdgeSettings(host="127.0.0.1", port=0, direct_tls_port=0)
    site = await world.secure_site("contoso.com", partners=[partner], edge=settings)
    context = world.client("required.example", application=("xmpp-server",))
    connection = await open_connection(
        "127.0.0.1", site.edge.direct_tls_port, timeout=5.0, tls=context, server_name="contoso.com"
    )
    peer = type(await world.dial(site))(connection, initiating=True)
    assert connection.tls is not None
    assert connection.tls.application == "xmpp-server"
    features = await peer.reopen(StreamHeader(sender="required.example", to="contoso.com"))
    assert names(features) == ["mechanisms", "dialback"]
    peer.send_xml(STARTTLS)
    await fails_tls(peer)

    with pytest.raises(TLSError):
        await open_connection(
            "127.0.0.1", site.edge.direct_tls_port, timeout=5.0, tls=world.client(None, application=("h2",))
        )
