"""A stream that a partner opened to us: the receiving and the authoritative role (XEP-0220 §2.2).

Knows what a partner may ask for by dialback, and whose stanzas pass. Does not know where these go, nor how keys are
verified; TLS and SASL are `inbound_negotiation`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Set
from functools import partial
from xml.etree.ElementTree import Element

from simulator.gateway.counters import Count
from simulator.gateway.edge.admission import Action, Pair, RequestJudgement, StreamFacts
from simulator.gateway.edge.attending import attended
from simulator.gateway.edge.channel import Channel, Ended
from simulator.gateway.edge.checking import StreamCheck
from simulator.gateway.edge.context import Context, Seat
from simulator.gateway.edge.failures import StreamFailure
from simulator.gateway.edge.header import HeaderJudgement
from simulator.gateway.edge.inbound_negotiation import InboundNegotiation
from simulator.gateway.edge.stream_status import StreamStatus, describe
from simulator.gateway.edge.verification import Outcome, Verification, Verifications
from simulator.gateway.partner import AllowedPartner
from simulator.gateway.trust.judgement import Role
from simulator.wire.connection import Connection
from simulator.xmpp import dialback
from simulator.xmpp.dialback import PairEvent
from simulator.xmpp.errors import StanzaCondition, StreamCondition
from simulator.xmpp.events import (
    DialbackResult,
    DialbackVerify,
    Event,
    Nonza,
    Stanza,
    StreamHeader,
)


class InboundStream:
    """One stream of a partner towards us. `deliver` gets the stanzas that may pass."""

    def __init__(
        self,
        context: Context,
        connection: Connection,
        seat: Seat,
        verifications: Verifications,
        deliver: Callable[[Element], None],
        stray: Callable[[DialbackVerify | DialbackResult], None],
        on_over: Callable[[InboundStream], None],
    ) -> None:
        self._context, self._rules, self._seat = context, context.rules, seat
        self._verifications, self._deliver, self._on_over = verifications, deliver, on_over
        self._stray = stray
        self._valid: set[Pair] = set()
        self._methods: dict[Pair, str] = {}
        self._pending: dict[Pair, Verification | asyncio.Task[None]] = {}
        self._progress: dict[Pair, dialback.Pair] = {}
        self.channel = Channel(
            connection,
            initiating=False,
            limits=context.rules.limits_of_strangers(context.limits),
            unsent_bytes=context.configuration.limits.unsent_bytes,
            header=lambda: self._rules.answer_header(None, HeaderJudgement(), context.own_name, self._negotiation.id),
            rules=context.rules,
            patience=context.rules.closing_timeout(context.configuration.edge),
            on_over=self._over,
        )
        self._negotiation = InboundNegotiation(context, self.channel, seat, refuse=self._refuse, renewed=self._renewed)
        self.channel.take_over(self._handle, self._ended)
        settings = context.configuration.gateway
        self.channel.at_latest(self._rules.establishment_timeout(settings), self._too_slow)
        self.channel.when_silent(self._rules.inactivity_timeout(settings), self._idle, peer_only=False)
        self._check = StreamCheck(context, self.channel)

        if self._rules.checks_unauthenticated():
            self._check.begin()

    @property
    def _name(self) -> str:
        return f"inbound stream from {self._negotiation.peer}"

    # -- events

    def _handle(self, event: Event) -> None:
        if isinstance(event, Stanza):
            self._handle_stanza(event.element)
        elif self.channel.ended is not None:
            # We have said goodbye: what the peer still sends is taken, but nothing is begun (RFC 6120 §4.4).
            return
        elif isinstance(event, DialbackResult):
            self._handle_result(event)
        elif isinstance(event, DialbackVerify):
            self._handle_verify(event)
        elif isinstance(event, StreamHeader):
            self._negotiation.handle_header(event)
        elif isinstance(event, Nonza):
            self._handle_nonza(event.element)

    def _renewed(self, pairs: Set[Pair]) -> None:
        """The stream was replaced by another, on which these pairs are valid."""
        self._give_up_pending()
        self._progress.clear()
        self._not_usable(in_order=True)
        self._valid.clear()

        self._methods.clear()

        for pair in pairs:
            self._authorise(pair, "SASL EXTERNAL over TLS")

        strangers = self._rules.limits_of_strangers(self._context.limits)
        self.channel.stream.limits = self._context.limits if pairs else strangers

    def _authorise(self, pair: Pair, method: str) -> None:
        self._valid.add(pair)
        self._methods[pair[1], pair[0]] = method
        self._context.reachability.opened(pair[0])
        self._check.begin()

    def _not_usable(self, *, in_order: bool) -> None:
        for domain, _ in self._valid:
            self._context.reachability.closed(domain, in_order=in_order)

    def _handle_nonza(self, element: Element) -> None:
        if self._negotiation.handle(element):
            return

        stanza, condition = self._rules.stanza_of(element), self._rules.refusal_of_element(element)

        if stanza is not None:
            self._handle_stanza(stanza)
        elif condition is not None:
            self._refuse(condition, element.tag)

    # -- receiving role

    def _handle_result(self, request: DialbackResult) -> None:
        if not self._rules.is_request(request.type):
            self._stray(request)
            return

        judgement = self._judge(request)

        if judgement.action is Action.CLOSE:
            self._refuse(StreamCondition.IMPROPER_ADDRESSING, "a dialback request without proper addresses")
        elif judgement.action is Action.ANSWER_VALID:
            self._answer(request, "valid")
        elif judgement.action is Action.REFUSE and isinstance(judgement.condition, StanzaCondition):
            self._refuse_request(request, judgement.condition)
        elif judgement.action is Action.VERIFY:
            self._verify(request, judgement.pair)

    def _judge(self, request: DialbackResult) -> RequestJudgement:
        rules = self._rules
        facts = StreamFacts(
            served=self._context.served,
            valid=self._valid,
            pending=self._pending.keys(),
            most_pairs=self._context.configuration.limits.pairs_per_stream,
            secured=self._negotiation.secured,
        )

        return rules.judge_request(
            request.sender,
            request.to,
            request.key,
            facts,
            host_is_served=rules.host_is_served,
            sender_is_ours=rules.sender_is_ours,
            partner_for=self._context.partner_for,
            dialback_is_ignored=rules.dialback_is_ignored,
            dialback_is_allowed=rules.dialback_is_allowed,
            refusal_of_method=rules.negotiation.refusal_of_method,
        )

    def _verify(self, request: DialbackResult, pair: Pair) -> None:
        partner = self._context.partner_for(pair[0])

        if partner is None or not self._negotiation.recognise(pair[0]):
            return

        self._progress.setdefault(pair, dialback.Pair(dialback.RECEIVING)).handle(PairEvent.KEY_RECEIVED)
        allowed = self._context.configuration.edge.dialback_without_dialback

        if self._rules.negotiation.certificate_may_vouch(allowed, self._negotiation.secured):
            self._pending[pair] = attended(self._vouch(request, pair, partner), self._context.log, self._mistaken)
        else:
            self._ask(request, pair, partner)

    def _ask(self, request: DialbackResult, pair: Pair, partner: AllowedPartner) -> None:
        # The id is that of our own header, whatever the peer may think it is (§2.1.2).
        question = pair[1], pair[0], self._negotiation.id
        over = "TLS" if self._negotiation.secured else "TCP"
        decided = partial(self._decided, pair, request, f"dialback over {over}")
        self._pending[pair] = self._verifications.ask(question, request, partner, decided)

    def _mistaken(self) -> None:
        self._refuse(StreamCondition.INTERNAL_SERVER_ERROR, "the certificate could not be judged")

    async def _vouch(self, request: DialbackResult, pair: Pair, partner: AllowedPartner) -> None:
        """Look at the certificate before the domain is dialled (XEP-0344 §2.4)."""
        judgement = await self._context.credentials.judge(self.channel.connection.tls, pair[0], Role.CLIENT)

        if self._rules.negotiation.certificate_vouches(judgement.acceptable):
            self._negotiation.rests_on_certificate()
            self._decided(pair, request, "dialback over TLS: its certificate vouches", True)
        else:
            self._context.log(f"{self._name}: its certificate does not count for {pair[0]}: {judgement}")
            self._ask(request, pair, partner)

    def _decided(self, pair: Pair, request: DialbackResult, method: str, outcome: Outcome) -> None:
        del self._pending[pair]
        progress = self._progress[pair]

        if outcome is True and progress.handle(PairEvent.VALID):
            self._authorise(pair, method)
            self.channel.stream.limits = self._context.limits
            self._context.log(f"{self._name}: {pair[0]} may send to {pair[1]} ({method})")
            self._answer(request, "valid")
        elif outcome is False and progress.handle(PairEvent.INVALID):
            self._context.log(f"{self._name}: {pair[0]} denies the key: spoofed or misconfigured")
            self._deny(request)
        elif isinstance(outcome, StreamFailure) and progress.handle(PairEvent.ERROR):
            self._context.log(f"{self._name}: the key of {pair[0]} is not verified: {outcome}")
            self._refuse_request(request, self._rules.answer_to_unverified(outcome.failure))

    def _deny(self, request: DialbackResult) -> None:
        kind = self._rules.answer_to_invalid(bool(self._valid))

        if kind == "error":
            self._refuse_request(request, StanzaCondition.FORBIDDEN)
            return

        self._answer(request, kind)

        if self._rules.invalid_closes_stream():
            self.channel.finish()

    def _refuse_request(self, request: DialbackResult, condition: StanzaCondition) -> None:
        self._context.log(f"{self._name}: {request.sender} to {request.to} refused: {condition}")
        self._answer(request, "error", condition)

        if not self._rules.stream_survives(condition):
            self.channel.finish()

    def _answer(self, request: DialbackResult, kind: str, condition: StanzaCondition | None = None) -> None:
        # §2.5: "the domain is used in the 'from' attribute of the error packet, for the purpose of identifying the
        # original request": addresses go back as they were written.
        self.channel.send(DialbackResult(sender=request.to, to=request.sender, type=kind, condition=condition))

    # -- authoritative role

    def _handle_verify(self, request: DialbackVerify) -> None:
        if not self._rules.is_request(request.type):
            self._stray(request)
            return

        rules = self._rules
        answer = rules.answer_verification(
            request,
            self._context.served,
            self._context.secret,
            host_is_served=rules.host_is_served,
            key_is_valid=rules.key_is_valid,
        )

        if answer is None:
            self._refuse(StreamCondition.IMPROPER_ADDRESSING, "a verification request without proper addresses or id")
        else:
            self.channel.send(answer)

    # -- stanzas

    def _handle_stanza(self, stanza: Element) -> None:
        pair = self._rules.pair_of_stanza(stanza.get("from"), stanza.get("to"))

        if pair is not None and self._rules.pair_is_valid(pair, self._valid):
            self._deliver(stanza)
            return

        condition = self._rules.refusal_of_stanza(pair, self._valid)
        self._refuse(condition, f"from {stanza.get('from')!r} to {stanza.get('to')!r}")

    # -- the end

    def _refuse(self, condition: StreamCondition, text: str = "") -> None:
        self._context.log(f"{self._name}: refused: {condition}{f': {text}' if text else ''}")
        self.channel.finish(condition, text)

    def _too_slow(self) -> None:
        if not self._valid:
            self._refuse(StreamCondition.CONNECTION_TIMEOUT, "the stream was not established in time")

    def _idle(self) -> None:
        self._context.log(f"{self._name}: closed, it was idle")
        self.channel.finish()

    def reconsider(self) -> None:
        """The configuration has changed: end the stream if it was negotiated under other settings of its partner."""
        old, rules = self._negotiation.partner, self._rules

        if old is None:
            return

        domains = {pair[0] for pair in self._valid} or {old.identity}
        ends = [new for new in map(self._context.partner_for, domains) if not rules.stream_stays(old, new)]

        if ends:
            self._context.log(f"{self._name}: closed: the settings of its partner have changed")
            self.channel.finish(rules.farewell_to_former(None if None in ends else ends[0]))

    def _ended(self, ended: Ended) -> None:
        self._negotiation.stop()
        self._not_usable(in_order=ended.in_order)

        # A stream on which keys are verified has no pairs, and is closed when it has served: nothing has failed.
        # Whoever looks whether the port is open, and leaves without a word, has not begun a stream.
        if not self._methods and not ended.in_order and (ended.by_us or self.channel.heard > self.channel.began):
            self._context.counters.count(Count.FAILED_INBOUND, asyncio.get_running_loop().time())

        self._give_up_pending()
        reason = ended.condition or ended.text

        if reason:
            self._context.log(f"{self._name}: ended: {reason}")

    def status(self, now: float) -> StreamStatus:
        """What there is to be told of the stream; `now` is the event loop's time."""
        return describe(self.channel, "inbound", self._methods, now)

    def _give_up_pending(self) -> None:
        for verification in self._pending.values():
            verification.cancel()

        self._pending.clear()

    def _over(self, _: Channel) -> None:
        self._seat.leave()
        self._on_over(self)
