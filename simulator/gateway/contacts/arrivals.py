"""Presence of partners' users as it comes in (RFC 6121 §4.2.3, §4.4.3, §4.5.3, §8.5): whose it is, and who is told.

Knows which stanza goes to which part. Does not know what subscription stanzas and probes do.
"""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import Element

from simulator.gateway.contacts.contact import Contact
from simulator.gateway.contacts.context import Context
from simulator.gateway.contacts.notices import Failed
from simulator.gateway.contacts.probes import Probes
from simulator.gateway.contacts.requests import Requests
from simulator.gateway.contacts.sessions import Sessions
from simulator.gateway.contacts.sightings import Sightings
from simulator.xmpp.address import Address, AddressError, parse_address
from simulator.xmpp.element import make_error
from simulator.xmpp.errors import StanzaCondition
from simulator.xmpp.namespaces import SERVER, STANZA_ERRORS
from simulator.xmpp.subscription import SUBSCRIBE, SUBSCRIPTION_TYPES, UNSUBSCRIBE

UNAVAILABLE = "unavailable"
_ERROR = f"{{{SERVER}}}error"
_PREFIX = f"{{{STANZA_ERRORS}}}"


class Arrivals:
    """Takes every presence that comes in."""

    def __init__(
        self, context: Context, sessions: Sessions, sightings: Sightings, requests: Requests, probes: Probes
    ) -> None:
        self._context, self._sessions, self._sightings = context, sessions, sightings
        self._requests, self._probes = requests, probes

    def receive(self, presence: Element, now: float) -> None:
        """`Home.receive`."""
        try:
            sender, to = parse_address(presence.get("from", "")), parse_address(presence.get("to", ""))
        except AddressError as error:
            self._context.log(f"a presence without usable addresses was dropped: {error}")
            return

        type_ = presence.get("type", "")

        # There is no presence of a server, nor can anybody subscribe to one here.
        if not to.local:
            return

        if type_ in ("", UNAVAILABLE):
            self._presence(presence, type_, to, sender, now)
        elif type_ in SUBSCRIPTION_TYPES:
            self._subscription(presence, type_, to, sender)
        elif type_ == "probe":
            self._probes.receive(presence, to, sender)
        elif type_ == "error":
            self._error(presence, to.bare, sender)
        else:
            self._unknown(presence, type_, to, sender)

    def _subscription(self, stanza: Element, type_: str, to: Address, sender: Address) -> None:
        exact = not to.resource or to.resource in self._sessions.there(to.bare)

        if self._context.rules.takes_from_resource(type_, exact):
            self._requests.receive(stanza, type_, to.bare, self._context.rules.subscriber(sender))

    def _presence(self, presence: Element, type_: str, to: Address, sender: Address, now: float) -> None:
        contact = self._context.book.get(to.bare, sender.bare)
        rules = self._context.rules

        if contact.blocked and not rules.takes_from_blocked:
            return

        is_welcome = self.is_welcome(contact, sender)

        if type_ == UNAVAILABLE:
            # §4.6.1: the server "SHOULD remove any entity that sends unavailable presence to the user".
            self._sessions.forget_directed(to.bare, sender)

        there = self._sessions.there(to.bare)

        # §8.5.3.2.2 and §8.5.2.2.2: for a resource that is not there, or a user who is offline, it is ignored.
        if not there or (to.resource and to.resource not in there):
            self._refuse(presence, rules.refusal_of_presence())
            return

        if not is_welcome or self._context.closed(contact) is not None:
            return

        device = to.resource or None

        if type_ == UNAVAILABLE:
            resource = "" if rules.applies_to_all(sender.resource) else sender.resource or "-"
            self._sightings.gone(to.bare, sender.bare, resource, presence, device, now)
        else:
            availability = rules.availability_of(presence)
            self._sightings.note(to.bare, sender.bare, sender.resource, availability, presence, device, now)

    def is_welcome(self, contact: Contact, sender: Address) -> bool:
        """Whether the user wants this presence.

        §4.2.3 has all presence delivered, and §4.2.4 has clients show that of contacts and of whoever they are talking
        to. The devices behind this gateway know contacts only, so what is left is whom the user has a subscription to,
        and who was shown the user's presence directly.
        """
        if self._context.rules.shows_presence_of(contact.state):
            return True

        return any(self._sessions.shown_to(contact.user, entity) for entity in (sender, sender.bare))

    def _error(self, presence: Element, user: Address, sender: Address) -> None:
        """§3.1.2, and RFC 6120 §8.3.1: an error is never answered."""
        identifier = presence.get("id", "")
        sent = self._context.sent.get(identifier)

        # What answers nothing that we have sent is not believed: anybody could end a request with it, or use up the id
        # that the contact's own error has to bear.
        if sent is None or sent.user != user or not self._context.rules.speaks_for(sender, sent.contact):
            return

        self._context.sent.pop(identifier)
        error_type, condition, text = _content(presence)
        contact = self._context.book.get(user, sent.contact)

        if sent.type == SUBSCRIBE and self._context.rules.error_ends_request(error_type, condition):
            state = self._context.rules.outbound(contact.state, UNSUBSCRIBE).state

            # Only the request ends: whoever has a subscription by now keeps it.
            if not self._context.rules.shows_presence_of(contact.state):
                self._context.book.change(replace(contact, state=state, asked_at=None))

        if not contact.blocked:
            self._context.tell(Failed(user, sent.contact, sent.type, condition, text))

    def _unknown(self, presence: Element, type_: str, to: Address, sender: Address) -> None:
        # The same for users who exist and for those who do not.
        if not self._context.book.get(to.bare, sender.bare).blocked:
            self._refuse(presence, self._context.rules.condition_for_type(type_))

    def _refuse(self, presence: Element, condition: StanzaCondition | None) -> None:
        if condition is not None:
            self._context.send(make_error(presence, condition))


def _content(presence: Element) -> tuple[str, str, str]:
    """Type, condition and text of an error stanza; what is missing counts as ``cancel`` and undefined-condition."""
    error = presence.find(_ERROR)
    condition, text = "undefined-condition", ""

    if error is None:
        return "cancel", condition, text

    for child in error:
        if child.tag == f"{_PREFIX}text":
            text = child.text or ""
        elif child.tag.startswith(_PREFIX):
            condition = child.tag.removeprefix(_PREFIX)

    return error.get("type", "cancel"), condition, text
