"""Two homes, two servers: whatever their users do, they come to agree; and nobody ever sees what he may not.

The wire is a queue in each direction, which keeps its order. A witness reads every stanza that crosses, and holds it
against what the user had said before it was sent.

Where two stanzas about one subscription cross on the wire the two ends may be left with different states: RFC 6121 has
no remedy but the next stanza or probe. So the users of half of the runs are patient, and speak of subscriptions only
when nothing is under way; those runs must end in agreement, and all runs without a leak.
"""

from __future__ import annotations

from collections import deque
from xml.etree.ElementTree import Element

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from simulator.gateway.contacts.availability import Availability
from simulator.gateway.contacts.home import Blocked
from simulator.xmpp.address import Address, parse_address
from simulator.xmpp.subscription import State, asks, is_asked, is_seen, sees
from tests.gateway.contacts.stage import Stage

HOME, AWAY = ("alice@contoso.com", "bob@contoso.com"), ("romeo@far.example", "juliet@far.example")
USERS = {0: [parse_address(each) for each in HOME], 1: [parse_address(each) for each in AWAY]}
sides = st.sampled_from([0, 1])
persons = st.sampled_from([0, 1])
resources = st.sampled_from(["desk", "phone"])
presences = st.sampled_from([Availability(), Availability("away", (("", "secret"),)), Availability("dnd")])


class Server(Stage):
    """One home, and what it has put on the wire. `shown` has to whom each device has shown presence directly."""

    def __init__(self, users: list[Address], other: list[Address]) -> None:
        self.wire: deque[Element] = deque()
        self.shown: dict[tuple[Address, str], set[Address]] = {}
        self.others = other
        super().__init__(users=users)

    def _send(self, stanza: Element) -> None:
        sender, to = parse_address(stanza.get("from", "")), parse_address(stanza.get("to", ""))
        self.witness(sender, to, stanza.get("type", ""))
        self.wire.append(stanza)

    def witness(self, sender: Address, to: Address, type_: str) -> None:
        contact = self.home.contact(sender.bare, to.bare)

        assert not contact.blocked or (type_ == "unavailable" and sender.resource), (type_, str(sender), str(to))

        if type_ == "":
            directed = self.shown.get((sender.bare, sender.resource), set())

            assert is_seen(contact.state) or to.bare in directed, f"{sender} was shown to {to} in {contact.state}"
        elif type_ != "unavailable":
            assert not sender.resource, f"{type_} leaks the resource of {sender}"


class TwoHomes(RuleBasedStateMachine):
    """Random acts of four users, and of the wire."""

    @initialize(prompts=st.booleans(), patient=st.booleans())
    def start(self, prompts: bool, patient: bool) -> None:
        self.patient = patient
        self.blocks: set[tuple[Address, Address]] = set()
        self.servers = [Server(USERS[0], USERS[1]), Server(USERS[1], USERS[0])]

        for server in self.servers:
            server.gates.prompts = prompts

    def party(self, side: int, person: int, other: int) -> tuple[Server, Address, Address]:
        return self.servers[side], USERS[side][person], USERS[1 - side][other]

    @rule(
        side=sides,
        person=persons,
        other=persons,
        act=st.sampled_from(
            ["add", "accept", "approve", "refuse", "unsubscribe", "remove", "block", "unblock", "probe"]
        ),
    )
    def act(self, side: int, person: int, other: int, act: str) -> None:
        server, user, contact = self.party(side, person, other)
        self.be_patient()

        try:
            getattr(server.home, act)(user, contact, server.now)
        except Blocked:
            assert server.home.contact(user, contact).blocked

        if act == "block":
            self.blocks |= {(user, contact), (contact, user)}

    @rule(side=sides, person=persons, resource=resources, presence=presences)
    def come(self, side: int, person: int, resource: str, presence: Availability) -> None:
        server, user, _ = self.party(side, person, 0)
        self.be_patient()
        server.home.available(user, resource, presence, server.now)

    @rule(side=sides, person=persons, resource=resources)
    def go(self, side: int, person: int, resource: str) -> None:
        server, user, _ = self.party(side, person, 0)
        server.home.unavailable(user, resource, None, server.now)
        server.shown.pop((user, resource), None)

    @rule(side=sides, person=persons, other=persons, resource=resources, presence=st.none() | presences)
    def direct(self, side: int, person: int, other: int, resource: str, presence: Availability | None) -> None:
        server, user, contact = self.party(side, person, other)

        if not server.home.contact(user, contact).blocked:
            server.shown.setdefault((user, resource), set()).add(contact)
            server.home.direct(user, resource, contact, presence, server.now)

    @rule(side=sides, count=st.integers(1, 5))
    def deliver(self, side: int, count: int) -> None:
        for _ in range(min(count, len(self.servers[side].wire))):
            self.one(side)

    @rule(side=sides)
    def restart(self, side: int) -> None:
        old = self.servers[side]
        new = Server(USERS[side], USERS[1 - side])
        new.store = old.store
        new.gates, new.wire, new.now = old.gates, old.wire, old.now
        new.home._context.book._store = old.store
        new.home.open()
        self.servers[side] = new
        new.home.link_back(new.now)

        for each in USERS[side]:
            assert set(new.home.contacts(each)) == set(old.home.contacts(each))

    @rule(side=sides, seconds=st.sampled_from([1.0, 100.0, 100_000.0]))
    def wait(self, side: int, seconds: float) -> None:
        self.be_patient()
        server = self.servers[side]
        server.now += seconds
        server.home.expire(server.now)

    def one(self, side: int) -> None:
        stanza = self.servers[side].wire.popleft()
        other = self.servers[1 - side]
        other.home.receive(stanza, other.now)

    def settle(self) -> None:
        for _ in range(10_000):
            if not any(server.wire for server in self.servers):
                return

            for side in (0, 1):
                while self.servers[side].wire:
                    self.one(side)

        raise AssertionError("the two servers never stop talking")

    def be_patient(self) -> None:
        if self.patient:
            self.settle()

    def teardown(self) -> None:
        if hasattr(self, "servers"):
            self.settle()
            self.check_agreement()
            self.check_silence()

    def check_agreement(self) -> None:
        for user in USERS[0]:
            for contact in USERS[1]:
                ours = self.servers[0].home.contact(user, contact).state
                theirs = self.servers[1].home.contact(contact, user).state

                # A block hides what the blocked one asks for and grants: that is what it is for.
                if self.patient and (user, contact) not in self.blocks:
                    assert agree(ours, theirs), f"{user} {ours}, {contact} {theirs}"

    def check_silence(self) -> None:
        """Nothing is known of whom one may not see."""
        for side in (0, 1):
            server = self.servers[side]

            for user in USERS[side]:
                for contact in USERS[1 - side]:
                    entry = server.home.contact(user, contact)

                    if entry.blocked or not server.home.is_online(user):
                        assert not server.home.seen(user, contact)


def agree(ours: State, theirs: State) -> bool:
    """Whether two states are the same thing seen from both ends."""
    return (sees(ours), is_seen(ours), asks(ours), is_asked(ours)) == (
        is_seen(theirs),
        sees(theirs),
        is_asked(theirs),
        asks(theirs),
    )


TestTwoHomes = TwoHomes.TestCase
TestTwoHomes.settings = settings(max_examples=50, stateful_step_count=50)
