"""MESSAGE outside of dialogs: on its way out (RFC 7572 §5) or to a colleague.

Knows how a message is answered, and which still waits for the edge. Does not know connections or XML.

A MESSAGE is answered when its fate is known: 200 when the edge wrote the stanza to an authenticated stream, the mapped
error when it came back, 408 when neither happened in time, 500 when the link is down. RFC 4320 §4.2 warns of a 408 to
a non-INVITE request because it comes when the client has given up already; ours leaves before that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from simulator.gateway.configuration import Configuration
from simulator.gateway.frontend.bounce import Bounce, read_bounce
from simulator.gateway.frontend.delivery import MAX_FORWARDS, Delivery, Letter
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.parties import Parties, uri_or_refused
from simulator.gateway.frontend.refusal import Refused, phrase
from simulator.gateway.frontend.registrar import Registrar
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.gateway.link import LinkDown
from simulator.sip.agent import Incoming
from simulator.sip.identifiers import Identifiers
from simulator.sip.message import HeaderList, Response
from simulator.sip.transaction import Waiting
from simulator.xmpp.address import Address

#: how much of the client's own patience (Timer F) we use up
PATIENCE = 0.9

#: headers that a colleague gets as they were written
_RELAYED = ("content-type", "content-language", "content-encoding", "content-disposition", "subject", "date", "expires")


@dataclass(frozen=True, slots=True)
class Pending:
    """A MESSAGE that waits for the edge."""

    flow: Flow
    incoming: Incoming
    to: Address


class Messages:
    """Messages of users. `send` puts a stanza on the link, or raises LinkDown."""

    def __init__(
        self,
        configuration: Configuration,
        rules: FrontEndRules,
        *,
        parties: Parties,
        registrar: Registrar[Flow],
        delivery: Delivery,
        identifiers: Identifiers,
        send: Callable[[Element], None],
        clock: Callable[[], float],
        log: Callable[[str], None],
    ) -> None:
        self._configuration, self._rules, self._parties = configuration, rules, parties
        self._registrar, self._delivery, self._identifiers = registrar, delivery, identifiers
        self._send, self._clock, self._log = send, clock, log
        self._pending: Waiting[str, Pending] = Waiting(configuration.frontend.transaction_timeout * PATIENCE)

    def handle(self, flow: Flow, incoming: Incoming) -> None:
        """Pass a MESSAGE on; raises SIPError."""
        request = incoming.request
        sender = self._parties.sender(flow, request)
        forwards = request.integer("max-forwards")

        if forwards == 0:
            raise Refused(483, "")

        recipient = self._parties.recipient(flow, request)

        if self._parties.is_outside(request, recipient):
            self._parties.admit(sender, recipient)
            self._send_out(flow, incoming, sender, recipient)
        else:
            self._relay(flow, incoming, sender, recipient, MAX_FORWARDS if forwards is None else forwards - 1)

    def handed_over(self, ids: Iterable[str]) -> None:
        """The edge wrote these stanzas to an authenticated stream."""
        for name in ids:
            pending = self._pending.take(name)

            if pending is not None:
                pending.flow.answer(pending.incoming, self._rules.success_code)

    def bounced(self, stanza: Element) -> None:
        """An error stanza for one of our users. What comes after the 200 has no carrier in SIP, and is logged."""
        name, bounce = stanza.get("id", ""), read_bounce(stanza)
        pending = self._pending.get(name)

        # Only who was written to may say that it failed: an id is no secret.
        if pending is None or bounce.sender is None or bounce.sender.bare != pending.to.bare:
            self._log(f"an error for {stanza.get('to')} from {stanza.get('from')} has no request: {bounce.condition}")
            return

        self._pending.take(name)
        code = self._rules.code_for_error(
            bounce.condition, full=bool(pending.to.resource), new_address=bounce.new_address
        )
        pending.flow.answer(pending.incoming, code, phrase=phrase(bounce.text), headers=_headers_of_error(code, bounce))

    def link_lost(self) -> None:
        """The link went down: what became of the waiting messages cannot be learned any more."""
        if self._rules.answers_when_link_is_down:
            self._give_up([pending for _, pending in self._pending.take_all()], 500, "The link to the edge is down")

    def expire(self, now: float) -> None:
        """Answer what has waited too long; to be called now and then."""
        self._give_up([pending for _, pending in self._pending.take_expired(now)], 408, "")

    def _give_up(self, abandoned: list[Pending], code: int, text: str) -> None:
        for pending in abandoned:
            pending.flow.answer(pending.incoming, code, phrase=text)

    def _send_out(self, flow: Flow, incoming: Incoming, sender: Address, recipient: Address) -> None:
        name = self._rules.id_of(incoming.request.via.branch)

        # Two user agents may choose the same branch, and spaces would break the edge's report.
        if name in self._pending or not name or any(map(str.isspace, name)):
            name = self._identifiers.fresh()

        stanza = self._rules.stanza_of(
            incoming.request, sender=str(sender), to=str(recipient), id=name, readable=self._rules.readable
        )

        try:
            self._send(stanza)
        except LinkDown as error:
            if self._rules.answers_when_link_is_down:
                raise Refused(500, str(error)) from None

            return

        if self._rules.waits_for_edge:
            self._pending.add(name, Pending(flow, incoming, recipient), self._clock())
        else:
            flow.answer(incoming, self._rules.success_code)

    def _relay(self, flow: Flow, incoming: Incoming, sender: Address, recipient: Address, forwards: int) -> None:
        """From one user inside to another: no XMPP is involved, the body passes as it is."""
        bindings = self._registrar.bindings(recipient.bare)

        if self._configuration.user(str(recipient.bare)) is None:
            raise Refused(404, "")

        if not bindings:
            raise Refused(480, "")

        request = incoming.request
        headers = [(name.title(), request.headers[name][0]) for name in _RELAYED if name in request.headers]
        letter = Letter(
            sender=uri_or_refused(sender),
            to=uri_or_refused(recipient),
            body=request.body,
            headers=tuple(headers),
            call_id=request.call_id,
            carried=self._rules.id_of(request.via.branch),
            max_forwards=forwards,
        )

        def final(code: int, response: Response | None) -> None:
            flow.answer(incoming, code, phrase=phrase(response.phrase) if response else "")

        self._delivery.deliver(letter, bindings, final)


def _headers_of_error(code: int, bounce: Bounce) -> HeaderList:
    if code in (301, 302) and bounce.new_address:
        return [("Contact", f"<{bounce.new_address}>")]

    # RFC 3261 §21.4.6: a 405 MUST say what is allowed; of a resource outside we know nothing that is.
    return [("Allow", "")] if code == 405 else []
