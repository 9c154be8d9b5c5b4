"""Contacts whose presence a user agent has subscribed to, one by one or as a list, and what it sees of them.

Knows subscriptions to the event package ``presence`` (RFC 3856, RFC 4662). Does not know how contacts are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.sip import batch, pidf
from simulator.sip.errors import SIPError, conditions_behind_code
from simulator.sip.event import Reason, State, SubscriptionState
from simulator.sip.message import Message, Response
from simulator.world.users.sip.addresses import address_of, bare, uri_of
from simulator.world.users.sip.line import Line
from simulator.world.users.sip.person import Person
from simulator.world.users.sip.shown import View, changes, view_of
from simulator.world.users.sip.subscriptions import Subscription, Subscriptions
from simulator.world.users.user import PRESENCE, REFUSAL, SUBSCRIPTION

EVENT = "presence"
LIST_TYPE = "application/msrtc-adrl-categorylist+xml"

#: What a subscription ended with -> what may have been the matter (RFC 6665 §4.1.3); the others are decisions.
CONDITIONS = {
    Reason.NORESOURCE: ["gone", "item-not-found", "remote-server-not-found"],
    Reason.GIVEUP: ["remote-server-timeout", "resource-constraint"],
}


@dataclass
class Observed:
    """One contact."""

    granted: bool = False
    """They let us see them."""
    asked: bool = False
    """We have asked, and no answer has come."""
    view: View = field(default_factory=dict)
    own: Subscription | None = None
    """The subscription that is theirs alone."""


class Observation:
    """What one device sees of others. `arrived` takes what there is to tell."""

    def __init__(
        self, line: Line, subscriptions: Subscriptions, person: Person, arrived: Callable[..., None], *, lync: bool
    ) -> None:
        self._line, self._subscriptions, self._person, self._arrived = line, subscriptions, person, arrived
        self._lync = lync
        self._contacts: dict[str, Observed] = {}

    def known(self, contact: str) -> Observed:
        """What is known of a contact, which may be nothing yet."""
        return self._contacts.setdefault(bare(contact), Observed())

    async def look(self, contact: str) -> None:
        """Subscribe to one contact, which asks them if they have not been asked. Raises ConnectionError."""
        known = self.known(contact)
        known.asked = known.asked or not known.granted
        known.own, code, response = await self._subscriptions.subscribe(
            uri_of(contact),
            EVENT,
            accept=self._accepted,
            headers=self._headers,
            on_notify=lambda state, message: self._one(contact, state, message),
        )

        if not 200 <= code < 300:
            known.own = None
            self._refused(contact, code, response)

    async def look_at_all(self, contacts: Sequence[str]) -> None:
        """Subscribe to a list at once, as Lync's clients do when they sign in, and for each contact that is new.

        Who is on it is not asked by that. Raises ConnectionError.
        """
        uris = tuple(uri_of(contact) for contact in contacts)

        if not uris:
            return

        if len(contacts) == 1 and self._subscriptions.is_open(self.known(contacts[0]).own):
            await self._again(contacts[0])
            return

        made, code, response = await self._subscriptions.subscribe(
            self._person.uri,
            EVENT,
            accept=self._accepted,
            headers=(
                *self._headers,
                ("Require", "adhoclist"),
                ("Content-Type", LIST_TYPE),
            ),
            body=batch.write_batch(self._person.uri, batch.Batch(uris)),
            on_notify=self._many,
        )

        if len(contacts) == 1:
            self.known(contacts[0]).own = made

        for contact in contacts if not 200 <= code < 300 else ():
            self._refused(contact, code, response)

    def expect_nothing(self, contact: str) -> None:
        """From here on what a contact decides, and that they are gone, is no news: it follows from what we do."""
        known = self.known(contact)
        known.granted = known.asked = False
        known.view = {}

    async def look_away(self, contact: str) -> None:
        """End the subscription to one contact. Raises ConnectionError."""
        self.expect_nothing(contact)
        known = self.known(contact)
        own, known.own = known.own, None

        if own is not None:
            await self._subscriptions.end(own)

    async def ask_once(self, contact: str) -> None:
        """Ask for presence without a subscription (RFC 8048 §7); all that it says arrives. Raises ConnectionError."""

        def heard(state: SubscriptionState, message: Message) -> None:
            self.known(contact).view = {}
            self._see(contact, *_content(message))

        _, code, response = await self._subscriptions.subscribe(
            uri_of(contact), EVENT, accept=self._accepted, headers=self._headers, on_notify=heard, expires=0
        )

        if not 200 <= code < 300:
            self._refused(contact, code, response)

    # -- inside

    async def _again(self, contact: str) -> None:
        """A subscription to a list outlives what becomes of those on it: asked anew, it tells everything."""
        own = self.known(contact).own
        assert own is not None
        code, response = await self._subscriptions.refresh(own)

        if not 200 <= code < 300:
            self._refused(contact, code, response)

    @property
    def _accepted(self) -> list[str]:
        return [pidf.MEDIA_TYPE, batch.RLMI_TYPE, "multipart/related"] if self._lync else [pidf.MEDIA_TYPE]

    @property
    def _headers(self) -> tuple[tuple[str, str], ...]:
        return (("Supported", "ms-benotify, eventlist"),) if self._lync else ()

    def _one(self, contact: str, state: SubscriptionState, message: Message) -> None:
        self._heard(contact, state.state, state.reason, *_content(message))

    def _many(self, state: SubscriptionState, message: Message) -> None:
        if state.state == State.TERMINATED and not message.body:
            return

        media_type, _ = message.content_type

        if media_type == pidf.MEDIA_TYPE:
            # Lync's servers may notify of each contact by itself.
            self._about_somebody(message.body)
            return

        try:
            parts = batch.parse_parts(message.header("content-type") or "", message.body) if message.body else []
        except SIPError as error:
            self._line.violated(error)
            return

        for part in parts:
            self._heard(bare(address_of(part.uri)), part.state, part.reason, part.media_type, part.body)

    def _about_somebody(self, body: bytes) -> None:
        try:
            contact = bare(address_of(pidf.parse_presence(body).entity))
        except SIPError as error:
            self._line.violated(error)
            return

        self._heard(contact, State.ACTIVE, "", pidf.MEDIA_TYPE, body)

    def _heard(self, contact: str, state: str, reason: str, media_type: str, body: bytes) -> None:
        """A decision is told before what follows from it; the end after the last words."""
        known = self.known(contact)

        if state == State.ACTIVE:
            self._grant(contact, known)
        elif state == State.TERMINATED and not (known.granted or known.asked):
            # Whom we do not look at any more has nothing to tell.
            return

        self._see(contact, media_type, body)

        if state == State.TERMINATED:
            self._ended(contact, reason)

    def _see(self, contact: str, media_type: str, body: bytes) -> None:
        if not body:
            return

        try:
            if media_type != pidf.MEDIA_TYPE:
                raise SIPError(f"presence as {media_type or 'nothing that is named'}, which nobody has accepted")

            document = pidf.parse_presence(body)
        except SIPError as error:
            self._line.violated(error)
            return

        if bare(address_of(document.entity)) != bare(contact):
            # RFC 8048 §8.2: nobody is shown what is not about whom they asked for.
            self._line.violated(f"presence of {document.entity} for a watcher of {contact}")
            return

        known = self.known(contact)
        now = view_of(bare(contact), document)
        news, known.view = changes(known.view, now, bare(contact)), now

        for fields in news:
            self._arrived(PRESENCE, **fields)

    def _ended(self, contact: str, reason: str) -> None:
        known = self.known(contact)

        if reason == Reason.REJECTED and (known.granted or known.asked):
            known.granted = known.asked = False

            if bare(contact) in self._person.left | self._person.blocked:
                # The person has ended it, perhaps on another device.
                return

            self._arrived(SUBSCRIPTION, **{"from": bare(contact), "type": "unsubscribed"})
        elif reason in CONDITIONS and known.asked:
            # RFC 6665 §4.1.3: who hears "giveup" may try again, and the server does so by itself.
            known.asked = self._lync and reason == Reason.GIVEUP
            conditions = CONDITIONS[Reason(reason)]
            self._arrived(REFUSAL, **{"from": bare(contact), "conditions": conditions, "text": reason})

    def _grant(self, contact: str, known: Observed) -> None:
        if known.asked and not known.granted:
            self._arrived(SUBSCRIPTION, **{"from": bare(contact), "type": "subscribed"})

        known.granted, known.asked = True, False

    def _refused(self, contact: str, code: int, response: Response | None) -> None:
        self.known(contact).asked = False
        self._arrived(REFUSAL, **{"from": bare(contact)}, **refusal_of(code, response))


def refusal_of(code: int, response: Response | None) -> dict[str, Any]:
    """The fields of a refusal that a final response tells."""
    return {
        "code": code,
        "conditions": conditions_behind_code(code),
        "text": response.phrase if response is not None else None,
        "diagnostics": response.header("ms-diagnostics") if response is not None else None,
    }


def _content(message: Message) -> tuple[str, bytes]:
    return message.content_type[0], message.body
