"""Presence by RFC 8048 alone: a user agent with no list on a server, which answers for itself who may see it.

Knows both ends of the event package ``presence``. Does not know what arrives of what it sees: that is `observed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.sip import pidf
from simulator.sip.agent import Incoming
from simulator.sip.dialog import Dialog
from simulator.sip.errors import SIPError
from simulator.sip.event import Reason, State, SubscriptionState, duration_of, event_of
from simulator.sip.message import Response
from simulator.sip.pidf import write_presence
from simulator.world.users.sip.addresses import address_of, bare
from simulator.world.users.sip.line import Line
from simulator.world.users.sip.observed import EVENT, Observation
from simulator.world.users.sip.person import Person
from simulator.world.users.sip.shown import closed_document, document_of
from simulator.world.users.sip.subscriptions import Subscriptions
from simulator.world.users.user import SUBSCRIPTION, Unable


@dataclass(eq=False)
class Watcher:
    """Somebody's subscription to us."""

    contact: str
    """Bare."""
    dialog: Dialog
    expires: int


class PlainDialect:
    """The presence of one device of a person."""

    methods: tuple[str, ...] = ("SUBSCRIBE", "NOTIFY")

    def __init__(self, line: Line, person: Person, contact: str, arrived: Callable[..., None]) -> None:
        """`contact` is the value of the Contact header of our requests."""
        self._line, self._person, self._contact, self._arrived = line, person, contact, arrived
        self._subscriptions = Subscriptions(line, person.uri, contact)
        self._observation = Observation(line, self._subscriptions, person, arrived, lync=False)
        self._watchers: list[Watcher] = []
        self._document = b""

    async def open(self) -> None:
        """Nothing: whoever wants to see us subscribes."""

    def close(self) -> None:
        """The connection is gone."""
        self._subscriptions.forget()

    def serves(self, incoming: Incoming) -> bool:
        """Take notifications, and subscriptions of others."""
        if incoming.request.method == "NOTIFY":
            self._subscriptions.notified(incoming)
        elif incoming.request.method == "SUBSCRIBE":
            self._subscribed(incoming)
        else:
            return False

        return True

    async def add(self, contact: str, name: str | None, groups: Sequence[str]) -> None:
        """RFC 8048 §5.3.1: SUBSCRIBE is the request."""
        await self._observation.look(contact)

    async def remove(self, contact: str) -> None:
        """End what there is in both directions."""
        await self.unsubscribe(contact)
        await self.refuse(contact)

    async def accept(self, contact: str) -> None:
        """§5.2.1: a notification that the subscription is active, with our presence."""
        self._person.decide(bare(contact), may_see=True)
        self._notify_all(contact, SubscriptionState(State.ACTIVE))

    async def refuse(self, contact: str) -> None:
        """§5.2.1: "terminated" with the reason "rejected"."""
        self._person.decide(bare(contact), may_see=False)
        self._end(contact)

    async def unsubscribe(self, contact: str) -> None:
        """§5.3.3: SUBSCRIBE with an Expires of zero."""
        await self._observation.look_away(contact)

    async def block(self, contact: str) -> None:
        """Be of no more answer to them: 603, which cancels an authorization for good (§5.2.2)."""
        self._person.blocked.add(bare(contact))
        self._end(contact)

    async def unblock(self, contact: str) -> None:
        """Take that back; they have to ask again."""
        self._person.blocked.discard(bare(contact))

    async def contact_list(self) -> dict[str, dict[str, Any]]:
        """There is none."""
        raise Unable("contact-lists")

    async def show(self, show: str, note: str | Mapping[str, str], priority: int | None) -> None:
        """Tell everybody who may see it."""
        contact = self._contact.partition("<")[2].partition(">")[0]
        shown = document_of(self._person.uri, contact, show=show, note=note, priority=priority, lync=False)
        self._document = write_presence(shown)
        self._tell()

    async def show_document(self, document: bytes) -> None:
        """Tell everybody who may see it."""
        self._document = document
        self._tell()

    async def hide(self, note: str | Mapping[str, str]) -> None:
        """Tell them that the device is closed."""
        self._document = write_presence(closed_document(self._person.uri, note))
        self._tell()

    async def ask_once(self, contact: str) -> None:
        """Poll (§7.2)."""
        await self._observation.ask_once(bare(contact))

    # -- those who watch us

    def _subscribed(self, incoming: Incoming) -> None:
        request = incoming.request
        watcher = next((each for each in self._watchers if each.dialog.matches(request)), None)

        try:
            package, expires = event_of(request)[0], duration_of(request)
            contact = bare(address_of(request.sender.uri))

            if watcher is not None:
                watcher.dialog.receive(request)
        except SIPError as error:
            self._line.answer(incoming, error.code, phrase=str(error))
            return

        if package != EVENT:
            self._line.answer(incoming, 489, headers=[("Allow-Events", EVENT)])
        elif watcher is None and request.to.tag is not None:
            self._line.answer(incoming, 481)
        elif contact in self._person.blocked:
            self._line.answer(incoming, 603)
        elif watcher is None:
            self._begin(incoming, contact, expires)
        else:
            watcher.expires = expires
            self._answer(incoming, watcher)
            self._refreshed(watcher)

    def _begin(self, incoming: Incoming, contact: str, expires: int) -> None:
        watcher = Watcher(contact, Dialog.incoming(incoming.request, self._line.identifiers.fresh()), expires)
        self._answer(incoming, watcher)

        if expires == 0:
            # §7.1: a poll is answered once; whoever may not see us learns nothing.
            may_see = contact in self._person.accepted
            self._notify(watcher, SubscriptionState(State.TERMINATED, reason=Reason.TIMEOUT), has_body=may_see)
            return

        self._watchers.append(watcher)

        if contact in self._person.accepted:
            self._notify(watcher, SubscriptionState(State.ACTIVE, expires=expires))
            return

        self._notify(watcher, SubscriptionState(State.PENDING, expires=expires), has_body=False)
        self._person.turned_away.discard(contact)
        self._arrived(SUBSCRIPTION, **{"from": contact, "type": "subscribe"})

    def _refreshed(self, watcher: Watcher) -> None:
        """§5.2.3: a refresh, or the end that the XMPP user wants."""
        if watcher.expires == 0:
            self._watchers.remove(watcher)
            self._notify(watcher, SubscriptionState(State.TERMINATED, reason=Reason.TIMEOUT), has_body=False)
            self._person.accepted.discard(watcher.contact)
            self._arrived(SUBSCRIPTION, **{"from": watcher.contact, "type": "unsubscribe"})
        elif watcher.contact in self._person.accepted:
            self._notify(watcher, SubscriptionState(State.ACTIVE, expires=watcher.expires))
        else:
            self._notify(watcher, SubscriptionState(State.PENDING, expires=watcher.expires), has_body=False)

    def _tell(self) -> None:
        for contact in self._person.accepted - self._person.blocked:
            self._notify_all(contact, SubscriptionState(State.ACTIVE))

    def _notify_all(self, contact: str, state: SubscriptionState) -> None:
        for watcher in tuple(self._watchers):
            if watcher.contact == bare(contact):
                self._notify(watcher, SubscriptionState(state.state, expires=watcher.expires, reason=state.reason))

    def _end(self, contact: str) -> None:
        ended = [watcher for watcher in self._watchers if watcher.contact == bare(contact)]

        for watcher in ended:
            self._watchers.remove(watcher)
            self._notify(watcher, SubscriptionState(State.TERMINATED, reason=Reason.REJECTED), has_body=False)

    def _answer(self, incoming: Incoming, watcher: Watcher) -> None:
        headers = [("Contact", self._contact), ("Expires", str(watcher.expires))]
        self._line.answer(incoming, 200, tag=watcher.dialog.local_tag, headers=headers)

    def _notify(self, watcher: Watcher, state: SubscriptionState, *, has_body: bool = True) -> None:
        uri, headers = watcher.dialog.request(
            "NOTIFY", [("Event", EVENT), ("Subscription-State", str(state)), ("Contact", self._contact)]
        )
        body = self._document if has_body else b""
        typed = [("Content-Type", pidf.MEDIA_TYPE)] if body else []

        def answered(code: int, response: Response | None) -> None:
            # RFC 6665 §4.2.2: whoever does not know the subscription has none.
            if code in (404, 481) and watcher in self._watchers:
                self._watchers.remove(watcher)

        if self._line.is_open:
            self._line.send("NOTIFY", uri, [*headers, *typed], answered, body=body)
