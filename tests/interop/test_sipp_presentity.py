"""A stranger's SIP that is asked for presence by a user of a stranger's server: sipp over TCP and, by OpenSSL, TLS.

It decides by itself who sees it, as RFC 8048 §5.2 has SIP users do: a contact's request is a SUBSCRIBE, and its NOTIFYs
are the answer.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from simulator.world.systems.embedded_process import EmbeddedProcess
from simulator.world.users.habits import Habits
from simulator.world.users.user import PRESENCE, SUBSCRIPTION, User
from tests.gateway.frontend.sipp import CONTACT, needs_sipp
from tests.interop.conftest import OUTSIDE, row
from tests.interop.sipp import JULIET, Presentity
from tests.interop.tunnel import PROGRAM, tunnel
from tests.world.systems.conftest import Town
from tests.world.users.arrivals import arrived

pytestmark = [
    needs_sipp,
    pytest.mark.skipif(PROGRAM is None, reason="openssl is not installed: apt-get install openssl (Debian)"),
]

ALICE = "alice@contoso.com"
DOCUMENT = """\
<?xml version='1.0' encoding='UTF-8'?>
<presence xmlns='urn:ietf:params:xml:ns:pidf' xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model'
    xmlns:rpid='urn:ietf:params:xml:ns:pidf:rpid' entity='sip:alice@contoso.com'>
  <tuple id='t1'><status><basic>{basic}</basic></status></tuple>
  <dm:person id='p1'><rpid:activities><rpid:away/></rpid:activities></dm:person>
</presence>"""

SUBSCRIBED = """
  <recv request="SUBSCRIBE" rrs="true"><action>
    <ereg regexp=";tag=.*" search_in="hdr" header="From:" check_it="true" assign_to="1"/>
    <ereg regexp="{expires}" search_in="hdr" header="Expires:" check_it="true" assign_to="2"/>
    <log message="[$1] [$2]"/>
  </action></recv>
  <send><![CDATA[

SIP/2.0 {code}
[last_Via:]
[last_From:]
[last_To:]{tag}
[last_Call-ID:]
[last_CSeq:]
{contact}
Expires: {expires}
Content-Length: 0

  ]]></send>
"""

NOTIFY = """
  <send><![CDATA[

NOTIFY [next_url] SIP/2.0
Via: SIP/2.0/TCP [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
To: <sip:juliet@jabber.example>[$1]
From: <sip:alice@contoso.com>;tag=presentity
[last_Call-ID:]
CSeq: {number} NOTIFY
Event: presence
Subscription-State: {state}
{contact}
Content-Type: application/pidf+xml
Content-Length: [len]
{body}
  ]]></send>
  <recv response="200"/>
"""


def subscribed(code: str, *, expires: int = 3600, tag: str = ";tag=presentity") -> str:
    return SUBSCRIBED.format(code=code, expires=expires, tag=tag, contact=CONTACT)


def notify(number: int, state: str, basic: str = "") -> str:
    body = f"\n{DOCUMENT.format(basic=basic)}" if basic else ""

    return NOTIFY.format(number=number, state=state, contact=CONTACT, body=body)


@pytest.fixture
async def world(town: Town, outside: Any) -> tuple[Any, User]:
    """The gateway, and Juliet at a Prosody that federates with it."""
    server, gateway = await asyncio.gather(
        outside(OUTSIDE), town.seat(EmbeddedProcess, partners={OUTSIDE: row("not-supported/not-supported/yes")})
    )

    return gateway, await town.user(server, JULIET, Habits(uses_presence=True))


async def befriended(juliet: User, sipp: Presentity) -> None:
    """Juliet is let in, sees what is shown, and leaves."""
    thread = await sipp.has_written(juliet)
    await juliet.add_contact(ALICE)
    await arrived(juliet, SUBSCRIPTION, type="subscribed")
    shown = await arrived(juliet, PRESENCE)
    assert (shown["type"], shown["show"]) == ("available", "away")
    assert (await juliet.contact_list())[ALICE]["subscription"] == "to"
    await arrived(juliet, PRESENCE, type="unavailable")
    await juliet.remove_contact(ALICE)
    await sipp.is_answered("4 NOTIFY")
    await juliet.send_message(ALICE, "Good night", id="m1", thread=thread)
    await sipp.ended()


GRANTS = (
    subscribed("200 OK"),
    notify(1, "pending;expires=3600"),
    notify(2, "active;expires=3600", "open"),
    notify(3, "active;expires=3600", "closed"),
    subscribed("200 OK", expires=0, tag=""),
    notify(4, "terminated;reason=timeout", "closed"),
)


async def test_contact_is_let_in_and_leaves_over_tcp(town: Town, world: Any, tmp_path: Path) -> None:
    gateway, juliet = world
    sipp = Presentity(town, tmp_path)
    await sipp.start(gateway.listening["sip"], "".join(GRANTS), "TCP")
    await befriended(juliet, sipp)


async def test_contact_is_let_in_and_leaves_over_tls(town: Town, world: Any, tmp_path: Path) -> None:
    gateway, juliet = world
    sipp = Presentity(town, tmp_path)
    host, files = town.addresses.take("tunnel"), town.authority

    async with tunnel(host, gateway.listening["sips"], authority=files.authority, name="contoso.com") as place:
        await sipp.start(place, "".join(GRANTS), "TLS")
        await befriended(juliet, sipp)


@pytest.mark.parametrize(
    "refusal",
    [
        subscribed("603 Decline"),
        subscribed("200 OK") + notify(1, "terminated;reason=rejected"),
    ],
    ids=["603", "rejected"],
)
async def test_contact_is_refused(town: Town, world: Any, tmp_path: Path, refusal: str) -> None:
    """RFC 8048 §5.2.1: either is ``unsubscribed`` to the XMPP user."""
    gateway, juliet = world
    sipp = Presentity(town, tmp_path)
    await sipp.start(gateway.listening["sip"], refusal, "TCP")
    thread = await sipp.has_written(juliet)
    await juliet.add_contact(ALICE)
    await arrived(juliet, SUBSCRIPTION, type="unsubscribed")
    assert (await juliet.contact_list())[ALICE] == {"subscription": "none"}
    await juliet.send_message(ALICE, "Good night", id="m1", thread=thread)
    await sipp.ended()
    assert [arrival for arrival in juliet.inbox.arrivals if arrival.what in (PRESENCE, SUBSCRIPTION)] == []
