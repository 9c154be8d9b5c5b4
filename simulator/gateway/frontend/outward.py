"""Requests of users inside: registration, and messages on their way out (RFC 7572 §5) or to a colleague.

Knows which request is answered how, and which message still waits for the edge. Does not know connections or XML.

A MESSAGE is answered when its fate is known: 200 when the edge wrote the stanza to an authenticated stream, the mapped
error when it came back, 408 when neither happened in time, 500 when the link is down. RFC 4320 §4.2 warns of a 408 to
a non-INVITE request because it comes when the client has given up already; ours leaves before that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from simulator.gateway.configuration import Configuration
from simulator.gateway.frontend.addressing import uri_of
from simulator.gateway.frontend.bounce import Bounce, read_bounce
from simulator.gateway.frontend.delivery import MAX_FORWARDS, Delivery, Letter
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.registrar import Registrar
from simulator.gateway.frontend.rules import METHODS, FrontEndRules
from simulator.gateway.frontend.translation import UnsupportedMedia
from simulator.gateway.link import LinkDown
from simulator.sip.agent import Incoming
from simulator.sip.errors import SIPError
from simulator.sip.identifiers import Identifiers
from simulator.sip.message import HeaderList, Request, Response
from simulator.sip.transaction import Waiting
from simulator.sip.uri import parse_uri
from simulator.xmpp.address import Address, AddressError

#: how much of the client's own patience (Timer F) we use up
PATIENCE = 0.9

ALLOW = ("Allow", ", ".join(METHODS))
#: headers that a colleague gets as they were written
_RELAYED = ("content-type", "content-language", "content-encoding", "content-disposition", "subject", "date", "expires")


class Refused(SIPError):  # noqa: N818 - says what happened
    """A request that is understood and not carried out."""

    def __init__(self, code: int, text: str, headers: HeaderList = ()) -> None:
        self.code, self.headers = code, headers
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Pending:
    """A MESSAGE that waits for the edge."""

    flow: Flow
    incoming: Incoming
    to: Address


class Outward:
    """What users ask for. `send` puts a stanza on the link, or raises LinkDown."""

    def __init__(
        self,
        configuration: Configuration,
        rules: FrontEndRules,
        *,
        registrar: Registrar[Flow],
        delivery: Delivery,
        identifiers: Identifiers,
        send: Callable[[Element], None],
        clock: Callable[[], float],
        log: Callable[[str], None],
    ) -> None:
        self._configuration, self._rules = configuration, rules
        self._registrar, self._delivery, self._identifiers = registrar, delivery, identifiers
        self._send, self._clock, self._log = send, clock, log
        self._pending: Waiting[str, Pending] = Waiting(configuration.frontend.transaction_timeout * PATIENCE)

    def handle(self, flow: Flow, incoming: Incoming) -> None:
        """Carry out a request, or refuse it."""
        try:
            self._serve(flow, incoming)
        except SIPError as error:
            headers = error.headers if isinstance(error, Refused) else ()

            if isinstance(error, UnsupportedMedia):
                # RFC 3261 §21.4.13: "The server MUST return a list of acceptable formats using the Accept [...]".
                headers = [("Accept", ", ".join(self._rules.readable)), ("Accept-Encoding", "identity")]

            flow.answer(incoming, error.code, phrase=_phrase(str(error)), headers=headers)

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
        pending.flow.answer(
            pending.incoming, code, phrase=_phrase(bounce.text), headers=_headers_of_error(code, bounce)
        )

    def link_lost(self) -> None:
        """The link went down: what became of the waiting messages cannot be learned any more."""
        if self._rules.answers_when_link_is_down:
            self._give_up([pending for _, pending in self._pending.take_all()], 500, "The link to the edge is down")

    def expire(self, now: float) -> None:
        """Answer what has waited too long; to be called now and then."""
        self._give_up([pending for _, pending in self._pending.take_expired(now)], 408, "")

    def _give_up(self, abandoned: list[Pending], code: int, phrase: str) -> None:
        for pending in abandoned:
            pending.flow.answer(pending.incoming, code, phrase=phrase)

    def _serve(self, flow: Flow, incoming: Incoming) -> None:
        request = incoming.request
        refusal = self._rules.code_for_method(request.method)

        if refusal:
            # RFC 3261 §21.4.6: "The response MUST include an Allow header field".
            raise Refused(refusal, "", [ALLOW] if refusal == 405 else [])

        # §8.2.2.3: an extension that is required and not understood is answered 420, naming it.
        required = request.values("require")

        if required:
            raise Refused(420, "", [("Unsupported", ", ".join(required))])

        if request.method == "REGISTER":
            self._register(flow, incoming)
        elif request.method == "OPTIONS":
            accept = ("Accept", ", ".join(self._rules.readable))
            flow.answer(incoming, 200, headers=[ALLOW, accept, ("Accept-Encoding", "identity")])
        else:
            self._message(flow, incoming)

    def _register(self, flow: Flow, incoming: Incoming) -> None:
        request = incoming.request
        user = self._rules.address_of(request.to.uri).bare

        # §10.3 steps 3 to 5: whoever asks must be allowed to, and the address-of-record must be in our domain.
        if self._rules.address_of(request.sender.uri).bare != user:
            raise Refused(403, "Users register only themselves")

        if self._configuration.user(str(user)) is None:
            raise Refused(404, "")

        flow.answer(incoming, 200, headers=self._registrar.register(user, request, flow, self._clock()))

    def _message(self, flow: Flow, incoming: Incoming) -> None:
        request = incoming.request
        sender = self._rules.address_of(request.sender.uri)
        bindings = self._registrar.bindings(sender.bare)

        if not self._rules.sender_is_registered(flow, [each.flow for each in bindings]):
            raise Refused(403, "The sender is not registered on this connection")

        forwards = request.integer("max-forwards")

        if forwards == 0:
            raise Refused(483, "")

        recipient = self._recipient(flow, request)

        if self._configuration.serves(recipient.domain):
            self._relay(flow, incoming, sender, recipient, MAX_FORWARDS if forwards is None else forwards - 1)
            return

        if not self._rules.may_cross(request.target, parse_uri(request.to.uri)):
            raise Refused(416, "XMPP cannot promise TLS on every hop, as sips: demands")

        if not sender.resource:
            # RFC 7572 Table 2 note 1: what is known of the device's GRUU MUST become the resource.
            known = next((each.resource for each in bindings if each.flow is flow), "")
            sender = Address(sender.local, sender.domain, known)

        self._send_out(flow, incoming, sender, recipient)

    def _recipient(self, flow: Flow, request: Request) -> Address:
        """RFC 7572 Table 2: "Request-URI or To". A user agent without a route of its own may address its request to
        the host that it connected to; then To says for whom it is."""
        target = request.target

        if target.host.strip("[]") == flow.local_host:
            return self._rules.address_of(request.to.uri)

        return self._rules.address_of(request.uri)

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
            sender=_uri(sender),
            to=_uri(recipient),
            body=request.body,
            headers=tuple(headers),
            call_id=request.call_id,
            carried=self._rules.id_of(request.via.branch),
            max_forwards=forwards,
        )

        def final(code: int, response: Response | None) -> None:
            flow.answer(incoming, code, phrase=_phrase(response.phrase) if response else "")

        self._delivery.deliver(letter, bindings, final)


def _uri(address: Address) -> str:
    try:
        return uri_of(str(address))
    except AddressError as error:
        raise Refused(404, str(error)) from None


def _phrase(text: str) -> str:
    """RFC 3261 §25.1: a Reason-Phrase is one line; long explanations help nobody there."""
    return " ".join(text.split())[:120] if text.isprintable() else " ".join(filter(str.isprintable, text.split()))[:120]


def _headers_of_error(code: int, bounce: Bounce) -> HeaderList:
    if code in (301, 302) and bounce.new_address:
        return [("Contact", f"<{bounce.new_address}>")]

    # RFC 3261 §21.4.6: a 405 MUST say what is allowed; of a resource outside we know nothing that is.
    return [("Allow", "")] if code == 405 else []
