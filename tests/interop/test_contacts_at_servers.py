"""Users of the gateway and users of a real server as each other's contacts, over streams of their own making.

The people outside are accounts of Prosody or ejabberd, and what these servers have in their rosters is the witness of
what was agreed. One server has a domain for each type of partner, so that one world serves all tests of a server.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from simulator.world.systems import ejabberd, prosody
from simulator.world.systems.embedded_process import EmbeddedProcess
from simulator.world.systems.system import NotInstalled, System
from simulator.world.users.habits import Habits
from simulator.world.users.user import MESSAGE, PRESENCE, REFUSAL, SUBSCRIPTION, User
from tests.interop.conftest import fate, row
from tests.world.systems.conftest import Town
from tests.world.users.arrivals import arrived

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVERS: dict[str, Any] = {"Prosody": prosody, "ejabberd": ejabberd}
FEDERATED, VERIFIED, UNVERIFIED = TYPES = ("federated", "public-verified", "public-unverified")
of_each_type = pytest.mark.parametrize("type_", TYPES)

EXTERNAL = row("required/required/no")
SEEN = Habits(uses_presence=True)
#: users of the gateway; each test has one of its own
USERS = tuple(f"alice-{number}@contoso.com" for number in range(1, 25))
_numbers = itertools.count(1)


def domain_of(type_: str) -> str:
    return f"{type_}.example"


@dataclass
class World:
    """The gateway and the server, both up."""

    town: Town
    gateway: System
    server: System
    is_ejabberd: bool
    free: Iterator[str] = field(default_factory=lambda: iter(USERS))

    async def pair(self, type_: str) -> tuple[User, User]:
        """A user of the gateway and one of the server, whom no other test has met."""
        alice = next(self.free)
        juliet = f"{alice.partition('@')[0].replace('alice', 'juliet')}@{domain_of(type_)}"

        return await self.town.user(self.gateway, alice, SEEN), await self.town.user(self.server, juliet, SEEN)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=SERVERS)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    module = SERVERS[request.param]

    try:
        await asyncio.to_thread(module.installed)
    except NotInstalled as error:
        pytest.skip(str(error))

    town = Town()
    await town.names.start(town.addresses.take("dns"))

    try:
        server, gateway = await asyncio.gather(
            town.seat(
                module.SEAT.make,
                domains=tuple(domain_of(type_) for type_ in TYPES),
                users=(),
                partners={"contoso.com": EXTERNAL},
            ),
            town.seat(
                EmbeddedProcess,
                users=USERS,
                partners={domain_of(type_): {**EXTERNAL, "type": type_} for type_ in TYPES},
            ),
        )
        yield World(town, gateway, server, request.param == "ejabberd")
    finally:
        await town.stop()


async def listed(user: User, contact: User) -> dict[str, Any] | None:
    """What the user's own server says of the contact; of the name, nothing."""
    entry = (await user.contact_list()).get(contact.address)

    return None if entry is None else {key: entry[key] for key in ("subscription", "ask") if key in entry}


async def becomes(user: User, contact: User, **wanted: str) -> None:
    """The server's entry comes to say that: a server may tell its user of an answer before it has written it down."""
    async with asyncio.timeout(5):
        while True:
            if await listed(user, contact) == wanted:
                return

            await asyncio.sleep(0.02)


async def writes(one: User, other: User) -> str:
    """What becomes of a message: message or refusal, and why."""
    identifier = f"m{next(_numbers)}-{one.address}"
    await one.send_message(other.address, "Wherefore art thou Roméo? <&>", id=identifier)
    reached, refused = (asyncio.ensure_future(fate(user, identifier)) for user in (other, one))
    done, rest = await asyncio.wait([reached, refused], return_when=asyncio.FIRST_COMPLETED)

    for task in rest:
        task.cancel()

    arrival = done.pop().result()

    return MESSAGE if arrival.what == MESSAGE else " ".join(arrival.fields["conditions"])


def heard_nothing(user: User, what: str) -> None:
    assert [arrival for arrival in user.inbox.arrivals if arrival.what == what] == []


async def lets_in(type_: str, alice: User, juliet: User) -> None:
    """A contact wants to see a user, who is asked about those at partners that are PublicVerified, and no others."""
    if type_ == VERIFIED:
        await arrived(alice, SUBSCRIPTION, type="subscribe")
        assert await listed(juliet, alice) is not None
        assert (await listed(juliet, alice) or {}).get("ask") == "subscribe"
        await alice.accept(juliet.address)

    await arrived(juliet, SUBSCRIPTION, type="subscribed")
    await arrived(juliet, PRESENCE, type="available")
    heard_nothing(alice, SUBSCRIPTION)


async def befriend(type_: str, alice: User, juliet: User) -> None:
    """Alice asks first, then Juliet."""
    await alice.add_contact(juliet.address)
    await arrived(juliet, SUBSCRIPTION, type="subscribe")
    assert await listed(alice, juliet) == {"subscription": "none", "ask": "subscribe"}
    await juliet.accept(alice.address)
    await arrived(alice, SUBSCRIPTION, type="subscribed")
    await arrived(alice, PRESENCE, type="available")
    assert await listed(alice, juliet) == {"subscription": "to"}
    await becomes(juliet, alice, subscription="from")
    await juliet.add_contact(alice.address)
    await lets_in(type_, alice, juliet)
    assert await listed(alice, juliet) == {"subscription": "both"}
    await becomes(juliet, alice, subscription="both")


@of_each_type
async def test_user_adds_a_contact_and_removes_them(world: World, type_: str) -> None:
    alice, juliet = await world.pair(type_)
    # At a partner that is PublicUnverified nobody writes to who has not added them.
    before = "service-unavailable" if type_ == UNVERIFIED else MESSAGE
    assert await writes(juliet, alice) == before
    await befriend(type_, alice, juliet)
    assert [await writes(alice, juliet), await writes(juliet, alice)] == [MESSAGE, MESSAGE]
    await alice.remove_contact(juliet.address)

    # RFC 6121 §2.5.2: a server that removes an item sends unsubscribe and unsubscribed for its user.
    await arrived(juliet, SUBSCRIPTION, type="unsubscribe")
    await arrived(juliet, SUBSCRIPTION, type="unsubscribed")
    await arrived(juliet, PRESENCE, type="unavailable")
    assert await listed(alice, juliet) is None
    await becomes(juliet, alice, subscription="none")

    await alice.set_presence(show="away")
    assert [await writes(juliet, alice), await writes(alice, juliet)] == [before, MESSAGE]
    heard_nothing(juliet, PRESENCE)


@of_each_type
async def test_contact_adds_a_user_and_removes_them(world: World, type_: str) -> None:
    alice, juliet = await world.pair(type_)
    await juliet.add_contact(alice.address)

    if type_ == UNVERIFIED:
        # Nothing says whether there is an Alice: RFC 6121 §8.5.1 has the same silence for one who is not there.
        assert await writes(juliet, alice) == "service-unavailable"
        heard_nothing(alice, SUBSCRIPTION)
        assert await listed(alice, juliet) is None
        assert await listed(juliet, alice) == {"subscription": "none", "ask": "subscribe"}
    else:
        await lets_in(type_, alice, juliet)
        await becomes(juliet, alice, subscription="to")
        assert await listed(alice, juliet) in ({"subscription": "from"}, None)

    await alice.add_contact(juliet.address)
    await arrived(juliet, SUBSCRIPTION, type="subscribe")
    await juliet.accept(alice.address)
    await arrived(alice, SUBSCRIPTION, type="subscribed")
    await arrived(alice, PRESENCE, type="available")

    if type_ == UNVERIFIED:
        # Alice has vouched for Juliet, whose request is taken now.
        await juliet.add_contact(alice.address)
        await lets_in(type_, alice, juliet)

    await becomes(juliet, alice, subscription="both")
    assert [await writes(alice, juliet), await writes(juliet, alice)] == [MESSAGE, MESSAGE]
    await juliet.remove_contact(alice.address)

    await arrived(alice, SUBSCRIPTION, type="unsubscribed")
    # RFC 6121 §3.2.2: unavailable presence is sent "before the contact's server routes or delivers the presence stanza
    # of type "unsubscribed"". Prosody 0.12 sends it behind, when no subscription is left that could tell it in SIP.
    gone = [arrival.fields["type"] for arrival in alice.inbox.arrivals if arrival.what == PRESENCE]
    assert gone == (["unavailable"] if world.is_ejabberd else [])
    await becomes(alice, juliet, subscription="none")
    assert await listed(juliet, alice) is None
    alice.inbox.arrivals.clear()
    await alice.sign_in(show="away")
    heard_nothing(alice, PRESENCE)
    # The contact is still on Alice's list: she has not taken back what that allows.
    assert await writes(juliet, alice) == MESSAGE
    assert [arrival.fields["show"] for arrival in juliet.inbox.arrivals if arrival.fields.get("show")] == []


@of_each_type
async def test_changes_of_presence_are_seen(world: World, type_: str) -> None:
    alice, juliet = await world.pair(type_)
    await befriend(type_, alice, juliet)
    await alice.set_presence(show="dnd", note="In a meeting")
    busy = await arrived(juliet, PRESENCE, type="available")
    await juliet.set_presence(show="away", note="At lunch")
    away = await arrived(alice, PRESENCE, type="available")

    # Notes of a user are for partners that are Federated; what a contact says of themselves was for the user.
    assert (busy["show"], busy.get("status")) == ("dnd", "In a meeting" if type_ == FEDERATED else None)
    assert (away["show"], away["status"]) == ("away", "At lunch")

    await alice.set_unavailable(note="Gone")
    gone = await arrived(juliet, PRESENCE)
    await alice.set_presence(show="xa", note="On the train")
    back = await arrived(juliet, PRESENCE)
    await juliet.sign_out()
    left = await arrived(alice, PRESENCE)
    # RFC 6121 §4.2.2: her server probes for Juliet, who has just come.
    await juliet.sign_in()
    found = await arrived(juliet, PRESENCE)
    await arrived(alice, PRESENCE, type="available")

    assert (gone["type"], gone.get("status")) == ("unavailable", "Gone" if type_ == FEDERATED else None)
    assert left["type"] == "unavailable"

    for shown in (back, found):
        assert (shown["show"], shown.get("status")) == ("xa", "On the train" if type_ == FEDERATED else None)


async def test_requests_are_refused_on_either_side(world: World) -> None:
    alice, juliet = await world.pair(VERIFIED)
    await alice.add_contact(juliet.address)
    await arrived(juliet, SUBSCRIPTION, type="subscribe")
    await juliet.refuse(alice.address)
    await arrived(alice, SUBSCRIPTION, type="unsubscribed")
    assert await listed(alice, juliet) == {"subscription": "none"}

    await juliet.add_contact(alice.address)
    await arrived(alice, SUBSCRIPTION, type="subscribe")
    await alice.refuse(juliet.address)
    await arrived(juliet, SUBSCRIPTION, type="unsubscribed")
    await becomes(juliet, alice, subscription="none")
    heard_nothing(juliet, PRESENCE)
    heard_nothing(alice, PRESENCE)


@of_each_type
async def test_user_blocks_a_contact(world: World, type_: str) -> None:
    """What a contact may expect of whoever blocks them: silence, and presence once it is over (XEP-0191 §3.3, §3.4)."""
    alice, juliet = await world.pair(type_)
    await befriend(type_, alice, juliet)
    await alice.block(juliet.address)
    await arrived(juliet, PRESENCE, type="unavailable")
    assert await writes(juliet, alice) == "service-unavailable"
    await alice.set_presence(show="dnd")
    await juliet.set_presence(show="away")
    assert await writes(juliet, alice) == "service-unavailable"
    heard_nothing(juliet, PRESENCE)
    assert [arrival for arrival in alice.inbox.arrivals if arrival.fields.get("show")] == []

    await alice.unblock(juliet.address)
    assert (await arrived(juliet, PRESENCE, type="available"))["show"] == "dnd"
    assert (await arrived(alice, PRESENCE, type="available"))["show"] == "away"
    await juliet.set_presence(show="xa")
    assert (await arrived(alice, PRESENCE, type="available"))["show"] == "xa"
    assert [await writes(alice, juliet), await writes(juliet, alice)] == [MESSAGE, MESSAGE]
    assert [await listed(alice, juliet), await listed(juliet, alice)] == [{"subscription": "both"}] * 2


async def test_contact_blocks_a_user(world: World) -> None:
    """The contact's server answers what is blocked (XEP-0191 §3.3), which nobody can be told any more in SIP."""
    alice, juliet = await world.pair(VERIFIED)
    await befriend(VERIFIED, alice, juliet)
    await juliet.block(alice.address)

    if not world.is_ejabberd:
        # §3.3: "the user's server MUST send unavailable presence information to the contact"; ejabberd 23.01 does not.
        await arrived(alice, PRESENCE, type="unavailable")

    await alice.send_message(juliet.address, "Art thou there?", id="blocked")
    await alice.set_presence(show="dnd")
    # On the same stream: what was said before has been dropped.
    rosaline = await world.town.user(world.server, f"rosaline@{domain_of(VERIFIED)}", SEEN)
    assert await writes(alice, rosaline) == MESSAGE
    await juliet.unblock(alice.address)
    assert await writes(alice, juliet) == MESSAGE
    heard_nothing(juliet, PRESENCE)
    heard_nothing(juliet, MESSAGE)
    heard_nothing(alice, REFUSAL)

    if not world.is_ejabberd:
        await arrived(alice, PRESENCE, type="available")
