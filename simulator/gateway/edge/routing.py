"""Which stream a stanza for a partner takes: an existing one, or a new one that is dialled for it (RFC 6120 §10.4).

Knows all outbound streams, when a new one may be dialled, and how long it may take. Does not know dialback.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from xml.etree.ElementTree import Element

from simulator.gateway.edge.admission import Pair
from simulator.gateway.edge.answers import pair_of_answer
from simulator.gateway.edge.attending import attended
from simulator.gateway.edge.context import Context, Seat
from simulator.gateway.edge.dialling import Dialler
from simulator.gateway.edge.failures import Failure, StreamFailure
from simulator.gateway.edge.outbound import Bounce, OutboundPair, OutboundStream
from simulator.gateway.edge.outbound_negotiation import OpenStream
from simulator.gateway.partner import AllowedPartner
from simulator.xmpp.errors import StreamCondition
from simulator.xmpp.events import DialbackResult, DialbackVerify


class Routes:
    """All streams towards partners."""

    def __init__(
        self,
        context: Context,
        dialler: Dialler,
        *,
        handed_over: Callable[[list[str]], None],
        bounce: Bounce,
        stray: Callable[[DialbackVerify | DialbackResult], None],
        received: Callable[[Element], None],
    ) -> None:
        self._context, self._dialler = context, dialler
        self._handed_over, self._bounce, self._stray, self._received = handed_over, bounce, stray, received
        self._pairs: dict[Pair, OutboundPair] = {}
        self._streams: dict[str, list[OutboundStream]] = {}
        self._opening: dict[OutboundStream, asyncio.Task[None]] = {}
        self._failures: dict[str, int] = {}
        self._stopping = False
        self._entropy = context.entropy or random.SystemRandom()

    def route(self, stanza: Element, sender: str, remote: str) -> None:
        """Send a stanza between two normalised domains: now, when there is a stream, or never (then it bounces)."""
        pair = self._pairs.get((sender, remote))

        if pair is not None and not self._context.rules.stream_is_reused():
            pair = None

        if pair is not None and pair.may_send and pair.stream is not None:
            pair.stream.write(pair, stanza)
            return

        if pair is None:
            refusal = self._start(sender, remote)

            if isinstance(refusal, Failure):
                self._bounce(stanza, refusal)
                return

            pair = refusal

        limit = self._context.configuration.limits.queued_stanzas

        if not self._context.rules.queue_has_room(len(pair.queue), limit):
            self._bounce(stanza, Failure.TOO_MANY_WAIT)
        elif pair.may_send and pair.stream is not None:
            pair.stream.write(pair, stanza)
        else:
            pair.queue.append(stanza)

    def stray(self, answer: DialbackResult) -> None:
        """An answer came on a stream on which nothing was asked. §3.1: believing it lets anybody pose as any target."""
        about = pair_of_answer(answer)
        pair = self._pairs.get(about) if about is not None else None

        if (
            pair is not None
            and pair.stream is not None
            and self._context.rules.result_is_expected(pair.key, frozenset())
        ):
            pair.stream.decide(pair, answer)

    @property
    def streams(self) -> list[OutboundStream]:
        """All streams, those included that are being opened."""
        return [stream for streams in self._streams.values() for stream in streams]

    def write_if_open(self, stanza: Element, sender: str, remote: str) -> None:
        """Send a stanza if there is a stream that may carry it now; nothing is dialled for it, and it never waits."""
        pair = self._pairs.get((sender, remote))

        if pair is not None and pair.may_send and pair.stream is not None:
            pair.stream.write(pair, stanza)

    def finish(
        self, stays: Callable[[OutboundStream], bool], farewell: Callable[[str], StreamCondition | None]
    ) -> None:
        """Close the streams that shall not stay; what waits for them bounces."""
        for stream in [stream for stream in self.streams if not stays(stream)]:
            self._context.log(f"outbound stream to {stream.remote}: closed: the configuration has changed")
            stream.finish(farewell(stream.remote))

            if stream in self._opening:
                self._opening[stream].cancel()

    async def stop(self) -> None:
        """Say goodbye on every stream, let what waits bounce, and dial no more."""
        self._stopping = True
        farewell = self._context.rules.farewell()

        for streams in tuple(self._streams.values()):
            for stream in tuple(streams):
                stream.finish(farewell, Failure.SHUTDOWN)

        tasks = tuple(self._opening.values())

        for task in tasks:
            task.cancel()

        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, sender: str, remote: str) -> OutboundPair | Failure:
        partner = self._context.partner_for(remote)

        if self._stopping:
            return Failure.SHUTDOWN

        if partner is None:
            return Failure.NOT_A_PARTNER

        if not self._context.methods(partner):
            return Failure.NO_METHOD

        pair = OutboundPair(sender, remote)
        timeout = self._context.rules.establishment_timeout(self._context.configuration.gateway)

        if timeout is not None:
            pair.deadline = asyncio.get_running_loop().call_later(timeout, self._too_slow, pair)

        return self._place(pair, partner)

    def _place(self, pair: OutboundPair, partner: AllowedPartner) -> OutboundPair | Failure:
        """Put a pair on a stream that it may share, or that may turn out so, else on one of its own."""
        existing = self._streams.get(pair.remote, ()) if self._context.rules.stream_is_reused() else ()

        for stream in existing:
            if stream in self._opening or stream.takes(pair.sender):
                self._pairs[pair.key] = pair
                stream.add(pair)
                return pair

        seat = self._context.census.take_seat()

        if seat is None:
            return Failure.TOO_MANY_STREAMS

        if not seat.belongs_to(partner):
            seat.leave()
            return Failure.TOO_MANY_STREAMS

        self._pairs[pair.key] = pair
        self._dial(pair, partner, seat)

        return pair

    def _dial(self, pair: OutboundPair, partner: AllowedPartner, seat: Seat) -> None:
        stream = OutboundStream(
            self._context,
            pair.remote,
            partner,
            handed_over=self._handed_over,
            bounce=self._bounce,
            stray=self._stray,
            on_pair_gone=self._pair_gone,
            received=self._received,
        )
        stream.add(pair)
        self._streams.setdefault(pair.remote, []).append(stream)
        self._opening[stream] = attended(
            self._open(stream, pair.sender, partner, seat),
            self._context.log,
            lambda: stream.finish(StreamCondition.INTERNAL_SERVER_ERROR),
        )

    async def _open(self, stream: OutboundStream, sender: str, partner: AllowedPartner, seat: Seat) -> None:
        def over() -> None:
            stream.connection_is_over()
            seat.leave()
            self._forget(stream)

        try:
            await asyncio.sleep(self._pause(stream.remote))
            opened = await self._dialler.open(sender, stream.remote, partner, over)
        except StreamFailure as failure:
            self._failures[stream.remote] = self._failures.get(stream.remote, 0) + 1
            stream.failed(failure)
            over()
        except BaseException:
            over()
            raise
        else:
            del self._opening[stream]
            self._failures.pop(stream.remote, None)
            self._separate(stream, partner, opened, sender)
            stream.opened(opened, sender)
        finally:
            self._opening.pop(stream, None)

    def _separate(self, stream: OutboundStream, partner: AllowedPartner, opened: OpenStream, sender: str) -> None:
        """Take the domains that came while the stream was dialled off again, if they cannot share it."""
        if opened.dialback and self._context.rules.senders_share_stream(opened.handles_errors):
            return

        first = next(iter(stream.pairs), None) if opened.dialback else sender

        for pair in [pair for pair in stream.pairs.values() if pair.sender != first]:
            del stream.pairs[pair.sender]
            del self._pairs[pair.key]
            placed = self._place(pair, partner)

            if isinstance(placed, Failure):
                stream.give_up(pair, placed)

    def _pause(self, remote: str) -> float:
        """How long to wait before a partner that could not be reached is dialled again, in seconds.

        RFC 6120 §3.3: "an unpredictable number", and "back off increasingly […] if the first reconnection attempt does
        not succeed". The first new attempt is free: there is a stanza that somebody waits for.
        """
        failures = self._failures.get(remote, 0)

        if failures < 2:
            return 0.0

        retry = self._context.configuration.retry

        return self._entropy.random() * min(retry.stream_longest, retry.stream_first * 2.0 ** min(failures - 2, 30))

    def _too_slow(self, pair: OutboundPair) -> None:
        stream = pair.stream

        if stream is None or pair.may_send:
            return

        stream.give_up(pair, Failure.TIMEOUT)

        if not stream.pairs and not stream.ended:
            stream.finish(StreamCondition.CONNECTION_TIMEOUT, Failure.TIMEOUT)

            if stream in self._opening:
                self._opening[stream].cancel()

    def _pair_gone(self, pair: OutboundPair) -> None:
        if self._pairs.get(pair.key) is pair:
            del self._pairs[pair.key]

    def _forget(self, stream: OutboundStream) -> None:
        streams = self._streams.get(stream.remote, [])

        if stream in streams:
            streams.remove(stream)

        if not streams:
            self._streams.pop(stream.remote, None)
