"""A user's own lists, on all of the user's devices: the contacts, and who asks to be let in.

Knows the packages ``vnd-microsoft-roaming-contacts`` and ``presence.wpending`` ([MS-SIP], RFC 3857). Does not know what
changes a list.
"""

from __future__ import annotations

from typing import Any

from simulator.gateway.contacts.contact import Contact
from simulator.gateway.contacts.home import Home
from simulator.gateway.contacts.notices import Listed, Unlisted
from simulator.gateway.frontend.addressing import uri_of
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.presence.groups import Groups
from simulator.gateway.frontend.presence.rules import PresenceRules
from simulator.gateway.frontend.presence.watch import Watch, Watches
from simulator.gateway.frontend.refusal import Refused
from simulator.sip import contact_service, watchers
from simulator.sip.agent import Incoming
from simulator.sip.contact_service import ContactList, ListedContact, write_contacts
from simulator.sip.event import State
from simulator.sip.message import Request
from simulator.sip.watchers import Watcher, write_microsoft_watchers, write_watchers
from simulator.xmpp import subscription
from simulator.xmpp.address import Address


class _OwnList:
    """What both packages share: they tell a user, and nobody else, about the user."""

    media_types: tuple[str, ...] = ()

    def __init__(self, rules: PresenceRules, home: Home, watches: Watches) -> None:
        self._rules, self._home, self._watches = rules, home, watches
        self._by_user: dict[Address, dict[Watch, None]] = {}

    def subscribe(self, flow: Flow, incoming: Incoming, user: Address, device: str) -> None:
        """Take a SUBSCRIBE outside of dialogs; raises SIPError."""
        request = incoming.request

        if not any(self._rules.accepts(request.values("accept"), each) for each in self.media_types):
            raise Refused(406, f"{self.media_types[0]} is not accepted")

        expires = self._watches.duration(request)
        watch = self._watches.begin(flow, incoming, user=user, device=device, package=self, expires=expires)
        self._began(watch, request)

        if expires == 0:
            self.ended(watch, unsubscribed=True)
            return

        self._by_user.setdefault(user, {})[watch] = None
        self._tell(watch)

    def read(self, request: Request) -> None:
        """A body asks for nothing here."""

    def renewed(self, watch: Watch, asked: Any) -> None:
        """A refresh is answered with everything (RFC 6665 §4.2.1.2)."""
        self._tell(watch)

    def ended(self, watch: Watch, unsubscribed: bool) -> None:
        """Say the last word: for a poll, that is the list."""
        media_type, body = self._document(watch) if watch.polls else ("", b"")
        self._watches.finish(watch, self._rules.state_after_end(unsubscribed), media_type=media_type, body=body)

    def forget(self, watch: Watch) -> None:
        """Nobody listens any more."""
        found = self._by_user.get(watch.user, {})
        found.pop(watch, None)

        if not found:
            self._by_user.pop(watch.user, None)

    def of(self, user: Address) -> list[Watch]:
        """The watchers of a user's list, all of them devices of that user."""
        return list(self._by_user.get(user, ()))

    def has(self, flow: Flow, user: Address) -> bool:
        """Whether somebody listens over this connection."""
        return any(watch.flow is flow for watch in self._by_user.get(user, ()))

    def _began(self, watch: Watch, request: Request) -> None:
        """For what a package notes of the SUBSCRIBE."""

    def _tell(self, watch: Watch) -> None:
        media_type, body = self._document(watch)
        watch.version += 1
        self._watches.notify(watch, State.ACTIVE, media_type=media_type, body=body)

    def _document(self, watch: Watch) -> tuple[str, bytes]:
        raise NotImplementedError


class PendingList(_OwnList):
    """``presence.wpending``: who waits for the user's consent."""

    media_types = (watchers.MEDIA_TYPE, watchers.MICROSOFT_MEDIA_TYPE)

    def __init__(self, rules: PresenceRules, home: Home, watches: Watches) -> None:
        super().__init__(rules, home, watches)
        self._told: dict[Watch, list[Watcher]] = {}
        self._microsoft: set[Watch] = set()

    def changed(self, user: Address, device: str | None = None) -> None:
        """Tell the devices of a user (or the one) who waits now, where that is news to them."""
        for watch in self.of(user):
            if device in (None, watch.device) and self._waiting(user) != self._told.get(watch):
                self._tell(watch)

    def forget(self, watch: Watch) -> None:
        """Nobody listens any more."""
        super().forget(watch)
        self._told.pop(watch, None)
        self._microsoft.discard(watch)

    def _began(self, watch: Watch, request: Request) -> None:
        if not self._rules.accepts(request.values("accept"), watchers.MEDIA_TYPE):
            self._microsoft.add(watch)

    def _document(self, watch: Watch) -> tuple[str, bytes]:
        waiting = self._waiting(watch.user)
        self._told[watch] = waiting

        if watch in self._microsoft:
            return watchers.MICROSOFT_MEDIA_TYPE, write_microsoft_watchers(waiting)

        return watchers.MEDIA_TYPE, write_watchers(uri_of(str(watch.user)), waiting, watch.version)

    def _waiting(self, user: Address) -> list[Watcher]:
        contacts = [each for each in self._home.contacts(user) if self._rules.is_shown_waiting(each)]

        return [Watcher(uri_of(str(each.address)), "pending", each.name) for each in contacts]


class RoamingContacts(_OwnList):
    """``vnd-microsoft-roaming-contacts``: the user's contact list."""

    media_types = (contact_service.MEDIA_TYPE,)

    def __init__(self, rules: PresenceRules, home: Home, watches: Watches) -> None:
        super().__init__(rules, home, watches)
        self._groups: dict[Address, Groups] = {}
        self._deltas: dict[Address, int] = {}

    def groups(self, user: Address) -> Groups:
        """The numbers of a user's groups."""
        return self._groups.setdefault(user, Groups())

    def listed(self, notice: Listed) -> None:
        """A contact is new or has changed."""
        self._push(notice.user, contacts=(self._entry(notice.entry),))

    def unlisted(self, notice: Unlisted) -> None:
        """A contact is gone."""
        self._push(notice.user, deleted=(uri_of(str(notice.contact)),))

    def regrouped(self, user: Address) -> None:
        """Groups were made, renamed or removed: the whole list is told again."""
        self._deltas[user] = self._delta(user) + 1

        for watch in self.of(user):
            self._tell(watch)

    def _push(self, user: Address, contacts: tuple[ListedContact, ...] = (), deleted: tuple[str, ...] = ()) -> None:
        self._deltas[user] = self._delta(user) + 1
        groups = tuple(
            (number, name)
            for number, name in self.groups(user).all()
            if any(number in contact.groups for contact in contacts)
        )
        changes = ContactList(self._delta(user), groups, contacts, deleted, full=False)

        for watch in self.of(user):
            body = write_contacts(changes)
            self._watches.notify(watch, State.ACTIVE, media_type=contact_service.MEDIA_TYPE, body=body)

    def _document(self, watch: Watch) -> tuple[str, bytes]:
        user = watch.user
        contacts = tuple(self._entry(each) for each in self._home.contacts(user) if each.shown)
        # [MS-SIP] §9: deltaNum is never zero.
        listed = ContactList(self._delta(user), self.groups(user).all(), contacts)

        return contact_service.MEDIA_TYPE, write_contacts(listed)

    def _entry(self, contact: Contact) -> ListedContact:
        return ListedContact(
            uri_of(str(contact.address)),
            contact.name,
            self.groups(contact.user).numbers(contact.groups),
            subscription.sees(contact.state) or subscription.asks(contact.state),
            subscription.subscription_of(contact.state),
            "subscribe" if subscription.asks(contact.state) else "",
        )

    def _delta(self, user: Address) -> int:
        return self._deltas.get(user, 1)
