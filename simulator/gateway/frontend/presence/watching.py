"""Users who watch contacts: event ``presence``, one contact or many at once (RFC 8048 §5.3, §6.2, §7.2; RFC 4662).

Knows which watcher is told what. Does not know how a subscription is kept, nor what a document holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element

from simulator.gateway.contacts.availability import read_availability
from simulator.gateway.contacts.home import Blocked, Home
from simulator.gateway.contacts.notices import Answered, Failed, Listed, Seen, Unlisted
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.parties import Parties
from simulator.gateway.frontend.presence.rules import PresenceRules
from simulator.gateway.frontend.presence.translation import closed_tuple
from simulator.gateway.frontend.presence.watch import Watch, Watches
from simulator.gateway.frontend.refusal import Refused
from simulator.sip import pidf
from simulator.sip.agent import Incoming
from simulator.sip.batch import LIST_TYPES, RLMI_TYPE, Batch, Part, parse_batch, write_parts
from simulator.sip.errors import SIPError
from simulator.sip.event import Reason, State, SubscriptionState
from simulator.sip.identifiers import Identifiers
from simulator.sip.message import HeaderList, Request
from simulator.xmpp import subscription
from simulator.xmpp.address import Address
from simulator.xmpp.namespaces import XML

_LANG = f"{{{XML}}}lang"


class Watching:
    """The package ``presence``.

    `contact_of` gives the contact outside that a URI means, or raises SIPError. `patience`: seconds for which the
    answer to a poll may wait.
    """

    def __init__(
        self,
        rules: PresenceRules,
        *,
        home: Home,
        watches: Watches,
        parties: Parties,
        contact_of: Callable[[str], Address],
        identifiers: Identifiers,
        patience: float,
        clock: Callable[[], float],
    ) -> None:
        self._rules, self._home, self._watches, self._parties = rules, home, watches, parties
        self._contact_of, self._identifiers = contact_of, identifiers
        self._patience, self._clock = patience, clock
        self._by_contact: dict[tuple[Address, Address], dict[Watch, None]] = {}
        self._untold: dict[tuple[Address, Address], SubscriptionState] = {}
        """What became of requests, where no device has heard of it."""

    # -- what devices ask for

    def subscribe(self, flow: Flow, incoming: Incoming, user: Address, device: str) -> None:
        """Take a SUBSCRIBE outside of dialogs; raises SIPError."""
        request = incoming.request
        batch, expires = self.read(request), self._watches.duration(request)
        wanted = pidf.MEDIA_TYPE if batch is None else RLMI_TYPE

        if not self._rules.accepts(request.values("accept"), wanted):
            raise Refused(406, f"{wanted} is not accepted")

        if batch is None:
            self._single(flow, incoming, user, device, expires)
        else:
            watch = self._begin(flow, incoming, user, device, expires)
            watch.batched = True
            self._change(watch, batch)
            self._tell_list(watch, list(watch.contacts), full=True)

    def read(self, request: Request) -> Batch | None:
        """The list in a SUBSCRIBE, or None where there is none; raises SIPError."""
        media_type, _ = request.content_type

        if not request.body:
            return None

        if media_type not in LIST_TYPES:
            raise Refused(415, f"{media_type} is not understood", [("Accept", ", ".join(sorted(LIST_TYPES)))])

        return parse_batch(request.body)

    def renewed(self, watch: Watch, asked: Batch | None) -> None:
        """RFC 8048 §5.3.2: "if the SIP-to-XMPP gateway has meaningful information [...] the NOTIFY communicates
        that"."""
        if not watch.batched:
            self._tell(watch)
        elif asked is None:
            self._tell_list(watch, list(watch.contacts), full=True)
        else:
            self._tell_list(watch, self._change(watch, asked), full=False)

    def ended(self, watch: Watch, unsubscribed: bool) -> None:
        """Say the last word (RFC 8048 §5.3.3)."""
        state = self._rules.state_after_end(unsubscribed)

        if watch.batched:
            self._watches.finish(watch, state)
            return

        (contact, uri) = next(iter(watch.contacts.items()))

        if watch.polls:
            self._answer_poll(watch, contact, {})
            return

        gone = [closed_tuple(resource) for resource in self._home.seen(watch.user, contact) or ("",)]
        closed = pidf.Presence(entity=uri, tuples=tuple(gone))
        body = pidf.write_presence(closed) if self._rules.closed_at_end else b""
        self._watches.finish(watch, state, media_type=pidf.MEDIA_TYPE, body=body)

        if unsubscribed and self._rules.hides_at_end:
            try:
                self._home.direct(watch.user, watch.device, contact, None, self._clock())
            except Blocked:
                return

    def forget(self, watch: Watch) -> None:
        """Nobody listens any more."""
        for contact in watch.contacts:
            self._unfollow(watch, contact)

    # -- what the home tells

    def seen(self, notice: Seen) -> None:
        """The presence of a contact's resource has changed."""
        notes = read_availability(notice.stanza).notes if notice.stanza is not None else ()
        gone = {notice.resource: notes} if notice.availability is None else {}

        for watch in self._of(notice.user, notice.contact):
            if self._rules.reaches(watch.user, watch.device, notice.user, notice.device):
                self._tell_one(watch, notice.contact, gone, self._language(notice.stanza))

    def answered(self, notice: Answered) -> None:
        """The contact let the user in, or did not (RFC 8048 §5.3.1)."""
        self._untold.pop((notice.user, notice.contact), None)

        for watch in self._of(notice.user, notice.contact):
            self._tell_one(watch, notice.contact, {}, ())

    def listed(self, notice: Listed) -> None:
        """The contact's entry has changed: perhaps the user wants his presence no longer, on another device.

        Of requests that are over another notice says why.
        """
        state, _ = self._rules.state_of(notice.entry)

        for watch in self._of(notice.user, notice.contact):
            if watch.told.get(notice.contact) == State.ACTIVE and state != State.ACTIVE:
                self._tell_one(watch, notice.contact, {}, ())

    def failed(self, notice: Failed) -> None:
        """A request came back, for good or until it is sent again: the user hears of either (RFC 6121 §3.1.2)."""
        if notice.type != "subscribe":
            return

        still_asks = subscription.asks(self._home.contact(notice.user, notice.contact).state)
        end = self._rules.end_for_error(notice.condition, still_asks)

        # Lync's clients set a contact first, and look after that: the error may be there before they do.
        if not self._end(notice.user, notice.contact, end):
            self._untold[notice.user, notice.contact] = end

    def unlisted(self, notice: Unlisted) -> None:
        """The user has removed the contact, on whichever device."""
        self._untold.pop((notice.user, notice.contact), None)
        self._end(notice.user, notice.contact, SubscriptionState(State.TERMINATED, reason=Reason.NORESOURCE))

    # -- one contact

    def _single(self, flow: Flow, incoming: Incoming, user: Address, device: str, expires: int) -> None:
        request = incoming.request
        contact = self._contact(flow, request)

        if expires == 0:
            watch = self._begin(flow, incoming, user, device, 0)
            self._follow(watch, contact, request.to.uri)
            self._poll(watch, contact)
            return

        self._ask(user, contact, batched=False)
        watch = self._begin(flow, incoming, user, device, expires)
        self._follow(watch, contact, request.to.uri)
        self._tell(watch)

    def _contact(self, flow: Flow, request: Request) -> Address:
        contact = self._parties.recipient(flow, request).bare

        if not self._parties.is_outside(request, contact):
            raise Refused(404, "Only the presence of contacts outside is known here")

        if not contact.local:
            raise Refused(404, "A domain has no presence")

        return contact

    def _ask(self, user: Address, contact: Address, *, batched: bool) -> None:
        """Send a ``subscribe`` where one is wanted; raises Refused."""
        self._parties.admit(user, contact)

        if self._rules.asks_contact(self._home.contact(user, contact), batched):
            self._untold.pop((user, contact), None)
            self._home.add(user, contact, self._clock())

    def _poll(self, watch: Watch, contact: Address) -> None:
        seen = self._home.seen(watch.user, contact)

        if self._rules.probes(seen):
            self._home.probe(watch.user, contact, self._clock())

            if self._rules.poll_waits and subscription.sees(self._home.contact(watch.user, contact).state):
                self._watches.wait_until(watch, self._clock() + self._patience)
                return

        self._answer_poll(watch, contact, {})

    def _answer_poll(self, watch: Watch, contact: Address, gone: Mapping[str, pidf.Notes]) -> None:
        body = self._document(watch, contact, gone)
        state = self._rules.state_after_end(False)
        self._watches.finish(watch, state, media_type=pidf.MEDIA_TYPE, body=body)

    def _tell(self, watch: Watch) -> None:
        self._tell_one(watch, next(iter(watch.contacts)), {}, ())

    def _tell_one(self, watch: Watch, contact: Address, gone: Mapping[str, pidf.Notes], headers: HeaderList) -> None:
        if watch.batched:
            self._tell_list(watch, [contact], full=False, gone=gone)
            return

        if watch.polls:
            self._answer_poll(watch, contact, gone)
            return

        state, reason = self._rules.state_of(self._home.contact(watch.user, contact))
        watch.told[contact] = state
        end = self._untold.pop((watch.user, contact), None)

        if end is not None:
            self._watches.finish(watch, end)
        elif state == State.TERMINATED:
            self._watches.finish(watch, SubscriptionState(state, reason=reason or ""))
        elif state == State.PENDING:
            self._watches.notify(watch, state)
        else:
            body = self._document(watch, contact, gone)
            self._watches.notify(watch, state, media_type=pidf.MEDIA_TYPE, body=body, headers=headers)

    def _document(self, watch: Watch, contact: Address, gone: Mapping[str, pidf.Notes]) -> bytes:
        """Empty where nothing is known (RFC 8048 §5.3.2: "then the NOTIFY MUST be empty")."""
        seen = self._home.seen(watch.user, contact)

        if not seen and not gone:
            return b""

        return pidf.write_presence(self._rules.document_of(contact, seen, gone))

    # -- many contacts

    def _change(self, watch: Watch, batch: Batch) -> list[Address]:
        """Follow, or no longer follow, the contacts of a list; gives those that there is something to tell of.

        Of a list, what is no address of a partner's user is not followed: one mistake must not hide the others.
        """
        changed = []

        for uri in batch.uris:
            try:
                contact = self._contact_of(uri)
            except SIPError:
                continue

            if not batch.subscribe:
                self._unfollow(watch, contact)
                watch.contacts.pop(contact, None)
                continue

            self._follow(watch, contact, uri)
            changed.append(contact)

            try:
                self._ask(watch.user, contact, batched=True)
            except Refused:
                continue

        return changed

    def _tell_list(
        self,
        watch: Watch,
        contacts: list[Address],
        *,
        full: bool,
        gone: Mapping[str, pidf.Notes] | None = None,
        end: SubscriptionState | None = None,
    ) -> None:
        parts = [self._part(watch, contact, gone or {}, end) for contact in contacts]
        media_type, body = write_parts(
            watch.dialog.local_uri,
            parts,
            version=watch.version,
            full=full,
            boundary=self._identifiers.fresh(),
        )
        watch.version += 1
        self._watches.notify(watch, State.ACTIVE, media_type=media_type, body=body, headers=[("Require", "eventlist")])

    def _part(
        self, watch: Watch, contact: Address, gone: Mapping[str, pidf.Notes], end: SubscriptionState | None
    ) -> Part:
        """What a list says of a contact; `end`: why it is over, where the contact's state does not tell."""
        end = end or self._untold.pop((watch.user, contact), None)

        if end is not None:
            watch.told[contact] = State.TERMINATED
            return Part(watch.contacts[contact], end.state, end.reason)

        state, reason = self._rules.state_of(self._home.contact(watch.user, contact))
        watch.told[contact] = state
        body = self._document(watch, contact, gone) if state == State.ACTIVE else b""

        return Part(watch.contacts[contact], state, reason or "", pidf.MEDIA_TYPE if body else "", body)

    # -- who follows whom

    def _begin(self, flow: Flow, incoming: Incoming, user: Address, device: str, expires: int) -> Watch:
        return self._watches.begin(flow, incoming, user=user, device=device, package=self, expires=expires)

    def _follow(self, watch: Watch, contact: Address, uri: str) -> None:
        watch.contacts[contact] = uri
        self._by_contact.setdefault((watch.user, contact), {})[watch] = None

    def _unfollow(self, watch: Watch, contact: Address) -> None:
        found = self._by_contact.get((watch.user, contact), {})
        found.pop(watch, None)

        if not found:
            self._by_contact.pop((watch.user, contact), None)

    def _of(self, user: Address, contact: Address) -> list[Watch]:
        return list(self._by_contact.get((user, contact), ()))

    def _end(self, user: Address, contact: Address, state: SubscriptionState) -> bool:
        """Tell everybody who watches that it is over, and why; tells whether there is anybody."""
        watches = self._of(user, contact)

        for watch in watches:
            if watch.batched:
                self._tell_list(watch, [contact], full=False, end=state)
            else:
                self._watches.finish(watch, state)

        return bool(watches)

    def _language(self, stanza: Element | None) -> HeaderList:
        """Table 1: xml:lang to Content-Language."""
        language = self._rules.language_of(stanza.get(_LANG, "")) if stanza is not None else ""

        return [("Content-Language", language)] if language else []
