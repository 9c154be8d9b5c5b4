"""A home alone on the stage: what it sends is read as XML, what it tells as notices, and time is a number."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from xml.etree.ElementTree import Element

from simulator.gateway.access.authorization import Refusal
from simulator.gateway.access.gates import Closed, Gate
from simulator.gateway.access.partner_types import Action
from simulator.gateway.contacts.availability import Availability
from simulator.gateway.contacts.home import Home
from simulator.gateway.contacts.notices import Notice
from simulator.gateway.contacts.rules import HomeRules
from simulator.gateway.contacts.settings import HomeSettings
from simulator.gateway.contacts.store import ContactStore
from simulator.xmpp.address import Address, parse_address
from simulator.xmpp.element import parse_element, serialize
from simulator.xmpp.errors import StanzaCondition
from simulator.xmpp.subscription import State

ALICE = parse_address("alice@contoso.com")
BOB = parse_address("bob@contoso.com")
ROMEO = parse_address("romeo@far.example")
JULIET = parse_address("juliet@far.example")
NOBODY = parse_address("nobody@contoso.com")

HERE = Availability()


@dataclass
class Gates:
    """An access point that a test opens and closes."""

    outbound_is_closed: bool = False
    stopped: set[Action] = field(default_factory=set)
    """What may be done only to users who have added the contact."""
    prompts: bool = True
    notes: bool = True
    refusal: Refusal = Refusal.SILENT

    def outbound(self, user: Address, contact: Address) -> Closed | None:
        return Closed(Gate.POLICY, 1002, "the policy forbids it") if self.outbound_is_closed else None

    def inbound(self, user: Address, contact: Address, action: Action, *, added: bool) -> Closed | None:
        if action in self.stopped and not added:
            return Closed(Gate.AUTHORIZATION, 0, "not added")

        return self.outbound(user, contact)

    def asks_user(self, contact: Address) -> bool:
        return self.prompts

    def shows_note(self, contact: Address) -> bool:
        return self.notes

    def answer_to_request(self, closed: Closed) -> Refusal:
        return self.refusal

    def condition(self, closed: Closed) -> StanzaCondition:
        return StanzaCondition.SERVICE_UNAVAILABLE


class Stage:
    """One home. Ids that it makes are ``i1``, ``i2`` and so on; its clock shows seconds since 1970."""

    def __init__(
        self,
        rules: HomeRules | None = None,
        *,
        store: ContactStore | None = None,
        users: Iterable[Address] = (ALICE, BOB),
        settings: HomeSettings | None = None,
    ) -> None:
        self.gates = Gates()
        self.now = 1000.0
        self.link_is_up = True
        self.log: list[str] = []
        self._sent: list[Element] = []
        self._told: list[Notice] = []
        self.store = store or ContactStore()
        numbers = count(1)
        known = frozenset(users)
        self.home = Home(
            self.store,
            rules,
            exists=known.__contains__,
            access=self.gates,
            send=self._send,
            tell=self._told.append,
            make_id=lambda: f"i{next(numbers)}",
            settings=lambda: settings or HomeSettings(),
            log=self.log.append,
        )

    def receive(self, text: str) -> list[str]:
        """Let a partner's presence come in; gives what is sent for it."""
        self.home.receive(parse_element(text), self.now)

        return self.sent()

    def presence(self, type_: str = "", sender: str = "romeo@far.example", to: str = "alice@contoso.com") -> list[str]:
        """The same, for a presence without content."""
        kind = f" type='{type_}'" if type_ else ""

        return self.receive(f"<presence from='{sender}' to='{to}' id='p1'{kind}/>")

    def sent(self) -> list[str]:
        """What was sent since the last question."""
        stanzas, self._sent = [serialize(each).decode() for each in self._sent], []

        return stanzas

    def brief(self) -> list[str]:
        """The same, each as "type from > to"."""
        stanzas, self._sent = self._sent, []

        return [f"{each.get('type', 'available')} {each.get('from')} > {each.get('to')}" for each in stanzas]

    def told(self) -> list[Notice]:
        """What was told since the last question."""
        notices = self._told[:]
        self._told.clear()

        return notices

    def names(self) -> list[str]:
        """The same, the kinds of notices only."""
        return [type(each).__name__ for each in self.told()]

    def set_state(self, state: State, user: Address = ALICE, contact: Address = ROMEO) -> None:
        """Bring a contact into a state by what users and contacts do, and forget what was sent and told for it."""
        if state in (State.TO, State.TPI, State.BOTH, State.NPO, State.NPOI, State.FPO):
            self.home.add(user, contact, self.now)

        if state in (State.TO, State.TPI, State.BOTH):
            self.presence("subscribed", str(contact), str(user))

        if state in (State.NPI, State.NPOI, State.TPI, State.FROM, State.FPO, State.BOTH):
            self.presence("subscribe", str(contact), str(user))

        if state in (State.FROM, State.FPO, State.BOTH):
            self.home.accept(user, contact, self.now)

        assert self.home.contact(user, contact).state is state
        self.clear()

    def clear(self) -> None:
        """Forget what was sent and told."""
        self.sent()
        self.told()

    def state(self, user: Address = ALICE, contact: Address = ROMEO) -> State:
        """The state of a subscription."""
        return self.home.contact(user, contact).state

    def online(self, *resources: str, user: Address = ALICE) -> None:
        """Bring devices online, and forget what was sent and told for it."""
        for resource in resources:
            self.home.available(user, resource, HERE, self.now)

        self.clear()

    def _send(self, stanza: Element) -> None:
        if not self.link_is_up:
            raise ConnectionError("the link is down")

        self._sent.append(stanza)


def started(folder: Path) -> Stage:
    """A home that keeps its contacts in the folder, which may be new."""
    folder.mkdir(exist_ok=True)
    stage = Stage(store=ContactStore(folder / "contacts.sqlite"))
    stage.home.open()

    return stage


def killed(last: Path, following: Path) -> Stage:
    """The next one, with the files as SIGKILL leaves them: nothing was closed, and so nothing tidied up."""
    shutil.copytree(last, following)

    return started(following)


#: how a device of Alice's comes to be shown to Juliet directly no more
ENDS = ("taken back", "device is gone", "contact is gone", "gate closes", "refused")


def end(stage: Stage, how: str) -> None:
    """Have one of `ENDS` happen to what Alice's desk shows."""
    match how:
        case "taken back":
            stage.home.direct(ALICE, "desk", JULIET, None, stage.now)
        case "device is gone":
            stage.home.unavailable(ALICE, "desk", None, stage.now)
        case "contact is gone":
            stage.presence("unavailable", "juliet@far.example")
        case "gate closes":
            stage.gates.outbound_is_closed = True
            stage.home.reconsider(stage.now)
        case "refused":
            stage.home.refuse(ALICE, JULIET, stage.now)
        case _:
            raise ValueError(how)
