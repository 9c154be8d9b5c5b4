"""How long streams live, how many there may be, and what happens when the gateway or the link goes away."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.gateway.settings import EdgeSettings, GatewaySettings
from simulator.xmpp.element import parse_element
from simulator.xmpp.events import DialbackResult, Stanza, StreamClosed, StreamError, StreamFeatures, StreamHeader

HELLO = "<message from='juliet@gmail.com' to='alice@contoso.com' id='m1'><body>hello</body></message>"
OUT = parse_element("<message to='juliet@gmail.com' from='alice@contoso.com' id='m1'><body>hello</body></message>")
HEADER = StreamHeader(sender="gmail.com", to="contoso.com")

#: Seconds of a limit that is to be reached only when all before it is done; a busy machine may stand still for half of
#: them.
ROOM = 0.8


async def make(world: Any, *, keep_alive: bool = False, limit: int | None = None, **settings: Any) -> Any:
    partner = world.partner("gmail.com", enable_keep_alive=keep_alive, connection_limit=limit)

    return await world.site("contoso.com", partners=[partner], gateway=GatewaySettings(**settings))


@pytest.mark.parametrize("header", [None, HEADER])
async def test_a_stream_must_be_established_in_time(world: Any, header: StreamHeader | None) -> None:
    site = await make(world, stream_establishment_timeout=ROOM)
    peer = await world.dial(site, header=header)
    await peer.expect(StreamHeader if header is None else StreamFeatures)
    assert (await peer.expect(StreamError)).condition == "connection-timeout"
    await peer.expect(StreamClosed)
    assert await peer.end() == "fin"


async def test_a_closing_tag_is_awaited_for_so_long_and_no_longer(world: Any) -> None:
    partner = world.partner("gmail.com", enable_keep_alive=False)
    settings = GatewaySettings(stream_inactivity_timeout=ROOM)
    edge = EdgeSettings(host="127.0.0.1", port=0, closing_timeout=0.1)
    site = await world.site("contoso.com", partners=[partner], gateway=settings, edge=edge)
    peer = await world.dial(site, header=HEADER)
    await peer.expect(StreamFeatures)
    await peer.expect(StreamClosed)
    # RFC 6120 §4.4: "does not send its closing stream tag within a reasonable amount of time".
    assert await peer.end() == "fin"


@pytest.mark.parametrize(("size", "accepted"), [(16_000, True), (17_000, False)])
async def test_strangers_may_not_send_as_much(world: Any, size: int, accepted: bool) -> None:
    peer = await world.dial(await make(world), header=HEADER)
    await peer.expect(StreamFeatures)
    # Without addresses it is refused for that; when it is too large, it is not even read.
    peer.send_text(f"<db:result>{'k' * size}</db:result>")
    condition = (await peer.expect(StreamError)).condition

    assert condition == ("improper-addressing" if accepted else "policy-violation")


async def test_who_is_authenticated_may_send_more(world: Any) -> None:
    site, fake = await make(world), await world.listen("gmail.com")
    peer = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    peer.send_text(HELLO.replace("hello", "h" * 200_000))

    assert len((await site.link.next()).findtext("{jabber:server}body") or "") == 200_000


async def test_an_idle_stream_is_closed_in_order(world: Any) -> None:
    site, fake = await make(world, stream_inactivity_timeout=ROOM), await world.listen("gmail.com")
    peer = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    await peer.expect(StreamClosed)
    peer.send(StreamClosed())
    assert await peer.end() == "fin"


async def test_an_idle_outbound_stream_is_closed_in_order(world: Any) -> None:
    site, fake = await make(world, stream_inactivity_timeout=ROOM), await world.listen("gmail.com")
    site.edge.submit(OUT)
    peer = await fake.next()
    await peer.accept()
    await peer.expect(DialbackResult)
    peer.send(DialbackResult(sender="gmail.com", to="contoso.com", type="valid"))
    await peer.expect(Stanza)
    await peer.expect(StreamClosed)


async def test_a_partner_without_keep_alives_is_given_up(world: Any) -> None:
    site, fake = await make(world, keep_alive=True, keep_alive_interval=ROOM), await world.listen("gmail.com")
    peer = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    assert (await peer.expect(StreamError)).condition == "connection-timeout"


async def test_keep_alives_that_are_not_expected_are_not_missed(world: Any) -> None:
    site = await make(world, keep_alive_interval=0.05, stream_inactivity_timeout=ROOM)
    peer = await world.authenticated(site, await world.listen("gmail.com"), "gmail.com", "contoso.com")
    # The order in which the two timers could fire tells which of them is on.
    await peer.expect(StreamClosed)


async def test_one_connection_too_many_does_not_proceed(world: Any) -> None:
    site = await make(world, connection_limit=2)
    held = [await world.dial(site, header=HEADER) for _ in range(2)]
    third = await world.dial(site)
    assert await third.end() == "reset"
    held[0].connection.close()
    await held[0].end()
    # Only when the edge has seen the end is there room again.
    fourth = await world.dial(site, header=HEADER)
    assert isinstance(await fourth.next(), StreamFeatures)


async def test_one_connection_of_a_partner_too_many_is_refused(world: Any) -> None:
    site = await make(world, limit=1)
    first = await world.dial(site, header=HEADER)
    await first.expect(StreamFeatures)
    second = await world.dial(site, header=HEADER)
    assert (await second.expect(StreamError)).condition == "resource-constraint"


async def test_shutting_down_is_said_on_every_stream(world: Any) -> None:
    site, fake = await make(world), await world.listen("gmail.com")
    inbound = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    site.edge.submit(OUT)
    outbound = await fake.next()
    await outbound.accept()
    await outbound.expect(DialbackResult)
    outbound.send(DialbackResult(sender="gmail.com", to="contoso.com", type="valid"))
    await outbound.expect(Stanza)
    await site.edge.stop()

    for peer in (inbound, outbound):
        assert (await peer.expect(StreamError)).condition == "system-shutdown"
        await peer.expect(StreamClosed)
        assert await peer.end() == "fin"


async def test_waiting_stanzas_bounce_when_the_gateway_stops(world: Any) -> None:
    site, fake = await make(world), await world.listen("gmail.com")
    site.edge.submit(OUT)
    peer = await fake.next()
    await peer.expect(StreamHeader)
    await site.edge.stop()
    error = await site.link.next()
    assert error.find(".//{*}remote-server-timeout") is not None


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        (HELLO, True),
        ("<iq type='get' id='q1' from='juliet@gmail.com' to='alice@contoso.com'/>", True),
        ("<iq type='result' id='q1' from='juliet@gmail.com' to='alice@contoso.com'/>", False),
        ("<presence from='juliet@gmail.com' to='alice@contoso.com'/>", False),
        (HELLO.replace("<message", "<message type='error'"), False),
    ],
)
async def test_without_link_a_stanza_is_answered_over_our_own_stream(world: Any, text: str, answered: bool) -> None:
    site, fake = await make(world), await world.listen("gmail.com")
    peer = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    site.link.down = True
    peer.send_text(text)
    # Whatever the first stanza led to, the second is answered; it is the only one if the first is not.
    peer.send_text(HELLO.replace("m1", "barrier"))
    ours = await fake.next()
    await ours.accept()
    await ours.expect(DialbackResult)
    ours.send(DialbackResult(sender="gmail.com", to="contoso.com", type="valid"))
    error = (await ours.expect(Stanza)).element

    assert error.find(".//{*}internal-server-error") is not None
    assert (error.get("from"), error.get("to")) == ("alice@contoso.com", "juliet@gmail.com")
    assert (error.get("id") != "barrier") is answered


async def test_a_peer_that_does_not_read_is_given_up(world: Any) -> None:
    site, fake = await make(world), await world.listen("gmail.com")
    site.edge.submit(OUT)
    peer = await fake.next()
    await peer.accept()
    await peer.expect(DialbackResult)
    peer.send(DialbackResult(sender="gmail.com", to="contoso.com", type="valid"))
    await peer.expect(Stanza)
    peer.connection.pause_reading()
    large = parse_element("<message to='juliet@gmail.com' from='alice@contoso.com'><body/></message>")
    large[0].text = "x" * 200_000

    for _ in range(100):
        site.edge.submit(large)

    assert any("does not read" in line for line in site.log)
    peer.connection.abort()
