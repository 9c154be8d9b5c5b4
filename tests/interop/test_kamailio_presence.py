"""Our user agent at a stranger's presence server and behind a stranger's proxy: Kamailio, over TCP and over TLS.

What the agent learns of RFC 6665 and RFC 3903 here nobody of ours has told it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from simulator.journal import Journal
from simulator.sip import pidf
from simulator.sip.event import SubscriptionState
from simulator.sip.identifiers import Identifiers
from simulator.sip.message import Message, Response
from simulator.wire.connection import open_connection
from simulator.wire.tls import client_context
from simulator.world.users.habits import Habits
from simulator.world.users.sip.line import Line
from simulator.world.users.sip.observed import Observation
from simulator.world.users.sip.person import Person
from simulator.world.users.sip.publication import Publication
from simulator.world.users.sip.shown import closed_document, document_of
from simulator.world.users.sip.sip_user import SIPUser
from simulator.world.users.sip.subscriptions import Subscription, Subscriptions
from simulator.world.users.user import MESSAGE, PRESENCE, SUBSCRIPTION, Inbox
from tests.interop.kamailio import INSTALL, RELAY, SHORTEST, Kamailio, is_installed, kamailio
from tests.world.systems.conftest import Town
from tests.world.users.arrivals import arrived

pytestmark = pytest.mark.skipif(not is_installed(), reason=INSTALL)

DOMAIN = "inside.example"
BOB = f"sip:bob@{DOMAIN}"
over_both = pytest.mark.parametrize("tls", [False, True], ids=["TCP", "TLS"])


class Agent:
    """Alice's user agent on one connection: what it may subscribe to and publish, and what it hears."""

    def __init__(self, connection: Any, journal: Journal) -> None:
        address = f"alice@{DOMAIN}"
        self.journal = journal
        self.inbox = Inbox(journal, address)
        self.line = Line(
            connection,
            address=address,
            journal=journal,
            identifiers=Identifiers(random.Random(1)),
            timeout=5,
            on_request=lambda incoming: self.subscriptions.notified(incoming),
            on_cancelled=lambda incoming: None,
            on_closed=lambda: None,
        )
        person = Person(address=address, inbox=self.inbox, habits=Habits(uses_presence=True))
        self.subscriptions = Subscriptions(self.line, person.uri, f"<sip:alice@{self.line.place}>")
        self.observation = Observation(self.line, self.subscriptions, person, self.inbox.arrived, lync=False)
        self.notified: asyncio.Queue[tuple[SubscriptionState, Message]] = asyncio.Queue()

    async def subscribes(self, expires: int, event: str = "presence") -> tuple[Subscription, int, Response]:
        subscription, code, response = await self.subscriptions.subscribe(
            BOB,
            event,
            accept=[pidf.MEDIA_TYPE],
            on_notify=lambda state, message: self.notified.put_nowait((state, message)),
            expires=expires,
        )
        assert response is not None

        return subscription, code, response

    async def sees(self) -> dict[str, Any]:
        """The next presence, without the tuple's own name."""
        async with asyncio.timeout(5):
            arrival = await self.inbox.next(lambda arrival: arrival.what == PRESENCE)

        return {name: value for name, value in arrival.fields.items() if name != "from"}


def violations(journal: Journal) -> list[str]:
    return [entry.data["violation"] for entry in journal if "violation" in entry.data]


@asynccontextmanager
async def agent_at(server: Kamailio, town: Town, tls: bool) -> AsyncIterator[Agent]:
    connection = await open_connection(
        server.host,
        server.tls_port if tls else server.tcp_port,
        timeout=5,
        tls=client_context(authority=town.authority.authority) if tls else None,
        server_name=DOMAIN if tls else None,
    )
    agent = Agent(connection, town.journal)

    try:
        yield agent
        assert violations(agent.journal) == []
    finally:
        agent.subscriptions.forget()
        agent.line.close()


@over_both
async def test_what_is_published_is_seen(town: Town, tls: bool) -> None:
    async with kamailio(DOMAIN, town) as server, agent_at(server, town, tls) as alice:
        publication = Publication(alice.line, BOB)
        busy = document_of(BOB, f"sip:bob@{DOMAIN}", show="dnd", note="Réunion", priority=None, lync=True)
        assert (await publication.show(busy))[0] == 200
        await alice.observation.look(f"bob@{DOMAIN}")
        first = await alice.sees()
        assert (await publication.show(closed_document(BOB)))[0] == 200
        second = await alice.sees()
        assert (await publication.show(busy))[0] == 200
        await alice.sees()
        await alice.observation.look_away(f"bob@{DOMAIN}")
        # RFC 6665 §4.4.3: an answer that ends with the subscription, "terminated", and has the document all the same.
        await alice.observation.ask_once(f"bob@{DOMAIN}")
        polled = await alice.sees()
        publication.forget()

        assert first == polled == {"type": "available", "show": "dnd", "status": "Réunion"}
        assert second == {"type": "unavailable"}
        assert [arrival.what for arrival in alice.inbox.arrivals] == [SUBSCRIPTION]
        assert alice.inbox.arrivals[0].fields["type"] == "subscribed"


@over_both
async def test_subscriptions_are_refused_and_ended(town: Town, tls: bool) -> None:
    async with kamailio(DOMAIN, town) as server, agent_at(server, town, tls) as alice:
        # RFC 6665 §4.2.1.1: 423 with Min-Expires, 489 with Allow-Events.
        brief, code, response = await alice.subscribes(5)
        assert (code, response.integer("min-expires")) == (423, SHORTEST)
        strange, code, response = await alice.subscribes(3600, "nobody-knows")
        assert (code, "presence" in (response.header("allow-events") or "")) == (489, True)
        assert not alice.subscriptions.is_open(brief)
        assert not alice.subscriptions.is_open(strange)

        granted, code, _ = await alice.subscribes(SHORTEST)
        assert code == 200
        assert (await alice.notified.get())[0].state == "active"
        assert (await alice.subscriptions.refresh(granted))[0] == 200
        assert (await alice.notified.get())[0].state == "active"
        await alice.subscriptions.end(granted)
        assert (await alice.notified.get())[0] == SubscriptionState("terminated", reason="timeout")
        assert not alice.subscriptions.is_open(granted)
        # §4.1.2.2: nobody has such a dialog any more.
        assert (await alice.subscriptions.refresh(granted))[0] == 481


async def test_publication_that_is_gone_begins_again(town: Town) -> None:
    async with kamailio(DOMAIN, town) as server, agent_at(server, town, tls=False) as alice:
        publication = Publication(alice.line, BOB)
        _, response = await publication.show(closed_document(BOB))
        assert response is not None
        tag = response.needed("sip-etag")
        headers = [("Event", "presence"), ("SIP-If-Match", tag), ("Expires", "0")]
        identity = [("To", f"<{BOB}>"), ("From", f"<{BOB}>;tag=x"), ("Call-ID", "x"), ("CSeq", "1 PUBLISH")]
        assert (await alice.line.ask("PUBLISH", BOB, [*identity, *headers]))[0] == 200
        # RFC 3903 §4.1: 412, and then without the entity-tag.
        code, response = await publication.show(closed_document(BOB))
        publication.forget()
        assert response is not None

        assert (code, response.needed("sip-etag") != tag) == (200, True)
        assert any("412" in str(entry.data.get("text", "")).split("\r\n")[0] for entry in alice.journal)


async def test_nobody_is_shown_what_nobody_has_allowed(town: Town) -> None:
    async with kamailio(DOMAIN, town, asks=True) as server, agent_at(server, town, tls=False) as alice:
        publication = Publication(alice.line, BOB)
        assert (await publication.show(document_of(BOB, "", show="dnd", note="", priority=None, lync=False)))[0] == 200
        await alice.observation.look(f"bob@{DOMAIN}")
        await alice.observation.ask_once(f"bob@{DOMAIN}")
        _, code, _ = await alice.subscribes(SHORTEST)
        publication.forget()

        assert code in (200, 202)
        assert (await alice.notified.get())[0].state == "pending"
        assert not alice.inbox.arrivals


@over_both
async def test_people_meet_through_a_proxy(town: Town, tls: bool) -> None:
    """Their dialogs have a route (RFC 3261 §12.2.1.1): Kamailio writes Record-Route and forwards by Route."""
    habits = Habits(uses_presence=True, dialect="rfc8048", sessions=True)
    context = client_context(authority=town.authority.authority) if tls else None

    async with kamailio(DOMAIN, town, route=RELAY) as server:
        alice, bob = (
            SIPUser(
                f"{name}@{DOMAIN}",
                server.host,
                server.tls_port if tls else server.tcp_port,
                town.journal,
                tls=context,
                server_name=DOMAIN if tls else None,
                entropy=random.Random(name),
                habits=habits,
            )
            for name in ("alice", "bob")
        )

        try:
            for user in (alice, bob):
                await user.sign_in()

            await alice.add_contact(bob.address)
            await arrived(bob, SUBSCRIPTION, type="subscribe")
            await bob.accept(alice.address)
            await arrived(alice, SUBSCRIPTION, type="subscribed")
            await arrived(alice, PRESENCE, type="available")
            await bob.set_presence(show="away", note="Déjeuner")
            away = await arrived(alice, PRESENCE)
            await alice.send_message(bob.address, "Wherefore art thou Roméo? <&>", id="m1")
            question = await arrived(bob, MESSAGE)
            await bob.send_message(alice.address, "Neither, fair saint", id="m2")
            answer = await arrived(alice, MESSAGE)
            await alice.send_state(bob.address, "gone")
            await alice.unsubscribe(bob.address)
            await arrived(bob, SUBSCRIPTION, type="unsubscribe")
        finally:
            for user in (alice, bob):
                await user.sign_out()

        assert (away["show"], away["status"]) == ("away", "Déjeuner")
        assert (question["body"], answer["body"]) == ("Wherefore art thou Roméo? <&>", "Neither, fair saint")
        assert violations(town.journal) == []
        said = "".join(str(entry.data.get("text", "")) for entry in town.journal if entry.kind == "sent")

        for method in ("NOTIFY", "SUBSCRIBE", "ACK", "MESSAGE", "BYE"):
            assert any("\r\nRoute: <sip:" in part for part in said.split(f"{method} sip:")[1:]), method
