"""What devices publish about themselves (RFC 3903).

Knows entity-tags and durations. Does not know subscriptions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.gateway.contacts.home import Home
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.presence.rules import PresenceRules
from simulator.gateway.frontend.presence.translation import own_tuple
from simulator.gateway.frontend.refusal import Refused
from simulator.sip import pidf
from simulator.sip.agent import Incoming
from simulator.sip.event import parse_event
from simulator.sip.identifiers import Identifiers
from simulator.sip.message import Request
from simulator.xmpp.address import Address


@dataclass(slots=True)
class Publication:
    """What one device has published, for as long as it counts."""

    tag: str
    ends_at: float


class Publications:
    """All publications, one for each device. `duration` gives the seconds that a request is granted."""

    def __init__(
        self,
        rules: PresenceRules,
        *,
        home: Home,
        duration: Callable[[Request], int],
        identifiers: Identifiers,
        clock: Callable[[], float],
    ) -> None:
        self._rules, self._home, self._duration = rules, home, duration
        self._identifiers, self._clock = identifiers, clock
        self._published: dict[tuple[Address, str], Publication] = {}

    def __contains__(self, device: tuple[Address, str]) -> bool:
        return device in self._published

    def publish(self, flow: Flow, incoming: Incoming, user: Address, device: str) -> None:
        """Take a PUBLISH (§6); raises SIPError."""
        request = incoming.request

        if parse_event(request.header("event") or "")[0] != "presence":
            raise Refused(489, "", [("Allow-Events", "presence")])

        # §6 step 3: "the ESC MUST respond with a 412".
        given = request.header("sip-if-match")
        current = self._published.get((user, device))

        if given is not None and (current is None or not self._rules.tag_matches(given.strip(), current.tag)):
            raise Refused(412, "")

        expires = self._duration(request)
        document = self._read(request, is_initial=given is None)

        if expires == 0:
            self.end(user, device)
        else:
            self._published[user, device] = Publication(self._identifiers.fresh(), self._clock() + expires)

            if document is not None:
                self._show(user, device, request, document)

        tag = self._published[user, device].tag if expires else self._identifiers.fresh()
        flow.answer(incoming, 200, headers=[("Expires", str(expires)), ("SIP-ETag", tag)])

    def end(self, user: Address, device: str) -> None:
        """The publication counts no longer, and the device is not available."""
        if self._published.pop((user, device), None) is not None:
            self._home.unavailable(user, device, None, self._clock())

    def expire(self, now: float) -> None:
        """End what has run out; to be called now and then."""
        for user, device in [key for key, each in self._published.items() if each.ends_at <= now]:
            self.end(user, device)

    def _read(self, request: Request, *, is_initial: bool) -> pidf.Presence | None:
        if not request.body:
            # §4.1: an initial publication "MUST contain a body"; one that refreshes or removes need not.
            if is_initial and request.integer("expires") != 0:
                raise Refused(400, "A first publication has a body")

            return None

        media_type, _ = request.content_type

        if media_type != pidf.MEDIA_TYPE:
            raise Refused(415, f"{media_type} is not understood", [("Accept", pidf.MEDIA_TYPE)])

        return pidf.parse_presence(request.body)

    def _show(self, user: Address, device: str, request: Request, document: pidf.Presence) -> None:
        own = own_tuple(document)
        language = request.header("content-language") or ""

        if own is None:
            return

        try:
            availability = self._rules.availability_of(own, document, language)
        except ValueError:
            # Neither open nor closed: no news.
            return

        if availability is None:
            last = self._rules.last_words_of(own, document, language)
            self._home.unavailable(user, device, last, self._clock())
        else:
            self._home.available(user, device, availability, self._clock())
