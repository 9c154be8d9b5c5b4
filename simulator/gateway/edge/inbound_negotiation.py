"""How a stream that a partner opened comes to be secured and authenticated: headers, features, STARTTLS, SASL EXTERNAL.

Knows the order of things up to the pairs that EXTERNAL authorises (RFC 6120 §5.4, §6.4, XEP-0178 §3). Does not know
dialback nor stanzas. Every decision is in `rules`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Set
from functools import partial
from xml.etree.ElementTree import Element

from simulator.gateway.edge.admission import Pair
from simulator.gateway.edge.attending import attended
from simulator.gateway.edge.channel import Channel
from simulator.gateway.edge.context import Context, Seat
from simulator.gateway.edge.offering import Standing
from simulator.gateway.edge.watching import CertificateWatch
from simulator.gateway.negotiation import Method
from simulator.gateway.partner import AllowedPartner
from simulator.gateway.trust.judgement import CertificateJudgement, Role
from simulator.xmpp import sasl, starttls
from simulator.xmpp.errors import SASLCondition, StreamCondition
from simulator.xmpp.events import Nonza, StreamFeatures, StreamHeader
from simulator.xmpp.external import Receiving, Reply

Refuse = Callable[[StreamCondition, str], None]


class InboundNegotiation:
    """How far one inbound stream has come, and whose it is.

    `refuse` ends the stream with an error. `renewed` is called when another stream takes its place, with the pairs
    that are authorised on the new one.
    """

    def __init__(
        self, context: Context, channel: Channel, seat: Seat, *, refuse: Refuse, renewed: Callable[[Set[Pair]], None]
    ) -> None:
        self._context, self._channel, self._seat = context, channel, seat
        self._rules, self._refuse, self._renewed = context.rules, refuse, renewed
        self._address = f"{channel.connection.remote[0]}:{channel.connection.remote[1]}"
        self._sender: str | None = None
        self._to = context.own_name
        self._identity: Pair | None = None
        self._judgement = CertificateJudgement(("nobody has looked at it",))
        self._judging: asyncio.Task[None] | None = None
        self._watch = CertificateWatch(context, channel, refuse)
        self._sasl: Receiving | None = None
        self._keeps_alive = False
        self.partner: AllowedPartner | None = None
        """Whose stream this is; None until somebody is named."""
        self.id = context.rules.stream_id(context.random_text())

    @property
    def peer(self) -> str:
        """The peer as it stands in the log."""
        return f"{self._sender} at {self._address}" if self._sender else self._address

    @property
    def secured(self) -> bool:
        return self._channel.connection.tls is not None

    @property
    def standing(self) -> Standing:
        """How far it has come."""
        return Standing(
            partner=self.partner,
            has_certificate=self._context.credentials.available,
            secured=self.secured,
            acceptable=self._judgement.acceptable,
            authenticated=self._identity is not None,
        )

    def stop(self) -> None:
        """The stream has ended: nobody waits for a judgement any more."""
        if self._judging is not None:
            self._judging.cancel()

        self._watch.stop()

    def rests_on_certificate(self) -> None:
        """Something was authorised for no other reason than the peer's certificate."""
        self._watch.begin()

    # -- headers

    def handle_header(self, header: StreamHeader) -> None:
        """Answer a header, and say what can be negotiated now."""
        rules = self._rules
        judgement = rules.judge_header(
            header,
            self._context.served,
            host_is_served=rules.host_is_served,
            sender_is_ours=rules.sender_is_ours,
            sender_is_allowed=lambda sender: self._context.partner_for(sender) is not None,
            unknown_host=lambda domain: rules.unknown_host(domain, self._context.former),
        )
        answer = rules.answer_header(
            header, judgement, self._context.own_name, self.id, answered_version=rules.answered_version
        )
        self._channel.send(answer)
        refusal = judgement.refusal or rules.negotiation.refusal_of_restart(
            self._identity, judgement.sender, judgement.to
        )

        if refusal is not None:
            self._refuse(refusal.condition, refusal.text)
            return

        self._to = judgement.to or self._to

        if judgement.sender is not None:
            self._sender = judgement.sender

            if not self.recognise(judgement.sender):
                return

        if not rules.features_are_sent(header.version):
            return

        if self._certificate_counts():
            # Lists of revoked certificates may have to be fetched; what the peer says meanwhile waits.
            self._channel.hold()
            self._judging = attended(self._judge(), self._context.log, self._mistaken)
        else:
            self._offer()

    def recognise(self, domain: str) -> bool:
        """The first domain that is named tells whose stream this is; False when that partner has too many."""
        if self.partner is not None:
            return True

        partner = self._context.partner_for(domain)

        if partner is None:
            return True

        if not self._seat.belongs_to(partner):
            self._refuse(StreamCondition.RESOURCE_CONSTRAINT, "too many connections")
            return False

        self.partner = partner
        silence = self._rules.keep_alive_timeout(self._context.configuration.gateway, partner)

        if not self._keeps_alive and silence is not None:
            self._keeps_alive = True
            self._channel.when_silent(silence, self._silent, peer_only=True)

        return True

    def _silent(self) -> None:
        self._refuse(StreamCondition.CONNECTION_TIMEOUT, "no keep-alive came in time")

    # -- features

    def _certificate_counts(self) -> bool:
        """Whether the peer's certificate decides on what it is offered now."""
        allowed = self.partner is not None and Method.SASL_OVER_TLS in self.partner.methods

        return self.secured and allowed and self._sender is not None and self._identity is None

    def _mistaken(self) -> None:
        self._refuse(StreamCondition.INTERNAL_SERVER_ERROR, "the certificate could not be judged")

    async def _judge(self) -> None:
        assert self._sender is not None
        self._judgement = await self._context.credentials.judge(self._channel.connection.tls, self._sender, Role.CLIENT)

        if not self._judgement.acceptable:
            self._context.log(
                f"inbound stream from {self.peer}: its certificate does not count for {self._sender}: {self._judgement}"
            )

        self._judging = None
        self._offer()
        self._channel.release()

    def _offer(self) -> None:
        rules, standing = self._rules.negotiation, self.standing
        offered = rules.features(
            standing,
            starttls_is_offered=rules.starttls_is_offered,
            starttls_is_required=rules.starttls_is_required,
            external_is_offered=rules.external_is_offered,
            dialback_is_offered=partial(rules.dialback_is_offered, dialback_is_allowed=self._rules.dialback_is_allowed),
        )
        self._channel.send(StreamFeatures(features=tuple(rules.order_features(offered))))
        refusal = rules.refusal_of_powerless(standing, offered)

        if refusal is not None:
            self._refuse(refusal.condition, f"{refusal.text}: {self._judgement}")

    # -- TLS and SASL

    def handle(self, element: Element) -> bool:
        """Take an element if it belongs to TLS or SASL."""
        if self._rules.negotiation.is_command(element):
            self._handle_starttls(element)
        elif sasl.is_sasl(element):
            self._handle_sasl(element)
        else:
            return False

        return True

    def _handle_starttls(self, command: Element) -> None:
        rules = self._rules.negotiation

        if not rules.command_is_followed(command, rules.starttls_is_offered(self.standing)):
            # RFC 6120 §5.4.2.2: where TLS cannot be negotiated, <failure/>, and the stream is closed.
            self._channel.send(Nonza(element=Element(starttls.FAILURE)))
            self._channel.finish()
            return

        injected = self._channel.unread

        if injected and rules.plaintext_behind_starttls_ends():
            self._context.log(f"inbound stream from {self.peer}: dropped: there is plain text behind <starttls/>")
            self._channel.drop("there is plain text behind <starttls/>")
            return

        self._channel.send(Nonza(element=Element(starttls.PROCEED)))
        self._channel.secure(self._context.credentials.server(self._to), forget=not injected)
        self._renew(frozenset())

        if rules.forgets_before_tls():
            self._sender, self._to, self.partner = None, self._context.own_name, None

    def _handle_sasl(self, element: Element) -> None:
        reply = self._sasl_reply(element)

        if reply.exhausted:
            # RFC 6120 §6.4.5: "the receiving entity MUST close the stream with a stream error, which SHOULD be
            # <policy-violation/>".
            self._refuse(StreamCondition.POLICY_VIOLATION, "too many attempts to authenticate")
        elif reply.succeeded:
            self._authenticated(reply)
        elif reply.element is not None:
            self._channel.send(Nonza(element=reply.element))

        if reply.condition is not None:
            self._context.log(f"inbound stream from {self.peer}: SASL EXTERNAL failed: {reply.condition}")

    def _sasl_reply(self, element: Element) -> Reply:
        rules, standing = self._rules.negotiation, self.standing

        if self._sasl is None:
            self._sasl = Receiving(
                self._judge_authzid,
                mechanism_is_ours=rules.mechanism_is_ours,
                decode=rules.decode,
                attempt_is_allowed=rules.attempt_is_allowed,
                table=rules.external_receiving(),
            )

        refusal = rules.refusal_of_auth(standing, rules.external_is_offered(standing))

        return self._sasl.handle(element, refusal)

    def _judge_authzid(self, authzid: str) -> SASLCondition | None:
        # RFC 6120 §6.4.6: the identity is that of the 'from'; without one nothing can be authorised.
        if self._sender is None:
            return SASLCondition.NOT_AUTHORIZED

        return self._rules.negotiation.judge_authzid(authzid, self._sender)

    def _authenticated(self, reply: Reply) -> None:
        early = self._channel.unread

        if early and self._rules.negotiation.data_before_success_ends():
            self._refuse(StreamCondition.NOT_AUTHORIZED, "something came before the success of SASL")
            return

        assert reply.element is not None
        assert self._sender is not None
        self._channel.send(Nonza(element=reply.element))
        self._identity = self._sender, self._to
        pairs = self._rules.negotiation.pairs_of_external(*self._identity, self._context.served)
        self._channel.restart(forget=not early)
        self._renew(pairs)
        self.rests_on_certificate()

        for sender, to in pairs:
            self._context.log(f"inbound stream from {self.peer}: {sender} may send to {to} (SASL EXTERNAL over TLS)")

    def _renew(self, pairs: Set[Pair]) -> None:
        """Another stream begins: with an id of its own, and with nothing that was authorised on the one before."""
        fresh = self._rules.stream_id(self._context.random_text())
        self.id = self._rules.negotiation.id_after_restart(self.id, fresh)
        self._sasl = None
        self._renewed(pairs)
