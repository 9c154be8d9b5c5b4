"""Subscriptions of a user agent (RFC 6665), as their subscriber: made, kept, ended, and heard of by NOTIFY or BENOTIFY.

Knows dialogs and durations. Does not know event packages, nor what a notification says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from simulator.sip.agent import Incoming
from simulator.sip.dialog import Dialog
from simulator.sip.errors import SIPError
from simulator.sip.event import ENDING, State, SubscriptionState, event_of, parse_subscription_state
from simulator.sip.message import HeaderList, Message, Response
from simulator.world.users.sip.line import Line

#: RFC 3856 §6.4; seconds
EXPIRES = 3600
#: A subscription is refreshed when this part of its time is over.
PART = 0.8

#: what a notification says: the state of the subscription, and the message whose body it is
OnNotify = Callable[[SubscriptionState, Message], None]


@dataclass(eq=False)
class Subscription:
    """One subscription; `headers` and `body` are those of each SUBSCRIBE, beside the dialog's."""

    dialog: Dialog
    event: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    on_notify: OnNotify
    state: str = ""
    """What the last notification said, of `State`; empty before the first."""
    ends: bool = False
    """We have asked for its end."""
    ends_at: float = inf
    """When what was granted last is over, on the clock of the event loop; never before it was granted."""
    refresh: asyncio.TimerHandle | None = None
    """The next refresh."""
    expiry: asyncio.TimerHandle | None = None
    """Its end, where no refresh comes before."""
    first: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it was notified, or is over."""


class Subscriptions:
    """All subscriptions on one connection."""

    def __init__(self, line: Line, own_uri: str, contact: str) -> None:
        """`contact` is the value of the Contact header that our requests bear."""
        self._line, self._own_uri, self._contact = line, own_uri, contact
        self._open: list[Subscription] = []

    async def subscribe(
        self,
        uri: str,
        event: str,
        *,
        accept: Sequence[str],
        on_notify: OnNotify,
        headers: HeaderList = (),
        body: bytes = b"",
        expires: int = EXPIRES,
    ) -> tuple[Subscription, int, Response | None]:
        """Subscribe, with 0 `expires` to ask once (RFC 6665 §4.4.3); returns it with the final answer.

        Raises ConnectionError.
        """
        identifiers = self._line.identifiers
        dialog = Dialog.outgoing(
            call_id=identifiers.fresh(),
            local_tag=identifiers.fresh(),
            local_uri=self._own_uri,
            remote_uri=uri,
            target=uri,
        )
        always = (("Event", event), ("Accept", ", ".join(accept)), ("Contact", self._contact), *headers)
        subscription = Subscription(dialog, event, always, body, on_notify, ends=expires == 0)
        # A notification may overtake the answer (§4.4.1).
        self._open.append(subscription)
        code, response = await self._send(subscription, expires, body)

        return subscription, code, response

    def is_open(self, subscription: Subscription | None) -> bool:
        """Whether it can be refreshed."""
        return subscription is not None and subscription in self._open and not subscription.ends

    async def refresh(self, subscription: Subscription) -> tuple[int, Response | None]:
        """Ask for more time, which brings a notification of everything. Raises ConnectionError."""
        return await self._send(subscription, EXPIRES, b"")

    async def end(self, subscription: Subscription) -> None:
        """Unsubscribe (§4.1.2.3); what the last notification says is still heard. Raises ConnectionError."""
        subscription.ends = True
        self._stop(subscription)

        if subscription in self._open:
            await self._send(subscription, 0, b"")

    def notified(self, incoming: Incoming) -> None:
        """Take a NOTIFY or a BENOTIFY, which has no answer."""
        request = incoming.request
        found = next((each for each in self._open if each.dialog.matches(request)), None)
        silent = request.method == "BENOTIFY"

        if found is None or found.event != event_of(request)[0]:
            if not silent:
                # RFC 6665 §4.1.3: one that "matches at least one of its outstanding subscriptions; if not, it MUST
                # return a 481".
                self._line.answer(incoming, 481)

            return

        try:
            found.dialog.confirm_by(request)
            state = parse_subscription_state(request.needed("subscription-state"))
        except SIPError as error:
            self._line.violated(error)

            if not silent:
                self._line.answer(incoming, error.code, phrase=str(error))

            return

        if not silent:
            self._line.answer(incoming, 200, headers=[("Contact", self._contact)])

        self._heard(found, state, request)

    def forget(self) -> None:
        """The connection is gone."""
        for subscription in tuple(self._open):
            self._drop(subscription)

    # -- inside

    async def _send(self, subscription: Subscription, expires: int, body: bytes) -> tuple[int, Response | None]:
        uri, headers = subscription.dialog.request("SUBSCRIBE", [*subscription.headers, ("Expires", str(expires))])
        code, response = await self._line.ask("SUBSCRIBE", uri, headers, body=body)
        self._answered(subscription, expires, code, response)

        return code, response

    def _answered(self, subscription: Subscription, expires: int, code: int, response: Response | None) -> None:
        if response is not None and 200 <= code < 300:
            subscription.dialog.confirm(response)
            granted = response.integer("expires")
            self._granted(subscription, expires if granted is None else granted)

            # Lync's servers may put the first notification into the answer ("ms-piggyback-first-notify").
            if response.body:
                self._heard(subscription, SubscriptionState(State.ACTIVE), response)
        elif response is not None and code not in ENDING and subscription.ends_at != inf:
            self._lasts_as_granted(subscription)
        else:
            # §4.1.2.1: a first SUBSCRIBE that is refused has made no subscription. RFC 3261 §12.2.1.2: where no
            # response at all comes within a dialog, "the UAC SHOULD terminate the dialog".
            self._drop(subscription)

    def _heard(self, subscription: Subscription, state: SubscriptionState, message: Message) -> None:
        subscription.state = state.state

        if state.state == State.TERMINATED:
            self._drop(subscription)
        elif state.expires and subscription.ends_at != inf:
            # §4.1.3: "the subscriber SHOULD take it as the authoritative subscription duration and adjust accordingly".
            # One that overtakes the answer to the first SUBSCRIBE says nothing that the answer will not say.
            self._adjust(subscription, state.expires)

        subscription.on_notify(state, message)
        subscription.first.set()

    def _granted(self, subscription: Subscription, seconds: int) -> None:
        self._stop(subscription)
        subscription.ends_at = asyncio.get_running_loop().time() + seconds

        if seconds:
            self._adjust(subscription, seconds)

    def _adjust(self, subscription: Subscription, seconds: int) -> None:
        """It lasts so long from now; a refresh that is due before stays, or notifications could put it off for ever."""
        if subscription.ends or subscription not in self._open:
            return

        loop = asyncio.get_running_loop()
        subscription.ends_at = loop.time() + seconds
        due = loop.time() + seconds * PART

        if subscription.refresh is None or subscription.refresh.when() > due:
            self._stop(subscription)
            subscription.refresh = loop.call_at(due, self._renew, subscription)

    def _lasts_as_granted(self, subscription: Subscription) -> None:
        """A refresh was refused: unless the next is due anyhow, it ends when what was granted is over."""
        if subscription.refresh is None and subscription in self._open:
            self._stop(subscription)
            loop = asyncio.get_running_loop()
            subscription.expiry = loop.call_at(subscription.ends_at, self._drop, subscription)

    def _renew(self, subscription: Subscription) -> None:
        """Refresh without anybody waiting."""
        subscription.refresh = None
        uri, headers = subscription.dialog.request("SUBSCRIBE", [*subscription.headers, ("Expires", str(EXPIRES))])

        def answered(code: int, response: Response | None) -> None:
            self._answered(subscription, EXPIRES, code, response)

        if self._line.is_open:
            self._line.send("SUBSCRIBE", uri, headers, answered)

    def _stop(self, subscription: Subscription) -> None:
        for timer in (subscription.refresh, subscription.expiry):
            if timer is not None:
                timer.cancel()

        subscription.refresh = subscription.expiry = None

    def _drop(self, subscription: Subscription) -> None:
        self._stop(subscription)

        if subscription in self._open:
            self._open.remove(subscription)

        subscription.first.set()
