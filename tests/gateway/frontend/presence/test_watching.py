"""Users who watch one contact (RFC 8048 §5.3, §6.2, §7.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulator.gateway.access.edge import AccessEdgeConfiguration
from simulator.gateway.configuration import FrontendSettings
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.sip.contact_service import DeleteContact, SetACE, SetContact
from simulator.sip.pidf import PresenceTuple, parse_presence
from tests.gateway.frontend.presence.phone import ACCEPT, Phone, Watch, befriend, has_taken, of_juliet, state

JULIET = "sip:juliet@gmail.com"


async def watches(phone: Phone) -> Watch:
    """Alice watches juliet, who has let her in."""
    watch = await phone.subscribes(JULIET, ACCEPT)
    await phone.next_notify()

    return watch


async def test_subscribe_asks_the_contact(here: tuple[Any, Phone]) -> None:
    inside, phone = here
    watch = await phone.subscribes(JULIET, ACCEPT)
    notify = await phone.next_notify()

    # §5.3.1: "the default value of 3600 [...] applies".
    assert watch.response.header("expires") == "3600"
    assert (state(notify).state, state(notify).expires, notify.body) == ("pending", 3600, b"")
    assert watch.dialog.matches(notify)
    assert notify.header("event") == "presence"
    stanza = await inside.next_stanza()
    assert stanza.startswith("<presence from='alice@contoso.com' to='juliet@gmail.com' id='")
    assert stanza.endswith("type='subscribe'/>")


async def test_consent_makes_it_active(here: tuple[Any, Phone]) -> None:
    inside, phone = here
    await phone.subscribes(JULIET, ACCEPT)
    await phone.next_notify()
    inside.sends(of_juliet("subscribed"))
    notify = await phone.next_notify()

    assert (state(notify).state, notify.body) == ("active", b"")


async def test_subscription_is_refreshed_over_another_connection(here: tuple[Any, Phone], connect: Any) -> None:
    inside, phone = here
    watch = await watches(phone)

    async with connect(inside.port) as wire, connect(inside.port, "bob@contoso.com") as stranger:
        for each in (stranger, wire):
            await Phone(each).registers("mobile")

        assert (await watch.refreshes(phone=Phone(stranger))).code == 481
        assert (await watch.refreshes(phone=Phone(wire), expires=50)).header("expires") == "50"

    # Its notifications go on where it was made.
    assert (await phone.next_notify()).call_id == watch.dialog.call_id


async def test_refusal_ends_it(here: tuple[Any, Phone]) -> None:
    inside, phone = here
    watch = await phone.subscribes(JULIET, ACCEPT)
    await phone.next_notify()
    inside.sends(of_juliet("unsubscribed"))

    assert str(state(await phone.next_notify())) == "terminated;reason=rejected"
    assert (await watch.refreshes()).code == 481


async def test_presence_comes_as_a_document(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    await watches(phone)
    inside.sends(of_juliet(resource="home", content="<show>away</show><status>Tea</status>", xml_lang="en"))
    notify = await phone.next_notify()
    document = parse_presence(notify.body)

    assert notify.content_type[0] == "application/pidf+xml"
    assert notify.header("content-language") == "en"
    assert document.entity == JULIET
    assert document.tuples == (
        PresenceTuple(
            id="ID-home",
            basic="open",
            show="away",
            activities=("away",),
            availability=15500,
            contact="sip:juliet@gmail.com;gr=home",
            priority=0,
            notes=(("en", "Tea"),),
        ),
    )


async def test_each_resource_is_a_tuple(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    await watches(phone)
    inside.sends(of_juliet(resource="home"))
    await phone.next_notify()
    inside.sends(of_juliet(resource="7", content="<priority>1</priority>"))
    both = parse_presence((await phone.next_notify()).body)
    inside.sends(of_juliet("unavailable", resource="home", content="<status>Bye</status>"))
    left = parse_presence((await phone.next_notify()).body)

    assert [(each.id, each.basic, each.priority) for each in both.tuples] == [
        ("ID-home", "open", 0),
        ("ID-7", "open", 7),
    ]
    assert [(each.id, each.basic, each.notes) for each in left.tuples] == [
        ("ID-7", "open", ()),
        ("ID-home", "closed", (("", "Bye"),)),
    ]


async def test_refresh_tells_what_is_known(friends: tuple[Any, Phone]) -> None:
    """§5.3.2: "whereas if [it] does not have meaningful information [...], then the NOTIFY MUST be empty"."""
    inside, phone = friends
    watch = await watches(phone)
    assert (await watch.refreshes(expires=600)).header("expires") == "600"
    empty = await phone.next_notify()
    inside.sends(of_juliet(resource="home"))
    await phone.next_notify()
    await watch.refreshes()
    full = await phone.next_notify()

    assert (empty.body, state(empty).expires) == (b"", 600)
    assert [each.id for each in parse_presence(full.body).tuples] == ["ID-home"]
    # Nothing of all this was the contact's business.
    await has_taken(inside)


async def test_unsubscribing_is_no_unsubscribe(friends: tuple[Any, Phone]) -> None:
    """§5.3.3."""
    inside, phone = friends
    watch = await watches(phone)
    inside.sends(of_juliet(resource="home"))
    await phone.next_notify()
    assert (await watch.refreshes(expires=0)).code == 200
    notify = await phone.next_notify()

    assert str(state(notify)) == "terminated;reason=timeout"
    assert [(each.id, each.basic) for each in parse_presence(notify.body).tuples] == [("ID-home", "closed")]
    stanza = await inside.next_stanza()
    assert stanza.startswith("<presence from='alice@contoso.com/desk' to='juliet@gmail.com'")
    assert "type='unavailable'" in stanza
    assert (await watch.refreshes()).code == 481
    # The authorization stays: the next subscription is active at once.
    await phone.subscribes(JULIET, ACCEPT)
    assert state(await phone.next_notify()).state == "active"


async def test_subscription_that_is_not_refreshed_ends(enter: Any) -> None:
    quick = FrontendSettings(sip_tcp_port=0, sip_tls_port=None, shortest_subscription=1, transaction_timeout=1)

    async with enter(frontend=quick) as (_, phone):
        await phone.subscribes(JULIET, ACCEPT, "Expires: 1")
        await phone.next_notify()

        assert str(state(await phone.next_notify())) == "terminated;reason=timeout"


async def test_poll_is_answered_from_what_is_known(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    await watches(phone)
    inside.sends(of_juliet(resource="home"))
    await phone.next_notify()
    poll = await phone.subscribes(JULIET, ACCEPT, "Expires: 0")
    notify = await phone.next_notify()

    assert poll.response.header("expires") == "0"
    assert poll.dialog.matches(notify)
    assert str(state(notify)) == "terminated;reason=timeout"
    assert [each.basic for each in parse_presence(notify.body).tuples] == ["open"]


async def test_poll_of_who_is_not_known_is_a_probe(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    await phone.subscribes(JULIET, ACCEPT, "Expires: 0")
    assert "type='probe'" in await inside.next_stanza()
    await phone.hears_nothing()
    inside.sends(of_juliet(resource="home"))
    notify = await phone.next_notify()

    assert str(state(notify)) == "terminated;reason=timeout"
    assert [each.id for each in parse_presence(notify.body).tuples] == ["ID-home"]


async def test_poll_that_nobody_answers_is_answered_in_time(enter: Any) -> None:
    quick = FrontendSettings(sip_tcp_port=0, sip_tls_port=None, transaction_timeout=1)

    async with enter(frontend=quick) as (inside, phone):
        await befriend(inside, phone)
        await phone.subscribes(JULIET, ACCEPT, "Expires: 0")
        notify = await phone.next_notify()

        assert (str(state(notify)), notify.body) == ("terminated;reason=timeout", b"")


async def test_benotify_is_for_whoever_supports_it(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    watch = await phone.subscribes(JULIET, ACCEPT, "Supported: ms-benotify", "Proxy-Require: ms-benotify")
    assert watch.response.values("supported") == ["ms-benotify"]
    first = await phone.next_notify()
    inside.sends(of_juliet(resource="home"))
    second = await phone.next_notify()

    assert [each.cseq for each in (first, second)] == [(1, "BENOTIFY"), (2, "BENOTIFY")]


async def test_presence_reaches_nobody_else(friends: tuple[Any, Phone], connect: Any) -> None:
    """§8.2."""
    inside, phone = friends

    async with connect(inside.port, "bob@contoso.com") as wire:
        other = Phone(wire)
        await other.registers()
        await other.subscribes(JULIET, ACCEPT)
        await other.next_notify()
        assert "from='bob@contoso.com'" in await inside.next_stanza()
        await watches(phone)
        inside.sends(of_juliet(resource="home"))
        inside.sends(of_juliet(resource="home", to="bob@contoso.com"))
        await phone.next_notify()

        await other.hears_nothing()


async def test_every_device_of_a_user_is_told(friends: tuple[Any, Phone], connect: Any) -> None:
    inside, phone = friends
    await watches(phone)

    async with connect(inside.port) as wire:
        other = Phone(wire)
        await other.registers("mobile")
        await other.subscribes(JULIET, ACCEPT)
        assert state(await other.next_notify()).state == "active"
        inside.sends(of_juliet(resource="home"))

        assert (await phone.next_notify()).body == (await other.next_notify()).body != b""


async def test_removal_ends_it_on_every_device(friends: tuple[Any, Phone], connect: Any) -> None:
    inside, phone = friends
    await watches(phone)

    async with connect(inside.port) as wire:
        other = Phone(wire)
        await other.registers("mobile")
        assert (await other.serves(DeleteContact(JULIET))).code == 200

    assert str(state(await phone.next_notify())) == "terminated;reason=noresource"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("item-not-found", "terminated;reason=noresource"),
        ("not-authorized", "terminated;reason=rejected"),
        ("service-unavailable", "terminated;reason=rejected"),
        ("resource-constraint", "terminated;reason=giveup;retry-after=60"),
        # These requests will be sent again.
        ("remote-server-not-found", "terminated;reason=giveup;retry-after=60"),
        ("remote-server-timeout", "terminated;reason=giveup;retry-after=60"),
    ],
)
async def test_error_says_why_it_ends(here: tuple[Any, Phone], condition: str, expected: str) -> None:
    inside, phone = here
    await phone.subscribes(JULIET, ACCEPT)
    await phone.next_notify()
    name = (await inside.next_stanza()).partition("id='")[2].partition("'")[0]
    error = f"<error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    inside.sends(of_juliet("error", content=error, id=name))

    assert str(state(await phone.next_notify())) == expected


async def test_error_is_told_to_whoever_looks_after_it(here: tuple[Any, Phone]) -> None:
    inside, phone = here
    assert (await phone.serves(SetContact(JULIET))).code == 200
    name = (await inside.next_stanza()).partition("id='")[2].partition("'")[0]
    error = "<error type='wait'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    inside.sends(of_juliet("error", content=error, id=name))
    await has_taken(inside)
    await phone.subscribes(JULIET, ACCEPT)

    assert str(state(await phone.next_notify())) == "terminated;reason=giveup;retry-after=60"


@pytest.mark.parametrize(
    ("uri", "lines", "headers", "code"),
    [
        (JULIET, ("Event: conference",), {}, 489),
        (JULIET, (), {}, 489),
        (JULIET, ("Event: presence", "Accept: text/html"), {}, 406),
        (JULIET, ("Event: presence", "Expires: 1"), {}, 423),
        (JULIET, ("Event: presence", "Expires: soon"), {}, 400),
        (JULIET, ("Event: presence",), {"from_": "<sip:bob@contoso.com>;tag=1"}, 403),
        (JULIET, ("Event: presence",), {"to": f"<{JULIET}>;tag=gone"}, 481),
        ("sips:juliet@gmail.com", ("Event: presence",), {}, 416),
        ("sip:bob@contoso.com", ("Event: presence",), {}, 404),
        ("sip:gmail.com", ("Event: presence",), {}, 404),
        ("sip:juliet@elsewhere.example", ("Event: presence",), {}, 403),
        ("sip:bob@contoso.com", ("Event: presence.wpending",), {}, 403),
        ("sip:bob@contoso.com", ("Event: vnd-microsoft-roaming-contacts",), {}, 403),
    ],
)
async def test_what_is_refused_and_how(
    here: tuple[Any, Phone], uri: str, lines: tuple[str, ...], headers: dict[str, str], code: int
) -> None:
    inside, phone = here
    answer = await phone.wire.asks("SUBSCRIBE", uri, *lines, **headers)

    assert answer.code == code
    assert answer.header("min-expires") == ("2" if code == 423 else None)
    assert (answer.header("allow-events") is not None) == (code == 489)
    await phone.hears_nothing()
    assert inside.stanzas.empty()


async def test_closed_gate_says_which_it_was(enter: Any) -> None:
    async with enter(access=AccessEdgeConfiguration()) as (inside, phone):
        answer = await phone.wire.asks("SUBSCRIBE", JULIET, "Event: presence")

        assert (answer.code, answer.header("ms-diagnostics").partition(";")[0]) == (403, "1012")
        assert inside.stanzas.empty()


async def test_blocked_contact_is_not_asked(here: tuple[Any, Phone]) -> None:
    inside, phone = here
    assert (await phone.serves(SetACE(JULIET, "BD"))).code == 200
    await phone.subscribes(JULIET, ACCEPT)

    assert str(state(await phone.next_notify())) == "terminated;reason=rejected"
    assert inside.stanzas.empty()


async def test_number_out_of_order_is_refused(friends: tuple[Any, Phone]) -> None:
    _, phone = friends
    watch = await watches(phone)
    watch.dialog.local_sequence -= 2

    assert (await watch.refreshes()).code == 500


async def test_one_connection_has_only_so_many(enter: Any) -> None:
    rules = FrontEndRules(presence=replace(FrontEndRules().presence, most_subscriptions=2))

    async with enter(rules) as (_, phone):
        for number in range(2):
            await phone.subscribes(f"sip:user{number}@gmail.com", ACCEPT)
            await phone.next_notify()

        answer = await phone.wire.asks("SUBSCRIBE", JULIET, "Event: presence")

        assert answer.code == 500


@pytest.mark.parametrize(("code", "stays"), [(481, False), (405, False), (500, True), (403, True)])
async def test_notify_that_fails_ends_it_or_not(friends: tuple[Any, Phone], code: int, stays: bool) -> None:
    _, phone = friends
    watch = await phone.subscribes(JULIET, ACCEPT)
    phone.wire.answers(await phone.wire.next_request(), code)

    assert (await watch.refreshes()).code == (200 if stays else 481)


async def test_front_end_that_ends_says_so(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    await watches(phone)
    await inside.frontend.stop()

    assert str(state(await phone.wire.next_request())) == "terminated;reason=deactivated"


async def test_contact_who_is_not_wanted_any_more_is_not_watched(friends: tuple[Any, Phone], connect: Any) -> None:
    inside, phone = friends
    await watches(phone)

    async with connect(inside.port) as wire:
        other = Phone(wire)
        await other.registers("mobile")
        assert (await other.serves(SetContact(JULIET, "", (), subscribed=False))).code == 200

    assert state(await phone.next_notify()).state == "terminated"
    assert "type='unsubscribe'" in await inside.next_stanza()
