"""Devices that are asked for their user's consent and presence (RFC 8048 §5.2, §6.3, §7.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from simulator.gateway.access.authorization import AuthorizationSettings
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.sip import pidf
from simulator.sip.dialog import Dialog
from simulator.sip.message import Request, Response, build_request, build_response
from simulator.sip.pidf import Presence, PresenceTuple
from tests.gateway.frontend.presence.phone import Phone, has_taken, of_juliet

PLAIN = ""


class Asked:
    """A SUBSCRIBE that reached a device, and the device's side of it."""

    def __init__(self, phone: Phone, request: Request) -> None:
        self.phone, self.request = phone, request
        self.dialog = Dialog.incoming(request, f"t{request.call_id}")

    def answers(self, code: int, *headers: tuple[str, str]) -> None:
        tag = self.dialog.local_tag
        self.phone.wire.says(build_response(self.request, code, tag=tag, headers=headers))

    async def notifies(
        self, state: str, presence: Presence | bytes | None = None, *headers: tuple[str, str], code: int = 200
    ) -> Response:
        body = pidf.write_presence(presence) if isinstance(presence, Presence) else presence or b""
        kind = [("Content-Type", pidf.MEDIA_TYPE)] if body else []
        uri, lines = self.dialog.request(
            "NOTIFY",
            [("Event", "presence"), ("Subscription-State", state), ("Contact", "<sip:a@127.0.0.1:1>"), *kind, *headers],
        )
        via = ("Via", f"SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bKn{self.dialog.local_tag}{self.dialog.local_sequence}")
        self.phone.wire.says(build_request("NOTIFY", uri, [via, *lines], body))
        response = await self.phone.wire.next_response()
        assert isinstance(response, Response)
        assert response.code == code

        return response


def says(*tuples: PresenceTuple) -> Presence:
    return Presence(entity="sip:alice@contoso.com", tuples=tuples)


def desk(basic: str = "open", **more: Any) -> Presence:
    return says(PresenceTuple(id="ID-desk", basic=basic, **more))


async def is_asked(phone: Phone, expires: int = 3600) -> Asked:
    request = await phone.wire.next_request()
    assert (request.method, request.header("expires")) == ("SUBSCRIBE", str(expires))

    return Asked(phone, request)


@pytest.fixture
async def plain(enter: Any) -> AsyncIterator[tuple[Any, Phone]]:
    """Alice has a device that says nothing about methods, and watches nobody."""
    async with enter(methods=PLAIN) as both:
        yield both


async def lets_in(inside: Any, phone: Phone) -> Asked:
    """Juliet asks, and the device grants it without telling any presence yet."""
    inside.sends(of_juliet("subscribe"))
    asked = await is_asked(phone)
    asked.answers(200, ("Expires", "3600"), ("Contact", "<sip:alice@127.0.0.1:1>"))
    await asked.notifies("active;expires=3600")
    assert "type='subscribed'" in await inside.next_stanza()

    return asked


async def test_request_becomes_subscribe(plain: tuple[Any, Phone]) -> None:
    inside, phone = plain
    inside.sends(of_juliet("subscribe"))
    request = (await is_asked(phone)).request

    assert request.uri == "sip:alice@127.0.0.1:1;gr=desk"
    assert (request.sender.uri, request.to.uri) == ("sip:juliet@gmail.com", "sip:alice@contoso.com")
    assert (request.header("event"), request.header("accept")) == ("presence", "application/pidf+xml")
    assert request.values("contact") == [f"<sip:127.0.0.1:{inside.port};transport=tcp>"]


async def test_device_is_asked_also_where_the_partners_type_has_let_the_contact_in(enter: Any) -> None:
    async with enter(methods=PLAIN, authorization=AuthorizationSettings(public_verified_prompts=False)) as both:
        inside, phone = both
        inside.sends(of_juliet("subscribe"))
        asked = await is_asked(phone)
        assert "type='subscribed'" in await inside.next_stanza()

        asked.answers(200, ("Expires", "3600"), ("Contact", "<sip:alice@127.0.0.1:1>"))
        await asked.notifies("active;expires=3600", desk())

        assert "from='alice@contoso.com/desk'" in await inside.next_stanza()


async def test_notify_may_come_over_another_connection(plain: tuple[Any, Phone], connect: Any) -> None:
    """RFC 3261 §12: Call-ID and tags are what names a dialog. Its user is registered on the other one, too."""
    inside, phone = plain
    asked = await lets_in(inside, phone)

    async with connect(inside.port) as wire, connect(inside.port, "bob@contoso.com") as stranger:
        asked.phone = Phone(stranger)
        await asked.phone.registers("desk")
        await asked.notifies("active", desk(), code=481)
        asked.phone = Phone(wire)
        await asked.phone.registers("mobile")
        await asked.notifies("active", desk())

        assert "from='alice@contoso.com/desk'" in await inside.next_stanza()


async def test_pending_tells_the_contact_nothing(plain: tuple[Any, Phone]) -> None:
    """§5.2.1: "MUST respond to them on the SIP side but refrain from sending any presence stanzas"."""
    inside, phone = plain
    inside.sends(of_juliet("subscribe"))
    asked = await is_asked(phone)
    asked.answers(200, ("Expires", "3600"), ("Contact", "<sip:alice@127.0.0.1:1>"))
    await asked.notifies("pending;expires=3600", desk())

    await has_taken(inside)


async def test_first_active_is_subscribed_and_presence(plain: tuple[Any, Phone]) -> None:
    inside, phone = plain
    inside.sends(of_juliet("subscribe"))
    asked = await is_asked(phone)
    # A NOTIFY may overtake the answer (RFC 6665 §4.1.2.4).
    await asked.notifies("active;expires=3600", desk(show="away"), ("Content-Language", "de"))
    asked.answers(200, ("Expires", "3600"), ("Contact", "<sip:alice@127.0.0.1:1>"))

    stanza = await inside.next_stanza()
    assert stanza.startswith("<presence from='alice@contoso.com' to='juliet@gmail.com'")
    assert "type='subscribed'" in stanza
    stanza = await inside.next_stanza()
    assert stanza.startswith("<presence from='alice@contoso.com/desk' to='juliet@gmail.com'")
    assert "<show>away</show>" in stanza


async def test_each_tuple_is_a_stanza(plain: tuple[Any, Phone]) -> None:
    inside, phone = plain
    asked = await lets_in(inside, phone)
    both = says(PresenceTuple(id="ID-desk", basic="open"), PresenceTuple(id="ID-car", basic="open", show="dnd"))
    await asked.notifies("active", both)
    assert "from='alice@contoso.com/desk'" in await inside.next_stanza()
    assert "from='alice@contoso.com/car'" in await inside.next_stanza()
    await asked.notifies("active", desk("closed"))
    stanza = await inside.next_stanza()

    assert "from='alice@contoso.com/desk'" in stanza
    assert "type='unavailable'" in stanza


async def test_question_mark_is_no_news(plain: tuple[Any, Phone]) -> None:
    inside, phone = plain
    asked = await lets_in(inside, phone)
    await asked.notifies("active", desk("?"))
    await has_taken(inside)


async def test_what_one_contact_is_shown_no_other_sees(plain: tuple[Any, Phone]) -> None:
    """§8.2."""
    inside, phone = plain
    juliet = await lets_in(inside, phone)
    inside.sends(of_juliet("subscribe").replace("juliet", "romeo"))
    romeo = await is_asked(phone)
    romeo.answers(200, ("Expires", "3600"), ("Contact", "<sip:alice@127.0.0.1:1>"))
    await romeo.notifies("active", desk("closed"))
    assert "type='subscribed'" in await inside.next_stanza()
    assert "type='unavailable'" in await inside.next_stanza()
    await juliet.notifies("active", desk())
    assert "to='juliet@gmail.com'" in await inside.next_stanza()

    await has_taken(inside)


@pytest.mark.parametrize("code", [403, 489, 603])
async def test_refusal_is_unsubscribed(plain: tuple[Any, Phone], code: int) -> None:
    """§5.2.2."""
    inside, phone = plain
    inside.sends(of_juliet("subscribe"))
    (await is_asked(phone)).answers(code)

    assert "type='unsubscribed'" in await inside.next_stanza()


@pytest.mark.parametrize("state", ["terminated;reason=rejected", "terminated;reason=noresource"])
async def test_end_of_authorization_is_unsubscribed(plain: tuple[Any, Phone], state: str) -> None:
    inside, phone = plain
    asked = await lets_in(inside, phone)
    await asked.notifies("active", desk())
    await inside.next_stanza()
    await asked.notifies(state)
    stanzas = [await inside.next_stanza() for _ in range(2)]

    assert [("unavailable" in each, "unsubscribed" in each) for each in stanzas] == [(True, False), (False, True)]


@pytest.mark.parametrize("code", [405, 480, 500])
async def test_device_that_cannot_changes_nothing(plain: tuple[Any, Phone], code: int) -> None:
    inside, phone = plain
    inside.sends(of_juliet("subscribe"))
    (await is_asked(phone)).answers(code)
    await phone.hears_nothing()
    await has_taken(inside)
    # The request waits, and the device is asked again when it registers again over another connection.
    inside.sends(of_juliet("subscribe"))
    await has_taken(inside)
    await phone.hears_nothing()


async def test_too_brief_is_asked_again(plain: tuple[Any, Phone]) -> None:
    inside, phone = plain
    inside.sends(of_juliet("subscribe"))
    (await is_asked(phone)).answers(423, ("Min-Expires", "7200"))

    assert (await is_asked(phone, 7200)).request.cseq == (2, "SUBSCRIBE")


async def test_lost_dialog_is_made_anew(enter: Any) -> None:
    rules = FrontEndRules(presence=replace(FrontEndRules().presence, expires_asked=1))

    async with enter(rules, methods=PLAIN) as (inside, phone):
        inside.sends(of_juliet("subscribe"))
        asked = await is_asked(phone, 1)
        await asked.notifies("active", desk())
        await inside.next_stanza()
        await inside.next_stanza()
        # Time is short from here on only: whatever else is slow, the next event is the refresh.
        asked.answers(200, ("Expires", "1"), ("Contact", "<sip:alice@127.0.0.1:1>"))
        refresh = await is_asked(phone, 1)
        assert refresh.request.call_id == asked.request.call_id
        refresh.answers(481)
        again = await is_asked(phone, 1)

        assert again.request.call_id != asked.request.call_id
        # The authorization stands, and so does what was shown.
        await has_taken(inside)


async def test_refused_refresh_takes_nothing_back_at_once(enter: Any) -> None:
    rules = FrontEndRules(presence=replace(FrontEndRules().presence, expires_asked=60))

    async with enter(rules, methods=PLAIN) as (inside, phone):
        inside.sends(of_juliet("subscribe"))
        asked = await is_asked(phone, 60)
        await asked.notifies("active", desk())
        await inside.next_stanza()
        await inside.next_stanza()
        asked.answers(200, ("Expires", "10"), ("Contact", "<sip:alice@127.0.0.1:1>"))
        # The device grants less after all, so that the refresh comes soon.
        await asked.notifies("active;expires=1", desk())
        await inside.next_stanza()
        (await is_asked(phone, 60)).answers(500)
        # Both reach the front end in one turn of the loop: no clock comes between.
        await asked.notifies("active;expires=60", desk("closed"))

        assert "type='unavailable'" in await inside.next_stanza()


async def test_contact_who_withdraws_ends_the_dialog(plain: tuple[Any, Phone]) -> None:
    """§5.2.3."""
    inside, phone = plain
    asked = await lets_in(inside, phone)
    await asked.notifies("active", desk())
    await inside.next_stanza()
    inside.sends(of_juliet("unsubscribe"))
    ending = await is_asked(phone, 0)

    assert asked.dialog.matches(ending.request)
    assert ending.request.cseq == (2, "SUBSCRIBE")
    ending.answers(200, ("Expires", "0"))
    await asked.notifies("terminated;reason=timeout", desk("closed"))
    await asked.notifies("active", desk(), code=481)


async def test_probe_asks_the_device(plain: tuple[Any, Phone]) -> None:
    """§7.1: "a SUBSCRIBE request with an Expires header value of zero ("0") in a new dialog"."""
    inside, phone = plain
    asked = await lets_in(inside, phone)
    inside.sends(of_juliet("probe"))
    poll = await is_asked(phone, 0)
    assert poll.request.call_id != asked.request.call_id
    poll.answers(200, ("Expires", "0"), ("Contact", "<sip:alice@127.0.0.1:1>"))
    # The trap: it is terminated, and nothing is withdrawn.
    await poll.notifies("terminated;reason=timeout", desk(show="dnd"))
    stanza = await inside.next_stanza()

    assert stanza.startswith("<presence from='alice@contoso.com/desk' to='juliet@gmail.com'")
    assert "<show>dnd</show>" in stanza


async def test_probe_of_a_stranger_asks_nobody(plain: tuple[Any, Phone]) -> None:
    inside, phone = plain
    inside.sends(of_juliet("probe"))

    assert "type='unsubscribed'" in await inside.next_stanza()
    await phone.hears_nothing()


async def test_device_that_comes_is_asked_for_everybody(plain: tuple[Any, Phone], connect: Any) -> None:
    inside, phone = plain
    await lets_in(inside, phone)

    async with connect(inside.port) as wire:
        mobile = Phone(wire)
        await mobile.registers("mobile", PLAIN)

        assert (await is_asked(mobile)).request.sender.uri == "sip:juliet@gmail.com"


async def test_device_that_goes_is_unavailable(plain: tuple[Any, Phone], connect: Any) -> None:
    inside, phone = plain
    await lets_in(inside, phone)

    async with connect(inside.port) as wire:
        mobile = Phone(wire)
        await mobile.registers("mobile", PLAIN)
        asked = await is_asked(mobile)
        asked.answers(200, ("Expires", "3600"), ("Contact", "<sip:alice@127.0.0.1:1>"))
        await asked.notifies("active", says(PresenceTuple(id="ID-mobile", basic="open")))
        assert "from='alice@contoso.com/mobile'" in await inside.next_stanza()

    stanza = await inside.next_stanza()
    assert "from='alice@contoso.com/mobile'" in stanza
    assert "type='unavailable'" in stanza


async def test_plain_device_sees_contacts_without_publishing(plain: tuple[Any, Phone]) -> None:
    inside, phone = plain
    await phone.subscribes("sip:juliet@gmail.com")
    await phone.next_notify()
    await inside.next_stanza()
    inside.sends(of_juliet("subscribed"))
    await phone.next_notify()
    inside.sends(of_juliet(resource="home"))

    assert [each.id for each in pidf.parse_presence((await phone.next_notify()).body).tuples] == ["ID-home"]


async def test_device_of_lyncs_kind_is_not_asked(here: tuple[Any, Phone]) -> None:
    inside, phone = here
    inside.sends(of_juliet("subscribe"))
    await has_taken(inside)

    await phone.hears_nothing()


async def test_device_that_shows_who_waits_is_not_asked(plain: tuple[Any, Phone]) -> None:
    inside, phone = plain
    await phone.subscribes("sip:alice@contoso.com", event="presence.wpending")
    await phone.next_notify()
    inside.sends(of_juliet("subscribe"))
    await has_taken(inside)

    await phone.hears_nothing()


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ([("Event", "presence"), ("Subscription-State", "active"), ("Content-Type", "text/plain")], b"x", 415),
        ([("Event", "presence"), ("Subscription-State", "active"), ("Content-Type", pidf.MEDIA_TYPE)], b"x", 400),
        ([("Event", "presence")], b"", 400),
        ([("Event", "dialog"), ("Subscription-State", "active")], b"", 481),
    ],
)
async def test_notify_that_cannot_be_taken_is_refused(
    plain: tuple[Any, Phone], headers: list[tuple[str, str]], body: bytes, code: int
) -> None:
    inside, phone = plain
    asked = await lets_in(inside, phone)
    uri, lines = asked.dialog.request("NOTIFY", headers)
    phone.wire.says(build_request("NOTIFY", uri, [("Via", "SIP/2.0/TCP h;branch=z9hG4bKx"), *lines], body))

    assert (await phone.wire.next_response()).code == code


async def test_notify_of_nothing_is_refused(plain: tuple[Any, Phone]) -> None:
    _, phone = plain

    # The refusal of a BENOTIFY is that nothing comes of it ([MS-SIP] §3.5).
    phone.wire.sends("BENOTIFY", "sip:juliet@gmail.com", "Event: presence")
    answer = await phone.wire.asks("NOTIFY", "sip:juliet@gmail.com", "Event: presence")
    assert (answer.code, answer.cseq[1]) == (481, "NOTIFY")
