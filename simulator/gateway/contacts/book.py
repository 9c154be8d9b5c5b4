"""All contacts of all users at hand, and each change of one: kept first, then told.

Knows the store and who is told of a change. Does not know why something changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

from simulator.gateway.contacts.contact import Contact
from simulator.gateway.contacts.notices import Listed, Notice, Unlisted
from simulator.gateway.contacts.store import ContactStore, Word
from simulator.xmpp.address import Address


class Book:
    """The contacts. `tell` gets what a change means for the list that the user is shown."""

    def __init__(self, store: ContactStore, tell: Callable[[Notice], None]) -> None:
        self._store, self._tell = store, tell
        self._contacts: dict[Address, dict[Address, Contact]] = {}
        self._by_domain: dict[str, dict[tuple[Address, Address], None]] = {}
        self._waiting: dict[Address, int] = {}

        if store.is_open:
            self.load()

    def load(self) -> None:
        """Open the store and take from it what it has."""
        self._store.open()

        for held in (self._contacts, self._by_domain, self._waiting):
            held.clear()

        for contact in self._store.contacts():
            self._hold(contact)

    def close(self) -> None:
        """Release the store."""
        self._store.close()

    def online(self) -> set[Address]:
        """The users who were online when the store was last written, perhaps by a process that was killed."""
        return self._store.online()

    def set_online(self, user: Address, online: bool) -> None:
        """Keep whether a user is online."""
        self._store.set_online(user, online)

    def last_words(self) -> list[Word]:
        """What the process before this one left to be said: in whose name, and to whom."""
        return self._store.last_words()

    def keep_last_words(self, added: Iterable[Word], removed: Iterable[Word], *, flush: bool) -> None:
        """Keep what is to be said from now on, and what no longer."""
        self._store.keep_last_words(added, removed, flush=flush)

    @property
    def domains(self) -> list[str]:
        """The domains of all contacts."""
        return list(self._by_domain)

    def get(self, user: Address, address: Address) -> Contact:
        """The contact, or one that is nothing yet."""
        found = self._contacts.get(user, {}).get(address)

        return found if found is not None else Contact(user=user, address=address)

    def of(self, user: Address) -> list[Contact]:
        """All contacts of a user."""
        return list(self._contacts.get(user, {}).values())

    def at(self, domain: str) -> list[Contact]:
        """All contacts of anybody at a domain."""
        return [self._contacts[user][address] for user, address in self._by_domain.get(domain, {})]

    def waiting(self, user: Address) -> int:
        """How many requests wait for the user."""
        return self._waiting.get(user, 0)

    def change(self, after: Contact, *notices: Notice) -> None:
        """Keep a contact as it is from now on, and tell it.

        `notices` are what came from the contact: RFC 6121 §3.1.6 and its like have them told "before sending the
        roster push".
        """
        before = self.get(after.user, after.address)

        if after != before:
            if after.is_worth_keeping:
                self._store.put(after)
            else:
                self._store.delete(after.user, after.address)

            self._release(before)
            self._hold(after)

        for notice in notices:
            self._tell(notice)

        if after.shown and (not before.shown or _visible(before) != _visible(after)):
            self._tell(Listed(after.user, after.address, after))
        elif before.shown and not after.shown:
            self._tell(Unlisted(after.user, after.address))

    def batch(self) -> AbstractContextManager[None]:
        """Make the changes inside the block durable at once, at its end."""
        return self._store.batch()

    def __iter__(self) -> Iterator[Contact]:
        return (contact for contacts in self._contacts.values() for contact in contacts.values())

    def _hold(self, contact: Contact) -> None:
        if not contact.is_worth_keeping:
            return

        self._contacts.setdefault(contact.user, {})[contact.address] = contact
        self._by_domain.setdefault(contact.address.domain, {})[contact.user, contact.address] = None

        if contact.waits:
            self._waiting[contact.user] = self.waiting(contact.user) + 1

    def _release(self, contact: Contact) -> None:
        contacts = self._contacts.get(contact.user, {})

        if contacts.pop(contact.address, None) is None:
            return

        self._by_domain[contact.address.domain].pop((contact.user, contact.address))

        if contact.waits:
            self._waiting[contact.user] -= 1

        # Nothing may grow with the number of those who once were somebody's contact.
        if not contacts:
            self._contacts.pop(contact.user)

        if not self._by_domain[contact.address.domain]:
            self._by_domain.pop(contact.address.domain)

        if not self._waiting.get(contact.user):
            self._waiting.pop(contact.user, None)


def _visible(contact: Contact) -> tuple[object, ...]:
    return (contact.state, contact.name, contact.groups, contact.listed, contact.approved, contact.blocked)
