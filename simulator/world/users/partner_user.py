"""A person at a partner: the partner's mailbox for one address, and what that person does.

Knows how actions become stanzas and stanzas become arrivals. Does not know the streams on which they travel; what the
partner's server does about presence is `partner_home`.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from simulator.journal import Journal
from simulator.world.partner.partner import Partner
from simulator.world.users.partner_home import PartnerHome
from simulator.world.users.stanza import arrival, chat_state, message, presence
from simulator.world.users.user import UNAVAILABLE, Inbox
from simulator.xmpp.namespaces import SERVER

#: RFC 6120 §8.1.2.2: what a client sends bears its full address; this is the device without a name.
RESOURCE = "balcony"


class PartnerUser:
    """Somebody who lives at `partner` under a bare address; always reachable.

    `contacts` matter where the partner's roster is a whitelist (see Residents.add). Who `uses_presence` is available
    from the beginning, on each of the `devices`, and has a server that does the rest (see PartnerHome) unless it is
    `silent`; for others, presence is sent and shown like anything else.
    """

    def __init__(
        self,
        address: str,
        partner: Partner,
        journal: Journal,
        contacts: Container[str] | None = None,
        *,
        uses_presence: bool = False,
        silent: bool = False,
        devices: Sequence[str] = (),
    ) -> None:
        self.address = address
        self.inbox = Inbox(journal, address)
        self.partner = partner
        self._home = PartnerHome(address, partner.send_stanza, silent=silent or not uses_presence)
        self._devices = list(devices)
        self._numbers = itertools.count(1)
        partner.add_user(address, self._arrived, contacts)

        for device in (devices or [""]) if uses_presence else ():
            self._home.show(self._resource(device), presence(SERVER))

    # -- being there

    async def sign_in(
        self,
        device: str = "",
        *,
        available: bool = True,
        show: str = "",
        note: str | Mapping[str, str] = "",
        priority: int | None = None,
    ) -> None:
        """Show presence: the partner holds the mailbox from the beginning."""
        if device and device not in self._devices:
            self._devices.append(device)

        if available:
            await self.set_presence(show=show, note=note, priority=priority, device=device)

    async def sign_out(self, device: str = "") -> None:
        """Be unavailable; what comes later is still of interest."""
        for name in [device] if device else (self._devices or [""]):
            await self.set_unavailable(device=name)

    def vanish(self, device: str = "") -> None:
        """RFC 6121 §4.5.2: the server says in place of the client that it is gone."""
        for name in [device] if device else (self._devices or [""]):
            self._home.show(self._resource(name), presence(SERVER, type=UNAVAILABLE))

    # -- messages

    async def send_message(
        self,
        to: str,
        body: str,
        *,
        id: str,  # noqa: A002
        type: str | None = None,  # noqa: A002
        subject: str | None = None,
        thread: str | None = None,
        language: str | None = None,
        extra: str = "",
        device: str = "",
    ) -> None:
        """Send a message over the partner's own stream, which is opened if there is none."""
        element = message(
            SERVER,
            sender=self._full(device),
            to=to,
            body=body,
            id=id,
            type=type,
            subject=subject,
            thread=thread,
            language=language,
            extra=extra,
        )
        self.partner.send_stanza(element)

    async def send_state(self, to: str, state: str, *, device: str = "") -> None:
        """Send a chat state alone (XEP-0085)."""
        identifier = self._fresh("state")
        self.partner.send_stanza(chat_state(SERVER, to=to, state=state, id=identifier, sender=self._full(device)))

    # -- contacts

    async def add_contact(
        self, contact: str, *, name: str | None = None, groups: Sequence[str] = (), device: str = ""
    ) -> None:
        """Send ``subscribe``."""
        known = self._home.contact(contact)
        known.name, known.groups = name, tuple(groups)
        self._say("subscribe", contact)

    async def remove_contact(self, contact: str, *, device: str = "") -> None:
        """RFC 6121 §2.5.2: end what there is, in both directions."""
        known = self._home.contact(contact)

        if known.seen or known.asked:
            self._say("unsubscribe", contact)

        if known.sees or known.asks:
            self._say("unsubscribed", contact)

        known.listed, known.name, known.groups = False, None, ()

    async def accept(self, contact: str, *, device: str = "") -> None:
        """Send ``subscribed``, whether or not they have asked."""
        self._say("subscribed", contact)

    async def refuse(self, contact: str, *, device: str = "") -> None:
        """Send ``unsubscribed``."""
        self._say("unsubscribed", contact)

    async def unsubscribe(self, contact: str, *, device: str = "") -> None:
        """Send ``unsubscribe``."""
        self._say("unsubscribe", contact)

    async def cancel(self, contact: str, *, device: str = "") -> None:
        """Send ``unsubscribed``."""
        self._say("unsubscribed", contact)

    async def block(self, contact: str, *, device: str = "") -> None:
        """Let the server keep everything of theirs away (XEP-0191)."""
        self._home.block(contact, blocked=True)

    async def unblock(self, contact: str, *, device: str = "") -> None:
        """Take that back."""
        self._home.block(contact, blocked=False)

    async def contact_list(self, *, device: str = "") -> dict[str, dict[str, Any]]:
        """What the partner's server knows from what went and came."""
        return self._home.roster()

    # -- presence

    async def set_presence(
        self,
        *,
        show: str = "",
        note: str | Mapping[str, str] = "",
        priority: int | None = None,
        extra: str = "",
        device: str = "",
    ) -> None:
        """Show presence to everybody who was accepted."""
        stanza = presence(SERVER, id=self._fresh("presence"), show=show, note=note, priority=priority, extra=extra)
        self._home.show(self._resource(device), stanza)

    async def set_unavailable(self, *, note: str | Mapping[str, str] = "", device: str = "") -> None:
        """Tell the same that the device is gone."""
        self._home.show(self._resource(device), presence(SERVER, type=UNAVAILABLE, note=note))

    async def direct_presence(
        self, to: str, *, show: str | None = "", note: str | Mapping[str, str] = "", device: str = ""
    ) -> None:
        """Show presence to one address."""
        kind = UNAVAILABLE if show is None else None
        self._home.direct(self._resource(device), to, presence(SERVER, type=kind, show=show or "", note=note))

    async def probe(self, contact: str, *, device: str = "") -> None:
        """Let the server ask, as it does when somebody comes online (RFC 6121 §4.3.1)."""
        self._home.probe(contact)

    # -- inside

    def _arrived(self, stanza: Element) -> None:
        what, fields = arrival(stanza)
        resource = stanza.get("to", "").partition("/")[2]
        fields["device"] = resource if resource in self._devices else None
        handled = self._home.take(stanza)

        if handled:
            self.inbox.dealt_with(what, handled, **fields)
        else:
            self.inbox.arrived(what, **fields)

    def _say(self, kind: str, contact: str) -> None:
        self._home.send(kind, contact, self._fresh(kind))

    def _resource(self, device: str) -> str:
        return device or (self._devices[0] if self._devices else RESOURCE)

    def _full(self, device: str) -> str:
        return f"{self.address}/{self._resource(device)}"

    def _fresh(self, what: str) -> str:
        return f"{what}-{next(self._numbers)}"
