"""How a stream that we opened comes to be secured and authenticated: headers, features, STARTTLS, SASL EXTERNAL.

Knows the order of things up to where dialback begins or stanzas may leave (RFC 6120 §5.4, §6.4, XEP-0178 §3), and every
way of not getting there. Does not know how hosts are found. Every decision is in `rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeVar
from xml.etree.ElementTree import Element

from simulator.gateway.edge.channel import Channel, Ended
from simulator.gateway.edge.context import Context
from simulator.gateway.edge.failures import Failure, SentAway, StreamFailure, failure_of_stream_error
from simulator.gateway.partner import AllowedPartner
from simulator.gateway.trust.judgement import CertificateJudgement, Role
from simulator.xmpp import sasl, starttls
from simulator.xmpp.errors import RemoteProtocolError, StreamCondition
from simulator.xmpp.events import Nonza, StreamFeatures, StreamHeader
from simulator.xmpp.external import Initiating, InitiatingState
from simulator.xmpp.namespaces import SASL, TLS

Wanted = TypeVar("Wanted", StreamHeader, StreamFeatures)


class Purpose(Enum):
    """What a stream is opened for."""

    STANZAS = "to send stanzas"
    VERIFICATION = "to ask whether a dialback key is good"


@dataclass(frozen=True, slots=True)
class OpenStream:
    """An outbound stream that waits for its first dialback element, or for stanzas."""

    channel: Channel
    id: str
    handles_errors: bool
    """The peer knows dialback errors (XEP-0220 §2.4.2)."""
    authenticated: bool = False
    """SASL EXTERNAL has succeeded for the domain in whose name the stream was opened."""
    dialback: bool = True
    """Domains may be authorised by dialback on it."""
    trusted: bool = False
    """The peer's certificate has proved the domain."""

    @property
    def method(self) -> str:
        """By which method a key that is offered on it authorises."""
        return f"dialback over {'TLS' if self.channel.connection.tls is not None else 'TCP'}"


@dataclass(frozen=True, slots=True)
class Offer:
    """A peer's answer header, and the features after it; None where it is too old to have any."""

    header: StreamHeader
    features: StreamFeatures | None

    @property
    def elements(self) -> tuple[Element, ...]:
        return self.features.features if self.features is not None else ()


class OutboundNegotiation:
    """Negotiates one stream, in the name of one of our domains, with a host that speaks for a partner's."""

    def __init__(
        self,
        context: Context,
        channel: Channel,
        header: StreamHeader,
        partner: AllowedPartner,
        purpose: Purpose,
        *,
        local: str,
        remote: str,
        host: str,
    ) -> None:
        self._context, self._rules, self._channel = context, context.rules, channel
        self._header, self._partner, self._purpose = header, partner, purpose
        self._local, self._remote, self._host = local, remote, host
        self._methods = context.methods(partner)
        self._kept: StreamFeatures | None = None
        self._judgement = CertificateJudgement(("there is none",))

    @property
    def _secured(self) -> bool:
        return self._channel.connection.tls is not None

    async def run(self) -> OpenStream:
        """Negotiate; raises StreamFailure. Has no time limit of its own."""
        if self._secured:
            await self._judge()

        offer = await self._open()

        if not self._secured and self._takes_tls(offer) and await self._start_tls():
            await self._judge()
            self._kept = offer.features if self._rules.negotiation.features_before_tls_count() else None
            offer = await self._open()

        if not self._secured:
            mandatory = starttls.is_mandatory(offer.elements)
            self._refuse(self._rules.negotiation.refusal_without_tls(self._partner.tls_negotiation, mandatory))

        mechanisms = sasl.offered_mechanisms(offer.elements) if self._secured else ()
        chosen = self._purpose is Purpose.STANZAS and self._rules.negotiation.external_is_chosen(
            self._methods, mechanisms, self._judgement.acceptable
        )

        if chosen and await self._authenticate():
            again = await self._open(features=self._rules.negotiation.features_after_success_are_awaited())

            return self._authenticated(offer, again)

        return self._for_dialback(offer)

    # -- headers and features

    async def _open(self, *, features: bool = True) -> Offer:
        """Send our header; wait for the peer's, and for its features unless it is a 0.9 peer."""
        self._channel.send(self._header)
        answer = await self._next(StreamHeader)
        self._refuse(self._rules.judge_answer(answer))
        self._refuse(self._rules.negotiation.refusal_of_answer(answer.sender, self._proven))
        offered = None

        if self._kept is not None:
            offered, self._kept = self._kept, None
        elif features and self._rules.features_are_sent(answer.version):
            offered = await self._next(StreamFeatures)

        return Offer(answer, offered)

    def _for_dialback(self, offer: Offer) -> OpenStream:
        offered = offer.features

        if offered is not None:
            counts = self._rules.negotiation.feature_counts
            kept = tuple(feature for feature in offered.features if counts(feature, self._secured))
            offered = StreamFeatures(features=kept)

        if not self._rules.dialback_is_allowed(self._methods, self._secured):
            text = f"there is no method left that the settings allow, {self._seen}"
            self._refuse(RemoteProtocolError(StreamCondition.POLICY_VIOLATION, text))

        judged = self._rules.judge_features(offer.header, offered)
        self._refuse(judged.refusal)

        return OpenStream(self._channel, offer.header.id or "", judged.errors, trusted=self._judgement.acceptable)

    def _authenticated(self, before: Offer, after: Offer) -> OpenStream:
        """The stream after SASL: what a peer said of dialback before may be left out now."""
        self._context.log(f"{self._local} to {self._remote}: authenticated by SASL EXTERNAL over TLS")
        judged = [self._rules.judge_features(offer.header, offer.features) for offer in (before, after)]
        allowed = self._rules.dialback_is_allowed(self._methods, True)

        return OpenStream(
            self._channel,
            after.header.id or "",
            handles_errors=any(one.errors for one in judged),
            authenticated=True,
            dialback=allowed and any(one.dialback for one in judged),
            trusted=self._judgement.acceptable,
        )

    @property
    def _proven(self) -> str | None:
        """The domain that the peer's certificate has proved."""
        return self._remote if self._secured and self._judgement.acceptable else None

    @property
    def _seen(self) -> str:
        return "and the stream is not secured" if not self._secured else f"and its certificate is {self._judgement}"

    # -- TLS

    def _takes_tls(self, offer: Offer) -> bool:
        rules = self._rules.negotiation
        possible = rules.tls_is_possible(self._partner.tls_negotiation, self._context.credentials.available)

        if self._purpose is Purpose.VERIFICATION and not rules.verification_takes_tls():
            return False

        return rules.starttls_is_sent(self._methods, possible, starttls.is_offered(offer.elements))

    async def _start_tls(self) -> bool:
        rules, channel = self._rules.negotiation, self._channel
        channel.send(Nonza(element=rules.command()))
        answer = await self._element_of(TLS)

        if answer.tag != starttls.PROCEED:
            if not rules.failure_ends_stream():
                return False

            channel.finish()
            raise StreamFailure(Failure.NO_TLS, "the peer answers <starttls/> with a failure")

        self._check()

        if channel.unread and rules.plaintext_behind_proceed_ends():
            channel.drop("there is plain text behind <proceed/>")
            raise StreamFailure(Failure.NO_TLS, "there is plain text behind <proceed/>")

        context = self._context.credentials.client(self._local)
        channel.secure(context, rules.sni_of(self._remote, self._host))

        if not await channel.until_secured():
            ended = channel.ended
            raise StreamFailure(Failure.NO_TLS, ended.text if ended is not None else "")

        return True

    async def _judge(self) -> None:
        """Look at the server's certificate, where anything depends on it."""
        rules = self._rules.negotiation
        matters = rules.certificate_matters(self._methods)

        if self._purpose is Purpose.VERIFICATION and not matters:
            return

        info = self._channel.connection.tls
        identity = rules.identity_of(self._remote, self._host)
        self._judgement = await self._context.credentials.judge(info, identity, Role.SERVER)

        if self._judgement.acceptable:
            return

        self._context.log(
            f"{self._local} to {self._remote}: the certificate of {self._host} is not acceptable: {self._judgement}"
        )

        if matters:
            # RFC 6120 §13.7.2: "MUST unilaterally terminate the session". No stream has begun that could be closed.
            self._channel.drop("its certificate is not acceptable")
            raise StreamFailure(Failure.UNPROVEN, str(self._judgement))

    # -- SASL

    async def _authenticate(self) -> bool:
        """SASL EXTERNAL, and the new stream after it; False when dialback may be tried instead."""
        rules, channel = self._rules.negotiation, self._channel
        exchange = Initiating(rules.authzid_of(self._local), table=rules.external_initiating())
        channel.send(Nonza(element=exchange.begin()))

        while exchange.state not in (InitiatingState.SUCCEEDED, InitiatingState.FAILED):
            reply = exchange.handle(await self._element_of(SASL))

            if reply is not None:
                channel.send(Nonza(element=reply))

        if exchange.state is InitiatingState.SUCCEEDED:
            self._check()
            channel.restart()

            return True

        text = f"the peer refuses our certificate: {exchange.condition}"
        self._context.log(f"{self._local} to {self._remote}: {text}")

        if not rules.dialback_after_failure(self._methods, channel.ended is None):
            # RFC 6120 §6.4.5: without a mechanism left "the initiating entity SHOULD simply close the stream".
            channel.finish()
            raise StreamFailure(Failure.NOT_TAKEN, text)

        return False

    # -- waiting

    async def _next(self, kind: type[Wanted]) -> Wanted:
        """The next event of this kind; others are none of our business yet."""
        while True:
            event = await self._channel.next_event()

            if isinstance(event, kind):
                return event

            if isinstance(event, Ended):
                raise failure_of_end(event)

    async def _element_of(self, namespace: str) -> Element:
        """The next element of TLS or SASL, each of which answers what we said last."""
        while True:
            event = await self._channel.next_event()

            if isinstance(event, Nonza) and event.element.tag.startswith(f"{{{namespace}}}"):
                return event.element

            if isinstance(event, Ended):
                raise failure_of_end(event)

    def _check(self) -> None:
        """What came with the answer may have been the end."""
        if self._channel.ended is not None:
            raise failure_of_end(self._channel.ended)

    def _refuse(self, refusal: RemoteProtocolError | None) -> None:
        if refusal is not None:
            self._channel.finish(refusal.condition, refusal.text)
            raise StreamFailure(Failure.BROKEN, str(refusal))


def failure_of_end(ended: Ended) -> StreamFailure:
    """What the end of a stream means for those who still needed it."""
    if ended.condition is None:
        return StreamFailure(Failure.BROKEN, ended.text)

    said = f"{ended.condition}{f': {ended.text}' if ended.text else ''}"

    if ended.by_us:
        return StreamFailure(failure_of_stream_error(ended.condition), said)

    return SentAway(ended.condition, ended.content, f"the peer says {said}")
