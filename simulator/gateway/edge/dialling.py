"""From a domain to a stream that is negotiated: hosts, connections, and where peers send us (RFC 6120 §3.2, §4.9.3.19).

Knows how to get there, and every way of not getting there. Does not know what is said on the stream: that is
`outbound_negotiation`.
"""

from __future__ import annotations

import asyncio
import errno
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from simulator.gateway.edge.channel import Channel
from simulator.gateway.edge.checking import StreamCheck
from simulator.gateway.edge.context import Context
from simulator.gateway.edge.failures import Failure, SentAway, StreamFailure
from simulator.gateway.edge.outbound_negotiation import OpenStream, OutboundNegotiation, Purpose
from simulator.gateway.edge.redirecting import Place
from simulator.gateway.partner import AllowedPartner
from simulator.wire.connection import Connection, open_connection
from simulator.wire.fetch import fetch
from simulator.wire.resolve import NoSuchDomain, NotResolved, ResolveError, Resolver, ServiceDenied
from simulator.wire.service import XMPP_SERVER_PORT, Target, WithoutService
from simulator.xmpp.errors import StreamCondition

#: a target with one of its addresses, or why it has none
Found = tuple[Target, str | ResolveError]


@dataclass(frozen=True, slots=True)
class _Way:
    """From whom to whom a stream is wanted, and what for; `place` is where a peer at the address `named_by` sent us."""

    local: str
    remote: str
    partner: AllowedPartner
    purpose: Purpose
    place: Place | None
    named_by: str


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

    async def fetch(self, url: str, *, timeout: float, at_most: int) -> bytes:
        """A file over HTTP; raises FetchError."""
        return await fetch(url, self._resolver, timeout=timeout, at_most=at_most, local_host=self._local_host)

    async def open(
        self,
        local: str,
        remote: str,
        partner: AllowedPartner,
        on_over: Callable[[], None] = lambda: None,
        *,
        purpose: Purpose = Purpose.STANZAS,
    ) -> OpenStream:
        """Open a stream from one of our domains to a partner's; raises StreamFailure. Has no time limit of its own.

        `on_over` is called when the connection of the stream is gone.
        """
        opened: list[Channel] = []
        place, named_by = None, ""
        followed = 0

        def over(channel: Channel) -> None:
            self.channels.discard(channel)

            if channel in opened:
                on_over()

        while True:
            way = _Way(local, remote, partner, purpose, place, named_by)

            try:
                stream = await self._open(way, over)
            except SentAway as away:
                place, named_by = self._sent_to(away, way, followed), away.address
                followed += 1
                continue

            opened.append(stream.channel)

            if stream.channel.over.is_set():
                on_over()

            return stream

    def _sent_to(self, away: SentAway, way: _Way, followed: int) -> Place:
        """Where to go after a stream error; raises it again when it ends the matter.

        RFC 6120 §4.9.3.19: "the same policies", "the same 'to' address", "the same reference identifier(s)": nothing
        of the way changes but the host.
        """
        rules = self._context.rules.negotiation
        place = rules.place_of(away.condition, away.content)

        if place is None:
            raise away

        if not rules.redirect_is_followed(followed):
            raise StreamFailure(away.failure, f"{away}, after {followed} of that kind")

        self._context.log(f"{way.local} to {way.remote}: {away}: going to {place.host}")

        return place

    async def _open(self, way: _Way, over: Callable[[Channel], None]) -> OpenStream:
        connection, host = await self._connect(way)
        header = self._context.rules.initial_header(way.local, way.remote)
        channel = Channel(
            connection,
            initiating=True,
            limits=self._context.limits,
            unsent_bytes=self._context.configuration.limits.unsent_bytes,
            header=lambda: header,
            rules=self._context.rules,
            patience=self._context.rules.closing_timeout(self._context.configuration.edge),
            on_over=over,
        )
        self.channels.add(channel)

        if self._context.rules.checks_unauthenticated():
            StreamCheck(self._context, channel).begin()

        negotiation = OutboundNegotiation(
            self._context, channel, header, way.partner, way.purpose, local=way.local, remote=way.remote, host=host
        )

        try:
            return await negotiation.run()
        except asyncio.CancelledError:
            channel.finish(StreamCondition.CONNECTION_TIMEOUT, "the stream was not established in time")
            raise
        except SentAway as away:
            away.address = connection.remote[0]
            raise

    async def _connect(self, way: _Way) -> tuple[Connection, str]:
        """The first address that takes a connection, in the order of the SRV records; and its host."""
        remote = way.remote
        failure = StreamFailure(Failure.NOT_FOUND, f"no host is known for {remote}")

        async with aclosing(self._addresses(way)) as found:
            async for target, address in found:
                if isinstance(address, ResolveError):
                    self._context.log(f"{remote}: {target.host}: {address}")
                    continue

                try:
                    return await self._connect_to(way, target, address), target.host
                except OSError as error:
                    text = f"{target.host} at {address} port {target.port}: {error.strerror or error}"
                    failure = StreamFailure(Failure.UNREACHABLE, text)
                    self._context.log(f"{remote}: cannot connect to {text}")

                if not self._context.rules.tries_next_target():
                    break

        raise failure

    async def _addresses(self, way: _Way) -> AsyncGenerator[Found, None]:
        """Every address of every target, looked up one by one; in place of those of a target why it has none."""
        async with aclosing(self._targets(way)) as targets:
            async for target in targets:
                try:
                    async with aclosing(self._resolver.addresses(target.host)) as addresses:
                        async for address in addresses:
                            yield target, address
                except ResolveError as error:
                    yield target, error

    async def _connect_to(self, way: _Way, target: Target, address: str) -> Connection:
        rules, credentials = self._context.rules.negotiation, self._context.credentials

        if way.place is not None and not rules.address_is_safe(address, way.named_by):
            raise PermissionError(errno.EACCES, "a stranger may not send us to an address that is not public")

        tls = credentials.client(way.local, direct=True) if target.direct_tls else None

        return await open_connection(
            address,
            target.port,
            timeout=self._context.configuration.edge.connect_timeout,
            local_host=self._local_host if ":" not in address else None,
            tls=tls,
            server_name=rules.sni_of(way.remote, target.host) if tls is not None else None,
        )

    async def _targets(self, way: _Way) -> AsyncGenerator[Target, None]:
        # RFC 6120 §3.2.3: a configured host is used instead of SRV records.
        if way.place is not None and way.place.port is not None:
            yield Target(way.place.host, way.place.port, published=False)
            return

        if way.place is None and way.partner.proxy_fqdn is not None:
            yield Target(way.partner.proxy_fqdn, XMPP_SERVER_PORT, published=False)
            return

        domain = way.place.host if way.place is not None else way.remote

        try:
            targets = await self._resolver.targets(domain, direct_tls=self._looks_for_direct_tls(way))
        except ServiceDenied as error:
            raise StreamFailure(Failure.DENIED, str(error)) from None
        except (NoSuchDomain, NotResolved) as error:
            raise StreamFailure(Failure.NOT_FOUND, str(error)) from None

        for target in targets:
            yield target

        if any(target.published for target in targets):
            for target in self._resolver.fallback(domain, WithoutService.UNREACHABLE):
                yield target

    def _looks_for_direct_tls(self, way: _Way) -> bool:
        rules, available = self._context.rules.negotiation, self._context.credentials.available
        possible = rules.tls_is_possible(way.partner.tls_negotiation, available)

        return rules.direct_tls_is_looked_for(self._context.configuration.edge.direct_tls, possible)
