"""Streams that we open to partners: the initiating role (XEP-0220 §2.1.1), and the stanzas that wait for it.

Knows pairs, their queues and what becomes of both when a stream is had or not. Does not know how a stream is
dialled, nor what happens to a stanza that bounces.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from xml.etree.ElementTree import Element

from simulator.gateway.counters import Count
from simulator.gateway.edge.admission import Pair
from simulator.gateway.edge.answers import pair_of_answer
from simulator.gateway.edge.channel import Channel, Ended
from simulator.gateway.edge.checking import StreamCheck
from simulator.gateway.edge.context import Context
from simulator.gateway.edge.failures import Failure, StreamFailure, loses_domain
from simulator.gateway.edge.handing_over import HandingOver
from simulator.gateway.edge.outbound_negotiation import OpenStream, failure_of_end
from simulator.gateway.edge.stream_status import StreamStatus, describe
from simulator.gateway.edge.watching import CertificateWatch
from simulator.gateway.partner import AllowedPartner
from simulator.xmpp import dialback
from simulator.xmpp.dialback import PairEvent, PairState
from simulator.xmpp.errors import StreamCondition
from simulator.xmpp.events import DialbackResult, DialbackVerify, Event, Stanza
from simulator.xmpp.namespaces import SERVER

MESSAGE = f"{{{SERVER}}}message"

Bounce = Callable[[Element, Failure], None]


class OutboundPair:
    """One of our domains towards one of a partner's, and the stanzas that wait."""

    def __init__(self, sender: str, remote: str) -> None:
        self.sender, self.remote = sender, remote
        self.progress = dialback.Pair(dialback.INITIATING)
        self.may_send = False
        """Kept beside `progress`, because it is asked for each stanza."""
        self.gone = False
        self.stream: OutboundStream | None = None
        self.queue: list[Element] = []
        self.deadline: asyncio.TimerHandle | None = None

    @property
    def key(self) -> Pair:
        return self.sender, self.remote


class OutboundStream:
    """One stream to a partner's domain, with one or more domains of ours on it.

    `handed_over` gets the ids of messages that have arrived, `bounce` the stanzas that will not be, and `stray`
    answers to what was not asked here.
    """

    def __init__(
        self,
        context: Context,
        remote: str,
        partner: AllowedPartner,
        *,
        handed_over: Callable[[list[str]], None],
        bounce: Bounce,
        stray: Callable[[DialbackVerify | DialbackResult], None],
        on_pair_gone: Callable[[OutboundPair], None],
        received: Callable[[Element], None],
    ) -> None:
        self._context, self._rules = context, context.rules
        self.remote, self.partner = remote, partner
        self.pairs: dict[str, OutboundPair] = {}
        self.channel: Channel | None = None
        self.ended = False
        self._open: OpenStream | None = None
        self._authenticated: str | None = None
        self._watch: CertificateWatch | None = None
        self._check: StreamCheck | None = None
        self._handing_over: HandingOver | None = None
        self._in_order = False
        self._methods: dict[Pair, str] = {}
        self._handed_over, self._bounce, self._stray = handed_over, bounce, stray
        self._on_pair_gone, self._received = on_pair_gone, received

    def takes(self, sender: str) -> bool:
        """Whether another domain of ours may be put on this stream, now that it is open."""
        if self._open is None or self.ended:
            return False

        if sender == self._authenticated:
            return True

        return self._open.dialback and (not self.pairs or self._rules.senders_share_stream(self._open.handles_errors))

    # -- pairs

    def add(self, pair: OutboundPair) -> None:
        """Put a pair on the stream; it is authorised as soon as the stream is open."""
        self.pairs[pair.sender] = pair
        pair.stream = self

        if self._open is not None:
            self._authorise(pair, self._open)

    def opened(self, stream: OpenStream, sender: str) -> None:
        """The stream that was opened in the name of `sender` is negotiated."""
        self._open, self.channel = stream, stream.channel
        self._authenticated = sender if stream.authenticated else None
        self._handing_over = HandingOver(
            stream.channel.connection, handed_over=self._handed_over, is_handed_over=self._rules.is_handed_over
        )
        settings = self._context.configuration.gateway
        self.channel.when_silent(self._rules.inactivity_timeout(settings), self._idle, peer_only=False)

        self._check = StreamCheck(self._context, stream.channel, self._pair_to_ping, self._broken)
        self._check.begin()

        for pair in tuple(self.pairs.values()):
            self._authorise(pair, stream)

        if stream.trusted:
            self._watch = CertificateWatch(self._context, stream.channel, self._no_longer_trusted)
            self._watch.begin()

        self.channel.take_over(self._handle, self._channel_ended)

    def _authorise(self, pair: OutboundPair, stream: OpenStream) -> None:
        if pair.sender == self._authenticated and self._rules.negotiation.external_authorises_at_once():
            self._authorised(pair, "SASL EXTERNAL over TLS")
            return

        # XEP-0185 §2: receiving server, originating server, stream id.
        key = self._rules.dialback_key(self._context.secret, pair.remote, pair.sender, stream.id)
        pair.progress.handle(PairEvent.KEY_SENT)
        stream.channel.send(DialbackResult(sender=pair.sender, to=pair.remote, key=key))

        if self._rules.queue_may_leave(None):
            self._empty(pair)

    def write(self, pair: OutboundPair, stanza: Element) -> None:
        """Send a stanza of a pair that may."""
        assert self.channel is not None
        assert self._handing_over is not None

        # The peer may have closed the connection a moment ago: nothing would leave any more.
        if self.channel.ended is not None or self.channel.connection.closed:
            self._bounce(stanza, Failure.BROKEN)
            return

        self.channel.send(Stanza(element=stanza))
        self._context.counters.count(Count.STANZAS_OUT, self.channel.spoke)

        if stanza.get("id") and stanza.tag == MESSAGE:
            self._handing_over.wrote(stanza)

    def status(self, now: float) -> StreamStatus | None:
        """What there is to be told of the stream, `now` by the event loop; None while it is not negotiated."""
        return describe(self.channel, "outbound", self._methods, now) if self.channel is not None else None

    def connection_is_over(self) -> None:
        """The connection is gone: what has not arrived on it will not."""
        for stanza in self._handing_over.end() if self._handing_over is not None else ():
            self._bounce(stanza, Failure.UNACKNOWLEDGED)

    def _authorised(self, pair: OutboundPair, method: str) -> None:
        pair.may_send = True
        self._methods[pair.key] = method
        self._context.reachability.opened(pair.remote)

        if pair.deadline is not None:
            pair.deadline.cancel()

        self._context.log(f"{pair.sender} to {pair.remote}: may send ({method})")
        self._empty(pair)

    def _empty(self, pair: OutboundPair) -> None:
        queue, pair.queue = pair.queue, []

        for stanza in self._rules.leaving_order(queue):
            self.write(pair, stanza)

    def give_up(self, pair: OutboundPair, failure: Failure, text: str = "") -> None:
        """Take a pair off the stream; what waits for it bounces."""
        if pair.gone:
            return

        could_send, pair.may_send, pair.gone = pair.may_send, False, True
        pair.progress.handle(PairEvent.STREAM_ENDED)
        self.pairs.pop(pair.sender, None)

        if pair.deadline is not None:
            pair.deadline.cancel()

        self._on_pair_gone(pair)

        if could_send:
            self._context.reachability.closed(pair.remote, in_order=self._in_order)
        else:
            self._context.log(f"{pair.sender} to {pair.remote}: {failure.value}{f' ({text})' if text else ''}")

            if loses_domain(failure):
                self._context.reachability.failed(pair.remote)
                self._context.counters.count(Count.FAILED_OUTBOUND, asyncio.get_running_loop().time())

        queue, pair.queue = pair.queue, []

        for stanza in queue:
            self._bounce(stanza, failure)

    # -- events

    def _handle(self, event: Event) -> None:
        if isinstance(event, DialbackResult) and event.type is not None:
            self._handle_answer(event)
        elif isinstance(event, DialbackVerify) and event.type is not None:
            self._stray(event)
        elif isinstance(event, Stanza) and self._rules.takes_stanzas_outbound():
            self._received(event.element)

    def _handle_answer(self, answer: DialbackResult) -> None:
        about = pair_of_answer(answer)
        pending = [pair for pair in self.pairs.values() if pair.progress.state is PairState.PENDING]
        expected = self._rules.result_is_expected
        pair = next((one for one in pending if about is not None and expected(about, {one.key})), None)

        if pair is not None:
            self.decide(pair, answer)
        else:
            self._stray(answer)

    def decide(self, pair: OutboundPair, answer: DialbackResult) -> None:
        """Take this answer about a pair of this stream."""
        kind = dialback.ANSWERS.get(answer.type)

        if self._rules.queue_may_leave(answer.type):
            kind = PairEvent.VALID

        if kind is None or not pair.progress.handle(kind):
            return

        if kind is PairEvent.VALID:
            self._authorised(pair, self._open.method if self._open is not None else "dialback")
        elif kind is PairEvent.INVALID:
            self._denied(pair)
        else:
            # XEP-0220 §2.1.1: "Such an error is non-fatal for the XML stream".
            self.give_up(pair, Failure.DIALBACK_ERROR, f"answered {answer.condition}")

    def _denied(self, pair: OutboundPair) -> None:
        self.give_up(pair, Failure.INVALID)
        # §2.1.1: the peer "will most likely close the stream", so nothing more SHOULD be sent on it.
        self.finish()

    # -- the end

    def _idle(self) -> None:
        self._context.log(f"outbound stream to {self.remote}: closed, it was idle")
        self.finish()

    def _pair_to_ping(self) -> Pair | None:
        return next((pair.key for pair in self.pairs.values() if pair.may_send), None)

    def _broken(self) -> None:
        """RFC 6120 §4.6.2: "close a broken stream with a <connection-timeout/> stream error"."""
        self._context.log(f"outbound stream to {self.remote}: closed: nobody answers a ping")
        self.finish(StreamCondition.CONNECTION_TIMEOUT)

    def _no_longer_trusted(self, condition: StreamCondition, why: str) -> None:
        self._context.log(f"outbound stream to {self.remote}: closed: {condition}: {why}")
        self.finish(condition)

    def finish(self, condition: StreamCondition | None = None, failure: Failure = Failure.BROKEN) -> None:
        """Close the stream; whatever still waits for it bounces."""
        self._in_order = condition is None
        self.failed(StreamFailure(failure))

        if self.channel is not None:
            self.channel.finish(condition)

    def failed(self, failure: StreamFailure) -> None:
        """The stream is not to be had, or over."""
        self.ended = True

        for pair in tuple(self.pairs.values()):
            self.give_up(pair, failure.failure, str(failure))

    def _channel_ended(self, ended: Ended) -> None:
        if self._watch is not None:
            self._watch.stop()

        if self._check is not None:
            self._check.stop()

        if not self.ended:
            self._context.log(f"outbound stream to {self.remote}: ended: {ended.condition or ended.text}")
            self._in_order = ended.in_order
            self.failed(failure_of_end(ended))
