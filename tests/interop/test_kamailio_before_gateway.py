"""A stranger's proxy and presence server between devices and the gateway, and a stranger's XMPP server outside.

Kamailio stands where a user agent finds its home: it forwards everything to the gateway, with Record-Route, or keeps
the presence of the users itself, so that the gateway learns from it who may see them (RFC 8048 §5.2). It has one
connection to the gateway, on which the gateway's dialogs live, as flows of RFC 5626 do.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from simulator.sip.agent import Incoming
from simulator.sip.identifiers import Identifiers
from simulator.sip.pidf import Presence
from simulator.wire.connection import open_connection
from simulator.wire.tls import client_context
from simulator.world.systems.embedded_process import EmbeddedProcess
from simulator.world.users.habits import Habits
from simulator.world.users.sip.line import Line
from simulator.world.users.sip.publication import Publication
from simulator.world.users.sip.shown import closed_document, document_of
from simulator.world.users.sip.sip_user import SIPUser
from simulator.world.users.user import COMPOSING, MESSAGE, PRESENCE, REFUSAL, SUBSCRIPTION, User
from tests.interop.conftest import OUTSIDE, row
from tests.interop.kamailio import INSTALL, Kamailio, before, is_installed, kamailio
from tests.world.systems.conftest import Town
from tests.world.users.arrivals import arrived

pytestmark = pytest.mark.skipif(not is_installed(), reason=INSTALL)

ALICE, URI = "alice@contoso.com", "sip:alice@contoso.com"
SEEN = Habits(uses_presence=True)


def violations(town: Town) -> list[str]:
    return [entry.data["violation"] for entry in town.journal if "violation" in entry.data]


@asynccontextmanager
async def world(
    town: Town, outside: Any, *, tls: bool = False, keeps: bool = False, **settings: Any
) -> AsyncIterator[tuple[Kamailio, User]]:
    """Kamailio before a gateway, and Juliet at a Prosody that federates with it."""
    server, gateway = await asyncio.gather(
        outside(OUTSIDE), town.seat(EmbeddedProcess, partners={OUTSIDE: row("not-supported/not-supported/yes")})
    )
    host, port = gateway.listening["sips" if tls else "sip"]
    route = before(host, port, transport="tls" if tls else "tcp", keeps=keeps)

    async with kamailio("contoso.com", town, route=route, **settings) as proxy:
        yield proxy, await town.user(server, f"juliet@{OUTSIDE}", SEEN)


@pytest.mark.parametrize(("dialect", "tls"), [("rfc8048", False), ("lync", True)], ids=["RFC 8048, TCP", "Lync, TLS"])
async def test_everything_goes_through_a_proxy(town: Town, outside: Any, dialect: str, tls: bool) -> None:
    habits = Habits(uses_presence=True, dialect=dialect, sessions=True)

    async with world(town, outside, tls=tls) as (proxy, juliet):
        alice = SIPUser(
            ALICE,
            proxy.host,
            proxy.tls_port if tls else proxy.tcp_port,
            town.journal,
            tls=client_context(authority=town.authority.authority) if tls else None,
            server_name="contoso.com" if tls else None,
            entropy=random.Random(2),
            habits=habits,
        )

        try:
            await alice.sign_in()
            await alice.add_contact(juliet.address)
            await arrived(juliet, SUBSCRIPTION, type="subscribe")
            await juliet.accept(ALICE)
            await arrived(alice, SUBSCRIPTION, type="subscribed")
            await arrived(alice, PRESENCE, type="available")
            await juliet.add_contact(ALICE)
            await arrived(alice, SUBSCRIPTION, type="subscribe")
            await alice.accept(juliet.address)
            await arrived(juliet, SUBSCRIPTION, type="subscribed")
            await arrived(juliet, PRESENCE, type="available")

            await alice.set_presence(show="dnd")
            busy = await arrived(juliet, PRESENCE)
            await juliet.set_presence(show="away", note="At lunch")
            away = await arrived(alice, PRESENCE)

            await alice.send_message(juliet.address, "Neither, fair saint", id="m1")
            said = await arrived(juliet, MESSAGE)
            await juliet.send_message(ALICE, "Art thou not Romeo?", id="m2", thread=said["thread"])
            heard = await arrived(alice, MESSAGE)
            await juliet.send_state(ALICE, "gone")
            gone = await arrived(alice, COMPOSING)

            await alice.remove_contact(juliet.address)
            await arrived(juliet, SUBSCRIPTION, type="unsubscribed")
        finally:
            await alice.sign_out()

        assert (busy["show"], away["show"], away["status"]) == ("dnd", "away", "At lunch")
        assert (said["body"], heard["body"]) == ("Neither, fair saint", "Art thou not Romeo?")
        assert gone["state"] == "gone"
        assert violations(town) == []
        assert not [arrival for arrival in alice.inbox.arrivals if arrival.what == REFUSAL]


def shown(show: str) -> Presence:
    return document_of(URI, "", show=show, note="", priority=None, lync=False)


@asynccontextmanager
async def device_at(proxy: Kamailio, town: Town) -> AsyncIterator[tuple[Publication, asyncio.Queue[Incoming]]]:
    """A device of Alice's that leaves presence to its server: it registers, and publishes; and what it is asked."""
    requests: asyncio.Queue[Incoming] = asyncio.Queue()
    connection = await open_connection(proxy.host, proxy.tcp_port, timeout=5)
    line = Line(
        connection,
        address=ALICE,
        journal=town.journal,
        identifiers=Identifiers(random.Random(3)),
        timeout=5,
        on_request=requests.put_nowait,
        on_cancelled=lambda incoming: None,
        on_closed=lambda: None,
    )
    identity = [("To", f"<{URI}>"), ("From", f"<{URI}>;tag=x"), ("Call-ID", "x"), ("CSeq", "1 REGISTER")]
    place = [("Contact", f"<sip:alice@{line.place}>"), ("Expires", "3600")]
    code, response = await line.ask("REGISTER", "sip:contoso.com", [*identity, *place])
    assert code == 200, response

    publication = Publication(line, URI)

    try:
        yield publication, requests
    finally:
        publication.forget()
        line.close()


@pytest.mark.parametrize("shortest", [60, 7200])
async def test_presence_server_answers_for_the_user(town: Town, outside: Any, shortest: int) -> None:
    """With a shortest interval of two hours it answers 423 to the hour of RFC 3856 §6.4, and Min-Expires is heeded."""
    async with (
        world(town, outside, keeps=True, shortest=shortest) as (proxy, juliet),
        device_at(proxy, town) as (publication, requests),
    ):
        assert (await publication.show(shown("dnd")))[0] == 200
        await juliet.add_contact(ALICE)
        await arrived(juliet, SUBSCRIPTION, type="subscribed")
        first = await arrived(juliet, PRESENCE)
        assert (await publication.show(shown("away")))[0] == 200
        second = await arrived(juliet, PRESENCE)
        await juliet.sign_out()
        # A probe is a SUBSCRIBE of its own, whose one NOTIFY is "terminated", with the reason "timeout".
        await juliet.sign_in()
        probed = await arrived(juliet, PRESENCE)
        assert (await publication.show(closed_document(URI)))[0] == 200
        third = await arrived(juliet, PRESENCE)

        assert [each["show"] for each in (first, second, probed)] == ["dnd", "away", "away"]
        assert third["type"] == "unavailable"
        assert [arrival for arrival in juliet.inbox.arrivals if arrival.what == SUBSCRIPTION] == []
        assert requests.empty()
        assert violations(town) == []
        asked = [int(line.split()[-1]) for line in proxy.child.last_lines(400) if "SUBSCRIBE for" in line]
        assert [seconds for seconds in asked if seconds] == ([3600] if shortest == 60 else [3600, shortest])


async def test_who_is_not_let_in_hears_nothing(town: Town, outside: Any) -> None:
    """RFC 8048 §5.2.1: a NOTIFY that says "pending" is no answer, and nothing of it goes to the XMPP user."""
    async with (
        world(town, outside, keeps=True, asks=True) as (proxy, juliet),
        device_at(proxy, town) as (publication, requests),
    ):
        assert (await publication.show(shown("dnd")))[0] == 200
        await juliet.add_contact(ALICE)
        await juliet.send_message(ALICE, "Art thou not Romeo?", id="m1")

        async with asyncio.timeout(20):
            assert (await requests.get()).request.method == "MESSAGE"

        assert [arrival for arrival in juliet.inbox.arrivals if arrival.what in (SUBSCRIPTION, PRESENCE)] == []
        assert (await juliet.contact_list())[ALICE] == {"subscription": "none", "ask": "subscribe"}
