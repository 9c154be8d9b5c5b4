"""Devices that are asked for their user's consent and presence: the subscriber's role (RFC 8048 §5.2, §6.3, §7.1).

Knows what becomes of a device's answers. Does not know what Lync's clients do in its place.

Such a device shows each watcher what it wants to show that one, so what it says goes to the watcher it was said to, and
to nobody else: as directed presence (RFC 6121 §4.6).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from simulator.gateway.contacts.availability import Availability
from simulator.gateway.contacts.home import Blocked, Home
from simulator.gateway.frontend.addressing import uri_of
from simulator.gateway.frontend.dialogs import Dialogs
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.presence.inquiry import Inquiry
from simulator.gateway.frontend.presence.rules import Answer, PresenceRules
from simulator.gateway.frontend.refusal import Refused
from simulator.gateway.frontend.registrar import Binding, Registrar
from simulator.sip import pidf
from simulator.sip.agent import Incoming
from simulator.sip.dialog import Dialog
from simulator.sip.event import (
    Heard,
    Reason,
    State,
    SubscriptionState,
    duration_of,
    event_of,
    heard_of,
    parse_subscription_state,
)
from simulator.sip.identifiers import Identifiers
from simulator.sip.message import Request, Response
from simulator.xmpp import subscription
from simulator.xmpp.address import Address

#: how much of a duration passes before it is refreshed: "sufficiently in advance"
REFRESHED_AFTER = 0.9
#: contacts for whom one device is asked
MOST_INQUIRIES = 1000
#: how often a device may have the shortest duration corrected, or a dialog made anew, before we believe that it cannot
MOST_TRIES = 3


class Devices:
    """All devices that are asked. `has_pending` says whether a device shows its user who waits, by itself."""

    def __init__(
        self,
        rules: PresenceRules,
        *,
        home: Home,
        registrar: Registrar[Flow],
        dialogs: Dialogs,
        identifiers: Identifiers,
        has_pending: Callable[[Flow, Address], bool],
        clock: Callable[[], float],
        log: Callable[[str], None],
    ) -> None:
        self._rules, self._home = rules, home
        self._registrar, self._dialogs, self._identifiers = registrar, dialogs, identifiers
        self._has_pending, self._clock, self._log = has_pending, clock, log
        self._inquiries: dict[Flow, dict[tuple[Address, bool], Inquiry]] = {}
        self._unable: set[tuple[Flow, str]] = set()

    # -- when a device is asked

    def registered(self, user: Address, binding: Binding[Flow]) -> None:
        """A device has come: ask it for whoever waits, and whoever may see the user."""
        self._unable.discard((binding.flow, binding.resource))

        if self._is_asked(user, binding):
            self._home.listen(user, binding.resource, self._clock())
            contacts = (each for each in self._home.contacts(user) if self._concerns(user, each.address))

            for contact in itertools.islice(contacts, MOST_INQUIRIES):
                self._ask(user, contact.address, binding)

    def shows_pending(self, user: Address, flow: Flow) -> None:
        """A device shows its user who waits: it is one of Lync's kind after all, and publishes its presence."""
        for binding in self._registrar.bindings(user):
            if binding.flow is flow:
                self.gone(user, binding)

    def requested(self, user: Address, contact: Address) -> None:
        """A contact asks to be let in."""
        for binding in self._of(user):
            self._ask(user, contact, binding)

    def came(self, user: Address, contact: Address) -> None:
        """RFC 8048 §5.2.2: "whenever the XMPP user initiates a presence session", for those whose dialog has lapsed."""
        if self._concerns(user, contact):
            for binding in self._of(user):
                self._ask(user, contact, binding)

    def withdrawn(self, user: Address, contact: Address) -> None:
        """The contact wants no more: "a SIP SUBSCRIBE request with the Expires header set to a value of zero"."""
        for inquiry in self._about(user, contact):
            inquiry.takes_back()
            self._send(inquiry, 0)

    def probed(self, user: Address, contact: Address) -> bool:
        """Ask every such device once (RFC 8048 §7.1); False: there is none, or the contact may not see the user."""
        if not subscription.is_seen(self._home.contact(user, contact).state):
            return False

        found = self._of(user)

        for binding in found:
            self._ask(user, contact, binding, polls=True)

        return bool(found)

    def flow_closed(self, flow: Flow) -> None:
        """The connection is gone, and with it whatever `gone` has left."""
        self._unable = {each for each in self._unable if each[0] is not flow}

        for inquiry in list(self._inquiries.pop(flow, {}).values()):
            inquiry.hears(Heard.TIMED_OUT)
            self._hide(inquiry)

    def gone(self, user: Address, binding: Binding[Flow]) -> None:
        """A device is no longer registered, or no longer asked."""
        self._home.listen(user, binding.resource, self._clock(), listens=False)

        for inquiry in list(self._inquiries.get(binding.flow, {}).values()):
            if inquiry.user == user and inquiry.device == binding.resource:
                self._drop(inquiry)

    def expire(self, now: float) -> None:
        """Refresh what is about to run out, and forget what has; to be called now and then."""
        for inquiry in [each for found in self._inquiries.values() for each in found.values()]:
            if inquiry.takes_refresh(now) and self._is_refreshed(inquiry):
                inquiry.waits()
                self._send(inquiry, self._rules.expires_asked)
            elif inquiry.ends_at <= now:
                self._drop(inquiry, Heard.TIMED_OUT)

    # -- what a device answers

    def _ask(self, user: Address, contact: Address, binding: Binding[Flow], *, polls: bool = False) -> None:
        found = self._inquiries.setdefault(binding.flow, {})

        if (contact, polls) in found or len(found) >= MOST_INQUIRIES:
            return

        dialog = Dialog.outgoing(
            call_id=self._identifiers.fresh(),
            local_tag=self._identifiers.fresh(),
            local_uri=uri_of(str(contact)),
            remote_uri=uri_of(str(user)),
            target=binding.contact,
        )
        inquiry = Inquiry(
            flow=binding.flow, user=user, contact=contact, device=binding.resource, dialog=dialog, polls=polls
        )
        found[contact, polls] = inquiry
        self._open(inquiry)
        self._send(inquiry, 0 if polls else self._rules.expires_asked)

    def _open(self, inquiry: Inquiry) -> None:
        call_id, local_tag, _ = inquiry.dialog.key
        self._dialogs.open(
            inquiry.flow,
            call_id,
            local_tag=local_tag,
            remote_tag="",
            user=inquiry.user,
            handler=lambda flow, incoming: self._notified(inquiry, flow, incoming),
        )

    def _send(self, inquiry: Inquiry, expires: int) -> None:
        headers = [
            ("Contact", f"<{inquiry.flow.contact}>"),
            ("Event", "presence"),
            ("Accept", pidf.MEDIA_TYPE),
            ("Expires", str(expires)),
        ]
        uri, lines = inquiry.dialog.request("SUBSCRIBE", headers)
        inquiry.flow.request(
            "SUBSCRIBE",
            uri,
            headers=lines,
            on_final=lambda code, response: self._answered(inquiry, expires, code, response),
        )

    def _answered(self, inquiry: Inquiry, asked: int, code: int, response: Response | None) -> None:
        if not inquiry.open:
            return

        match self._rules.answer_of(code):
            case Answer.TAKEN if response is not None:
                inquiry.dialog.confirm(response)
                inquiry.lasts(min(duration_of(response, asked), asked or 0), self._clock(), REFRESHED_AFTER)
            case Answer.REFUSED:
                self._drop(inquiry)
                self._home.refuse(inquiry.user, inquiry.contact, self._clock())
            case Answer.TOO_BRIEF if response is not None and inquiry.tries < MOST_TRIES:
                inquiry.tries += 1
                self._send(inquiry, max(asked, response.integer("min-expires") or self._rules.expires_asked))
            case Answer.GONE if inquiry.dialog.established and not inquiry.ending and inquiry.tries < MOST_TRIES:
                self._again(inquiry)
            case _ if response is not None and inquiry.outlives(code):
                self._log(f"a device of {inquiry.user} did not refresh what it tells {inquiry.contact}: {code}")
            case _:
                # Not asked again before it registers again: whoever answers nothing sensible must not be flooded.
                self._unable.add((inquiry.flow, inquiry.device))
                self._drop(inquiry)

    def _again(self, inquiry: Inquiry) -> None:
        """A new dialog in place of one that the device has lost; what it has shown stays until it says otherwise."""
        call_id, local_tag, _ = inquiry.dialog.key
        self._dialogs.close(inquiry.flow, call_id, local_tag=local_tag, remote_tag="")
        inquiry.tries += 1
        inquiry.dialog = Dialog.outgoing(
            call_id=self._identifiers.fresh(),
            local_tag=self._identifiers.fresh(),
            local_uri=inquiry.dialog.local_uri,
            remote_uri=inquiry.dialog.remote_uri,
            target=inquiry.target,
        )
        self._open(inquiry)
        self._send(inquiry, self._rules.expires_asked)

    def _notified(self, inquiry: Inquiry, flow: Flow, incoming: Incoming) -> None:
        request = incoming.request

        if request.method not in ("NOTIFY", "BENOTIFY") or event_of(request)[0] != "presence":
            raise Refused(481, "")

        state = parse_subscription_state(request.needed("subscription-state"))
        document = self._read(request)
        inquiry.dialog.confirm_by(request)

        if request.method == "NOTIFY":
            flow.answer(incoming, 200, tag=inquiry.dialog.local_tag)

        inquiry.tries = 0
        inquiry.hears(heard_of(state))
        self._take(inquiry, state, document, request.header("content-language") or "")

    def _read(self, request: Request) -> pidf.Presence | None:
        if not request.body:
            return None

        if request.content_type[0] != pidf.MEDIA_TYPE:
            raise Refused(415, "", [("Accept", pidf.MEDIA_TYPE)])

        return pidf.parse_presence(request.body)

    def _take(self, inquiry: Inquiry, state: SubscriptionState, document: pidf.Presence | None, language: str) -> None:
        user, contact, now = inquiry.user, inquiry.contact, self._clock()

        if self._rules.ends_authorization(state):
            self._drop(inquiry)
            self._home.refuse(user, contact, now)
            return

        if self._rules.grants(state) and not inquiry.polls:
            self._grant(inquiry)

        # Of a poll, and of a subscription that lapses, the last word may hold what was asked for.
        if self._rules.shows(state, inquiry.polls) and not inquiry.ending:
            self._show(inquiry, document, language)

        if state.state == State.TERMINATED:
            self._forget(inquiry)

            if not inquiry.polls and not inquiry.ending and state.reason == Reason.DEACTIVATED:
                # RFC 6665 §4.1.3: "the subscriber SHOULD retry immediately with a new subscription".
                self.came(user, contact)
        elif state.expires is not None:
            inquiry.lasts(state.expires, now, REFRESHED_AFTER)

    def _grant(self, inquiry: Inquiry) -> None:
        """§5.2.1: "Upon receiving the first NOTIFY with a state of active" the gateway sends ``subscribed``."""
        if not self._home.contact(inquiry.user, inquiry.contact).waits:
            return

        try:
            closed = self._home.accept(inquiry.user, inquiry.contact, self._clock())
        except Blocked:
            return

        if closed is not None:
            self._log(f"{inquiry.user} may not let {inquiry.contact} in: {closed.reason}")

    def _show(self, inquiry: Inquiry, document: pidf.Presence | None, language: str) -> None:
        # What waits, or was refused on another device, sees nothing whatever this one says.
        if not subscription.is_seen(self._home.contact(inquiry.user, inquiry.contact).state):
            return

        for resource, each in self._rules.resources_of(document, inquiry.device) if document is not None else ():
            try:
                availability = self._rules.availability_of(each, document or pidf.Presence(entity=""), language)
            except ValueError:
                # Neither open nor closed: no news (RFC 3863 has no third value).
                continue

            if availability is not None:
                inquiry.shown[resource] = None
                self._direct(inquiry, resource, availability)
            elif inquiry.shown.pop(resource, "") is None or not inquiry.has_spoken:
                self._direct(inquiry, resource, None)

            inquiry.has_spoken = True

    def _direct(self, inquiry: Inquiry, resource: str, availability: Availability | None) -> None:
        try:
            self._home.direct(inquiry.user, resource, inquiry.contact, availability, self._clock())
        except Blocked:
            return

    # -- which devices, which contacts

    def _is_asked(self, user: Address, binding: Binding[Flow]) -> bool:
        return self._rules.asks_device(binding.methods, self._has_pending(binding.flow, user))

    def _is_refreshed(self, inquiry: Inquiry) -> bool:
        contact = self._home.contact(inquiry.user, inquiry.contact)
        online = bool(self._home.seen(inquiry.user, inquiry.contact))

        return self._rules.refreshes(subscription.sees(contact.state), online)

    def _concerns(self, user: Address, address: Address) -> bool:
        contact = self._home.contact(user, address)

        return not contact.blocked and (contact.waits or subscription.is_seen(contact.state))

    def _of(self, user: Address) -> list[Binding[Flow]]:
        return [
            each
            for each in self._registrar.bindings(user)
            if (each.flow, each.resource) not in self._unable and self._is_asked(user, each)
        ]

    def _about(self, user: Address, contact: Address) -> list[Inquiry]:
        return [
            each
            for binding in self._registrar.bindings(user)
            for each in self._inquiries.get(binding.flow, {}).values()
            if each.user == user and each.contact == contact and not each.polls
        ]

    def _drop(self, inquiry: Inquiry, heard: Heard = Heard.REFUSED) -> None:
        """The device is not asked any more, and what it has shown is taken back."""
        inquiry.hears(heard)
        self._forget(inquiry)
        self._hide(inquiry)

    def _forget(self, inquiry: Inquiry) -> None:
        call_id, local_tag, _ = inquiry.dialog.key
        self._dialogs.close(inquiry.flow, call_id, local_tag=local_tag, remote_tag="")
        found = self._inquiries.get(inquiry.flow, {})
        found.pop((inquiry.contact, inquiry.polls), None)

        if not found:
            self._inquiries.pop(inquiry.flow, None)

    def _hide(self, inquiry: Inquiry) -> None:
        shown, inquiry.shown = inquiry.shown, {}

        for resource in shown:
            self._direct(inquiry, resource, None)
