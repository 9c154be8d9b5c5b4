"""The presence agent: SUBSCRIBE, PUBLISH and SERVICE of users, and what the home has to tell their devices.

Knows who serves which request and who hears which notice. Does not know what they do.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from simulator.gateway.configuration import Configuration
from simulator.gateway.contacts.home import Blocked, Home
from simulator.gateway.contacts.notices import (
    Answered,
    Failed,
    Granted,
    Listed,
    Notice,
    Requested,
    Seen,
    Unlisted,
    Withdrawn,
)
from simulator.gateway.contacts.store import StoreError
from simulator.gateway.frontend.addressing import uri_of
from simulator.gateway.frontend.dialogs import Handler
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.outward import Dispatcher
from simulator.gateway.frontend.parties import Parties
from simulator.gateway.frontend.presence.devices import Devices
from simulator.gateway.frontend.presence.lists import PendingList, RoamingContacts
from simulator.gateway.frontend.presence.publications import Publications
from simulator.gateway.frontend.presence.service import ContactService
from simulator.gateway.frontend.presence.watch import Watches
from simulator.gateway.frontend.presence.watching import Watching
from simulator.gateway.frontend.refusal import Refused
from simulator.gateway.frontend.registrar import Binding, Registrar
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.sip import contact_service
from simulator.sip.agent import Incoming
from simulator.sip.event import parse_event
from simulator.sip.identifiers import Identifiers
from simulator.sip.transaction import TIMER_F
from simulator.sip.uri import parse_uri
from simulator.xmpp.address import Address, AddressError, parse_address

#: how much of a client's patience (Timer N is as long as Timer F) the answer to a poll may use up
PATIENCE = 0.5

_PRESENCE, _PENDING, _CONTACTS = "presence", "presence.wpending", contact_service.EVENT
ALLOW_EVENTS = ("Allow-Events", f"{_PRESENCE}, {_PENDING}, {_CONTACTS}")


class PresenceAgent:
    """Serves its methods with `dispatcher`, and hears of devices from `registrar`."""

    def __init__(
        self,
        configuration: Configuration,
        rules: FrontEndRules,
        *,
        home: Home,
        dispatcher: Dispatcher,
        parties: Parties,
        registrar: Registrar[Flow],
        identifiers: Identifiers,
        clock: Callable[[], float],
        log: Callable[[str], None],
    ) -> None:
        frontend, own = configuration.frontend, rules.presence
        self._configuration, self._rules, self._parties = configuration, rules, parties
        self._home, self._clock, self._log = home, clock, log
        self._watches = Watches(
            own,
            dialogs=dispatcher.dialogs,
            identifiers=identifiers,
            shortest=frontend.shortest_subscription,
            clock=clock,
        )
        self._watching = Watching(
            own,
            home=home,
            watches=self._watches,
            parties=parties,
            contact_of=self._contact_of,
            identifiers=identifiers,
            patience=min(frontend.transaction_timeout, TIMER_F) * PATIENCE,
            clock=clock,
        )
        self._pending = PendingList(own, home, self._watches)
        self._contacts = RoamingContacts(own, home, self._watches)
        self._publications = Publications(
            own, home=home, duration=self._watches.duration, identifiers=identifiers, clock=clock
        )
        self._service = ContactService(
            own,
            home=home,
            parties=parties,
            contacts=self._contacts,
            pending=self._pending,
            contact_of=self._contact_of,
            clock=clock,
        )
        self._devices = Devices(
            own,
            home=home,
            registrar=registrar,
            dialogs=dispatcher.dialogs,
            identifiers=identifiers,
            has_pending=self._pending.has,
            clock=clock,
            log=log,
        )
        registrar.on_new = self._devices.registered
        registrar.on_gone = self._device_gone

        for method, handler in (("SUBSCRIBE", self._subscribe), ("PUBLISH", self._publish), ("SERVICE", self._serve)):
            dispatcher.serve(method, _guarded(handler))

        for method in ("NOTIFY", "BENOTIFY"):
            dispatcher.serve(method, self._strange)

    def tell(self, notice: Notice) -> None:
        """Take what the home has to say (`Home.tell`)."""
        match notice:
            case Requested():
                self._pending.changed(notice.user, notice.device)
                self._devices.requested(notice.user, notice.contact)
            case Granted():
                self._devices.requested(notice.user, notice.contact)
            case Withdrawn():
                self._pending.changed(notice.user)
                self._devices.withdrawn(notice.user, notice.contact)
            case Answered():
                self._watching.answered(notice)
            case Seen():
                self._watching.seen(notice)

                if notice.availability is not None:
                    self._devices.came(notice.user, notice.contact)
            case Listed():
                self._contacts.listed(notice)
                self._watching.listed(notice)
                self._pending.changed(notice.user)
            case Unlisted():
                self._contacts.unlisted(notice)
                self._watching.unlisted(notice)
                self._pending.changed(notice.user)
            case Failed():
                self._watching.failed(notice)

    def receive(self, presence: Element) -> None:
        """Take a presence of a partner's user. A probe that a device can answer goes to it (RFC 8048 §7.1).

        Somebody whose address has no SIP URI cannot be shown to anybody here: that is as if there were nobody.
        """
        try:
            uri_of(presence.get("from", "").partition("/")[0])
        except AddressError as error:
            self._log(f"a presence of {presence.get('from')} was dropped: {error}")
            return

        if presence.get("type") != "probe" or not self._is_asked_on(presence):
            self._home.receive(presence, self._clock())

    def priority_of(self, user: Address, binding: Binding[Flow]) -> int | None:
        """The priority that a device of a user (bare) publishes, or None where it publishes that it is not available.

        Of a device that publishes nothing its registration is all there is: it counts as available, with priority 0.
        """
        shown = self._home.own(user).get(binding.resource)

        if shown is not None:
            return shown.priority

        return None if (user, binding.resource) in self._publications else 0

    def flow_closed(self, flow: Flow) -> None:
        """A connection is gone."""
        self._watches.flow_closed(flow)
        self._devices.flow_closed(flow)

    def close(self) -> None:
        """Nobody will be told anything any more."""
        self._watches.close()

    def expire(self, now: float) -> None:
        """Do what is due; to be called now and then."""
        self._watches.expire(now)
        self._publications.expire(now)
        self._devices.expire(now)

    def _subscribe(self, flow: Flow, incoming: Incoming) -> None:
        package = parse_event(incoming.request.header("event") or "")[0]
        serve = {
            _PRESENCE: self._watching.subscribe,
            _PENDING: self._pending.subscribe,
            _CONTACTS: self._contacts.subscribe,
        }.get(package)

        # RFC 6665 §4.2.1.1: an unknown package MUST be answered 489; §8.2.2: with what is known.
        if serve is None:
            raise Refused(489, "", [ALLOW_EVENTS])

        user, device = self._device(flow, incoming)

        if package != _PRESENCE:
            self._check_own(flow, incoming, user)

        serve(flow, incoming, user, device)

        if package == _PENDING:
            self._devices.shows_pending(user, flow)

    def _publish(self, flow: Flow, incoming: Incoming) -> None:
        user, device = self._device(flow, incoming)
        self._check_own(flow, incoming, user)
        self._publications.publish(flow, incoming, user, device)

    def _serve(self, flow: Flow, incoming: Incoming) -> None:
        user, _ = self._device(flow, incoming)
        self._service.serve(flow, incoming, user)

    def _is_asked_on(self, probe: Element) -> bool:
        try:
            user, contact = (parse_address(probe.get(name, "")).bare for name in ("to", "from"))
        except AddressError:
            return False

        return self._devices.probed(user, contact)

    def _strange(self, flow: Flow, incoming: Incoming) -> None:
        raise Refused(481, "")

    def _device(self, flow: Flow, incoming: Incoming) -> tuple[Address, str]:
        user = self._parties.sender(flow, incoming.request).bare
        binding = self._parties.binding(flow, user)

        return user, binding.resource if binding is not None else ""

    def _check_own(self, flow: Flow, incoming: Incoming, user: Address) -> None:
        if self._parties.recipient(flow, incoming.request).bare != user:
            raise Refused(403, "That is nobody else's business")

    def _contact_of(self, uri: str) -> Address:
        contact = self._rules.address_of(uri).bare

        if parse_uri(uri).scheme == "sips":
            raise Refused(416, "XMPP cannot promise TLS on every hop, as sips: demands")

        if not contact.local or self._configuration.serves(contact.domain):
            raise Refused(404, "Only contacts outside are known here")

        return contact

    def _device_gone(self, user: Address, binding: Binding[Flow]) -> None:
        self._devices.gone(user, binding)

        if self._rules.presence.ends_with_device:
            self._publications.end(user, binding.resource)


def _guarded(handler: Handler) -> Handler:
    """What the home cannot do becomes a refusal."""

    def guarded(flow: Flow, incoming: Incoming) -> None:
        try:
            handler(flow, incoming)
        except Blocked:
            raise Refused(403, "You have blocked this contact") from None
        except StoreError as error:
            raise Refused(500, str(error)) from None

    return guarded
