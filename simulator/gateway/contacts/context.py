"""What the parts of the home share: rules, access, contacts, and the way out.

Knows how a stanza leaves and how an error finds back to what it is for. Does not know when anything is sent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from simulator.gateway.access.gates import Closed
from simulator.gateway.contacts.access import Access
from simulator.gateway.contacts.availability import Availability, presence_stanza
from simulator.gateway.contacts.book import Book
from simulator.gateway.contacts.contact import Contact
from simulator.gateway.contacts.notices import Failed, Notice
from simulator.gateway.contacts.rules import HomeRules
from simulator.gateway.contacts.settings import HomeSettings
from simulator.xmpp.address import Address
from simulator.xmpp.errors import StanzaCondition

#: stanzas whose errors can still be told to a user
MOST_SENT = 10_000


@dataclass(frozen=True, slots=True)
class Sent:
    """A stanza that went out in a user's name."""

    user: Address
    contact: Address
    type: str


@dataclass(slots=True, kw_only=True)
class Context:
    """Shared by all parts of one home; `epoch` turns `now` into seconds since 1970."""

    book: Book
    rules: HomeRules
    access: Access
    exists: Callable[[Address], bool]
    send_stanza: Callable[[Element], None]
    tell: Callable[[Notice], None]
    make_id: Callable[[], str]
    settings: Callable[[], HomeSettings]
    log: Callable[[str], None]
    epoch: float = 0.0
    sent: OrderedDict[str, Sent] = field(default_factory=OrderedDict)
    lost: dict[str, float] = field(default_factory=dict)
    """Domains of partners to which no stream leads, and since when."""

    def closed(self, contact: Contact) -> Closed | None:
        """The gate that keeps the user's stanzas from the contact."""
        return self.access.outbound(contact.user, contact.address)

    def may_send(self, contact: Contact) -> bool:
        """Whether a stanza of the user may leave for the contact.

        XEP-0191 §3.3: to a blocked contact "the user's server MUST NOT route the stanza".
        """
        return (not contact.blocked or self.rules.sends_to_blocked) and self.closed(contact) is None

    def subscription(self, contact: Contact, type_: str, id: str = "") -> bool:  # noqa: A002
        """Send a stanza about a subscription, or a probe, in the name of the user; tells whether it left."""
        if not self.may_send(contact):
            return False

        stamp = self.rules.probe_address if type_ == "probe" else self.rules.subscription_address
        id = id or self.make_id()  # noqa: A001
        self.remember(id, Sent(contact.user, contact.address, type_))
        to = self.rules.addressee(contact.address)
        stanza = presence_stanza(str(stamp(contact.user)), str(to), None, id=id, type=type_)

        if self.send(stanza):
            return True

        # RFC 6121 §3.1.2: "If the presence subscription request cannot be [...] routed [...] the user's server MUST
        # return an appropriate error stanza to the user".
        self.tell(Failed(contact.user, contact.address, type_, StanzaCondition.REMOTE_SERVER_TIMEOUT))

        return False

    def reply(self, sender: Address, to: Address, type_: str, id: str) -> None:  # noqa: A002
        """Answer in the name of a user, with an id of our own where `id` is empty."""
        self.send(presence_stanza(str(sender), str(to), None, id=id or self.make_id(), type=type_))

    def presence(
        self,
        sender: Address,
        to: Address,
        availability: Availability | None,
        *,
        id: str = "",  # noqa: A002
        type_: str = "",
    ) -> bool:
        """Send presence of a user's resource; notes go only where they may be shown."""
        if availability is not None:
            availability = self.rules.content_for(availability, self.access.shows_note(to.bare))

        return self.send(presence_stanza(str(sender), str(to), availability, id=id, type=type_))

    def send(self, stanza: Element) -> bool:
        """Put a stanza on its way; tells whether there is one."""
        try:
            self.send_stanza(stanza)
        except ConnectionError as error:
            self.log(f"a presence to {stanza.get('to')} was lost: {error}")
            return False

        return True

    def remember(self, id: str, sent: Sent) -> None:  # noqa: A002
        """Know later what an error with this id is about."""
        self.sent[id] = sent

        if len(self.sent) > MOST_SENT:
            self.sent.popitem(last=False)
