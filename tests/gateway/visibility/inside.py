"""The front end itself, in memory: its link is a list of stanzas, its users' connections are pieces of memory.

Knows how to drive a `FrontEnd` without sockets, and what its users' phones were sent. Does not know what is right.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from xml.etree.ElementTree import Element

import msgspec

from simulator.gateway.access.point import AccessPoint
from simulator.gateway.configuration import Configuration
from simulator.gateway.contacts.availability import Availability
from simulator.gateway.contacts.notices import Notice
from simulator.gateway.frontend.frontend import FrontEnd
from simulator.gateway.link import LinkClient, LinkDown
from simulator.gateway.rules import Rules
from simulator.gateway.topology import ONLY
from simulator.sip.agent import Agent, Answered, Incoming
from simulator.sip.message import build_request
from simulator.xmpp.address import parse_address
from simulator.xmpp.element import make_error, parse_element
from simulator.xmpp.errors import StanzaCondition
from tests.gateway.frontend.sessions.stage import Wire
from tests.gateway.visibility.model import Settings
from tests.gateway.visibility.witness import USERS

if TYPE_CHECKING:
    from simulator.wire.connection import Connection

#: seconds since 1970, when the clock of a test shows zero
EPOCH = 1e9


def configuration(given: Settings) -> Configuration:
    """What the administrator has set, as the gateway has it."""
    identities = {"Global": given.everybody} | ({"Tag:Own": given.granted} if given.granted is not None else {})
    own = {"external-access-policy": "Own"} if given.granted is not None else {}
    words: dict[str, Any] = {
        "domains": ["contoso.com"],
        "users": [{"address": USERS[0], **own}, {"address": USERS[1]}],
        "partners": [{"identity": "far.example", "partner-type": given.partner}] if given.partner is not None else [],
        "access": {"allow-federated-users": given.federation},
        "authorization": {"public-verified-prompts": given.prompts},
        "policies": [
            {"identity": name, "enable-federation-access": federation, "enable-xmpp-access": xmpp}
            for name, (federation, xmpp) in identities.items()
        ],
        "gateway": {"subscription-refresh-interval": 600.0},
        "frontend": {"subscription-resend-interval": 1000.0},
        "dns": {"server": "127.0.0.1"},
        "certificates": {"authority": "none", "internal": {"certificate": "none", "key": "none"}},
    }

    return msgspec.convert(words, Configuration)


class Road(LinkClient):
    """The front end's link, without another end: `took` gets each stanza that leaves."""

    def __init__(self, configuration: Configuration, took: Callable[[Element], None]) -> None:
        super().__init__(configuration, log=lambda _: None)
        self.is_up = False
        self._took = took

    @property
    def up(self) -> bool:
        return self.is_up

    def send(self, stanza: Element) -> None:
        if not self.is_up:
            raise LinkDown("the link is down")

        self._took(stanza)


class Phone:
    """One device: registered over a connection of its own, it takes every message. `got` are the texts."""

    def __init__(self, inside: Inside, user: str, resource: str) -> None:
        self._inside, self._user = inside, user
        self.wire = Wire()
        self.got: list[str] = []
        self.codes: dict[str, int] = {}
        """Text of a message -> the final answer to it."""
        self._agent: Agent[str] = Agent(source="127.0.0.1", tag="phone")
        inside.frontend._accepted(cast("Connection", self.wire))
        contact = f'<sip:{user.partition("@")[0]}@127.0.0.1:9;gr={resource}>;methods="MESSAGE"'
        self._ask("REGISTER", "sip:contoso.com", user, [("Contact", contact), ("Expires", "86400")], b"")
        assert self.codes.pop("") == 200

    def writes(self, to: str, text: str) -> None:
        """Send a message."""
        self._ask("MESSAGE", f"sip:{to}", to, [("Content-Type", "text/plain")], text.encode())

    def looks(self) -> None:
        """Read what the front end wrote, and answer."""
        while self.wire.written:
            data = bytes(self.wire.written)
            self.wire.written.clear()

            for event in self._agent.receive(data):
                if isinstance(event, Incoming):
                    assert event.request.method == "MESSAGE", event.request.method
                    self.got.append(event.request.body.decode())
                    self.wire.on_data(event.answer(200, tag="p"))
                elif isinstance(event, Answered):
                    self.codes[event.context] = event.code

    def _ask(self, method: str, uri: str, to: str, headers: list[tuple[str, str]], body: bytes) -> None:
        number = self._inside.number()
        lines = [
            ("Via", f"SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{number}"),
            ("Max-Forwards", "70"),
            ("To", f"<sip:{to}>"),
            ("From", f"<sip:{self._user}>;tag=t{number}"),
            ("Call-ID", f"c{number}"),
            ("CSeq", f"1 {method}"),
            *headers,
        ]
        self._agent.begin(f"z9hG4bK{number}", method, body.decode(), self._inside.now)
        self.wire.on_data(build_request(method, uri, lines, body))
        self.looks()


class Inside:
    """A front end that can be killed and started again. `judge` sees each stanza in the moment in which it leaves.

    `left` has the stanzas that left since they were last taken from it, `told` the notices.
    """

    def __init__(self, configuration: Configuration, rules: Rules, contacts: Path) -> None:
        frontend = msgspec.structs.replace(configuration.frontend, contacts=str(contacts))
        self.configuration = msgspec.structs.replace(configuration, frontend=frontend)
        self._rules = rules
        self.now = 0.0
        self.judge: Callable[[Element], None] = lambda stanza: None
        self.left: list[Element] = []
        self.told: list[Notice] = []
        self.phones: dict[tuple[str, str], Phone] = {}
        self._numbers = 0
        self.partner_is_there = True
        self.begin()

    @property
    def link_is_up(self) -> bool:
        return self._road.is_up

    def number(self) -> int:
        """A new one."""
        self._numbers += 1

        return self._numbers

    def begin(self) -> None:
        """A new process: nothing is left of an earlier one but the file. Its link is still down."""
        rules = self._rules
        access = AccessPoint(self.configuration, rules.access, partner_for=rules.partner_for)
        entropy = random.Random(self.number())
        self.frontend = FrontEnd(
            self.configuration, rules.frontend, access=access, home_rules=rules.home, entropy=entropy
        )
        self.frontend._clock = lambda: self.now
        self._road = Road(self.configuration, self._took)
        self.frontend.link.links[ONLY] = self._road
        self.home = self.frontend.home
        self.home.epoch = EPOCH
        agent = self.home.tell

        def tell(notice: Notice) -> None:
            self.told.append(notice)
            agent(notice)

        self.home.tell = tell
        self.home.open()

    def ends(self) -> None:
        """The process ends in order: everybody leaves."""
        self.home.close(self.now)
        self._hang_up()

    def is_killed(self) -> None:
        """The process is gone, and could say nothing more; the kernel releases its file."""
        self._road.is_up = False
        self.home._context.book.close()
        self._hang_up()

    def _hang_up(self) -> None:
        for phone in self.phones.values():
            phone.wire.closed = True

        self.phones.clear()

    def raise_link(self) -> None:
        self._road.is_up = True
        self.frontend.link.on_up()
        self.frontend.link.on_edge_back(lambda domain: True)

    def lower_link(self) -> None:
        self._road.is_up = False
        self.frontend.link.on_down()
        self.frontend.link.on_edge_lost(lambda domain: True)

    def adopt(self, configuration: Configuration) -> None:
        """The administrator changes the configuration while it runs."""
        frontend = self.configuration.frontend
        self.configuration.adopt(msgspec.structs.replace(configuration, frontend=frontend))
        self.frontend.reconfigure()

    def receives(self, text: str) -> None:
        """A stanza of the partner's comes in."""
        self.frontend._stanza(parse_element(text))

        for phone in self.phones.values():
            phone.looks()

    def comes(self, user: str, resource: str, availability: Availability) -> None:
        """A device registers, if it has not, and is available."""
        if (user, resource) not in self.phones:
            self.phones[user, resource] = Phone(self, user, resource)

        self.home.available(parse_address(user), resource, availability, self.now)

    def goes(self, user: str, resource: str) -> None:
        """A device is no longer available, and hangs up."""
        self.home.unavailable(parse_address(user), resource, None, self.now)
        phone = self.phones.pop((user, resource), None)

        if phone is not None:
            phone.wire.close()

    def passes(self, seconds: float) -> None:
        """Time passes, and the front end looks at what is due, as at each tick."""
        self.now += seconds
        frontend = self.frontend
        frontend._outbox.expire(self.now)
        frontend._sessions.expire(self.now)
        frontend._registrar.expire(self.now)
        frontend._presence.expire(self.now)
        frontend.home.expire(self.now)

    def edge_tells(self, stanza: Element) -> None:
        """What became of a message, as the edge says."""
        if self.partner_is_there:
            self.frontend.link.on_handed_over([stanza.get("id", "")])
        else:
            self.frontend._stanza(make_error(stanza, StanzaCondition.REMOTE_SERVER_TIMEOUT))

        for phone in self.phones.values():
            phone.looks()

    def _took(self, stanza: Element) -> None:
        self.judge(stanza)
        self.left.append(stanza)
