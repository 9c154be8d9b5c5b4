"""The four stanzas about subscriptions, as contacts send them (RFC 6121 §3.1.3, §3.1.6, §3.2.3, §3.3.3).

Knows what is kept, told and answered. Does not know what users ask for.
"""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import Element

from simulator.gateway.access.authorization import Refusal
from simulator.gateway.access.gates import Closed
from simulator.gateway.access.partner_types import Action
from simulator.gateway.contacts.broadcast import Broadcast
from simulator.gateway.contacts.contact import Contact
from simulator.gateway.contacts.context import Context
from simulator.gateway.contacts.notices import Answered, Granted, Notice, Requested, Withdrawn
from simulator.gateway.contacts.sessions import Sessions
from simulator.gateway.contacts.sightings import Sightings
from simulator.xmpp.address import Address
from simulator.xmpp.element import make_error, parse_element
from simulator.xmpp.subscription import SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, UNSUBSCRIBED, asks, is_asked


class Requests:
    """Takes subscription stanzas of partners' users."""

    def __init__(self, context: Context, sessions: Sessions, sightings: Sightings, broadcast: Broadcast) -> None:
        self._context, self._sessions, self._sightings = context, sessions, sightings
        self._broadcast = broadcast

    def receive(self, stanza: Element, type_: str, user: Address, sender: Address) -> None:
        """Take a stanza to `user` (bare), from `sender` (as it is compared: bare)."""
        contact = self._context.book.get(user, sender)

        # §8.5.1: to a user who does not exist "the server MUST silently ignore the stanza". A gate is asked first: what
        # it stops, it stops for everybody alike, or its answer would tell who exists.
        if self._stopped(stanza, type_, contact):
            return

        if not self._context.exists(user):
            self._answer_for_nobody(stanza, type_, contact)
            return

        # XEP-0191 §3.3: "the server MUST NOT respond and MUST NOT return an error", nor is anything delivered. That the
        # contact wants less from us is noted all the same: a block must not keep a subscription alive.
        if contact.blocked and not self._context.rules.takes_from_blocked:
            if type_ in (UNSUBSCRIBE, UNSUBSCRIBED) and self._context.rules.heeds_end_from_blocked:
                self._context.book.change(self._after(contact, type_))
        elif type_ == SUBSCRIBE:
            self._subscribe(stanza, contact)
        elif type_ == UNSUBSCRIBE:
            self._unsubscribe(contact)
        elif type_ == SUBSCRIBED:
            self._subscribed(contact)
        else:
            self._unsubscribed(contact)

    def deliver(self, user: Address, device: str) -> None:
        """Tell a device that came online of the requests that wait."""
        for contact in self._context.book.of(user):
            if contact.request is not None and self._context.rules.delivers_at_login(contact):
                self._context.tell(Requested(user, contact.address, parse_element(contact.request), device))

    def _subscribe(self, stanza: Element, contact: Contact) -> None:
        rules = self._context.rules
        transition = rules.inbound(contact.state, SUBSCRIBE)

        if transition.reply is not None:
            self._grant(stanza, contact)
        elif rules.answers_for_user(contact.approved, self._context.access.asks_user(contact.address)):
            granted = rules.outbound(transition.state, SUBSCRIBED).state
            granted_contact = replace(contact, state=granted, request=None)
            self._context.book.change(granted_contact, Granted(contact.user, contact.address))
            self._grant(stanza, granted_contact)
        elif transition.passes or rules.repeats_requests:
            self._ask(stanza, replace(contact, state=transition.state))

    def _ask(self, stanza: Element, contact: Contact) -> None:
        """RFC 6121 §3.1.3: the request goes to the user, and is kept until it is answered."""
        context = self._context

        if not context.rules.may_wait(context.book.waiting(contact.user), context.settings().most_waiting):
            context.log(f"a request of {contact.address} was dropped: too many wait for {contact.user}")
            return

        kept = context.rules.kept_request(stanza)
        online = self._sessions.is_online(contact.user)
        notices: tuple[Notice, ...] = (Requested(contact.user, contact.address, kept),) if online else ()
        listed = contact.listed or context.rules.lists_requests
        context.book.change(replace(contact, request=context.rules.stored(kept), listed=listed), *notices)

        # "the contact's server MAY send a presence stanza of type "unavailable"" to say that it has the request. It
        # would also say that the user exists, so we do not.
        if context.rules.acknowledges_requests:
            context.reply(contact.user, contact.address, "unavailable", "")

    def _grant(self, stanza: Element, contact: Contact) -> None:
        """The user's own server says yes, and shows what there is to see."""
        if not self._context.may_send(contact):
            return

        rules = self._context.rules
        identifier = stanza.get("id", "") if rules.mirrors_request_id else ""
        answer = rules.answer_to_request()

        if answer:
            self._context.reply(rules.subscription_address(contact.user), contact.address, answer, identifier)

        if rules.shows_after_grant:
            self._broadcast.show(contact)

    def _stopped(self, stanza: Element, type_: str, contact: Contact) -> bool:
        """Whether a gate stops a request; then it is answered as that gate has it."""
        if type_ != SUBSCRIBE or contact.blocked:
            return False

        access, added = self._context.access, self._context.rules.is_added(contact)
        closed = access.inbound(contact.user, contact.address, Action.SUBSCRIBE, added=added)

        if closed is None:
            return False

        self._context.log(f"a request of {contact.address} to {contact.user} was stopped: {closed.reason}")
        self._refuse(stanza, contact, closed)

        return True

    def _refuse(self, stanza: Element, contact: Contact, closed: Closed) -> None:
        refusal = self._context.access.answer_to_request(closed)

        if refusal is Refusal.ERROR:
            self._context.send(make_error(stanza, self._context.access.condition(closed)))
        elif refusal is Refusal.UNSUBSCRIBED:
            self._context.reply(contact.user, contact.address, UNSUBSCRIBED, stanza.get("id", ""))

    def _answer_for_nobody(self, stanza: Element, type_: str, contact: Contact) -> None:
        answer = self._context.rules.answer_for_nobody(type_)

        if answer is not None:
            self._context.reply(contact.user, contact.address, answer, stanza.get("id", ""))

    def _unsubscribe(self, contact: Contact) -> None:
        transition = self._context.rules.inbound(contact.state, UNSUBSCRIBE)

        if not transition.passes:
            return

        after = self._after(contact, UNSUBSCRIBE)
        self._context.book.change(after, Withdrawn(contact.user, contact.address))

        # §3.3.3: "Generate an outbound presence stanza of type "unavailable" from each of the contact's available
        # resources to the user."
        if self._context.rules.hides_after_unsubscribe:
            self._broadcast.hide(contact)
            self._sightings.forget_unwelcome(contact, self._context.rules.shows_presence_of(contact.state))

        if transition.reply is not None and self._context.rules.answers_unsubscribe and self._context.may_send(after):
            self._context.reply(contact.user, contact.address, transition.reply, "")

    def _subscribed(self, contact: Contact) -> None:
        """§3.1.6: without a request of the user's it is ignored, "not modifying the user's roster"."""
        transition = self._context.rules.inbound(contact.state, SUBSCRIBED)

        if not transition.passes or self._context.closed(contact) is not None:
            return

        after = self._after(contact, SUBSCRIBED)
        self._context.book.change(after, Answered(contact.user, contact.address, granted=True))

    def _unsubscribed(self, contact: Contact) -> None:
        transition = self._context.rules.inbound(contact.state, UNSUBSCRIBED)

        if not transition.passes:
            return

        after = self._after(contact, UNSUBSCRIBED)
        self._context.book.change(after, Answered(contact.user, contact.address, granted=False))
        self._sightings.void(contact.user, contact.address)
        self._sightings.forget(contact.user, contact.address)

    def _after(self, contact: Contact, type_: str) -> Contact:
        state = self._context.rules.inbound(contact.state, type_).state

        return replace(
            contact,
            state=state,
            request=contact.request if is_asked(state) else None,
            asked_at=contact.asked_at if asks(state) else None,
        )
