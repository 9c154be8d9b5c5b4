"""Contacts and presence of users on an XMPP server: two clients of a real Prosody, who see each other's stanzas."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from simulator.journal import Journal
from simulator.world.users.user import COMPOSING, CONTACT, MESSAGE, PRESENCE, REFUSAL, SUBSCRIPTION, Unable, User
from simulator.world.users.xmpp import OWN, XMPPUser
from tests.world.users.arrivals import arrived, befriend

ALICE, BOB = "alice@inside.example", "bob@inside.example"


def make_user(address: str, port: int, *, uses_presence: bool = True) -> XMPPUser:
    journal = Journal(asyncio.get_running_loop().time)

    return XMPPUser(address, "secret", "127.0.0.1", port, journal, uses_presence=uses_presence)


@pytest.fixture
async def alice(port: int) -> AsyncIterator[XMPPUser]:
    user = make_user(ALICE, port)
    yield user
    await user.sign_out()


@pytest.fixture
async def bob(port: int) -> AsyncIterator[XMPPUser]:
    user = make_user(BOB, port)
    yield user
    await user.sign_out()


async def test_a_user_is_what_a_step_expects(alice: XMPPUser) -> None:
    user: User = alice

    assert user.address == ALICE


async def test_adding_a_contact_asks_and_shows_it_on_the_list(alice: XMPPUser, bob: XMPPUser) -> None:
    await alice.sign_in()
    await bob.sign_in()
    await alice.add_contact(BOB, name="Bob", groups=["Friends"])
    asked = await arrived(bob, SUBSCRIPTION)
    pending = await bob.contact_list()
    await bob.accept(ALICE)
    answered = await arrived(alice, SUBSCRIPTION)
    seen = await arrived(alice, PRESENCE, type="available")

    assert (asked["from"], asked["type"]) == (ALICE, "subscribe")
    assert pending[ALICE]["pending"]
    assert (answered["from"], answered["type"]) == (BOB, "subscribed")
    assert (seen["from"], seen["type"]) == (f"{BOB}/simulator", "available")
    assert await alice.contact_list() == {BOB: {"subscription": "to", "name": "Bob", "groups": ["Friends"]}}
    assert "pending" not in (await bob.contact_list())[ALICE]


async def test_changes_of_the_list_arrive_as_they_were_pushed(alice: XMPPUser, bob: XMPPUser) -> None:
    await alice.sign_in()
    await alice.add_contact(BOB)
    added = await arrived(alice, CONTACT)
    asked = await arrived(alice, CONTACT)
    await alice.remove_contact(BOB)
    removed = await arrived(alice, CONTACT, subscription="remove")

    assert (added["contact"], added["subscription"]) == (BOB, "none")
    assert asked["ask"] == "subscribe"
    assert removed["contact"] == BOB


async def test_presence_is_seen_with_all_its_parts(alice: XMPPUser, bob: XMPPUser) -> None:
    await alice.sign_in()
    await bob.sign_in()
    await befriend(alice, bob)
    await bob.set_presence(show="dnd", note={"": "Busy", "de": "Beschäftigt"}, priority=-3)
    seen = await arrived(alice, PRESENCE, show="dnd")
    await bob.set_unavailable(note="Gone")
    gone = await arrived(alice, PRESENCE, status="Gone")

    assert (seen["show"], seen["status"], seen["priority"]) == ("dnd", "Busy", -3)
    assert seen["notes"]["de"] == "Beschäftigt"
    assert gone["type"] == "unavailable"


async def test_refusing_and_cancelling_are_told(alice: XMPPUser, bob: XMPPUser) -> None:
    await alice.sign_in()
    await bob.sign_in()
    await alice.add_contact(BOB)
    await arrived(bob, SUBSCRIPTION)
    await bob.refuse(ALICE)
    refused = await arrived(alice, SUBSCRIPTION)
    await befriend(alice, bob)
    await bob.cancel(ALICE)
    cancelled = await arrived(alice, SUBSCRIPTION)
    gone = await arrived(alice, PRESENCE)

    assert refused["type"] == cancelled["type"] == "unsubscribed"
    assert gone["type"] == "unavailable"


async def test_one_may_look_no_longer(alice: XMPPUser, bob: XMPPUser) -> None:
    await alice.sign_in()
    await bob.sign_in()
    await befriend(alice, bob)
    await alice.unsubscribe(BOB)
    told = await arrived(bob, SUBSCRIPTION)

    assert told["type"] == "unsubscribe"
    assert (await alice.contact_list())[BOB]["subscription"] == "none"


async def test_each_device_has_its_own_presence_and_priority(alice: XMPPUser, bob: XMPPUser) -> None:
    await alice.sign_in("desk", priority=5)
    await alice.sign_in("phone", priority=-1)
    await bob.sign_in()
    await bob.send_message(ALICE, "to the best", id="m1")
    best = await arrived(alice, MESSAGE)
    await bob.send_message(f"{ALICE}/phone", "to the phone", id="m2")
    named = await arrived(alice, MESSAGE)
    await alice.sign_out("desk")
    await bob.send_message(ALICE, "to nobody", id="m3")
    await bob.send_message(f"{ALICE}/phone", "to the phone again", id="m4")
    last = await arrived(alice, MESSAGE)

    # RFC 6121 §8.5.2.1.1: a resource with negative priority gets nothing that is sent to the bare address.
    assert (best["device"], named["device"]) == ("desk", "phone")
    assert last["id"] == "m4"


async def test_directed_presence_reaches_a_stranger(alice: XMPPUser, bob: XMPPUser) -> None:
    await alice.sign_in()
    await bob.sign_in()
    await alice.direct_presence(BOB, show="chat")
    seen = await arrived(bob, PRESENCE)
    await alice.direct_presence(BOB, show=None)
    gone = await arrived(bob, PRESENCE)

    assert (seen["from"], seen["show"]) == (f"{ALICE}/simulator", "chat")
    assert gone["type"] == "unavailable"


async def test_nobody_answers_for_the_user(alice: XMPPUser, bob: XMPPUser) -> None:
    await alice.sign_in()
    await bob.sign_in()
    await alice.add_contact(BOB)
    await arrived(bob, SUBSCRIPTION)

    assert (await bob.contact_list())[ALICE] == {"pending": True}
    assert (await alice.contact_list())[BOB]["ask"] == "subscribe"


async def test_who_is_blocked_is_not_heard(alice: XMPPUser, bob: XMPPUser) -> None:
    await alice.sign_in()
    await bob.sign_in()
    await alice.block(BOB)
    await bob.send_message(ALICE, "Hello?", id="m1")
    refused = await arrived(bob, REFUSAL)
    await alice.unblock(BOB)
    await bob.send_message(ALICE, "Hello!", id="m2")
    heard = await arrived(alice, MESSAGE)

    assert refused["id"] == "m1"
    assert heard["id"] == "m2"


async def test_a_chat_state_is_no_message(alice: XMPPUser, bob: XMPPUser) -> None:
    await alice.sign_in()
    await bob.sign_in()
    await alice.send_state(f"{BOB}/simulator", "composing")
    seen = await arrived(bob, COMPOSING)

    assert (seen["state"], seen["from"]) == ("composing", f"{ALICE}/simulator")


async def test_loss_of_a_device_makes_it_unavailable(alice: XMPPUser, bob: XMPPUser) -> None:
    await alice.sign_in()
    await bob.sign_in("desk")
    await befriend(alice, bob)
    bob.vanish("desk")
    await arrived(alice, PRESENCE, **{"from": f"{BOB}/desk", "type": "unavailable"})

    with pytest.raises(ConnectionError):
        await bob.set_presence(show="away")


async def test_own_presence_needs_no_step(port: int) -> None:
    journal = Journal(asyncio.get_running_loop().time)
    alice = XMPPUser(ALICE, "secret", "127.0.0.1", port, journal, uses_presence=True)
    await alice.sign_in()
    await alice.set_presence(show="away")
    await alice.sign_out()
    own = [entry.data for entry in journal if entry.kind == "delivered"]

    assert [entry["handled"] for entry in own] == [OWN, OWN]
    assert not alice.inbox.arrivals


async def test_without_presence_nothing_of_it_arrives(port: int, bob: XMPPUser) -> None:
    alice = make_user(ALICE, port, uses_presence=False)
    await alice.sign_in()
    await bob.sign_in()
    await bob.add_contact(ALICE)
    await bob.send_message(ALICE, "Hello", id="m1")
    await arrived(alice, MESSAGE)
    await alice.sign_out()

    assert not alice.inbox.arrivals


async def test_a_client_has_no_probe(alice: XMPPUser) -> None:
    with pytest.raises(Unable):
        await alice.probe(BOB)


async def test_who_is_not_there_can_do_nothing(alice: XMPPUser) -> None:
    with pytest.raises(ConnectionError, match="not signed in"):
        await alice.add_contact(BOB)
