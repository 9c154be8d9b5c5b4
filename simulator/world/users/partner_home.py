"""What the server of a partner's user does by itself about presence: a small home by RFC 6121, as little as users need.

Knows who may see the user, whom they see, and what each device last showed. Does not know streams: stanzas are handed
over. It believes the user, who may grant what nobody asked for: a scenario says what is sent. One that is `silent`
sends nothing by itself, and shows everything that comes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from simulator.world.users.stanza import presence
from simulator.world.users.user import PROBE, UNAVAILABLE
from simulator.xmpp.element import make_error
from simulator.xmpp.namespaces import SERVER


@dataclass
class Known:
    """What is known about one contact."""

    sees: bool = False
    """They have been let see the user."""
    seen: bool = False
    """They let the user see them."""
    asks: bool = False
    """They have asked and have no answer."""
    asked: bool = False
    """The user has asked and has no answer."""
    name: str | None = None
    groups: tuple[str, ...] = ()
    listed: bool = False
    blocked: bool = False

    @property
    def subscription(self) -> str:
        """From the user's point of view, as a roster has it."""
        return {(False, False): "none", (True, False): "to", (False, True): "from", (True, True): "both"}[
            self.seen, self.sees
        ]


class PartnerHome:
    """The server's side of one user. `say` sends a stanza whose 'from' is complete."""

    def __init__(self, address: str, say: Callable[[Element], None], *, silent: bool) -> None:
        self.silent = silent
        self._address, self._say = address, say
        self._contacts: dict[str, Known] = {}
        self._shown: dict[str, Element] = {}
        self._directed: dict[tuple[str, str], None] = {}

    def contact(self, address: str) -> Known:
        """What is known about an address, which may be nothing yet."""
        return self._contacts.setdefault(_bare(address), Known())

    def roster(self) -> dict[str, dict[str, Any]]:
        """The list as `User.contact_list` has it."""
        entries: dict[str, dict[str, Any]] = {}

        for address, known in self._contacts.items():
            if not (known.listed or known.sees or known.asks):
                continue

            optional = {
                "ask": "subscribe" if known.asked else None,
                "name": known.name,
                "groups": list(known.groups) or None,
                "pending": known.asks or None,
            }
            listed = {"subscription": known.subscription} if known.listed or known.sees else {}
            entries[address] = listed | {name: value for name, value in optional.items() if value is not None}

        return entries

    # -- what the user does

    def send(self, kind: str, contact: str, identifier: str) -> None:
        """Send a stanza that manages a subscription, and what goes with it."""
        known = self.contact(contact)
        saw = known.sees

        if kind == "subscribe":
            known.asked, known.listed = True, True
        elif kind == "unsubscribe":
            known.asked = known.seen = False
        else:
            known.asks, known.sees = False, kind == "subscribed"

        # RFC 6121 §3.2.2: "before the contact's server routes or delivers the presence stanza of type "unsubscribed"",
        # it "MUST send a presence stanza of type "unavailable" from all of the contact's online resources".
        if kind == "unsubscribed" and saw:
            self._hide_from(contact)

        self._say(presence(SERVER, type=kind, sender=self._address, to=_bare(contact), id=identifier))

        # RFC 6121 §3.1.5: "send current presence to the user from each of the contact's available resources".
        if kind == "subscribed":
            self._show_to(contact)

    def block(self, contact: str, *, blocked: bool) -> None:
        """XEP-0191 §3.3, §3.4: who is blocked sees the user go, and come back."""
        known = self.contact(contact)

        if known.sees and blocked:
            self._hide_from(contact)

        known.blocked = blocked

        if known.sees and not blocked:
            self._show_to(contact)

    def show(self, device: str, stanza: Element) -> None:
        """Broadcast presence of a device, which has no address yet (§4.2.2, §4.4.2, §4.5.2)."""
        first = device not in self._shown
        stanza.set("from", self._full(device))
        gone = stanza.get("type") == UNAVAILABLE

        if gone:
            self._shown.pop(device, None)
        else:
            self._shown[device] = stanza

        watching = [address for address, known in self._contacts.items() if known.sees and not known.blocked]

        # §4.6.3 (3): who was shown directed presence is told of the end of it.
        if gone:
            directed = [to for one, to in self._directed if one == device and _bare(to) not in watching]
            watching += directed
            self._directed = {key: None for key in self._directed if key[0] != device}

        for address in watching:
            self._send_to(address, stanza)

        if first and not gone and not self.silent:
            for address, known in self._contacts.items():
                if known.seen:
                    self.probe(address)

    def direct(self, device: str, to: str, stanza: Element) -> None:
        """Send presence to one address (§4.6.3)."""
        stanza.set("from", self._full(device))

        if stanza.get("type") == UNAVAILABLE:
            self._directed.pop((device, to), None)
        else:
            self._directed[device, to] = None

        self._send_to(to, stanza)

    def probe(self, contact: str) -> None:
        """§4.3.1: probes are sent from the bare address of the user."""
        self._say(presence(SERVER, type=PROBE, sender=self._address, to=contact, id=f"probe-{_bare(contact)}"))

    # -- what comes

    def take(self, stanza: Element) -> str:
        """Take a stanza for the user; returns how it was dealt with, empty where the user must see it."""
        sender, kind = stanza.get("from", ""), stanza.get("type")
        known = self.contact(sender)

        if known.blocked:
            # XEP-0191 §3.3: "the server [...] MUST NOT deliver any XML stanzas from the contact to the user".
            if not stanza.tag.endswith("}presence") and kind not in ("error", "result"):
                self._say(make_error(stanza, "service-unavailable"))

            return "the partner's user has blocked them"

        if not stanza.tag.endswith("}presence"):
            return ""

        if kind == PROBE and known.sees and not self.silent:
            self._answer_probe(sender)
            return "the partner's server answers the probe"

        if kind == "subscribe" and known.sees and not self.silent:
            # §3.1.3: who has been approved before is answered without asking again.
            self._say(presence(SERVER, type="subscribed", sender=self._address, to=_bare(sender)))
            return "the partner's server has been told before to answer yes"

        self._note(known, kind, sender)

        return ""

    # -- inside

    def _note(self, known: Known, kind: str | None, sender: str) -> None:
        if kind == "subscribe":
            known.asks = True
        elif kind == "subscribed":
            known.asked, known.seen = False, True
        elif kind == "unsubscribed":
            known.asked = known.seen = False
        elif kind == "unsubscribe":
            # §3.3.3: "Generate an outbound presence stanza of type "unavailable" from each of the contact's available
            # resources to the user."
            if known.sees:
                self._hide_from(sender)

            known.asks = known.sees = False

    def _answer_probe(self, prober: str) -> None:
        self._show_to(prober)

        # §4.3.2 (2): "the server SHOULD reply [...] "unavailable"" where nobody is there, from the bare address.
        if not self._shown:
            self._say(presence(SERVER, type=UNAVAILABLE, sender=self._address, to=_bare(prober)))

    def _show_to(self, contact: str) -> None:
        for stanza in () if self.silent else self._shown.values():
            self._send_to(_bare(contact), stanza)

    def _hide_from(self, contact: str) -> None:
        for device in () if self.silent else self._shown:
            stanza = presence(SERVER, type=UNAVAILABLE, sender=self._full(device))
            self._send_to(_bare(contact), stanza)

    def _send_to(self, address: str, stanza: Element) -> None:
        addressed = copy.deepcopy(stanza)
        addressed.set("to", address)
        self._say(addressed)

    def _full(self, device: str) -> str:
        return f"{self._address}/{device}"


def _bare(address: str) -> str:
    return address.partition("/")[0].lower()
