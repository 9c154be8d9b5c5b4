"""Peers that send the edge elsewhere (RFC 6120 §4.9.3.19)."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.gateway.configuration import Negotiation
from simulator.gateway.edge.redirecting import MOST_REDIRECTS, Place, address_is_safe, place_of
from simulator.gateway.settings import GatewaySettings
from simulator.xmpp import sasl, starttls
from simulator.xmpp.element import parse_element
from simulator.xmpp.events import DialbackResult, Nonza, Stanza, StreamError, StreamHeader


@pytest.fixture
async def site(world: Any) -> Any:
    required = {"tls_negotiation": Negotiation.REQUIRED, "sasl_negotiation": Negotiation.REQUIRED}
    partners = [world.partner("gmail.com"), world.partner("strict.example", **required)]

    return await world.secure_site(
        "contoso.com", partners=partners, gateway=GatewaySettings(stream_establishment_timeout=2.0)
    )


def submit(site: Any, to: str) -> None:
    site.edge.submit(
        parse_element(f"<message from='alice@contoso.com' to='juliet@{to}' id='m1'><body>x</body></message>")
    )


async def headed(fake: Any) -> Any:
    """The next stream to a host, up to the header that answers."""
    peer = await fake.next()
    await peer.expect(StreamHeader)
    peer.send(StreamHeader(sender="gmail.com", to="contoso.com", id="s1"))

    return peer


async def sends_away(peer: Any, content: str) -> None:
    peer.send(StreamError(condition="see-other-host", content=content))


@pytest.mark.parametrize("place", ["127.0.0.1:{port}", "host.second.example:{port}", "second.example"])
async def test_a_redirect_is_followed_for_the_same_domain(world: Any, site: Any, place: str) -> None:
    first, second = await world.listen("gmail.com"), await world.listen("second.example")
    submit(site, "gmail.com")
    await sends_away(await headed(first), place.format(port=second.listener.port))
    peer = await second.next()
    await peer.accept()
    assert peer.stream.peer_header.to == "gmail.com"
    request = await peer.expect(DialbackResult)
    peer.send(DialbackResult(sender=request.to, to=request.sender, type="valid"))
    await peer.expect(Stanza)


async def test_the_identity_of_the_other_host_is_that_of_the_domain(world: Any, site: Any) -> None:
    first, second = await world.listen("strict.example"), await world.listen("second.example")
    submit(site, "strict.example")
    peer = await first.next()
    await peer.accept(features=(starttls.feature(),))
    await peer.accept_tls(world.server("strict.example"))
    await peer.expect(StreamHeader)
    peer.send(StreamHeader(sender="strict.example", to="contoso.com", id="s2"))
    await sends_away(peer, f"host.second.example:{second.listener.port}")

    peer = await second.next()
    await peer.accept(features=(starttls.feature(),))
    await peer.accept_tls(world.server("second.example"))
    assert peer.connection.tls.server_name == "strict.example"
    assert await peer.end() == "fin"
    assert (await site.link.next()).get("type") == "error"


async def test_redirects_come_to_an_end(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    submit(site, "gmail.com")

    for _ in range(MOST_REDIRECTS + 1):
        peer = await headed(fake)
        await sends_away(peer, f"127.0.0.1:{fake.listener.port}")

    assert (await site.link.next()).get("type") == "error"
    assert fake.peers.empty()
    assert 2 <= MOST_REDIRECTS <= 5


@pytest.mark.parametrize("content", ["", "a b", "host:0", "host:70000", "host:http", "a@b", "[::1", "::1", "//x"])
async def test_a_redirect_to_nowhere_bounces(world: Any, site: Any, content: str) -> None:
    fake = await world.listen("gmail.com")
    submit(site, "gmail.com")
    await sends_away(await headed(fake), content)
    assert (await site.link.next()).get("type") == "error"
    assert place_of("see-other-host", content) is None


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("[2001:41D0:1:A49b::1]:9222", Place("2001:41d0:1:a49b::1", 9222)),
        ("[2001:db8::1]", Place("2001:db8::1")),
        ("Host.Example.", Place("host.example")),
        (" 192.0.2.1:5269 ", Place("192.0.2.1", 5269)),
    ],
)
def test_places_are_read(content: str, place: Place) -> None:
    assert place_of("see-other-host", content) == place
    assert place_of("reset", content) is None


@pytest.mark.parametrize(
    ("address", "named_by", "safe"),
    [
        ("127.0.0.1", "127.0.0.9", True),
        ("10.1.1.1", "127.0.0.9", True),
        ("8.8.8.8", "127.0.0.1", True),
        ("8.8.8.8", "9.9.9.9", True),
        ("127.0.0.1", "9.9.9.9", False),
        ("10.1.1.1", "9.9.9.9", False),
        ("::1", "2606:4700::1", False),
        ("169.254.169.254", "9.9.9.9", False),
    ],
)
def test_strangers_do_not_lead_us_home(address: str, named_by: str, safe: bool) -> None:
    assert address_is_safe(address, named_by) is safe


async def test_a_redirect_after_sasl_began_is_followed_too(world: Any, site: Any) -> None:
    fake = await world.listen("strict.example")
    submit(site, "strict.example")

    for last in (False, True):
        peer = await fake.next()
        await peer.accept(features=(starttls.feature(),))
        await peer.accept_tls(world.server("strict.example"))
        await peer.accept(features=(sasl.mechanisms("EXTERNAL"),))
        await peer.expect(Nonza)

        if not last:
            await sends_away(peer, f"127.0.0.1:{fake.listener.port}")
