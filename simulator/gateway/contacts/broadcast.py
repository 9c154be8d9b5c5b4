"""A user's own presence on its way to those who may see it (RFC 6121 §4.2, §4.4 to §4.6).

Knows who may see it. Does not know what comes from contacts.
"""

from __future__ import annotations

from simulator.gateway.access.partner_types import Action
from simulator.gateway.contacts.availability import Availability
from simulator.gateway.contacts.contact import Contact
from simulator.gateway.contacts.context import Context, Sent
from simulator.gateway.contacts.last_words import LastWords
from simulator.gateway.contacts.sessions import Session, Sessions
from simulator.gateway.contacts.store import Word
from simulator.xmpp.address import Address

UNAVAILABLE = "unavailable"


class Broadcast:
    """Tells contacts of the users' presence."""

    def __init__(self, context: Context, sessions: Sessions, words: LastWords) -> None:
        self._context, self._sessions, self._words = context, sessions, words
        self._watchers: dict[Address, set[Address]] = {}
        """To whom a user was shown available and not yet unavailable, by bare addresses."""
        self._visited: set[str] = set()
        self.left_behind: set[Address] = set()
        """Users who were online when the process before this one ended, and could tell nobody that they left."""

    def may_see(self, contact: Contact) -> bool:
        """Whether the contact may know the user's presence now.

        §11: "A user's server MUST NOT leak the user's network availability to entities who are not authorized to know
        the user's presence."
        """
        context = self._context
        added = context.rules.is_added(contact)

        return (
            context.rules.is_shown_to(contact.state)
            and context.may_send(contact)
            and context.access.inbound(contact.user, contact.address, Action.SEE, added=added) is None
        )

    def update(self, user: Address, resource: str, session: Session) -> None:
        """Tell everybody that a device is available, or differently so (§4.2.2, §4.4.2)."""
        for contact in self._context.book.of(user):
            if self.may_see(contact):
                self._show(contact, resource, session)

        if self._context.rules.directed_is_broadcast:
            for to in session.directed:
                self._context.presence(_full(user, resource), to, session.availability, id=session.id)

    def end(self, user: Address, resource: str, session: Session, last: Availability | None) -> None:
        """Tell everybody who saw a device that it is gone (§4.5.2, §4.6.3)."""
        sender, identifier = self._context.rules.presence_address(_full(user, resource)), self._context.make_id()
        told = set()

        if session.availability is not None:
            for contact in self._context.book.of(user):
                if self.may_see(contact):
                    told.add(contact.address)
                    self._gone(sender, contact.address, last, identifier)

            if not self._sessions.available(user):
                self._watchers.pop(user, None)

        # §4.6.3 case 2: "the user's server MUST route that unavailable presence to the entity".
        for to in session.directed if self._context.rules.ends_directed else ():
            if to.bare not in told and self._context.may_send(self._context.book.get(user, to.bare)):
                self._gone_directly(sender, to, last, identifier)

    def show(self, contact: Contact) -> None:
        """Tell one contact of every device (§3.1.5: "MUST then also send current presence [...] from each")."""
        if self.may_see(contact):
            for resource, session in self._sessions.available(contact.user).items():
                self._show(contact, resource, session)

    def hide(self, contact: Contact) -> None:
        """Tell one contact that every device is gone, as long as he may see it: `contact` is as it was (§3.2.2)."""
        may_see = self.may_see(contact)

        for resource, session in self._sessions.of(contact.user).items():
            if may_see and session.availability is not None:
                self._gone(self._context.rules.presence_address(_full(contact.user, resource)), contact.address)
            elif self._context.may_send(contact):
                self._hide_directed(contact, resource, session)

        self._watchers.get(contact.user, set()).discard(contact.address)
        self._sessions.forget_directed(contact.user, contact.address)

    def is_left_behind(self, user: Address) -> bool:
        """Whether somebody may still show the user as the process before this one left him."""
        # A process that is killed before a way led to every domain leaves the others to the next one.
        return user in self.left_behind and any(
            contact.address.domain not in self._visited for contact in self._context.book.of(user)
        )

    def visit(self, domain: str) -> set[Address]:
        """A way leads to a domain: the users whom it may still show as the process before this one left them."""
        left_behind = set() if domain in self._visited else self.left_behind
        self._visited.add(domain)

        return left_behind

    def settle(self, domain: str, left_behind: set[Address]) -> list[Word]:
        """Tell what could not be told, of users who were left behind to all who may see them; gives what was said.

        Whoever may see a user is shown him anew after that.
        """
        words = dict.fromkeys(self._words.take_all(domain))

        # Which devices were left behind, nobody knows any more.
        for contact in self._context.book.at(domain):
            if contact.user in left_behind and self.may_see(contact):
                words[contact.user, contact.address] = None

        # §4.5.4: what comes from the bare address is said of all devices.
        said = [(sender, to) for sender, to in words if not sender.resource or (sender.bare, to.bare) not in words]

        for sender, to in said:
            if sender.resource:
                self._gone_directly(sender, to)
            else:
                self._gone(sender, to)

        return said

    def reconsider(self, contact: Contact) -> None:
        """Gates may have opened or closed: show or hide what the contact has not, or has, been shown.

        Who is no longer to see anything is told so past the gates: the last word is that the user is offline.
        """
        was_shown = contact.address in self._watchers.get(contact.user, set())

        if not was_shown:
            self.show(contact)
        elif not self.may_see(contact):
            self._watchers[contact.user].discard(contact.address)
            self._gone(contact.user, contact.address)

    def reconsider_directed(self, user: Address) -> None:
        """The same for those to whom devices have shown themselves directly."""
        for resource, session in list(self._sessions.of(user).items()):
            for to in list(session.directed):
                if self._context.closed(self._context.book.get(user, to.bare)) is not None:
                    self._gone_directly(_full(user, resource), to)
                    self._sessions.forget_directed(user, to, resource)

    def direct(self, contact: Contact, resource: str, to: Address, availability: Availability | None) -> None:
        """Show presence to one address, or take it back (§4.6.3); `contact` is what the user has with it."""
        identifier = self._context.make_id()
        sender = _full(contact.user, resource)
        type_ = "" if availability is not None else UNAVAILABLE

        # What is owed comes first, or it would take back what is shown now.
        if availability is not None and self._words.take(contact.user, to.bare):
            self._gone(contact.user, to.bare)

        self._context.remember(identifier, Sent(contact.user, to.bare, type_ or "available"))
        self._context.presence(sender, to, availability, id=identifier, type_=type_)

        if availability is None:
            # §4.6.1: "The server MUST remove from the directed presence list [...] any entity to which the user sends
            # directed unavailable presence".
            self._sessions.forget_directed(contact.user, to, resource)
        else:
            forgotten = self._sessions.direct(contact.user, resource, to)

            if forgotten is not None and not self.may_see(self._context.book.get(contact.user, forgotten.bare)):
                self._gone_directly(sender, forgotten)

    def _show(self, contact: Contact, resource: str, session: Session) -> None:
        sender = self._context.rules.presence_address(_full(contact.user, resource))
        self._watchers.setdefault(contact.user, set()).add(contact.address)
        self._context.presence(sender, contact.address, session.availability, id=session.id)

    def _hide_directed(self, contact: Contact, resource: str, session: Session) -> None:
        for to in session.directed:
            if to.bare == contact.address:
                self._gone_directly(_full(contact.user, resource), to)

    def _gone(self, sender: Address, to: Address, last: Availability | None = None, id: str = "") -> None:  # noqa: A002
        """Say that a device, or with a bare `sender` all of the user, is no longer available, now or when that can be
        said: what nobody takes back, the other server shows for ever. Later one word for all devices will do, for
        whoever may see those that are there is shown them anew."""
        if not self._say_gone(sender, to, last, id):
            self._words.owe(sender.bare, to.bare)

    def _gone_directly(
        self,
        sender: Address,
        to: Address,
        last: Availability | None = None,
        id: str = "",  # noqa: A002
    ) -> None:
        """The same of a device that has shown itself directly: later, too, it is that device and that address, for of
        others nothing is shown anew."""
        if not self._say_gone(sender, to, last, id):
            self._words.owe(sender, to)

    def _say_gone(self, sender: Address, to: Address, last: Availability | None, id: str) -> bool:  # noqa: A002
        """Say it; tells whether a way leads there."""
        sent = self._context.presence(sender, to, last, id=id or self._context.make_id(), type_=UNAVAILABLE)

        return sent and to.domain not in self._context.lost


def _full(user: Address, resource: str) -> Address:
    return Address(user.local, user.domain, resource)
