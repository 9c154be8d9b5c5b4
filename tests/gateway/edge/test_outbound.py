"""What the edge does on streams that it opens, and what becomes of stanzas that cannot be routed."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import pytest

from simulator.gateway.configuration import Negotiation
from simulator.gateway.settings import GatewaySettings, LimitSettings
from simulator.world.dns import Fault
from simulator.xmpp.dialback import key_is_valid
from simulator.xmpp.element import parse_element
from simulator.xmpp.events import DialbackResult, Stanza, StreamClosed, StreamError, StreamFeatures, StreamHeader

SECRET = "s3cr3tf0rd14lb4ck"
ERRORS = parse_element("<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>")
REQUIRED = parse_element("<x xmlns='urn:x'><required/></x>")


@pytest.fixture
async def site(world: Any) -> Any:
    partners = [
        world.partner("gmail.com", additional_domains=("googlemail.com",)),
        world.partner("tls.example", tls_negotiation=Negotiation.REQUIRED, sasl_negotiation=Negotiation.OPTIONAL),
    ]

    return await world.site(
        "contoso.com",
        "sub.contoso.com",
        partners=partners,
        gateway=GatewaySettings(dialback_passphrase=SECRET, stream_establishment_timeout=1.2),
        limits=LimitSettings(queued_stanzas=3),
    )


def message(to: str = "juliet@gmail.com", sender: str = "alice@contoso.com", **attributes: str) -> Element:
    element = parse_element("<message><body>hello</body></message>")
    element.attrib.update({"from": sender, "to": to, "id": "m1", **attributes})

    return element


async def bounced(site: Any) -> tuple[str, str]:
    """The condition and the type of the error that comes back to the user."""
    error = await site.link.next()
    assert (error.get("type"), error.get("to")) == ("error", "alice@contoso.com")
    child = error.find("{jabber:server}error")

    return child[0].tag.rpartition("}")[2], child.get("type")


async def requested(fake: Any, **answer: Any) -> tuple[Any, DialbackResult]:
    """The next stream to a partner, up to the key that is offered on it."""
    peer = await fake.next()
    await peer.accept(**answer)

    return peer, await peer.expect(DialbackResult)


def valid(request: DialbackResult, kind: str = "valid", condition: str | None = None) -> DialbackResult:
    return DialbackResult(sender=request.to, to=request.sender, type=kind, condition=condition)


async def test_the_header_and_key_are_those_of_the_specification(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer = await fake.next()
    header = await peer.expect(StreamHeader)

    assert (header.sender, header.to, header.version) == ("contoso.com", "gmail.com", "1.0")
    assert header.dialback
    assert header.id is None
    peer.send(StreamHeader(sender="gmail.com", to="contoso.com", id="D60000229F"))
    peer.send(StreamFeatures())
    request = await peer.expect(DialbackResult)
    assert (request.sender, request.to, request.type) == ("contoso.com", "gmail.com", None)
    assert key_is_valid(request.key, SECRET, "gmail.com", "contoso.com", "D60000229F")


@pytest.mark.parametrize("version", [None, "0.9"])
async def test_a_peer_without_version_has_no_features_to_wait_for(world: Any, site: Any, version: str | None) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer = await fake.next()
    await peer.expect(StreamHeader)
    peer.send(StreamHeader(id="s1", version=version))
    peer.send(valid(await peer.expect(DialbackResult)))
    assert (await peer.expect(Stanza)).element.get("id") == "m1"
    assert await site.link.told(1) == ["m1"]


async def test_nothing_is_sent_before_the_answer(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer, request = await requested(fake)
    unrelated = [
        DialbackResult(sender="gmail.com", to="contoso.com", type="VALID"),
        DialbackResult(sender="gmail.com", to="contoso.com"),
        DialbackResult(sender="contoso.com", to="gmail.com", type="valid"),
        DialbackResult(sender="googlemail.com", to="contoso.com", type="valid"),
        DialbackResult(sender="gmail.com", to="sub.contoso.com", type="valid"),
    ]

    for answer in unrelated:
        peer.send(answer)

    peer.send(valid(request, "error", "item-not-found"))
    assert await bounced(site) == ("remote-server-timeout", "wait")
    assert peer.events.empty()
    assert not site.link.ids


async def test_an_invalid_key_bounces_and_closes(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer, request = await requested(fake)
    peer.send(valid(request, "invalid"))
    assert await bounced(site) == ("internal-server-error", "cancel")
    await peer.expect(StreamClosed)


async def test_a_dialback_error_leaves_the_stream_usable(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer, request = await requested(fake, features=(ERRORS,))
    peer.send(valid(request, "error", "remote-server-timeout"))
    assert await bounced(site) == ("remote-server-timeout", "wait")
    site.edge.submit(message(id="m2"))
    peer.send(valid(await peer.expect(DialbackResult)))
    assert (await peer.expect(Stanza)).element.get("id") == "m2"


async def test_a_second_domain_shares_a_stream_that_knows_errors(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    site.edge.submit(message(sender="bob@sub.contoso.com"))
    peer, first = await requested(fake, features=(ERRORS,))
    second = await peer.expect(DialbackResult)

    assert {first.sender, second.sender} == {"contoso.com", "sub.contoso.com"}
    assert first.key != second.key
    peer.send(valid(second))
    assert (await peer.expect(Stanza)).element.get("from") == "bob@sub.contoso.com"
    peer.send(valid(first))
    assert (await peer.expect(Stanza)).element.get("from") == "alice@contoso.com"


async def test_a_second_domain_gets_its_own_stream_otherwise(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    site.edge.submit(message(sender="bob@sub.contoso.com"))
    one, first = await requested(fake)
    two, second = await requested(fake, id="s2")

    assert {first.sender, second.sender} == {"contoso.com", "sub.contoso.com"}
    one.send(valid(first))
    two.send(valid(second))
    assert {(await peer.expect(Stanza)).element.get("from") for peer in (one, two)} == {
        "alice@contoso.com",
        "bob@sub.contoso.com",
    }


async def test_two_domains_of_a_partner_never_share_a_stream(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com", "googlemail.com")
    site.edge.submit(message())
    peer, request = await requested(fake, features=(ERRORS,))
    peer.send(valid(request))
    site.edge.submit(message("juliet@googlemail.com"))
    _, request = await requested(fake, id="s2")
    assert request.to == "googlemail.com"


async def test_stanzas_on_our_own_stream_are_not_taken(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(message())
    peer, request = await requested(fake)
    peer.send(valid(request))
    await peer.expect(Stanza)
    peer.send(Stanza(element=message("alice@contoso.com", "juliet@gmail.com")))
    peer.send(StreamClosed())
    await peer.expect(StreamClosed)
    assert site.link.crossed.empty()


async def test_a_closed_stream_is_opened_again(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")

    for number in range(3):
        site.edge.submit(message(id=f"m{number}"))
        peer, request = await requested(fake)
        peer.send(valid(request))
        assert (await peer.expect(Stanza)).element.get("id") == f"m{number}"
        peer.send(StreamClosed())
        await peer.expect(StreamClosed)
        assert await peer.end() == "fin"


@pytest.mark.parametrize("how", ["nxdomain", "denied", "no address", "servfail"])
async def test_what_cannot_be_resolved_is_not_found(world: Any, site: Any, how: str) -> None:
    if how == "denied":
        world.dns.publish("_xmpp-server._tcp.gmail.com. 60 IN SRV 0 0 0 .\ngmail.com. 60 IN A 127.0.0.1")
    elif how == "no address":
        world.dns.publish("_xmpp-server._tcp.gmail.com. 60 IN SRV 0 0 5269 host.gmail.com.")
    elif how == "servfail":
        world.dns.fail("_xmpp-server._tcp.gmail.com", Fault(kind="servfail"))
        world.dns.fail("gmail.com", Fault(kind="servfail"))

    site.edge.submit(message())
    assert await bounced(site) == ("remote-server-not-found", "cancel")


@pytest.mark.parametrize(
    "how",
    ["refused", "silent", "no features", "host-unknown", "reset", "no answer", "no id", "no dialback", "required"],
)
async def test_what_cannot_be_negotiated_is_a_timeout(world: Any, site: Any, how: str) -> None:
    fake = await world.listen("gmail.com")

    if how == "refused":
        await fake.listener.close()

    site.edge.submit(message())

    if how != "refused":
        peer = await fake.next()
        header = await peer.expect(StreamHeader)

    if how in ("host-unknown", "no answer", "no features", "required"):
        peer.send(StreamHeader(sender=header.to, id="s1"))

    if how == "host-unknown":
        peer.send(StreamError(condition="host-unknown"))
    elif how == "reset":
        peer.connection.abort()
    elif how == "no answer":
        peer.send(StreamFeatures())
    elif how == "no id":
        peer.send(StreamHeader(sender=header.to))
    elif how == "no dialback":
        peer.send(StreamHeader(sender=header.to, id="s1", dialback=False))
        peer.send(StreamFeatures())
    elif how == "required":
        peer.send(StreamFeatures(features=(REQUIRED,)))

    assert await bounced(site) == ("remote-server-timeout", "wait")

    expected = {
        "silent": "connection-timeout",
        "no features": "connection-timeout",
        "no id": "bad-format",
        "no dialback": "unsupported-feature",
        "required": "unsupported-feature",
    }

    if how in expected:
        assert (await peer.expect(StreamError)).condition == expected[how]
        await peer.expect(StreamClosed)
        assert await peer.end() == "fin"


async def test_a_partner_that_needs_tls_cannot_be_reached(site: Any) -> None:
    site.edge.submit(message("x@tls.example"))
    assert await bounced(site) == ("remote-server-timeout", "wait")


@pytest.mark.parametrize("domain", ["stranger.example", "mail.gmail.com", "evilgmail.com"])
async def test_a_stranger_is_not_looked_up(world: Any, site: Any, domain: str) -> None:
    site.edge.submit(message(f"x@{domain}"))
    assert await bounced(site) == ("not-allowed", "cancel")
    assert not world.dns.history


@pytest.mark.parametrize(
    "text",
    [
        "<message type='error'/>",
        "<iq type='result' id='1'/>",
        "<iq type='error' id='1'/>",
        "<presence type='probe'/>",
        "<presence type='error'/>",
    ],
)
async def test_errors_and_results_never_bounce(site: Any, text: str) -> None:
    silent = parse_element(text)
    silent.attrib.update({"from": "alice@contoso.com", "to": "x@gmail.com"})
    site.edge.submit(silent)
    site.edge.submit(message())
    assert (await site.link.next()).get("id") == "m1"


@pytest.mark.parametrize("text", ["<message/>", "<iq type='get' id='m1'/>", "<iq type='set' id='m1'/>", "<presence/>"])
async def test_each_other_stanza_bounces_once(site: Any, text: str) -> None:
    stanza = parse_element(text)
    stanza.attrib.update({"from": "alice@contoso.com", "to": "x@gmail.com"})
    site.edge.submit(stanza)
    error = await site.link.next()
    assert (error.tag, error.get("id"), error.get("from")) == (stanza.tag, stanza.get("id"), "x@gmail.com")
    assert site.link.crossed.empty()


async def test_the_queue_is_bounded(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")

    for number in range(5):
        site.edge.submit(message(id=f"m{number}"))

    assert [await bounced(site) for _ in range(2)] == [("resource-constraint", "wait")] * 2
    peer, request = await requested(fake)
    peer.send(valid(request))
    assert [(await peer.expect(Stanza)).element.get("id") for _ in range(3)] == ["m0", "m1", "m2"]


async def test_the_next_target_is_tried_when_one_refuses(world: Any, site: Any) -> None:
    fake, closed = await world.listen("alive.example"), await world.listen("dead.example")
    await closed.listener.close()
    world.dns.publish(f"_xmpp-server._tcp.gmail.com. 60 IN SRV 20 0 {fake.listener.port} host.alive.example.")
    world.dns.publish("_xmpp-server._tcp.gmail.com. 60 IN SRV 10 0 5269 nowhere.example.")
    world.dns.publish(f"_xmpp-server._tcp.gmail.com. 60 IN SRV 5 0 {closed.listener.port} host.dead.example.")
    site.edge.submit(message())
    _, request = await requested(fake)
    assert request.to == "gmail.com"
    assert ["dead" in site.log[1], "nowhere" in site.log[2]] == [True, True]


async def test_unreachable_targets_do_not_lead_to_the_address(world: Any, site: Any) -> None:
    closed = await world.listen("gmail.com")
    await closed.listener.close()
    world.dns.publish("gmail.com. 60 IN A 127.0.0.1")
    site.edge.submit(message())
    assert await bounced(site) == ("remote-server-timeout", "wait")
    assert not [query for query in world.dns.history if query.name == "gmail.com"]


async def test_the_proxy_of_a_partner_replaces_its_records(world: Any) -> None:
    site = await world.site("contoso.com", partners=[world.partner("gmail.com", proxy_fqdn="proxy.example")])
    site.edge.submit(message())
    assert await bounced(site) == ("remote-server-not-found", "cancel")
    assert {query.name for query in world.dns.history} == {"proxy.example"}
