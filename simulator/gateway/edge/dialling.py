"""From a domain to a stream on which dialback can begin: hosts, connection, headers, features (RFC 6120 §3.2, §4.3).

Knows how to get there, and every way of not getting there. Does not know what the stream is wanted for.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from simulator.gateway.edge.channel import Channel, Ended
from simulator.gateway.edge.context import Context
from simulator.gateway.edge.failures import Failure, StreamFailure, failure_of_stream_error
from simulator.gateway.edge.header import FeatureJudgement
from simulator.gateway.partner import AllowedPartner
from simulator.wire.connection import Connection, open_connection
from simulator.wire.resolve import NoSuchDomain, NotResolved, ResolveError, Resolver, ServiceDenied
from simulator.wire.service import XMPP_SERVER_PORT, Target, WithoutService
from simulator.xmpp.errors import RemoteProtocolError, StreamCondition
from simulator.xmpp.events import StreamFeatures, StreamHeader

#: a target with one of its addresses, or why it has none
Found = tuple[Target, str | ResolveError]
Wanted = TypeVar("Wanted", StreamHeader, StreamFeatures)


@dataclass(frozen=True, slots=True)
class OpenStream:
    """An outbound stream that waits for its first dialback element."""

    channel: Channel
    id: str
    handles_errors: bool
    """The peer knows dialback errors (XEP-0220 §2.4.2)."""


class Dialler:
    """Opens streams to partners."""

    def __init__(self, context: Context) -> None:
        dns, rules = context.configuration.dns, context.rules
        self._context = context
        self.channels: set[Channel] = set()
        """Every stream that was opened and whose connection is not gone."""
        self._resolver = Resolver(
            dns.server,
            dns.port,
            dns.timeout,
            context.entropy or random.SystemRandom(),
            order_targets=rules.order_targets,
            service_is_denied=rules.service_is_denied,
            falls_back_to_address=rules.falls_back_to_address,
            reply_is_expected=rules.reply_is_expected,
            follows_aliases=rules.follows_aliases,
            repeats_over_tcp=rules.repeats_over_tcp,
            kept_for=rules.kept_for,
        )
        host = context.configuration.edge.host
        # The address that partners know us by, unless we listen on all of them.
        self._local_host = None if host in ("0.0.0.0", "::", "") else host

    async def open(
        self,
        local: str,
        remote: str,
        partner: AllowedPartner,
        on_over: Callable[[], None] = lambda: None,
    ) -> OpenStream:
        """Open a stream from one of our domains to a partner's; raises StreamFailure. Has no time limit of its own.

        `on_over` is called when the connection of the stream is gone.
        """
        connection = await self._connect(remote, partner)
        limits = self._context.configuration.limits
        header = self._context.rules.initial_header(local, remote)

        def over(channel: Channel) -> None:
            self.channels.discard(channel)
            on_over()

        channel = Channel(
            connection,
            initiating=True,
            limits=self._context.limits,
            unsent_bytes=limits.unsent_bytes,
            header=lambda: header,
            rules=self._context.rules,
            on_over=over,
        )
        self.channels.add(channel)

        try:
            channel.send(header)
            answer, features = await self._negotiate(channel)
        except asyncio.CancelledError:
            channel.finish(StreamCondition.CONNECTION_TIMEOUT, "the stream was not established in time")
            raise

        return OpenStream(channel, answer.id or "", features.errors)

    async def _negotiate(self, channel: Channel) -> tuple[StreamHeader, FeatureJudgement]:
        """Wait for the peer's header, and for its features unless it is a 0.9 peer. STARTTLS and SASL belong here:
        they are negotiated on these features, then the stream is restarted and negotiated again."""
        answer = await _next(channel, StreamHeader)
        self._refuse(channel, self._context.rules.judge_answer(answer))
        offered = None

        if self._context.rules.features_are_sent(answer.version):
            offered = await _next(channel, StreamFeatures)

        features = self._context.rules.judge_features(answer, offered)
        self._refuse(channel, features.refusal)

        return answer, features

    def _refuse(self, channel: Channel, refusal: RemoteProtocolError | None) -> None:
        if refusal is not None:
            channel.finish(refusal.condition, refusal.text)
            raise StreamFailure(Failure.BROKEN, str(refusal))

    async def _connect(self, remote: str, partner: AllowedPartner) -> Connection:
        """The first address that takes a connection, in the order of the SRV records."""
        failure = StreamFailure(Failure.NOT_FOUND, f"no host is known for {remote}")

        async with aclosing(self._addresses(remote, partner)) as found:
            async for target, address in found:
                if isinstance(address, ResolveError):
                    self._context.log(f"{remote}: {target.host}: {address}")
                    continue

                try:
                    return await self._connect_to(address, target.port)
                except OSError as error:
                    text = f"{target.host} at {address} port {target.port}: {error.strerror or error}"
                    failure = StreamFailure(Failure.UNREACHABLE, text)
                    self._context.log(f"{remote}: cannot connect to {text}")

                if not self._context.rules.tries_next_target():
                    break

        raise failure

    async def _addresses(self, remote: str, partner: AllowedPartner) -> AsyncGenerator[Found, None]:
        """Every address of every target, looked up one by one; in place of those of a target why it has none."""
        async with aclosing(self._targets(remote, partner)) as targets:
            async for target in targets:
                try:
                    async with aclosing(self._resolver.addresses(target.host)) as addresses:
                        async for address in addresses:
                            yield target, address
                except ResolveError as error:
                    yield target, error

    async def _connect_to(self, address: str, port: int) -> Connection:
        timeout = self._context.configuration.edge.connect_timeout
        local_host = self._local_host if ":" not in address else None

        return await open_connection(address, port, timeout=timeout, local_host=local_host)

    async def _targets(self, remote: str, partner: AllowedPartner) -> AsyncGenerator[Target, None]:
        # RFC 6120 §3.2.3: a configured host is used instead of SRV records.
        if partner.proxy_fqdn is not None:
            yield Target(partner.proxy_fqdn, XMPP_SERVER_PORT, published=False)
            return

        try:
            targets = await self._resolver.targets(remote)
        except ServiceDenied as error:
            raise StreamFailure(Failure.DENIED, str(error)) from None
        except (NoSuchDomain, NotResolved) as error:
            raise StreamFailure(Failure.NOT_FOUND, str(error)) from None

        for target in targets:
            yield target

        if any(target.published for target in targets):
            for target in self._resolver.fallback(remote, WithoutService.UNREACHABLE):
                yield target


async def _next(channel: Channel, kind: type[Wanted]) -> Wanted:
    """The next event of this kind; others are none of our business yet. Raises StreamFailure when the stream ends."""
    while True:
        event = await channel.next_event()

        if isinstance(event, kind):
            return event

        if isinstance(event, Ended):
            raise failure_of_end(event)


def failure_of_end(ended: Ended) -> StreamFailure:
    """What the end of a stream means for those who still needed it."""
    if ended.condition is None:
        return StreamFailure(Failure.BROKEN, ended.text)

    said = f"{ended.condition}{f': {ended.text}' if ended.text else ''}"

    return StreamFailure(failure_of_stream_error(ended.condition), said if ended.by_us else f"the peer says {said}")
