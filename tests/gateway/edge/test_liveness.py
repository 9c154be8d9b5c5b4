"""Whether peers are still there: dead connections, broken streams, and what is sent to find out (RFC 6120 §4.6)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from simulator.gateway.edge.liveness import Finding, Pulse, check_interval, check_text, is_sign_of_life
from simulator.gateway.rules import Rules
from simulator.gateway.settings import EdgeSettings, GatewaySettings
from simulator.wire.rough import be_deaf, make_room
from simulator.xmpp.element import parse_element
from simulator.xmpp.events import DialbackResult, Stanza, StreamClosed, StreamError

PRESENCE = "<presence from='alice@contoso.com/desk' to='juliet@gmail.com'/>"
LARGE = f"<message from='alice@contoso.com' to='juliet@gmail.com'><body>{'x' * 200_000}</body></message>"


def quick(**settings: Any) -> EdgeSettings:
    return EdgeSettings(host="127.0.0.1", port=0, **({"check_interval": 0.05, "check_timeout": 0.2} | settings))


class Raw:
    """Counts the white space that comes between elements, and hands on what the peer reads."""

    def __init__(self, peer: Any) -> None:
        self.spaces = 0
        self._next, self._heard = peer.connection.on_data, asyncio.Event()
        peer.connection.on_data = self._received

    def _received(self, data: bytes) -> None:
        self.spaces += data.isspace()
        self._heard.set()
        self._next(data)

    async def space(self) -> None:
        async with asyncio.timeout(5):
            while not self.spaces:
                self._heard.clear()
                await self._heard.wait()


async def outbound(site: Any, fake: Any) -> Any:
    site.edge.submit(parse_element(PRESENCE))
    peer = await fake.next()
    await peer.accept()
    request = await peer.expect(DialbackResult)
    peer.send(DialbackResult(sender=request.to, to=request.sender, type="valid"))
    await peer.expect(Stanza)

    return peer


# -- pulse


def pulse(interval: float | None = 300.0, timeout: float | None = 60.0) -> Pulse:
    return Pulse(interval=interval, timeout=timeout, checked_at=0.0)


def look(found: Pulse, now: float, *, active_at: float = 0.0, written: int = 0, acknowledged: int = 0) -> Finding:
    return found.look(now, active_at=active_at, written=written, acknowledged=acknowledged)


def test_stream_is_checked_at_most_every_five_minutes() -> None:
    found = pulse(check_interval(EdgeSettings()))
    checked = [now for now in range(0, 1801, 15) if look(found, float(now)) is Finding.QUIET]

    assert checked == [300, 600, 900, 1200, 1500, 1800]


def test_stream_that_is_used_is_not_checked() -> None:
    assert look(pulse(), 500.0, active_at=201.0) is Finding.WELL
    assert look(pulse(), 501.0, active_at=201.0) is Finding.QUIET


def test_connection_that_acknowledges_nothing_is_dead_after_the_time() -> None:
    found = pulse()

    assert look(found, 10.0, active_at=10.0, written=5) is Finding.WELL
    assert look(found, 69.0, active_at=69.0, written=50) is Finding.WELL
    assert look(found, 70.0, active_at=70.0, written=500) is Finding.DEAD


def test_peer_that_reads_slowly_is_alive() -> None:
    found = pulse()

    for now in range(0, 600, 50):
        assert look(found, float(now), active_at=float(now), written=10_000, acknowledged=now) is Finding.WELL


def test_what_is_acknowledged_in_time_is_forgotten() -> None:
    found = pulse()
    look(found, 0.0, active_at=0.0, written=5)

    assert look(found, 59.0, active_at=59.0, written=5, acknowledged=5) is Finding.WELL
    assert look(found, 61.0, active_at=61.0, written=9, acknowledged=5) is Finding.WELL
    assert look(found, 121.0, active_at=121.0, written=9, acknowledged=5) is Finding.DEAD


def test_nothing_is_looked_at_without_times() -> None:
    assert pulse(None, None).period is None
    assert pulse(None, 8.0).period == 2.0
    assert look(pulse(None), 1e6) is Finding.WELL
    assert look(pulse(None, None), 1e6, written=1) is Finding.WELL


def test_white_space_is_one_space() -> None:
    assert check_text() == b" "


@pytest.mark.parametrize(("type_", "alive"), [("result", True), ("error", True), ("get", False), (None, False)])
def test_error_is_a_sign_of_life(type_: str | None, alive: bool) -> None:
    assert is_sign_of_life(type_) is alive


# -- streams


async def test_quiet_streams_are_checked_in_both_directions(world: Any) -> None:
    site = await world.site("contoso.com", partners=[world.partner("gmail.com")], edge=quick())
    fake = await world.listen("gmail.com")
    inbound = Raw(await world.authenticated(site, fake, "gmail.com", "contoso.com"))
    ours = Raw(await outbound(site, fake))

    await inbound.space()
    await ours.space()


async def test_stream_under_negotiation_is_not_checked(world: Any) -> None:
    site = await world.site("contoso.com", partners=[world.partner("gmail.com")], edge=quick())
    fake = await world.listen("gmail.com")
    strange = Raw(await world.dial(site))
    known = Raw(await world.authenticated(site, fake, "gmail.com", "contoso.com"))
    await known.space()

    assert strange.spaces == 0


async def test_white_space_does_not_keep_a_stream_from_being_idle(world: Any) -> None:
    gateway = GatewaySettings(stream_inactivity_timeout=0.4)
    site = await world.site("contoso.com", partners=[world.partner("gmail.com")], edge=quick(), gateway=gateway)
    fake = await world.listen("gmail.com")
    peer = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    raw = Raw(peer)
    await raw.space()
    await peer.expect(StreamClosed)


async def test_dead_connection_is_thrown_away_and_its_domain_lost(world: Any) -> None:
    site = await world.site("contoso.com", partners=[world.partner("gmail.com")], edge=quick())
    fake = await world.listen("gmail.com")
    peer = await outbound(site, fake)
    be_deaf(peer.connection)

    assert await site.link.lost(1) == ["lost gmail.com"]

    assert any("acknowledges nothing" in line for line in site.log)


async def test_message_to_a_peer_that_stops_reading_comes_back(world: Any) -> None:
    site = await world.site("contoso.com", partners=[world.partner("gmail.com")], edge=quick())
    fake = await world.listen("gmail.com")
    peer = await outbound(site, fake)
    make_room(peer.connection, 4096)
    peer.connection.pause_reading()

    for number in range(20):
        message = parse_element(LARGE)
        message.set("id", f"large-{number}")
        site.edge.submit(message)

    error = await site.link.next()

    assert error.get("type") == "error"
    assert await site.link.lost(1) == ["lost gmail.com"]


@pytest.mark.parametrize("type_", ["result", "error"])
async def test_ping_that_is_answered_leaves_the_stream(world: Any, type_: str) -> None:
    site = await world.site("contoso.com", partners=[world.partner("gmail.com")], edge=quick(pings=True))
    fake = await world.listen("gmail.com")
    theirs = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    ours = await outbound(site, fake)

    # Longer than the time for one answer.
    for _ in range(12):
        ping = (await ours.expect(Stanza)).element
        assert (ping.get("type"), ping.get("from"), ping.get("to")) == ("get", "contoso.com", "gmail.com")
        answer = f"from='gmail.com' to='contoso.com' type='{type_}' id='{ping.get('id')}'"
        theirs.send_xml(f"<iq xmlns='jabber:server' {answer}/>")

    assert site.link.crossed.empty()
    assert site.link.domains == []


async def test_ping_that_nobody_answers_ends_the_stream(world: Any) -> None:
    site = await world.site("contoso.com", partners=[world.partner("gmail.com")], edge=quick(pings=True))
    fake = await world.listen("gmail.com")
    ours = await outbound(site, fake)
    await ours.expect(Stanza)

    assert (await ours.expect(StreamError)).condition == "connection-timeout"
    assert await site.link.lost(1) == ["lost gmail.com"]


async def test_answer_in_the_name_of_another_domain_is_none(world: Any) -> None:
    partners = [world.partner("gmail.com"), world.partner("other.example")]
    site = await world.site("contoso.com", partners=partners, edge=quick(pings=True))
    fake = await world.listen("gmail.com")
    stranger = await world.listen("other.example")
    other = await world.authenticated(site, stranger, "other.example", "contoso.com")
    ours = await outbound(site, fake)
    identifier = (await ours.expect(Stanza)).element.get("id")
    other.send_xml(f"<iq xmlns='jabber:server' from='other.example' to='contoso.com' type='result' id='{identifier}'/>")

    assert (await site.link.next()).get("id") == identifier
    assert (await ours.expect(StreamError)).condition == "connection-timeout"


async def test_rules_decide_what_is_sent(world: Any) -> None:
    rules = replace(Rules(), check_text=lambda: b"\n")
    site = await world.site("contoso.com", partners=[world.partner("gmail.com")], edge=quick(), rules=rules)
    fake = await world.listen("gmail.com")
    peer = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    peer.connection.on_data = heard.put_nowait

    async with asyncio.timeout(5):
        assert await heard.get() == b"\n"
