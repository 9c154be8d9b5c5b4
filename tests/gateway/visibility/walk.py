"""A random walk of two users, a partner with two of its own, an administrator and an unlucky operator.

Knows their acts, how a partner's server answers, and what is to be so after each act. What is right says `model`.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element

from hypothesis import event, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from simulator.gateway.contacts.availability import Availability
from simulator.gateway.contacts.home import Blocked
from simulator.gateway.contacts.notices import Notice, Requested, Seen
from simulator.gateway.rules import Rules
from simulator.xmpp.address import parse_address
from tests.gateway.visibility.inside import Inside, configuration
from tests.gateway.visibility.model import FEDERATED, STATES, UNVERIFIED, VERIFIED, Model, Settings, changed
from tests.gateway.visibility.witness import CONTACTS, PAIRS, USERS, Witness

#: a store flushes what it keeps to the disk; here it is to be quick
MEMORY = next((name for name in ("/dev/shm",) if os.path.isdir(name)), None)

users, contacts = st.sampled_from(USERS), st.sampled_from(CONTACTS)
resources = st.sampled_from(["desk", "phone"])
shows = st.sampled_from(["", "away", "dnd"])
notes = st.sampled_from(["", "in a meeting"])
#: what two people may have done before the first step
BEFORE = {
    "nothing": (),
    "nothing either": (),
    "asked": ("add",),
    "sees": ("add", "subscribed"),
    "was asked": ("subscribe",),
    "is seen": ("subscribe", "accept"),
    "both": ("add", "subscribed", "subscribe", "accept"),
    "both, asked first": ("subscribe", "accept", "add", "subscribed"),
    "asked and is seen": ("subscribe", "accept", "add"),
    "both ask": ("subscribe", "add"),
    "sees and was asked": ("add", "subscribed", "subscribe"),
    "blocked": ("add", "subscribed", "subscribe", "accept", "block"),
    "approved": ("approve",),
}
#: open more often than not, or nothing would ever happen
switches = st.sampled_from([True, True, True, False])
policies = st.tuples(switches, switches)
changes = st.one_of(
    st.tuples(
        st.just("partner"), st.sampled_from([FEDERATED, VERIFIED, UNVERIFIED, FEDERATED, VERIFIED, UNVERIFIED, None])
    ),
    st.tuples(st.just("prompts"), st.booleans()),
    st.tuples(st.just("federation"), switches),
    st.tuples(st.just("everybody"), policies),
    st.tuples(st.just("granted"), st.none() | policies),
)


class Walk(RuleBasedStateMachine):
    """Random acts of everybody. Of the last one, `kinds` are the types of what left, and `arrived` texts and ids."""

    gateway = Rules()
    steps = 0

    @initialize(number=st.integers(0, 2**32 - 1))
    def start(self, number: int) -> None:
        """What was before is drawn evenly, which Hypothesis by itself does not do; so a number stands for all of it."""
        drawn = random.Random(number)
        partner, prompts = drawn.choice([FEDERATED, VERIFIED, VERIFIED, UNVERIFIED]), drawn.random() < 0.7
        before = [drawn.choice(sorted(BEFORE)) for _ in PAIRS]
        online = [drawn.choice([None, "", "in a meeting"]) for _ in USERS]
        event(f"{partner}, prompts: {prompts}")
        note(f"{partner}, prompts: {prompts}; {dict(zip(PAIRS, before, strict=True))}; notes of those online: {online}")
        self.folder = tempfile.mkdtemp(prefix="s2sim-", dir=MEMORY)
        self.model = Model(Settings(partner=partner, prompts=prompts))
        self.witness = Witness(self.model)
        self.there: dict[str, dict[str, str]] = {contact: {} for contact in CONTACTS}
        """Contact -> resource -> show, as the partner's server has it."""
        path = Path(self.folder) / "contacts.sqlite"
        self.inside = Inside(configuration(self.model.settings), self.gateway, path)
        self.inside.judge = lambda stanza: self.witness.judge(stanza, arrives=self.inside.partner_is_there)
        self.texts = 0
        self.act("start", self.inside.raise_link)

        for user, said in zip(USERS, online, strict=True):
            if said is not None:
                self.comes(user, "desk", "", said)

        for (user, contact), acts in zip(PAIRS, before, strict=True):
            for what in BEFORE[acts]:
                (self.says if what.startswith("sub") else self.wants)(user, contact, what)

    def teardown(self) -> None:
        if hasattr(self, "inside"):
            self.inside.is_killed()
            shutil.rmtree(self.folder)

    # -- users

    @rule(
        user=users,
        contact=contacts,
        what=st.sampled_from(
            ["add", "add", "accept", "approve", "refuse", "unsubscribe", "remove", "block", "unblock"]
        ),
    )
    def wants(self, user: str, contact: str, what: str) -> None:
        done = getattr(self.model, what)(user, contact)

        def act() -> None:
            try:
                closed = getattr(self.inside.home, what)(parse_address(user), parse_address(contact), self.inside.now)
            except Blocked:
                assert self.model.relations[user, contact].blocked
            else:
                assert done or closed is not None, f"{user} may {what} {contact}"

        self.act(what, act)

    @precondition(lambda self: any(each.waits or each.blocked for each in self.model.relations.values()))
    @rule(pick=st.integers(0, 3), what=st.sampled_from(["accept", "approve", "refuse", "unblock"]))
    def answers(self, pick: int, what: str) -> None:
        """Where there is something to be answered, or to be unblocked."""
        relations = self.model.relations
        found = [pair for pair in PAIRS if (relations[pair].blocked if what == "unblock" else relations[pair].waits)]

        if found:
            self.wants(*found[pick % len(found)], what)

    @rule(user=users, resource=resources, show=shows, note=notes)
    def comes(self, user: str, resource: str, show: str, note: str) -> None:
        self.model.devices[user][resource] = (show, note)
        availability = Availability(show, (("", note),) if note else ())
        self.act("come", lambda: self.inside.comes(user, resource, availability))

    @rule(user=users, resource=resources)
    def goes(self, user: str, resource: str) -> None:
        self.model.go(user, resource)

        self.act("go", lambda: self.inside.goes(user, resource))

    @rule(user=users, contact=contacts, resource=resources)
    def shows_directly(self, user: str, contact: str, resource: str) -> None:
        if not self.model.may_write(user, contact) or resource in self.model.devices[user]:
            return

        self.model.directed.add((user, resource, contact))
        self.witness.meant.add((user, contact))
        to, now = parse_address(contact), self.inside.now
        self.act("show", lambda: self.inside.home.direct(parse_address(user), resource, to, Availability("away"), now))

    @rule(user=users, contact=contacts)
    def writes(self, user: str, contact: str) -> None:
        phone = next((phone for (who, _), phone in self.inside.phones.items() if who == user), None)

        if phone is None:
            return

        text = self.text()
        self.act("write", lambda: phone.writes(contact, text))
        arrived = text in self.arrived
        may = self.model.may_write(user, contact)

        assert arrived == (may and self.inside.link_is_up), f"{user} writes to {contact}: {may}"
        assert (phone.codes[text] == 200) == (may and self.reachable), phone.codes[text]

    # -- the partner and its users

    @precondition(lambda self: self.reachable)
    @rule(
        user=users,
        contact=contacts,
        what=st.sampled_from(["subscribe", "subscribe", "unsubscribe", "subscribed", "unsubscribed"]),
    )
    def says(self, user: str, contact: str, what: str) -> None:
        done: dict[str, Callable[[str, str], None]] = {
            "subscribe": self.model.asked,
            "unsubscribe": self.model.withdrawn,
            "subscribed": self.model.granted,
            "unsubscribed": self.model.refused,
        }
        granted = what == "subscribe" and self.model.relations[user, contact].is_seen
        done[what](user, contact)
        self.act(what, lambda: self.inside.receives(self.presence(contact, user, what)))

        # RFC 6121 §3.1.3: to whom the user is visible already, the user's server says so again.
        if granted and self.model.may(user, contact, "subscribe"):
            assert "subscribed" in self.kinds, f"{contact} asks {user} again"

        # RFC 6121 §3.1.5: the contact's server sends presence from each of his resources.
        if what == "subscribed":
            self.act("tell", lambda: self.tell(contact, user))

    @rule(contact=contacts, resource=resources, show=st.none() | shows)
    def is_there(self, contact: str, resource: str, show: str | None) -> None:
        was_there = self.there[contact].pop(resource, None)

        if show is not None:
            self.there[contact][resource] = show

        if not self.reachable or (show is None and was_there is None):
            return

        kind = "unavailable" if show is None else ""
        content = f"<show>{show}</show>" if show else ""

        # To everybody, whether they may see it or not: whom to believe is the gateway's affair.
        for user in USERS:
            text = self.presence(f"{contact}/{resource}", user, kind, content)
            self.act("contact", partial(self.inside.receives, text))

    @precondition(lambda self: self.reachable)
    @rule(user=users, contact=contacts, resource=st.sampled_from(["", "", "desk", "phone"]))
    def probes(self, user: str, contact: str, resource: str) -> None:
        self.witness.probed_full = bool(resource)
        to = f"{user}/{resource}" if resource else user
        self.act("probe", lambda: self.inside.receives(self.presence(contact, to, "probe")))

        assert bool(self.kinds) != self.model.relations[user, contact].blocked, f"{contact} probes {to}"

    @precondition(lambda self: self.reachable)
    @rule(user=users, contact=contacts)
    def is_written_to(self, user: str, contact: str) -> None:
        text = self.text()
        stanza = f"<message from='{contact}/balcony' to='{user}' id='{text}' type='chat'><body>{text}</body></message>"
        self.act("is written to", lambda: self.inside.receives(stanza))
        phones = [phone for (who, _), phone in self.inside.phones.items() if who == user]
        got = [phone for phone in phones if text in phone.got]

        if self.model.may(user, contact, "message") and phones:
            assert got, f"{contact} may write to {user}"
            assert text not in self.arrived
        else:
            assert not got, f"{contact} may not write to {user}"
            assert text in self.arrived, f"{contact} was not told"

    # -- the administrator, the operator, and time

    @rule(change=changes)
    def sets(self, change: tuple[str, object]) -> None:
        self.model.settings = changed(self.model.settings, **{change[0]: change[1]})
        self.model.directed = {each for each in self.model.directed if self.model.is_open(each[0])}
        self.act("set", lambda: self.inside.adopt(configuration(self.model.settings)))

    @rule(what=st.sampled_from(["killed", "ended", "link", "domain", "link", "domain", "time"]), data=st.data())
    def happens(self, what: str, data: st.DataObject) -> None:
        if what in ("killed", "ended"):
            self.restarts(what == "killed", data.draw(st.none() | users), data.draw(st.booleans()))
        elif what == "time" and self.reachable:
            self.waits(data.draw(st.sampled_from([1.0, 70.0, 700.0])))
        elif not self.reachable:
            self.finds_back()
        else:
            self.loses(what)

    def restarts(self, killed: bool, early: str | None, partner_is_there: bool) -> None:
        """`early`: somebody's device is back before the link is. The edge lives on, and knows who is away."""
        self.model.devices.clear()
        self.model.directed.clear()

        if killed:
            self.inside.is_killed()
        else:
            self.act("end", self.inside.ends)

        self.inside.begin()
        self.inside.partner_is_there = partner_is_there

        if early is not None:
            self.comes(early, "desk", "", "")

        self.act("restart", self.inside.raise_link)

        if not partner_is_there:
            self.act("lose", lambda: self.inside.frontend.link.on_domain_lost("far.example"))

    def loses(self, what: str) -> None:
        if what == "link":
            self.act("lose", self.inside.lower_link)
        else:
            self.inside.partner_is_there = False
            self.act("lose", lambda: self.inside.frontend.link.on_domain_lost("far.example"))

    def finds_back(self) -> None:
        if self.inside.link_is_up:
            self.inside.partner_is_there = True
            self.act("find", lambda: self.inside.frontend.link.on_domain_back("far.example"))
        else:
            self.act("find", self.inside.raise_link)

    def waits(self, seconds: float) -> None:
        self.act("wait", lambda: self.inside.passes(seconds))

    # -- what everybody sees

    @property
    def reachable(self) -> bool:
        return self.inside.link_is_up and self.inside.partner_is_there

    def act(self, name: str, act: Callable[[], object]) -> None:
        """Do it, and let the partner's server answer until nothing is left to say."""
        self.witness.act = name
        self.arrived: set[str] = set()
        self.kinds: list[str] = []
        self.inside.left.clear()
        act()

        while self.inside.left:
            stanza = self.inside.left.pop(0)
            self.kinds.append(stanza.get("type", ""))
            self.takes(stanza)

        for notice in self.inside.told:
            self.hears(notice)

        self.inside.told.clear()

    def hears(self, notice: Notice) -> None:
        """A user is told something."""
        pair = (str(notice.user), str(notice.contact))

        if isinstance(notice, Requested):
            assert self.model.relations[pair].waits, notice
        elif isinstance(notice, Seen) and notice.availability is not None:
            assert self.model.hears(*pair) or self.model.shows_directly(*pair), notice

    def takes(self, stanza: Element) -> None:
        if stanza.tag.endswith("}message"):
            self.arrived |= {stanza.get("id", ""), stanza.findtext("{jabber:server}body") or ""}

            if stanza.get("type") != "error":
                self.inside.edge_tells(stanza)
        elif stanza.get("type") == "probe" and self.reachable:
            self.tell(stanza.get("to", ""), stanza.get("from", ""))

    def tell(self, contact: str, user: str) -> None:
        """The partner's server says how a contact is."""
        for resource, show in self.there[contact].items():
            content = f"<show>{show}</show>" if show else ""
            self.inside.receives(self.presence(f"{contact}/{resource}", user, "", content))

        if not self.there[contact]:
            # From a bare address it also ends what was shown to him directly (§4.6.1).
            self.witness.excuse((user, contact), self.model.shows_directly(user, contact))
            self.model.forget_directed(user, contact)
            self.inside.receives(self.presence(contact, user, "unavailable"))

    def presence(self, sender: str, to: str, kind: str, content: str = "") -> str:
        attribute = f" type='{kind}'" if kind else ""

        return f"<presence from='{sender}' to='{to}' id='p'{attribute}>{content}</presence>"

    def text(self) -> str:
        self.texts += 1

        return f"m{self.texts}"

    @invariant()
    def everybody_sees_what_is_to_be_seen(self) -> None:
        if not hasattr(self, "inside"):
            return

        type(self).steps += 1
        self.witness.check(self.reachable)

        for user, contact in PAIRS:
            relation = self.model.relations[user, contact]
            entry = self.inside.home.contact(parse_address(user), parse_address(contact))
            seen = self.inside.home.seen(parse_address(user), parse_address(contact))
            state = (relation.sees, relation.asks, relation.is_seen, relation.waits)

            assert STATES[entry.state.value] == state, f"{self.witness.act}: {user} {contact} {entry.state}: {relation}"
            assert (entry.listed, entry.blocked, entry.approved) == (
                relation.listed,
                relation.blocked,
                relation.approved,
            )

            if not self.model.hears(user, contact):
                welcome = self.model.shows_directly(user, contact) and self.model.may_write(user, contact)
                assert welcome or not seen, f"{self.witness.act}: {user} sees {contact}: {relation}"
            elif self.reachable:
                shown = {resource: each.show for resource, each in seen.items()}
                assert shown == self.there[contact], f"{self.witness.act}: {user} sees {contact} as {shown}"
