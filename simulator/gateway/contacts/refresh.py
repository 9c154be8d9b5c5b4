"""What time and the loss of streams do to presence: it is asked for again, or counts no longer.

Knows SubscriptionRefreshInterval, requests that nobody answers, and probes that go out (RFC 6121 §3.1.2, §4.3.1).
Does not know clocks or streams: it is told of both.
"""

from __future__ import annotations

from dataclasses import replace

from simulator.gateway.contacts.broadcast import Broadcast
from simulator.gateway.contacts.contact import Contact
from simulator.gateway.contacts.context import Context
from simulator.gateway.contacts.last_words import LastWords
from simulator.gateway.contacts.sessions import Sessions
from simulator.gateway.contacts.sightings import Sightings
from simulator.xmpp.address import Address
from simulator.xmpp.subscription import SUBSCRIBE, asks

#: the shortest pause between two looks at everything, in seconds
SHORTEST_PAUSE = 0.05


class Refresh:
    """Keeps presence true."""

    def __init__(
        self, context: Context, sessions: Sessions, sightings: Sightings, broadcast: Broadcast, words: LastWords
    ) -> None:
        self._context, self._sessions, self._sightings = context, sessions, sightings
        self._broadcast, self._words = broadcast, words
        self._looks_at = 0.0

    def probe(self, contact: Contact, now: float) -> None:
        """Ask for the presence of a contact whom the user may see."""
        if self._context.rules.is_probed(contact.state) and self._context.may_send(contact):
            self._context.subscription(contact, "probe")
            self._sightings.probed(contact.user, contact.address, now)

    def login(self, user: Address, now: float, *, is_first: bool) -> None:
        """A device of the user came online: ask for what is not known, and repeat requests (§4.3.1, §3.1.2)."""
        with self._context.book.batch():
            for contact in self._context.book.of(user):
                if self._context.rules.probes_at(is_first):
                    self.probe(contact, now)

                self._resend(contact, now)

    def lost(self, domain: str, now: float) -> None:
        """`Home.domain_lost`."""
        self._context.lost[domain] = now

        if not self._context.rules.loss_voids:
            return

        for contact in self._context.book.at(domain):
            self._sightings.void(contact.user, contact.address)

    def back(self, domain: str, now: float, *, presumed: bool = False) -> None:
        """`Home.domain_back`, and for each domain `Home.link_back`: then it is `presumed` that a way leads there."""
        self._context.lost.pop(domain, None)
        left_behind = self._broadcast.visit(domain)
        said = self._broadcast.settle(domain, left_behind)

        if presumed:
            self._words.presume(domain, said, now)
        else:
            self._words.believe(domain)

        for contact in self._context.book.at(domain):
            if self._sessions.is_online(contact.user):
                if self._context.rules.probes_when_back:
                    self.probe(contact, now)

                if self._context.rules.shows_when_back:
                    self._broadcast.show(contact)

        # First what could not be said even now: a process that is killed in between must leave one or the other.
        self._words.save()

        for user in left_behind:
            if not self._sessions.available(user) and not self._broadcast.is_left_behind(user):
                self._context.book.set_online(user, False)

        with self._context.book.batch():
            for contact in self._context.book.at(domain):
                if self._sessions.is_online(contact.user):
                    self._resend(contact, now)

    def reconsider(self, now: float) -> None:
        """`Home.reconsider`."""
        for user in self._sessions.users():
            self._broadcast.reconsider_directed(user)

        for user, address, _ in self._sightings.all():
            if not self._context.may_send(self._context.book.get(user, address)):
                self._sightings.void(user, address)
                self._sightings.forget(user, address)

        for user in self._sessions.online():
            for contact in self._context.book.of(user):
                self._broadcast.reconsider(contact)

                if self._sightings.watch(user, contact.address) is None:
                    self.probe(contact, now)

    def expire(self, now: float) -> None:
        """`Home.expire`."""
        self._sightings.release(now)

        if now < self._looks_at:
            return

        settings = self._context.settings()
        shortest = min(settings.refresh_interval, settings.resend_interval, self._answer_time())
        self._looks_at = now + max(SHORTEST_PAUSE, shortest / 10)
        self._refresh(now)

        with self._context.book.batch():
            for user in self._sessions.online():
                for contact in self._context.book.of(user):
                    self._resend(contact, now)

    def _answer_time(self) -> float:
        settings = self._context.settings()

        return min(settings.answer_time, settings.refresh_interval / 10)

    def _refresh(self, now: float) -> None:
        rules, interval = self._context.rules, self._context.settings().refresh_interval

        for user, address, watch in self._sightings.all():
            if watch.probed_at is None:
                oldest = min([watch.heard_at, *(each.heard_at for each in watch.resources.values())])

                if rules.is_due(oldest, now, interval):
                    self.probe(self._context.book.get(user, address), now)
            elif now - watch.probed_at >= self._answer_time():
                stale = [
                    resource
                    for resource, each in watch.resources.items()
                    if rules.is_stale(each.heard_at, watch.probed_at, now, self._answer_time())
                ]
                watch.probed_at, watch.heard_at = None, now
                self._sightings.void(user, address, stale)

    def _resend(self, contact: Contact, now: float) -> None:
        at, interval = now + self._context.epoch, self._context.settings().resend_interval

        if asks(contact.state) and self._context.rules.is_resent(contact.asked_at, at, interval):
            if not self._context.may_send(contact):
                return

            self._context.book.change(replace(contact, asked_at=at))
            self._context.subscription(contact, SUBSCRIBE)
