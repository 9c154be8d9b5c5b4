"""People who speak SIP, on the embedded gateway, with contacts at a partner: both dialects, devices, and sessions."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.world.systems.embedded import Embedded
from simulator.world.users.habits import Habits
from simulator.world.users.partner_user import PartnerUser
from simulator.world.users.user import (
    ACCEPTED,
    COMPOSING,
    CONTACT,
    MESSAGE,
    PRESENCE,
    REFUSAL,
    SUBSCRIPTION,
    Unable,
    User,
)
from tests.world.users.arrivals import arrived, befriend

ALICE, JULIET = "alice@contoso.com", "juliet@gmail.com"
LYNC, PLAIN = Habits(uses_presence=True), Habits(uses_presence=True, dialect="rfc8048")
both = pytest.mark.parametrize("habits", [LYNC, PLAIN], ids=["lync", "rfc8048"])


async def meet(town: Any, habits: Habits, **options: Any) -> tuple[User, PartnerUser]:
    """Alice on the gateway, and Juliet at gmail.com."""
    system, partner = await town.seat(Embedded), await town.partner()
    juliet = PartnerUser(JULIET, partner, town.journal, uses_presence=True, **options)

    return await town.user(system, habits=habits), juliet


def violations(town: Any) -> list[str]:
    return [entry.data["violation"] for entry in town.journal if "violation" in entry.data]


@both
async def test_a_contact_that_is_added_is_seen(town: Any, habits: Habits) -> None:
    alice, juliet = await meet(town, habits)
    await befriend(alice, juliet)
    await juliet.set_presence(show="xa", priority=5)
    changed = await arrived(alice, PRESENCE)
    await juliet.set_unavailable()
    gone = await arrived(alice, PRESENCE)

    assert (changed["from"], changed["show"], changed["priority"]) == (f"{JULIET}/balcony", "xa", 5)
    assert (gone["from"], gone["type"]) == (f"{JULIET}/balcony", "unavailable")
    assert not violations(town)


@both
async def test_who_is_accepted_sees_what_is_shown(town: Any, habits: Habits) -> None:
    alice, juliet = await meet(town, habits)
    await befriend(juliet, alice)
    await alice.set_presence(show="dnd")
    changed = await arrived(juliet, PRESENCE)
    await alice.set_unavailable()
    gone = await arrived(juliet, PRESENCE)

    assert changed["show"] == "dnd"
    assert gone["type"] == "unavailable"


@both
async def test_who_is_turned_away_is_told(town: Any, habits: Habits) -> None:
    alice, juliet = await meet(town, habits)
    await juliet.add_contact(ALICE)
    await arrived(alice, SUBSCRIPTION, type="subscribe")
    await alice.refuse(JULIET)
    refused = await arrived(juliet, SUBSCRIPTION)
    await befriend(juliet, alice)
    await alice.cancel(JULIET)
    cancelled = await arrived(juliet, SUBSCRIPTION)

    assert refused["type"] == cancelled["type"] == "unsubscribed"


@both
async def test_who_says_no_is_not_seen(town: Any, habits: Habits) -> None:
    alice, juliet = await meet(town, habits)
    await alice.add_contact(JULIET)
    await arrived(juliet, SUBSCRIPTION)
    await juliet.refuse(ALICE)
    refused = await arrived(alice, SUBSCRIPTION)
    await befriend(alice, juliet)
    await juliet.cancel(ALICE)
    cancelled = await arrived(alice, SUBSCRIPTION)

    assert refused["type"] == cancelled["type"] == "unsubscribed"


@both
async def test_somebody_who_looks_no_longer_is_missed(town: Any, habits: Habits) -> None:
    alice, juliet = await meet(town, habits)
    await befriend(juliet, alice)
    await juliet.unsubscribe(ALICE)
    told = await arrived(alice, SUBSCRIPTION)

    assert (told["from"], told["type"]) == (JULIET, "unsubscribe")


@both
async def test_presence_is_asked_for_once(town: Any, habits: Habits) -> None:
    alice, juliet = await meet(town, habits)
    await befriend(alice, juliet)
    await alice.probe(JULIET)
    seen = await arrived(alice, PRESENCE)

    assert (seen["from"], seen["type"]) == (f"{JULIET}/balcony", "available")


async def test_the_list_says_how_it_stands(town: Any) -> None:
    alice, juliet = await meet(town, LYNC)
    await alice.add_contact(JULIET, name="Juliet", groups=["Verona", "Friends"])
    asked = await alice.contact_list()
    pushed = await arrived(alice, CONTACT, ask="subscribe")
    await arrived(juliet, SUBSCRIPTION)
    await juliet.accept(ALICE)
    await arrived(alice, SUBSCRIPTION)
    await juliet.add_contact(ALICE)
    await arrived(alice, SUBSCRIPTION, type="subscribe")
    pending = await alice.contact_list()
    await alice.accept(JULIET)
    await arrived(juliet, SUBSCRIPTION)
    granted = await alice.contact_list()
    await alice.remove_contact(JULIET)
    removed = await arrived(alice, CONTACT, subscription="remove")

    shared = {"name": "Juliet", "groups": ["Verona", "Friends"]}
    assert asked == {JULIET: {"subscription": "none", "ask": "subscribe", **shared}}
    assert (pushed["contact"], pushed["name"]) == (JULIET, "Juliet")
    assert pending == {JULIET: {"subscription": "to", "pending": True, **shared}}
    assert granted == {JULIET: {"subscription": "both", **shared}}
    assert removed["contact"] == JULIET
    assert await alice.contact_list() == {}
    # What ends by our own doing is no news to us.
    assert not [each for each in alice.inbox.arrivals if each.what == SUBSCRIPTION]


async def test_a_list_outlives_the_device(town: Any) -> None:
    alice, juliet = await meet(town, LYNC)
    await befriend(alice, juliet)
    await alice.sign_out()
    await alice.sign_in()
    seen = await arrived(alice, PRESENCE)

    assert (seen["from"], seen["type"]) == (f"{JULIET}/balcony", "available")
    assert (await alice.contact_list())[JULIET]["subscription"] == "to"
    # They had granted it before, so that nobody is told again.
    assert not [each for each in alice.inbox.arrivals if each.what == SUBSCRIPTION]


async def test_one_may_look_no_longer_and_keep_the_contact(town: Any) -> None:
    alice, juliet = await meet(town, LYNC)
    await befriend(alice, juliet)
    await alice.unsubscribe(JULIET)
    told = await arrived(juliet, SUBSCRIPTION)

    assert told["type"] == "unsubscribe"
    assert (await alice.contact_list())[JULIET]["subscription"] == "none"


async def test_who_is_blocked_sees_nobody(town: Any) -> None:
    alice, juliet = await meet(town, LYNC)
    await befriend(juliet, alice)
    await alice.block(JULIET)
    gone = await arrived(juliet, PRESENCE)
    await alice.unblock(JULIET)
    back = await arrived(juliet, PRESENCE)

    assert (gone["type"], back["type"]) == ("unavailable", "available")


async def test_each_device_is_seen_under_its_name(town: Any) -> None:
    habits = Habits(uses_presence=True, devices=("desk", "phone"))
    alice, juliet = await meet(town, habits)
    await juliet.add_contact(ALICE)
    asked = [await arrived(alice, SUBSCRIPTION), await arrived(alice, SUBSCRIPTION)]
    await alice.accept(JULIET, device="phone")
    seen = {(await arrived(juliet, PRESENCE))["from"] for _ in range(2)}
    await alice.set_presence(show="away", device="phone")
    changed = await arrived(juliet, PRESENCE)
    alice.vanish("desk")
    gone = await arrived(juliet, PRESENCE)

    assert {each["device"] for each in asked} == {"desk", "phone"}
    assert seen == {f"{ALICE}/desk", f"{ALICE}/phone"}
    assert (changed["from"], changed["show"]) == (f"{ALICE}/phone", "away")
    assert (gone["from"], gone["type"]) == (f"{ALICE}/desk", "unavailable")


async def test_what_one_device_adds_the_other_sees(town: Any) -> None:
    alice, juliet = await meet(town, Habits(uses_presence=True, devices=("desk", "phone")))
    await alice.add_contact(JULIET, device="desk")
    await arrived(juliet, SUBSCRIPTION)
    await juliet.accept(ALICE)
    told = {(await arrived(alice, SUBSCRIPTION))["device"] for _ in range(2)}
    seen = {(await arrived(alice, PRESENCE, type="available"))["device"] for _ in range(2)}
    await alice.unsubscribe(JULIET, device="phone")
    await arrived(juliet, SUBSCRIPTION, type="unsubscribe")
    await juliet.set_presence(show="away")
    listed = await alice.contact_list(device="desk")

    assert told == seen == {"desk", "phone"}
    assert listed[JULIET]["subscription"] == "none"
    assert not [each for each in alice.inbox.arrivals if each.what in (SUBSCRIPTION, PRESENCE)]


async def test_what_changes_nothing_can_be_said_all_the_same(town: Any) -> None:
    alice, juliet = await meet(town, LYNC)
    await alice.unsubscribe(JULIET)
    await arrived(juliet, SUBSCRIPTION, type="unsubscribe")
    await befriend(alice, juliet)
    await alice.add_contact(JULIET)
    await alice.add_contact(JULIET, name="Jule")
    assert (await alice.contact_list())[JULIET]["name"] == "Jule"


async def test_what_sip_has_not_is_said(town: Any) -> None:
    alice, _ = await meet(town, LYNC)

    with pytest.raises(Unable, match="directed-presence"):
        await alice.direct_presence(JULIET)

    with pytest.raises(Unable, match="negative-priority"):
        await alice.set_presence(priority=-1)

    with pytest.raises(Unable, match="im-sessions"):
        await alice.send_state(JULIET, "composing")


@pytest.mark.parametrize("first_message", [True, False])
async def test_words_go_in_sessions(town: Any, first_message: bool) -> None:
    alice, juliet = await meet(town, Habits(sessions=True, first_message=first_message))
    await alice.send_message(JULIET, "One", id="m1")
    await alice.send_message(JULIET, "Two", id="m2")
    one, two = await arrived(juliet, MESSAGE), await arrived(juliet, MESSAGE)
    taken = [(await arrived(alice, ACCEPTED))["id"] for _ in range(2)]
    extra = "<active xmlns='http://jabber.org/protocol/chatstates'/>"
    await juliet.send_message(one["from"], "Three", id="m3", thread=one["thread"], extra=extra)
    three = await arrived(alice, MESSAGE)
    await alice.send_state(JULIET, "composing")
    typing = await arrived(juliet, COMPOSING)
    await alice.send_state(JULIET, "gone")
    left = await arrived(juliet, COMPOSING)

    assert (one["body"], two["body"], one["type"], one["thread"]) == ("One", "Two", "chat", two["thread"])
    assert taken == ["m1", "m2"]
    assert (three["body"], three["type"], three["thread"]) == ("Three", "chat", one["thread"])
    assert (typing["state"], left["state"]) == ("composing", "gone")

    with pytest.raises(ConnectionError, match="no session"):
        await alice.send_state(JULIET, "composing")


async def test_a_session_that_others_open_is_taken(town: Any) -> None:
    alice, juliet = await meet(town, Habits(sessions=True))
    await juliet.send_message(ALICE, "Hello", id="m1", type="chat")
    heard = await arrived(alice, MESSAGE)
    await juliet.send_state(ALICE, "composing")
    typing = await arrived(alice, COMPOSING)
    await juliet.send_state(ALICE, "gone")
    left = await arrived(alice, COMPOSING)

    assert (heard["body"], heard["type"]) == ("Hello", "chat")
    assert (typing["state"], left["state"]) == ("composing", "gone")


async def test_an_invitation_can_be_refused(town: Any) -> None:
    alice, juliet = await meet(town, Habits(sessions=True))
    refusing: Any = alice
    refusing.answer_messages(486)
    await juliet.send_message(ALICE, "Hello", id="m1", type="chat")
    refused = await arrived(juliet, REFUSAL)

    assert refused["id"] == "m1"
    assert not alice.inbox.arrivals
