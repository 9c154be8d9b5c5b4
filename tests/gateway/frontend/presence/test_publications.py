"""What a device publishes becomes presence of its resource (RFC 3903; RFC 8048 §6.3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from simulator.gateway.configuration import AllowedPartner, FrontendSettings, PartnerType
from simulator.sip.contact_service import SetACE
from simulator.sip.pidf import Presence, PresenceTuple
from tests.gateway.frontend.presence.phone import Phone, of_juliet

JULIET = "sip:juliet@gmail.com"


def says(basic: str = "open", **more: Any) -> Presence:
    return Presence(entity="sip:alice@contoso.com", tuples=(PresenceTuple(id="0", basic=basic, **more),))


async def lets_in(inside: Any, phone: Phone) -> None:
    """Juliet sees alice, who is offline as yet."""
    assert (await phone.serves(SetACE(JULIET, "AA"))).code == 200
    inside.sends(of_juliet("subscribe"))
    assert "type='subscribed'" in await inside.next_stanza()


@pytest.fixture
async def seen(enter: Any) -> AsyncIterator[tuple[Any, Phone]]:
    """Juliet is at a partner whose users may read notes."""
    partner = AllowedPartner(identity="gmail.com", partner_type=PartnerType.FEDERATED)

    async with enter(partners=(partner,)) as both:
        await lets_in(*both)
        yield both


@pytest.mark.parametrize(
    ("presence", "content"),
    [
        (says(), ""),
        (says(show="xa"), "<show>xa</show>"),
        (says(activities=("busy",)), "<show>dnd</show>"),
        (says(availability=15500), "<show>away</show>"),
        (says(contact="sip:alice@contoso.com", priority=1000), "<priority>127</priority>"),
        (says(notes=(("de", "Mahlzeit"),)), "<status xml:lang='de'>Mahlzeit</status>"),
    ],
)
async def test_publication_is_presence_of_the_device(seen: tuple[Any, Phone], presence: Presence, content: str) -> None:
    inside, phone = seen
    answer = await phone.publishes(presence)
    stanza = await inside.next_stanza()

    assert (answer.code, answer.header("expires")) == (200, "60")
    assert answer.header("sip-etag")
    assert stanza.startswith("<presence from='alice@contoso.com/desk' to='juliet@gmail.com'")
    assert content in stanza
    assert "type=" not in stanza


async def test_closed_is_unavailable_with_its_words(seen: tuple[Any, Phone]) -> None:
    inside, phone = seen
    await phone.publishes(says())
    await inside.next_stanza()
    await phone.publishes(says("closed", notes=(("", "Off"),)))
    stanza = await inside.next_stanza()

    assert "type='unavailable'" in stanza
    assert "<status>Off</status>" in stanza


async def test_neither_open_nor_closed_is_no_news(seen: tuple[Any, Phone]) -> None:
    inside, phone = seen
    body = b"<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:alice@contoso.com'>"
    body += b"<tuple id='t4109'><status><basic>?</basic></status></tuple></presence>"
    assert (await phone.publishes(body)).code == 200
    await phone.publishes(says(show="chat"))

    assert "<show>chat</show>" in await inside.next_stanza()


async def test_tag_is_new_with_every_answer_and_must_be_the_last(seen: tuple[Any, Phone]) -> None:
    _, phone = seen
    first = (await phone.publishes(says())).header("sip-etag")
    second = (await phone.publishes(b"", f"SIP-If-Match: {first}")).header("sip-etag")

    assert first != second
    assert (await phone.publishes(b"", f"SIP-If-Match: {first}")).code == 412
    assert (await phone.publishes(says(), "SIP-If-Match: nonsense")).code == 412
    assert (await phone.publishes(b"", f"SIP-If-Match: {second}")).code == 200


async def test_removed_publication_is_unavailable(seen: tuple[Any, Phone]) -> None:
    inside, phone = seen
    tag = (await phone.publishes(says())).header("sip-etag")
    await inside.next_stanza()
    answer = await phone.publishes(b"", f"SIP-If-Match: {tag}", expires=0)

    assert (answer.code, answer.header("expires")) == (200, "0")
    assert "type='unavailable'" in await inside.next_stanza()
    assert (await phone.publishes(b"", f"SIP-If-Match: {tag}")).code == 412


async def test_publication_that_is_not_refreshed_is_unavailable(enter: Any) -> None:
    quick = FrontendSettings(sip_tcp_port=0, sip_tls_port=None, shortest_subscription=1, transaction_timeout=1)

    async with enter(frontend=quick) as (inside, phone):
        await lets_in(inside, phone)
        await phone.publishes(says(), expires=1)
        await inside.next_stanza()

        assert "type='unavailable'" in await inside.next_stanza()


@pytest.mark.parametrize("how", ["unregisters", "hangs up"])
async def test_publication_ends_with_its_device(seen: tuple[Any, Phone], connect: Any, how: str) -> None:
    inside, phone = seen

    async with connect(inside.port) as wire:
        mobile = Phone(wire)
        await mobile.registers("mobile")
        await mobile.publishes(says())
        assert "alice@contoso.com/mobile" in await inside.next_stanza()
        await phone.publishes(says())
        assert "alice@contoso.com/desk" in await inside.next_stanza()

        if how == "unregisters":
            await mobile.registers("mobile", expires=0)

    stanza = await inside.next_stanza()
    assert "alice@contoso.com/mobile" in stanza
    assert "type='unavailable'" in stanza
    await phone.publishes(says(show="away"))
    assert "alice@contoso.com/desk" in await inside.next_stanza()


@pytest.mark.parametrize(
    ("lines", "body", "code", "header"),
    [
        (("Event: conference",), b"", 489, "allow-events"),
        ((), b"", 489, "allow-events"),
        (("Event: presence",), b"", 400, ""),
        (("Event: presence", "Content-Type: text/plain"), b"x", 415, "accept"),
        (("Event: presence", "Content-Type: application/pidf+xml"), b"<a/>", 400, ""),
        (("Event: presence", "Content-Type: application/pidf+xml"), b"<!DOCTYPE a><a/>", 400, ""),
        (("Event: presence", "Expires: 1"), b"", 423, "min-expires"),
    ],
)
async def test_what_is_refused_and_how(
    here: tuple[Any, Phone], lines: tuple[str, ...], body: bytes, code: int, header: str
) -> None:
    answer = await here[1].wire.asks("PUBLISH", "sip:alice@contoso.com", *lines, body=body)

    assert answer.code == code
    assert not header or answer.header(header)


async def test_users_publish_for_themselves(here: tuple[Any, Phone]) -> None:
    _, phone = here
    assert (await phone.wire.asks("PUBLISH", "sip:bob@contoso.com", "Event: presence")).code == 403
    sender = "<sip:bob@contoso.com>;tag=1"
    assert (await phone.wire.asks("PUBLISH", "sip:bob@contoso.com", "Event: presence", from_=sender)).code == 403
