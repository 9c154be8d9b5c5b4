"""Subscriptions of users (RFC 6665 §4.2): taken, refreshed, notified, ended.

Knows dialogs and durations. Does not know what is notified: that is a package's business.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from simulator.gateway.frontend.dialogs import Dialogs
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.presence.rules import PresenceRules
from simulator.gateway.frontend.refusal import Refused
from simulator.sip.agent import Incoming
from simulator.sip.dialog import Dialog
from simulator.sip.event import (
    Decided,
    IntervalTooBrief,
    Life,
    Reason,
    State,
    SubscriptionState,
    duration_of,
    event_of,
    next_as_notifier,
    parse_event,
)
from simulator.sip.identifiers import Identifiers
from simulator.sip.message import HeaderList, Request, Response
from simulator.xmpp.address import Address


@dataclass(eq=False, kw_only=True, slots=True)
class Watch:
    """One subscription of one device."""

    flow: Flow
    user: Address
    """Bare."""
    device: str
    """The resource."""
    package: Package
    dialog: Dialog
    event: str
    """The Event header, as the subscriber wrote it."""
    ends_at: float
    unanswered: bool
    """Whether notifications are BENOTIFY, which have no response."""
    contacts: dict[Address, str] = field(default_factory=dict)
    """Bare addresses, and the URIs by which the subscriber named them."""
    batched: bool = False
    polls: bool = False
    """It asked once, and is over with its answer."""
    version: int = 0
    """Of the next document, where documents are counted."""
    told: dict[Address, State] = field(default_factory=dict)
    """What the subscriber was last told of its authorization, by contact."""
    life: Life = Life.WAITING

    @property
    def open(self) -> bool:
        """Whether the subscription is not over."""
        return self.life is not Life.TERMINATED


class Package(Protocol):
    """An event package."""

    def read(self, request: Request) -> Any:
        """What the body of a SUBSCRIBE asks for; raises SIPError before anything is changed."""

    def renewed(self, watch: Watch, asked: Any) -> None:
        """The subscription was refreshed; `asked` comes from `read`."""

    def ended(self, watch: Watch, unsubscribed: bool) -> None:
        """The subscriber wants no more, or the subscription ran out: say the last word (`Watches.finish`)."""

    def forget(self, watch: Watch) -> None:
        """The subscription is over, and nobody listens any more."""


class Watches:
    """All subscriptions of users."""

    def __init__(
        self,
        rules: PresenceRules,
        *,
        dialogs: Dialogs,
        identifiers: Identifiers,
        shortest: float,
        clock: Callable[[], float],
    ) -> None:
        self._rules, self._dialogs, self._identifiers = rules, dialogs, identifiers
        self._shortest, self._clock = shortest, clock
        self._by_flow: dict[Flow, dict[Watch, None]] = {}
        self._deadlines: list[tuple[float, int, Watch]] = []
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return sum(map(len, self._by_flow.values()))

    def of_flow(self, flow: Flow) -> list[Watch]:
        """The subscriptions over one connection."""
        return list(self._by_flow.get(flow, ()))

    def duration(self, request: Request) -> int:
        """The seconds that a SUBSCRIBE or PUBLISH is granted; raises Refused (423)."""
        try:
            return self._rules.expires_for(duration_of(request), self._shortest)
        except IntervalTooBrief as error:
            raise Refused(423, str(error), [("Min-Expires", str(error.shortest))]) from None

    def begin(
        self, flow: Flow, incoming: Incoming, *, user: Address, device: str, package: Package, expires: int
    ) -> Watch:
        """Accept a SUBSCRIBE: answer it and open its dialog. `expires` 0 is a poll. Raises SIPError."""
        request = incoming.request

        if len(self._by_flow.get(flow, ())) >= self._rules.most_subscriptions:
            raise Refused(500, "Too many subscriptions on this connection")

        watch = Watch(
            flow=flow,
            user=user,
            device=device,
            package=package,
            dialog=Dialog.incoming(request, self._identifiers.fresh()),
            event=request.needed("event"),
            ends_at=self._clock() + expires,
            unanswered=self._rules.notifies_without_answer([each.lower() for each in request.values("supported")]),
            polls=expires == 0,
        )
        self._by_flow.setdefault(flow, {})[watch] = None
        call_id, local_tag, remote_tag = watch.dialog.key
        self._dialogs.open(
            flow,
            call_id,
            local_tag=local_tag,
            remote_tag=remote_tag,
            user=user,
            handler=lambda flow, incoming: self._within(watch, flow, incoming),
        )
        self._answer(watch, flow, incoming, expires)
        self._await_end(watch)

        return watch

    def wait_until(self, watch: Watch, deadline: float) -> None:
        """Move the end of a subscription, e.g. of a poll that waits for its answer."""
        watch.ends_at = deadline
        self._await_end(watch)

    def notify(
        self, watch: Watch, state: str, *, media_type: str = "", body: bytes = b"", headers: HeaderList = ()
    ) -> None:
        """Tell the subscriber; `state` is ``active`` or ``pending``. The body may be empty."""
        decided = Decided.GRANTED if state == State.ACTIVE else Decided.UNDECIDED
        watch.life = next_as_notifier(watch.life, decided)
        remaining = max(0, round(watch.ends_at - self._clock()))
        self._send(watch, SubscriptionState(state, expires=remaining), media_type, body, headers)

    def finish(
        self,
        watch: Watch,
        state: SubscriptionState,
        *,
        media_type: str = "",
        body: bytes = b"",
        headers: HeaderList = (),
    ) -> None:
        """Tell the subscriber that it is over, and forget it."""
        self._send(watch, state, media_type, body, headers)
        self._drop(watch, Decided.ENDED)

    def close(self) -> None:
        """End everything: RFC 6665 §4.1.3, "the subscriber SHOULD retry immediately with a new subscription"."""
        for watch in [watch for watches in tuple(self._by_flow.values()) for watch in watches]:
            self.finish(watch, SubscriptionState(State.TERMINATED, reason=Reason.DEACTIVATED))

    def expire(self, now: float) -> None:
        """End what has run out; to be called now and then."""
        while self._deadlines and self._deadlines[0][0] <= now:
            _, _, watch = heapq.heappop(self._deadlines)

            # A refresh has left the old deadline behind.
            if watch.open and watch.ends_at <= now:
                watch.package.ended(watch, unsubscribed=False)

    def flow_closed(self, flow: Flow) -> None:
        """The connection is gone, and with it whoever listened."""
        for watch in self.of_flow(flow):
            self._drop(watch, Decided.NOTIFY_FAILED)

    def _within(self, watch: Watch, flow: Flow, incoming: Incoming) -> None:
        request = incoming.request
        watch.dialog.receive(request)

        if request.method != "SUBSCRIBE" or event_of(request) != parse_event(watch.event):
            # RFC 6665 §8.2.1: package and id make the subscription within a dialog.
            raise Refused(481, "")

        asked, expires = watch.package.read(request), self.duration(request)
        watch.ends_at = self._clock() + expires
        self._answer(watch, flow, incoming, expires)

        if expires == 0:
            watch.package.ended(watch, unsubscribed=True)
        else:
            self._await_end(watch)
            watch.package.renewed(watch, asked)

    def _answer(self, watch: Watch, flow: Flow, incoming: Incoming, expires: int) -> None:
        headers = [("Contact", f"<{watch.flow.contact}>"), ("Expires", str(expires))]

        # [MS-SIP] §4.4: by this the subscriber learns that BENOTIFY will come.
        if watch.unanswered:
            headers.append(("Supported", "ms-benotify"))

        flow.answer(incoming, 200, headers=headers, tag=watch.dialog.local_tag)

    def _await_end(self, watch: Watch) -> None:
        heapq.heappush(self._deadlines, (watch.ends_at, next(self._numbers), watch))

    def _send(self, watch: Watch, state: SubscriptionState, media_type: str, body: bytes, headers: HeaderList) -> None:
        method = "BENOTIFY" if watch.unanswered else "NOTIFY"
        uri, lines = watch.dialog.request(
            method,
            [
                ("Contact", f"<{watch.flow.contact}>"),
                ("Event", watch.event),
                ("Subscription-State", str(state)),
                *([("Content-Type", media_type)] if body else []),
                *headers,
            ],
        )

        def final(code: int, response: Response | None) -> None:
            if watch.open and self._rules.notify_failure_ends(code):
                self._drop(watch, Decided.NOTIFY_FAILED)

        # Whoever does not read misses a change, and must not believe that there was none.
        if watch.flow.congested:
            self._drop(watch, Decided.NOTIFY_FAILED)
            return

        watch.flow.request(method, uri, headers=lines, body=body, on_final=None if watch.unanswered else final)

    def _drop(self, watch: Watch, decided: Decided) -> None:
        if not watch.open:
            return

        watch.life = next_as_notifier(watch.life, decided)
        found = self._by_flow.get(watch.flow, {})
        found.pop(watch, None)

        if not found:
            self._by_flow.pop(watch.flow, None)

        call_id, local_tag, remote_tag = watch.dialog.key
        self._dialogs.close(watch.flow, call_id, local_tag=local_tag, remote_tag=remote_tag)
        watch.package.forget(watch)
