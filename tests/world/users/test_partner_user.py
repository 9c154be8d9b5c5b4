"""People at two partners, who have contacts and presence by XML on streams of their partners."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.world.users.partner_user import PartnerUser
from simulator.world.users.user import COMPOSING, MESSAGE, PRESENCE, PROBE, REFUSAL, SUBSCRIPTION
from tests.world.users.arrivals import arrived, befriend

JULIET, ALICE = "juliet@gmail.com", "alice@contoso.com"


@pytest.fixture
async def people(town: Any) -> Any:
    gmail, contoso = await town.partner("gmail.com"), await town.partner("contoso.com")

    def make(**options: Any) -> tuple[PartnerUser, PartnerUser]:
        return (
            PartnerUser(JULIET, gmail, town.journal, uses_presence=True, **options),
            PartnerUser(ALICE, contoso, town.journal, uses_presence=True),
        )

    return make


async def fence(one: PartnerUser, other: PartnerUser) -> None:
    """Everything that `one` sent before has arrived: streams are ordered."""
    await one.send_message(other.address, "fence", id="fence")
    await arrived(other, MESSAGE, id="fence")


async def test_who_is_accepted_sees_each_device(people: Any) -> None:
    juliet, alice = people(devices=("balcony", "chamber"))
    await juliet.set_presence(show="away", note="Out", priority=-1, device="chamber")
    await alice.add_contact(JULIET, name="Juliet")
    asked = await arrived(juliet, SUBSCRIPTION)
    await juliet.accept(ALICE)
    answered = await arrived(alice, SUBSCRIPTION)
    balcony, chamber = await arrived(alice, PRESENCE), await arrived(alice, PRESENCE)

    assert (asked["from"], asked["type"]) == (ALICE, "subscribe")
    assert (answered["from"], answered["type"]) == (JULIET, "subscribed")
    assert (balcony["from"], balcony["type"]) == (f"{JULIET}/balcony", "available")
    assert (chamber["from"], chamber["show"], chamber["status"]) == (f"{JULIET}/chamber", "away", "Out")
    assert chamber["priority"] == -1
    assert await alice.contact_list() == {JULIET: {"subscription": "to", "name": "Juliet"}}
    assert await juliet.contact_list() == {ALICE: {"subscription": "from"}}


async def test_a_change_reaches_those_who_were_accepted(people: Any) -> None:
    juliet, alice = people()
    await juliet.set_presence(show="dnd")
    await befriend(alice, juliet)
    await juliet.set_presence(show="xa", note={"en": "Away", "de": "Fort"})
    changed = await arrived(alice, PRESENCE)
    await juliet.set_unavailable(note="Good night")
    gone = await arrived(alice, PRESENCE)

    assert (changed["show"], changed["notes"]) == ("xa", {"en": "Away", "de": "Fort"})
    assert (gone["type"], gone["status"]) == ("unavailable", "Good night")


async def test_a_probe_is_answered_with_what_is_shown(people: Any) -> None:
    juliet, alice = people()
    await befriend(alice, juliet)
    await alice.probe(JULIET)
    shown = await arrived(alice, PRESENCE)
    await juliet.set_unavailable()
    await arrived(alice, PRESENCE, type="unavailable")
    await alice.probe(JULIET)
    gone = await arrived(alice, PRESENCE)

    assert (shown["from"], shown["type"]) == (f"{JULIET}/balcony", "available")
    assert (gone["from"], gone["type"]) == (JULIET, "unavailable")
    assert not juliet.inbox.arrivals


async def test_a_stranger_probes_in_vain(people: Any) -> None:
    juliet, alice = people()
    await alice.probe(JULIET)
    probe = await arrived(juliet, PRESENCE)
    await fence(juliet, alice)

    assert (probe["from"], probe["type"]) == (ALICE, PROBE)
    assert not alice.inbox.arrivals


async def test_who_is_silent_says_nothing_unasked(people: Any) -> None:
    juliet, alice = people(silent=True)
    await alice.add_contact(JULIET)
    await arrived(juliet, SUBSCRIPTION)
    await juliet.accept(ALICE)
    await arrived(alice, SUBSCRIPTION)
    await alice.probe(JULIET)
    await arrived(juliet, PRESENCE, type=PROBE)
    await fence(juliet, alice)
    unasked = [arrival.what for arrival in alice.inbox.arrivals]
    await juliet.set_presence(show="chat")
    shown = await arrived(alice, PRESENCE)

    assert not unasked
    assert shown["show"] == "chat"


async def test_what_was_granted_can_be_taken_back(people: Any) -> None:
    juliet, alice = people()
    await befriend(alice, juliet)
    await juliet.cancel(ALICE)
    gone = await arrived(alice, PRESENCE)
    told = await arrived(alice, SUBSCRIPTION)
    await juliet.set_presence(show="away")
    await fence(juliet, alice)

    # RFC 6121 §3.2.2: unavailable comes before unsubscribed, and nothing after it.
    assert gone["type"] == "unavailable"
    assert told["type"] == "unsubscribed"
    assert not alice.inbox.arrivals


async def test_who_looks_no_longer_is_shown_the_end(people: Any) -> None:
    juliet, alice = people()
    await befriend(alice, juliet)
    await alice.unsubscribe(JULIET)
    told = await arrived(juliet, SUBSCRIPTION)
    gone = await arrived(alice, PRESENCE)

    assert told["type"] == "unsubscribe"
    assert gone["type"] == "unavailable"
    assert await juliet.contact_list() == {}


async def test_removing_a_contact_ends_both_directions(people: Any) -> None:
    juliet, alice = people()
    await befriend(alice, juliet)
    await befriend(juliet, alice)
    await juliet.remove_contact(ALICE)
    told = [(await arrived(alice, SUBSCRIPTION))["type"] for _ in range(2)]

    assert told == ["unsubscribe", "unsubscribed"]
    assert await juliet.contact_list() == {}


async def test_who_has_been_accepted_before_is_answered_at_once(people: Any) -> None:
    juliet, alice = people()
    await befriend(alice, juliet)
    await alice.add_contact(JULIET)
    answered = await arrived(alice, SUBSCRIPTION)

    assert answered["type"] == "subscribed"
    assert not juliet.inbox.arrivals


async def test_directed_presence_ends_with_the_device(people: Any) -> None:
    juliet, alice = people()
    await juliet.direct_presence(ALICE, show="chat")
    seen = await arrived(alice, PRESENCE)
    juliet.vanish()
    gone = await arrived(alice, PRESENCE)

    assert (seen["from"], seen["show"]) == (f"{JULIET}/balcony", "chat")
    assert (gone["from"], gone["type"]) == (f"{JULIET}/balcony", "unavailable")


async def test_who_comes_back_asks_for_those_they_see(people: Any) -> None:
    juliet, alice = people()
    await befriend(juliet, alice)
    await juliet.sign_out()
    await juliet.sign_in()
    seen = await arrived(juliet, PRESENCE)

    assert (seen["from"], seen["type"]) == (f"{ALICE}/balcony", "available")


async def test_who_is_blocked_is_not_heard_and_sees_nothing(people: Any) -> None:
    juliet, alice = people()
    await befriend(alice, juliet)
    await juliet.block(ALICE)
    gone = await arrived(alice, PRESENCE)
    await alice.send_message(JULIET, "Hello?", id="m1")
    refused = await arrived(alice, REFUSAL)
    await juliet.unblock(ALICE)
    back = await arrived(alice, PRESENCE)

    assert gone["type"] == "unavailable"
    assert (refused["id"], refused["conditions"]) == ("m1", ["service-unavailable"])
    assert back["type"] == "available"
    assert not juliet.inbox.arrivals


async def test_a_chat_state_names_the_device(people: Any) -> None:
    juliet, alice = people(devices=("balcony", "chamber"))
    await juliet.send_state(ALICE, "paused", device="chamber")
    heard = await arrived(alice, COMPOSING)
    await alice.send_state(f"{JULIET}/chamber", "composing")
    answered = await arrived(juliet, COMPOSING)

    assert (heard["from"], heard["state"]) == (f"{JULIET}/chamber", "paused")
    assert (answered["device"], answered["state"]) == ("chamber", "composing")


async def test_without_presence_nothing_happens_by_itself(town: Any) -> None:
    gmail, contoso = await town.partner("gmail.com"), await town.partner("contoso.com")
    juliet, alice = PartnerUser(JULIET, gmail, town.journal), PartnerUser(ALICE, contoso, town.journal)
    await juliet.accept(ALICE)
    told = await arrived(alice, SUBSCRIPTION)
    await alice.probe(JULIET)
    probe = await arrived(juliet, PRESENCE)
    await fence(juliet, alice)

    assert told["type"] == "subscribed"
    assert probe["type"] == PROBE
    assert not alice.inbox.arrivals
