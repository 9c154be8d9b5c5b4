"""Answers to probes: who may see what of a user, right now (RFC 6121 §4.3.2, §4.6.6).

Knows what is answered. Does not know how presence came to be what it is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement

from simulator.gateway.contacts.availability import Availability, presence_stanza
from simulator.gateway.contacts.broadcast import Broadcast
from simulator.gateway.contacts.contact import Contact
from simulator.gateway.contacts.context import Context
from simulator.gateway.contacts.sessions import Session, Sessions
from simulator.xmpp.address import Address

_DELAY = "{urn:xmpp:delay}delay"


class Probes:
    """Answers the probes of partners' users."""

    def __init__(self, context: Context, sessions: Sessions, broadcast: Broadcast) -> None:
        self._context, self._sessions, self._broadcast = context, sessions, broadcast

    def receive(self, probe: Element, to: Address, sender: Address) -> None:
        """Answer a probe to `to` (bare or full) from `sender` (as it was written).

        §4.3 wants it from a bare address, and notes that older servers send it from a full one: what counts is the
        subscription, which is the bare address's. The answer goes where the question came from only if that was shown
        presence directly.
        """
        rules = self._context.rules

        if not self._context.exists(to.bare):
            self._turn_away(probe, to.bare, sender.bare)
            return

        contact = self._context.book.get(to.bare, rules.subscriber(sender))

        # XEP-0191 §3.3: for presence, probes included, "the server MUST NOT respond and MUST NOT return an error".
        if contact.blocked and not rules.answers_blocked:
            return

        if not rules.is_shown_to(contact.state):
            if not self._answer_directly(to, sender):
                self._turn_away(probe, to.bare, sender.bare)
        elif not self._broadcast.may_see(contact):
            # A gate is closed that will perhaps open again. The subscription stands, so it is not cancelled here.
            self._answer_offline(probe, contact, stamped=False)
        elif to.resource:
            self._answer_for(probe, to, contact)
        else:
            self._answer(probe, contact)

    def _answer(self, probe: Element, contact: Contact) -> None:
        """Rules 3 and 4: "from each of the contact's available resources", or offline."""
        available = self._sessions.available(contact.user)

        for resource, session in available.items():
            self._show(probe, Address(contact.user.local, contact.user.domain, resource), contact.address, session)

        if not available and self._context.rules.answers_when_offline:
            self._answer_offline(probe, contact, stamped=self._context.rules.stamps_delay)

    def _answer_for(self, probe: Element, to: Address, contact: Contact) -> None:
        """To a full address: "MUST NOT return presence information about any resource except the resource specified",
        and SHOULD say of that only that it is available."""
        session = self._sessions.available(to.bare).get(to.resource)

        if self._context.rules.answers_for_other_resources:
            self._answer(probe, contact)
        elif session is not None:
            self._context.presence(to, contact.address, Availability(), id=session.id)
        else:
            self._context.presence(to, contact.address, None, id=self._mirrored(probe), type_="unavailable")

    def _answer_directly(self, to: Address, sender: Address) -> bool:
        """§4.6.6: to whom presence was shown directly is answered "with only mere presence", for that device only."""
        contact = self._context.book.get(to.bare, sender.bare)

        if not self._context.rules.answers_directed or not self._context.may_send(contact):
            return False

        answered = False

        for entity in dict.fromkeys((sender, sender.bare)):
            for resource in self._sessions.shown_to(to.bare, entity):
                if not answered and (not to.resource or to.resource == resource):
                    full = Address(to.local, to.domain, resource)
                    self._context.presence(full, entity, Availability(), id=self._context.make_id())
                    answered = bool(to.resource)

            # A probe to the bare address may be answered for several devices, but to one address.
            if self._sessions.shown_to(to.bare, entity) and not to.resource:
                return True

        return answered

    def _answer_offline(self, probe: Element, contact: Contact, *, stamped: bool) -> None:
        """Rule 3: "Here the 'from' address is the bare JID because there is no available resource"."""
        stanza = presence_stanza(
            str(contact.user), str(contact.address), None, id=self._mirrored(probe), type="unavailable"
        )
        left_at = self._sessions.left_at(contact.user)

        # "SHOULD include information about the time when the last unavailable presence stanza was generated"
        if stamped and left_at is not None:
            at = datetime.fromtimestamp(left_at + self._context.epoch, UTC)
            SubElement(stanza, _DELAY, {"stamp": at.strftime("%Y-%m-%dT%H:%M:%SZ")})

        self._context.send(stanza)

    def _turn_away(self, probe: Element, user: Address, sender: Address) -> None:
        """Rule 1: "the 'from' address MUST be the bare JID of the contact, since specifying a full JID would constitute
        a presence leak"; nothing here may differ between a user who exists and one who does not."""
        type_ = self._context.rules.answer_to_stranger()

        if type_ is not None:
            self._context.reply(user, sender, type_, self._mirrored(probe))

    def _show(self, probe: Element, sender: Address, to: Address, session: Session) -> None:
        """§4.3.2.1: the server "SHOULD preserve the 'id' attribute of the contact's original presence stanza"."""
        identifier = session.id if self._context.rules.keeps_presence_id else self._mirrored(probe)
        self._context.presence(self._context.rules.presence_address(sender), to, session.availability, id=identifier)

    def _mirrored(self, probe: Element) -> str:
        """§4.3.2.1: in every other answer it "SHOULD mirror the 'id' of the user's presence probe"."""
        return probe.get("id", "") if self._context.rules.mirrors_probe_id else self._context.make_id()
