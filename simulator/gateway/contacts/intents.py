"""What users want of their contacts: the list, requests and answers, blocks (RFC 6121 §2, §3; XEP-0191).

Knows what is kept, sent and told for it. Does not know what contacts send.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from simulator.gateway.access.gates import Closed
from simulator.gateway.contacts.broadcast import Broadcast
from simulator.gateway.contacts.contact import Contact
from simulator.gateway.contacts.context import Context
from simulator.gateway.contacts.sightings import Sightings
from simulator.xmpp.address import Address
from simulator.xmpp.element import parse_element
from simulator.xmpp.subscription import SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, UNSUBSCRIBED, asks, is_asked


class Blocked(Exception):  # noqa: N818 - says what is the matter
    """The user has blocked the contact, and wants something sent there (XEP-0191 §3.3: it "MUST NOT" be routed)."""


class Intents:
    """Carries out what users want. An answer that narrows what a contact may see is kept even if it cannot be sent."""

    def __init__(self, context: Context, sightings: Sightings, broadcast: Broadcast) -> None:
        self._context, self._sightings, self._broadcast = context, sightings, broadcast

    def add(
        self, user: Address, address: Address, now: float, name: str, groups: Sequence[str], identifier: str
    ) -> Closed | None:
        """`Home.add`."""
        contact = self._unblocked(user, address)
        listed = replace(contact, listed=True, name=name, groups=tuple(groups))
        closed = self._context.closed(contact)

        if closed is not None:
            self._context.book.change(listed)
            return closed

        transition = self._context.rules.outbound(contact.state, SUBSCRIBE)
        asked_at = now + self._context.epoch if asks(transition.state) else None
        self._context.book.change(replace(listed, state=transition.state, asked_at=asked_at))

        if transition.passes:
            self._context.subscription(contact, SUBSCRIBE, identifier)

        return None

    def edit(self, user: Address, address: Address, name: str, groups: Sequence[str]) -> None:
        """`Home.edit`."""
        contact = self._context.book.get(user, address)
        self._context.book.change(replace(contact, listed=True, name=name, groups=tuple(groups)))

    def remove(self, user: Address, address: Address) -> None:
        """`Home.remove`."""
        contact = self._context.book.get(user, address)
        kept = self._context.rules.removed(contact)
        types = self._context.rules.stanzas_of_removal(contact.state)

        for type_ in types:
            kept = self._moved(kept, type_)

        # What is kept comes first: whatever fails after it, nobody sees more than the user wants.
        self._context.book.change(kept)

        if UNSUBSCRIBE in types:
            self._context.subscription(contact, UNSUBSCRIBE)
            self._void(contact)

        if UNSUBSCRIBED in types:
            self._end(contact, "")

    def grant(self, user: Address, address: Address, identifier: str, *, ahead: bool) -> Closed | None:
        """`Home.accept`, and with `ahead` `Home.approve`."""
        contact = self._unblocked(user, address)
        closed = self._context.closed(contact)

        if closed is not None and not self._context.rules.grants_behind_gates:
            return closed

        transition = self._context.rules.outbound(contact.state, SUBSCRIBED)

        if transition.passes:
            granted = replace(contact, state=transition.state, request=None, listed=True)
            self._context.book.change(granted)
            self._context.subscription(granted, SUBSCRIBED, identifier or self._mirrored(contact))

            if self._context.rules.shows_after_accept:
                self._broadcast.show(granted)
        elif ahead and self._context.rules.approves_ahead(contact.state):
            self._context.book.change(replace(contact, approved=True, listed=True))

        return None

    def refuse(self, user: Address, address: Address, identifier: str) -> None:
        """`Home.refuse` and `Home.cancel`."""
        contact = self._context.book.get(user, address)
        # RFC 6121 §3.2.2: "the contact's server MUST remove the pre-approval".
        approved = contact.approved and not self._context.rules.refusal_ends_approval
        after = replace(self._moved(contact, UNSUBSCRIBED), approved=approved)
        self._context.book.change(after)

        if self._context.rules.outbound(contact.state, UNSUBSCRIBED).passes:
            self._end(contact, identifier or self._mirrored(contact))

    def unsubscribe(self, user: Address, address: Address, identifier: str) -> None:
        """`Home.unsubscribe`."""
        contact = self._context.book.get(user, address)
        self._context.book.change(self._moved(contact, UNSUBSCRIBE))

        if self._context.rules.outbound(contact.state, UNSUBSCRIBE).passes:
            self._context.subscription(contact, UNSUBSCRIBE, identifier)

        self._void(contact)

    def block(self, user: Address, address: Address) -> None:
        """`Home.block`."""
        contact = self._context.book.get(user, address)

        if contact.blocked:
            return

        self._context.book.change(replace(contact, blocked=True))

        # XEP-0191 §3.3: "the user's server MUST send unavailable presence information to the JID (but only if the JID
        # is allowed to receive presence notifications from the user [...])".
        if self._context.rules.hides_at_block:
            self._broadcast.hide(contact)

        # What the server "MUST NOT deliver" any more cannot be taken back by the contact either, and must not stand.
        if self._context.rules.block_voids:
            self._sightings.void(user, address)
            self._sightings.forget(user, address)

    def unblock(self, user: Address, address: Address) -> bool:
        """`Home.unblock`; tells whether there was a block."""
        contact = self._context.book.get(user, address)

        if not contact.blocked:
            return False

        free = replace(contact, blocked=False)
        self._context.book.change(free)

        # XEP-0191 §3.4: "the user's server MUST send the user's current presence information to the JID".
        if self._context.rules.shows_at_unblock:
            self._broadcast.show(free)

        return True

    def check(self, contact: Contact) -> None:
        """Raise Blocked if nothing may be sent there."""
        if contact.blocked and not self._context.rules.sends_to_blocked:
            raise Blocked(f"{contact.user} has blocked {contact.address}")

    def _end(self, contact: Contact, identifier: str) -> None:
        """§3.2.2: first unavailable from every device, "while the user is still subscribed to the contact's presence
        (i.e., before the contact's server routes or delivers the presence stanza of type "unsubscribed")"."""
        if self._context.rules.hides_first:
            self._broadcast.hide(contact)

        self._context.subscription(contact, UNSUBSCRIBED, identifier)

        if not self._context.rules.hides_first:
            self._broadcast.hide(contact)

        self._sightings.forget_unwelcome(contact, self._context.rules.shows_presence_of(contact.state))

    def _mirrored(self, contact: Contact) -> str:
        """The id of the request that is answered, where the answer is to have it."""
        if contact.request is None or not self._context.rules.mirrors_request_id:
            return ""

        return parse_element(contact.request).get("id", "")

    def _void(self, contact: Contact) -> None:
        """RFC 6121 §3.3.3: presence of the contact is "null and void" for who has unsubscribed."""
        if self._context.rules.unsubscribe_voids:
            self._sightings.void(contact.user, contact.address)
            self._sightings.forget(contact.user, contact.address)

    def _moved(self, contact: Contact, type_: str) -> Contact:
        state = self._context.rules.outbound(contact.state, type_).state

        return replace(
            contact,
            state=state,
            request=contact.request if is_asked(state) else None,
            asked_at=contact.asked_at if asks(state) else None,
        )

    def _unblocked(self, user: Address, address: Address) -> Contact:
        contact = self._context.book.get(user, address)
        self.check(contact)

        return contact
