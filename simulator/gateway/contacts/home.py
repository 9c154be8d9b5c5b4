"""The XMPP home of the gateway's users: what they ask for, what partners send, what time brings (RFC 6121 §2 to §4).

Knows who is asked for what. Does not know SIP, links, clocks, nor any rule: those are in the files beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from xml.etree.ElementTree import Element

from simulator.gateway.access.gates import Closed
from simulator.gateway.contacts.access import Access
from simulator.gateway.contacts.arrivals import Arrivals
from simulator.gateway.contacts.availability import Availability
from simulator.gateway.contacts.book import Book
from simulator.gateway.contacts.broadcast import Broadcast
from simulator.gateway.contacts.contact import Contact
from simulator.gateway.contacts.context import Context
from simulator.gateway.contacts.intents import Blocked, Intents
from simulator.gateway.contacts.last_words import LastWords
from simulator.gateway.contacts.notices import Notice
from simulator.gateway.contacts.probes import Probes
from simulator.gateway.contacts.refresh import Refresh
from simulator.gateway.contacts.requests import Requests
from simulator.gateway.contacts.rules import HomeRules
from simulator.gateway.contacts.sessions import Sessions
from simulator.gateway.contacts.settings import HomeSettings
from simulator.gateway.contacts.sightings import Sightings
from simulator.gateway.contacts.store import ContactStore, StoreError
from simulator.xmpp.address import Address

__all__ = ["Blocked", "Home"]


class Home:
    """All users' contacts and presence.

    `send` puts a stanza on its way to a partner and may raise ConnectionError; `tell` gets what a user's devices must
    know, and can be exchanged at any time; `epoch` turns `now` into seconds since 1970 (``time.time() - now``).
    Addresses of users and contacts are bare where nothing else is said. Every wish of a user takes `now`, in seconds by
    the owner's clock, also where nothing is done by time.
    """

    def __init__(
        self,
        store: ContactStore,
        rules: HomeRules | None = None,
        *,
        exists: Callable[[Address], bool],
        access: Access,
        send: Callable[[Element], None],
        tell: Callable[[Notice], None] = lambda _: None,
        make_id: Callable[[], str],
        settings: Callable[[], HomeSettings] = HomeSettings,
        log: Callable[[str], None] = lambda _: None,
        epoch: float = 0.0,
    ) -> None:
        rules = rules or HomeRules()
        self.tell = tell
        self._context = Context(
            book=Book(store, self._told),
            rules=rules,
            access=access,
            exists=exists,
            send_stanza=send,
            tell=self._told,
            make_id=make_id,
            settings=settings,
            log=log,
            epoch=epoch,
        )
        self._words = LastWords(self._context.book)
        self._sessions = Sessions(self._words)
        self._sightings = Sightings(self._told, most_resources=rules.most_resources, most_changes=rules.most_changes)
        self._broadcast = Broadcast(self._context, self._sessions, self._words)
        self._requests = Requests(self._context, self._sessions, self._sightings, self._broadcast)
        self._intents = Intents(self._context, self._sightings, self._broadcast)
        self._refresh = Refresh(self._context, self._sessions, self._sightings, self._broadcast, self._words)
        probes = Probes(self._context, self._sessions, self._broadcast)
        self._arrivals = Arrivals(self._context, self._sessions, self._sightings, self._requests, probes)

    @property
    def epoch(self) -> float:
        """What turns `now` into seconds since 1970."""
        return self._context.epoch

    @epoch.setter
    def epoch(self, seconds: float) -> None:
        self._context.epoch = seconds

    def open(self) -> None:
        """Read the contacts, if that was not done yet. Raises StoreError."""
        self._context.book.load()
        self._broadcast.left_behind = self._context.book.online()
        self._words.load()

    def close(self, now: float) -> None:
        """Tell contacts that everybody leaves, and release the store; after `open` all goes on."""
        for user in self._sessions.users():
            for resource in list(self._sessions.of(user)):
                self.unavailable(user, resource, None, now)

        self._context.book.close()

    # -- what users ask for

    def add(
        self,
        user: Address,
        contact: Address,
        now: float,
        *,
        name: str = "",
        groups: Sequence[str] = (),
        id: str = "",  # noqa: A002
    ) -> Closed | None:
        """Put a contact on the list and ask to see his presence (``subscribe``; RFC 6121 §3.1.2).

        Gives the gate that kept the request from leaving, if one did: then the contact is on the list and was not
        asked. Raises Blocked, and StoreError as every intent that changes a contact does.
        """
        closed = self._intents.add(user, contact, now, name, groups, id)
        self._vouched_for(user, contact)

        return closed

    def edit(self, user: Address, contact: Address, *, name: str, groups: Sequence[str] = ()) -> None:
        """Change name and groups of a contact on the list (or put him there), and send nothing (§2.4)."""
        self._intents.edit(user, contact, name, groups)
        self._vouched_for(user, contact)

    def remove(self, user: Address, contact: Address, now: float) -> None:
        """Take a contact off the list, and end both subscriptions (§2.5.2). A block stays."""
        with self._keeping(flush=True):
            self._intents.remove(user, contact)

    def accept(self, user: Address, contact: Address, now: float, *, id: str = "") -> Closed | None:  # noqa: A002
        """Grant the contact's request that waits (``subscribed``; §3.1.5); without one nothing happens.

        Gives the gate that keeps it from leaving, if one does; then nothing has changed. Raises Blocked.
        """
        return self._intents.grant(user, contact, id, ahead=False)

    def approve(self, user: Address, contact: Address, now: float, *, id: str = "") -> Closed | None:  # noqa: A002
        """Grant a request of the contact, also one that is still to come (§3.4); otherwise as `accept`."""
        return self._intents.grant(user, contact, id, ahead=True)

    def refuse(self, user: Address, contact: Address, now: float, *, id: str = "") -> None:  # noqa: A002
        """Refuse a request, end what was granted, or take an approval back (``unsubscribed``; §3.2.2)."""
        with self._keeping(flush=True):
            self._intents.refuse(user, contact, id)

    #: the same stanza: a request that waits is refused, a subscription is ended
    cancel = refuse

    def unsubscribe(self, user: Address, contact: Address, now: float, *, id: str = "") -> None:  # noqa: A002
        """See the contact's presence no longer, or take the request back (``unsubscribe``; §3.3.2)."""
        self._intents.unsubscribe(user, contact, id)

    def block(self, user: Address, contact: Address, now: float) -> None:
        """Let nothing pass between user and contact any more; he sees the user go offline (XEP-0191 §3.3)."""
        with self._keeping(flush=True):
            self._intents.block(user, contact)

    def unblock(self, user: Address, contact: Address, now: float) -> None:
        """End a block; who may see the user's presence sees it again (XEP-0191 §3.4)."""
        was_blocked = self._intents.unblock(user, contact)

        if was_blocked and self._sessions.is_online(user) and self._context.rules.probes_at_unblock:
            self._refresh.probe(self._context.book.get(user, contact), now)

    def available(self, user: Address, resource: str, availability: Availability, now: float) -> None:
        """A device is available, or differently so (§4.2.2, §4.4.2)."""
        session = self._sessions.open(user, resource)
        before, was_online = session.availability, self._sessions.is_online(user)

        if not self._context.rules.is_news(before, availability):
            return

        if not self._sessions.available(user):
            self._note(user, online=True)

        session.availability, session.id = availability, self._context.make_id()
        self._broadcast.update(user, resource, session)

        if before is None:
            with self._surviving():
                self._refresh.login(user, now, is_first=not was_online)

            self._requests.deliver(user, resource)

    def unavailable(self, user: Address, resource: str, availability: Availability | None, now: float) -> None:
        """A device is no longer available, or was lost (§4.5.2); of `availability` only the notes are sent."""
        session = self._sessions.close(user, resource, now)

        if session is None:
            return

        with self._keeping():
            self._broadcast.end(user, resource, session, availability)

        self._forget_unwelcome(user, session.directed)

        # Whom the process before this one could not tell, nor this one, is told by one that comes after it.
        if session.availability is not None and not self._sessions.available(user):
            self._note(user, online=self._broadcast.is_left_behind(user))

        # What comes while nobody is there to see it is not taken (§8.5.2.2.2), so what is known would grow old.
        if not self._sessions.is_online(user):
            self._sightings.forget(user)

    def listen(self, user: Address, resource: str, now: float, *, listens: bool = True) -> None:
        """A device is told of contacts though it shows no presence to everybody, or is no longer.

        XMPP knows no such device. RFC 8048's user agents are of that kind: they show each watcher what they want, and
        watch whom they want, and there is nothing in between.
        """
        session = self._sessions.open(user, resource)
        was_online = self._sessions.is_online(user)
        had_listened, session.listens = session.listens, listens

        if listens and not had_listened and session.availability is None:
            with self._surviving():
                self._refresh.login(user, now, is_first=not was_online)

            self._requests.deliver(user, resource)
        elif not listens and session.availability is None:
            self.unavailable(user, resource, None, now)

    def direct(
        self, user: Address, resource: str, to: Address, availability: Availability | None, now: float
    ) -> Closed | None:
        """Show presence to somebody who need not be a contact, or take it back (None; §4.6.3); `to` may be full.

        Gives the gate that keeps it from leaving, if one does. Raises Blocked.
        """
        contact = self._context.book.get(user, to.bare)
        self._intents.check(contact)
        closed = self._context.closed(contact)

        if closed is None:
            with self._keeping():
                self._broadcast.direct(contact, resource, to, availability)

            self._forget_unwelcome(user, [to] if availability is None else ())

        return closed

    def probe(self, user: Address, contact: Address, now: float) -> None:
        """Ask for the presence of a contact whom the user may see, anew (§4.3.1)."""
        self._refresh.probe(self._context.book.get(user, contact), now)

    # -- what can be asked

    def contacts(self, user: Address) -> list[Contact]:
        """What the user has with anybody: also blocks and requests that wait (`Contact.shown` is the list)."""
        return self._context.book.of(user)

    def contact(self, user: Address, contact: Address) -> Contact:
        """What the user has with one address, which may be nothing at all."""
        return self._context.book.get(user, contact)

    def seen(self, user: Address, contact: Address) -> Mapping[str, Availability]:
        """The presence of the contact as the user may see it, by resource; empty where he is offline or unknown."""
        return self._sightings.of(user, contact)

    def has_added(self, user: Address, contact: Address) -> bool:
        """Whether the user has vouched for somebody outside by adding him."""
        return self._context.rules.is_added(self.contact(user, contact))

    def own(self, user: Address) -> Mapping[str, Availability]:
        """What the devices of a user show to everybody who may see it, by resource; those that are available."""
        available = self._sessions.available(user)

        return {name: each.availability for name, each in available.items() if each.availability is not None}

    def shares_presence(self, device: Address, contact: Address) -> bool:
        """Whether somebody outside, bare or full, may know that a device of a user is there (§8.5.3.1).

        "either by means of a presence subscription of type "both" or "from" or by means of directed presence".
        """
        user, known = device.bare, self.contact(device.bare, contact.bare)

        if device.resource in self.own(user) and self._broadcast.may_see(known):
            return True

        directed = any(device.resource in self._sessions.shown_to(user, each) for each in (contact, contact.bare))

        return directed and not known.blocked and self._context.closed(known) is None

    def takes_from(self, user: Address, contact: Address) -> bool:
        """Whether messages of somebody outside reach the user (XEP-0191 §3.3: none of a blocked contact's do)."""
        return not self.contact(user, contact).blocked or self._context.rules.takes_from_blocked

    def sends_to(self, user: Address, contact: Address) -> bool:
        """Whether messages of the user may leave for somebody outside (likewise)."""
        return not self.contact(user, contact).blocked or self._context.rules.sends_to_blocked

    def is_online(self, user: Address) -> bool:
        """Whether any device of the user is available."""
        return self._sessions.is_online(user)

    # -- what partners send, and what happens to them

    def receive(self, presence: Element, now: float) -> None:
        """Take a presence of a partner's user, of whatever type; ill-addressed ones are dropped."""
        with self._keeping(), self._surviving():
            self._arrivals.receive(presence, now)

    def domain_lost(self, domain: str, now: float) -> None:
        """No stream leads to a partner any more: what was known of its users' presence is void.

        An edge says so of each domain that is lost already when its link comes up, and of others when it has dialled in
        vain. So the last words that `link_back` has just sent there are owed again.
        """
        with self._keeping():
            self._words.doubt(domain, now)
            self._refresh.lost(domain, now)

    def domain_back(self, domain: str, now: float) -> None:
        """A stream leads to the partner again: ask its users' presence, and show them ours."""
        with self._surviving():
            self._refresh.back(domain, now)

    def reconsider(self, now: float) -> None:
        """The configuration has changed: who may no longer see whom sees nobody, and who may now is shown."""
        with self._keeping():
            self._refresh.reconsider(now)

    def link_lost(self, now: float, owns: Callable[[str], bool] = lambda domain: True) -> None:
        """No partner can be reached any more: as if every domain were lost, or those that go by the edge that is."""
        for domain in filter(owns, self._context.book.domains):
            self._refresh.lost(domain, now)

    def link_back(self, now: float, owns: Callable[[str], bool] = lambda domain: True) -> None:
        """Partners can be reached again, or so it is to be presumed until `domain_lost` says otherwise."""
        for domain in filter(owns, sorted({*self._context.book.domains, *self._words.domains})):
            with self._surviving():
                self._refresh.back(domain, now, presumed=True)

    def expire(self, now: float) -> None:
        """Do what is due: repeat requests that nobody answers, refresh presence, tell what a flood has held back."""
        self._words.expire(now)

        with self._surviving():
            self._refresh.expire(now)

    def _vouched_for(self, user: Address, contact: Address) -> None:
        """Whom the type of his partner has kept from what he was granted, until he was added, sees it from here on."""
        with self._keeping():
            self._broadcast.reconsider(self._context.book.get(user, contact))

    def _forget_unwelcome(self, user: Address, shown: Iterable[Address]) -> None:
        """Whose presence was told only because the user was shown to them: it is not told any more (§4.2.4)."""
        for to in shown:
            contact = self._context.book.get(user, to.bare)
            self._sightings.forget_unwelcome(contact, self._arrivals.is_welcome(contact, to))

    def _note(self, user: Address, *, online: bool) -> None:
        with self._surviving():
            self._context.book.set_online(user, online)

    @contextmanager
    def _keeping(self, *, flush: bool = False) -> Iterator[None]:
        """Whatever came of it, what is still to be said outlives the process; with `flush`, the machine, too."""
        try:
            yield
        finally:
            with self._surviving():
                self._words.save(flush=flush)

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        """What no user has asked for must not end the front end when it cannot be kept: nothing has changed then.

        A request that was dropped so comes again at the next login of whoever sent it; an answer, when ours is
        repeated.
        """
        try:
            yield
        except StoreError as error:
            self._context.log(f"contacts: {error}")

    def _told(self, notice: Notice) -> None:
        self.tell(notice)
