"""Closed gates, as users inside and at partners meet them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from simulator.gateway.access.authorization import AuthorizationSettings, Refusal
from simulator.gateway.access.edge import AccessEdgeConfiguration
from simulator.gateway.access.policy import ExternalAccessPolicy
from simulator.gateway.access.site import EdgePool, Site
from simulator.gateway.configuration import AllowedPartner, User
from simulator.gateway.frontend.refusal import diagnostics
from simulator.xmpp.address import parse_address

PING = "<iq type='get' id='p' from='gmail.com' to='contoso.com'><ping xmlns='urn:xmpp:ping'/></iq>"
PONG = "<iq from='contoso.com' to='gmail.com' id='p' type='result'/>"
UNVERIFIED = (AllowedPartner(identity="gmail.com"),)
DUBLIN = (User(address="alice@contoso.com", site="Dublin"),)
POOLS = (EdgePool(identity="edge.contoso.com", enable_xmpp_federation=True), EdgePool(identity="old.contoso.com"))
REDMOND = Site(identity="Redmond", xmpp_federation_route="edge.contoso.com")
ROUTELESS: dict[str, Any] = {"users": DUBLIN, "pools": POOLS, "sites": (REDMOND, Site(identity="Dublin"))}
NO_XMPP = ROUTELESS | {"sites": (REDMOND, Site(identity="Dublin", xmpp_federation_route="old.contoso.com"))}
OFF: dict[str, Any] = {"access": AccessEdgeConfiguration()}
FORBIDDEN: dict[str, Any] = {"policies": (ExternalAccessPolicy(enable_federation_access=True),)}


def message(to: str = "alice@contoso.com", type_: str = "chat", id_: str = "m1") -> str:
    return f"<message from='juliet@gmail.com/b' to='{to}' id='{id_}' type='{type_}'><body>Hi</body></message>"


def error(condition: str, to: str = "alice@contoso.com") -> str:
    return (
        f"<message from='{to}' to='juliet@gmail.com/b' id='m1' type='error'><body>Hi</body>"
        f"<error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )


@pytest.mark.parametrize(
    ("settings", "code", "number", "reason"),
    [
        (
            ROUTELESS,
            504,
            1007,
            "the site Dublin has no XMPP federation route: Set-CsSite Dublin -XmppFederationRoute EdgeServer:FQDN",
        ),
        (NO_XMPP, 504, 1007, "the edge pool old.contoso.com has XMPP federation not enabled: Topology Builder"),
        (
            OFF,
            403,
            1012,
            "federation is off for everybody: Set-CsAccessEdgeConfiguration -AllowFederatedUsers $true",
        ),
        (
            FORBIDDEN,
            403,
            1002,
            "the policy Global forbids it: Set-CsExternalAccessPolicy -Identity Global -EnableXmppAccess $true",
        ),
        ({"partners": ()}, 403, 1005, "gmail.com is no allowed partner: New-CsXmppAllowedPartner gmail.com"),
    ],
)
async def test_closed_gate_tells_the_user_which_it_was(
    start: Any, connect: Any, settings: dict[str, Any], code: int, number: int, reason: str
) -> None:
    async with start(**settings) as inside, connect(inside.port) as alice:
        await alice.registers()
        answer = await alice.writes("juliet@gmail.com")

        assert (answer.code, answer.phrase) == (code, reason)
        assert answer.header("ms-diagnostics") == f'{number};reason="{reason}";source="sip.contoso.com"'
        inside.sends(PING)
        assert await inside.next_stanza() == PONG


async def test_colleagues_are_reached_whatever_is_closed(start: Any, connect: Any) -> None:
    async with start(**OFF) as inside, connect(inside.port) as alice, connect(inside.port, "bob@contoso.com") as bob:
        await alice.registers()
        await bob.registers()
        alice.sends("MESSAGE", "sip:bob@contoso.com", "Content-Type: text/plain", body=b"Hi")
        bob.answers(await bob.next_request(), 200)

        assert (await alice.next_response()).code == 200


@pytest.mark.parametrize("to", ["alice@contoso.com", "nobody@contoso.com"])
@pytest.mark.parametrize(
    ("settings", "condition"),
    [
        (OFF, "not-allowed"),
        ({"partners": ()}, "not-allowed"),
        (FORBIDDEN, "service-unavailable"),
        (ROUTELESS, "service-unavailable"),
        ({"partners": UNVERIFIED}, "service-unavailable"),
    ],
)
async def test_closed_gate_lets_no_message_in_and_does_not_tell_who_exists(
    start: Any, connect: Any, settings: dict[str, Any], condition: str, to: str
) -> None:
    async with start(**settings) as inside, connect(inside.port) as alice:
        await alice.registers()
        inside.sends(message(to))

        assert await inside.next_stanza() == error(condition, to)
        # Whatever had gone to Alice would stand before this answer.
        assert (await alice.asks("OPTIONS", "sip:contoso.com")).cseq[1] == "OPTIONS"


@pytest.mark.parametrize("to", ["alice@contoso.com", "nobody@contoso.com"])
async def test_refusal_can_be_silent(start: Any, connect: Any, to: str) -> None:
    silent = AuthorizationSettings(message_refusal=Refusal.SILENT)

    async with start(partners=UNVERIFIED, authorization=silent) as inside, connect(inside.port) as alice:
        await alice.registers()
        inside.sends(message(to))
        inside.sends(PING)

        assert await inside.next_stanza() == PONG
        assert (await alice.asks("OPTIONS", "sip:contoso.com")).cseq[1] == "OPTIONS"
        assert any("has not added juliet@gmail.com" in line for line in inside.lines)


async def test_headline_that_is_stopped_is_never_answered(start: Any) -> None:
    async with start(**OFF) as inside:
        inside.sends(message(type_="headline"))
        inside.sends(PING)

        assert await inside.next_stanza() == PONG


async def test_error_for_a_user_passes_closed_gates(start: Any, connect: Any) -> None:
    """It answers what went out while they were open."""
    async with start() as inside, connect(inside.port) as alice:
        inside.hands_over = False
        await alice.registers()
        alice.sends("MESSAGE", "sip:juliet@gmail.com", "Content-Type: text/plain", body=b"x")
        stanza = await inside.next_stanza()
        inside.configuration.adopt(msgspec.structs.replace(inside.configuration, **OFF))
        name = stanza.partition("id='")[2].partition("'")[0]
        inside.sends(
            f"<message type='error' id='{name}' from='juliet@gmail.com' to='alice@contoso.com'><error type='cancel'>"
            "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        )

        assert (await alice.next_response()).header("ms-diagnostics") is None
        assert (await alice.writes("juliet@gmail.com")).header("ms-diagnostics").startswith("1012;")


async def test_contact_on_the_list_may_write(start: Any, connect: Any) -> None:
    user, contact = parse_address("alice@contoso.com"), parse_address("juliet@gmail.com")

    async with start(partners=UNVERIFIED) as inside, connect(inside.port) as alice:
        await alice.registers()
        inside.frontend.home.edit(user, contact, name="Juliet")
        inside.sends(message())
        request = await alice.next_request()
        alice.answers(request, 200)
        inside.frontend.home.remove(user, contact, 0.0)
        inside.sends(message())

        assert request.body == b"Hi"
        assert await inside.next_stanza() == error("service-unavailable")


SDP = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=message 5060 sip null\r\n"


async def test_gate_that_closes_stops_sessions_that_are_open(start: Any, connect: Any) -> None:
    contact = "Contact: <sip:alice@127.0.0.1:1>"

    async with start() as inside, connect(inside.port) as alice:
        await alice.registers(f'{contact};methods="INVITE,MESSAGE"')
        dialog = {"from_": "<sip:alice@contoso.com>;tag=s", "call_id": "session"}
        opened = await alice.asks(
            "INVITE",
            "sip:juliet@gmail.com",
            contact,
            "Content-Type: application/sdp",
            body=SDP,
            cseq="1 INVITE",
            **dialog,
        )
        assert opened.code == 200
        dialog["to"] = opened.header("to")
        target = opened.header("contact").partition("<")[2].partition(">")[0]
        alice.sends("ACK", target, cseq="1 ACK", **dialog)
        alice.sends("MESSAGE", target, "Content-Type: text/plain", body=b"1", cseq="2 MESSAGE", **dialog)
        assert "<body>1</body>" in await inside.next_stanza()
        assert (await alice.next_response()).code == 200
        inside.configuration.adopt(msgspec.structs.replace(inside.configuration, **OFF))
        alice.sends("MESSAGE", target, "Content-Type: text/plain", body=b"2", cseq="3 MESSAGE", **dialog)
        refused = await alice.next_response()

        assert (refused.code, refused.header("ms-diagnostics").partition(";")[0]) == (403, "1012")
        # What is said of itself goes nowhere, either: the session ends without a word to the contact.
        alice.sends("BYE", target, cseq="4 BYE", **dialog)
        assert (await alice.next_response()).code == 200
        inside.sends(PING)
        assert await inside.next_stanza() == PONG


def test_header_cannot_be_broken_by_what_it_says() -> None:
    assert diagnostics(1002, 'a "b"\r\nc\\', "sip.a") == ("ms-diagnostics", '1002;reason="a bc";source="sip.a"')


async def test_message_of_or_to_a_blocked_contact_is_stopped(start: Any, connect: Any) -> None:
    """XEP-0191 §3.3"""
    user, contact = parse_address("alice@contoso.com"), parse_address("juliet@gmail.com")

    async with start() as inside, connect(inside.port) as alice:
        await alice.registers()
        inside.frontend.home.block(user, contact, 0.0)
        inside.sends(message())

        assert await inside.next_stanza() == error("service-unavailable")
        assert ((await alice.writes("juliet@gmail.com")).code) == 403
        inside.sends(PING)
        assert await inside.next_stanza() == PONG
        inside.frontend.home.unblock(user, contact, 0.0)
        inside.sends(message())
        assert (await alice.next_request()).method == "MESSAGE"
