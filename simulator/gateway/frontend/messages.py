"""MESSAGE outside of dialogs: on its way out (RFC 7572 §5) or to a colleague.

Knows how a message is answered, and which still waits for the edge. Does not know connections or XML.

A MESSAGE is answered when its fate is known: 200 when the edge wrote the stanza to an authenticated stream, the mapped
error when it came back, 408 when neither happened in time, 500 when the link is down. RFC 4320 §4.2 warns of a 408 to
a non-INVITE request because it comes when the client has given up already; ours leaves before that.
"""

from __future__ import annotations

from simulator.gateway.configuration import Configuration
from simulator.gateway.frontend.delivery import MAX_FORWARDS, Delivery, Letter
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.outbox import Fate, Outbox
from simulator.gateway.frontend.parties import Parties, uri_or_refused
from simulator.gateway.frontend.refusal import Refused, phrase
from simulator.gateway.frontend.registrar import Registrar
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.sip.agent import Incoming
from simulator.sip.message import Response
from simulator.xmpp.address import Address

#: headers that a colleague gets as they were written
_RELAYED = ("content-type", "content-language", "content-encoding", "content-disposition", "subject", "date", "expires")


class Messages:
    """Serves MESSAGE."""

    def __init__(
        self,
        configuration: Configuration,
        rules: FrontEndRules,
        *,
        parties: Parties,
        registrar: Registrar[Flow],
        delivery: Delivery,
        outbox: Outbox,
    ) -> None:
        self._configuration, self._rules, self._parties = configuration, rules, parties
        self._registrar, self._delivery, self._outbox = registrar, delivery, outbox

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

    def _send_out(self, flow: Flow, incoming: Incoming, sender: Address, recipient: Address) -> None:
        stanza = self._rules.stanza_of(
            incoming.request,
            sender=str(sender),
            to=str(recipient),
            id=self._outbox.name(self._rules.id_of(incoming.request.via.branch)),
            readable=self._rules.readable,
        )

        def answer(fate: Fate) -> None:
            flow.answer(incoming, fate.code, phrase=fate.phrase, headers=fate.headers)

        self._outbox.post(stanza, recipient, answer)

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
