"""Partners: their records, a real TCP connection, and the first words of a stream.

The guide to the older gateway: what has to work are the resolution of the partner's SRV record, and "the TCP connection
and the first negotiation". Knows how far one gets. Authenticates nothing, and sends nothing of anybody's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from simulator.gateway.configuration import Configuration
from simulator.gateway.examination.finding import Finding, fail, ok, warn
from simulator.gateway.examination.records import EVERYWHERE, UNANSWERED, addresses, unanswered_about
from simulator.gateway.negotiation import Method, Negotiation
from simulator.gateway.partner import AllowedPartner
from simulator.wire.connection import Connection, open_connection
from simulator.wire.resolve import NotResolved, ResolveError, Resolver, ServiceDenied
from simulator.wire.service import XMPP_SERVER_PORT, Target
from simulator.xmpp import starttls
from simulator.xmpp.events import Event, StreamClosed, StreamError, StreamFeatures, StreamHeader, Violation
from simulator.xmpp.limits import Limits
from simulator.xmpp.stream import Stream

#: seconds for a peer to close its side of a connection
GOODBYE = 1.0


async def reachable(configuration: Configuration, resolver: Resolver) -> AsyncIterator[Finding]:
    """Each domain of each partner, one after the other."""
    for partner in configuration.partners:
        for domain in partner.domains:
            async for finding in _domain(configuration, resolver, partner, domain):
                yield finding


async def _domain(
    configuration: Configuration, resolver: Resolver, partner: AllowedPartner, domain: str
) -> AsyncIterator[Finding]:
    subject = f"way to {domain}"

    try:
        if partner.proxy_fqdn is not None:
            targets = [Target(partner.proxy_fqdn, XMPP_SERVER_PORT, published=False)]
        else:
            targets = await resolver.targets(domain)
    except ServiceDenied as error:
        yield fail(subject, str(error), "nothing can be done here; ask the partner")
        return
    except ResolveError as error:
        yield fail(subject, str(error), f"is the domain written rightly? Else: {UNANSWERED}")
        return

    if partner.proxy_fqdn is None and not any(target.published for target in targets):
        unanswered = await unanswered_about(domain, resolver)

        if unanswered is not None:
            yield fail(subject, str(unanswered), UNANSWERED)
            return

        text = f"there is no record _xmpp-server._tcp.{domain}; {domain} itself is tried on port {XMPP_SERVER_PORT}"
        yield warn(subject, text, "ask the partner to publish one, or set -ProxyFqdn")

    failures: list[Finding] = []

    for target in targets:
        found = await addresses(resolver, target.host)

        if isinstance(found, ResolveError):
            advice = "ask the partner" if partner.proxy_fqdn is None else "is -ProxyFqdn right?"
            advice = UNANSWERED if isinstance(found, NotResolved) else advice
            failures.append(fail(subject, f"{target.host} has no address: {found}", advice))
            continue

        for address in found:
            finding, connected = await _greeted(configuration, partner, domain, address, target.port)

            if connected:
                yield finding
                return

            failures.append(finding)

    for finding in failures or [fail(subject, "there is no host to connect to", "ask the partner")]:
        yield finding


async def _greeted(
    configuration: Configuration, partner: AllowedPartner, domain: str, address: str, port: int
) -> tuple[Finding, bool]:
    """How far one gets at an address, and whether anybody was there at all."""
    subject, edge = f"way to {domain}", configuration.edge
    local = None if edge.host in EVERYWHERE else edge.host

    try:
        connection = await open_connection(address, port, timeout=edge.connect_timeout, local_host=local)
    except OSError as error:
        advice = f"does the partner's server run, and does the firewall let TCP to port {port} pass, outwards?"
        return fail(subject, f"no TCP connection to {address}:{port}: {error.strerror or error}", advice), False

    timeout = min(edge.connect_timeout, configuration.gateway.stream_establishment_timeout)
    greeting = _Greeting(connection, configuration.domains[0], domain)

    try:
        async with asyncio.timeout(timeout):
            await greeting.over.wait()
    except TimeoutError:
        pass

    judged = _judged(subject, f"{address}:{port}", partner, greeting, timeout)
    await greeting.leave()

    return judged, True


def _judged(subject: str, where: str, partner: AllowedPartner, greeting: _Greeting, timeout: float) -> Finding:
    if greeting.error:
        return fail(
            subject, f"{where} ends the stream: {greeting.error}", "ask the partner whether it knows our domain"
        )

    if greeting.header is None:
        text = f"{where} accepts TCP connections and sends no stream header within {timeout:g} s"
        return fail(subject, text, "does an XMPP server listen there?")

    said = f"{where} answers with a stream header"

    if greeting.features is None:
        if greeting.header.version is not None:
            return warn(subject, f"{said}, and with no features", "such a stream never gets further")

        if Method.TCP_DIALBACK not in partner.methods:
            advice = "set -TlsNegotiation to Optional or NotSupported, and -SupportDialbackNegotiation to $true"
            return fail(subject, f"{said} of old, without TLS: only dialback without TLS is possible", advice)

        return ok(subject, f"{said} of old, without a version: dialback it is")

    offers_tls = starttls.is_offered(greeting.features.features)

    if partner.tls_negotiation is Negotiation.REQUIRED and not offers_tls:
        return fail(
            subject, f"{said} and offers no TLS, which is required", "set -TlsNegotiation Optional, or ask them"
        )

    if partner.tls_negotiation is Negotiation.NOT_SUPPORTED and starttls.is_mandatory(greeting.features.features):
        return fail(subject, f"{said} and demands TLS, which is not supported", "set -TlsNegotiation Optional")

    return ok(subject, f"{said} and offers {'TLS' if offers_tls else 'no TLS'}")


class _Greeting:
    """Says who we are, and listens until the features have come, or whatever comes instead."""

    def __init__(self, connection: Connection, local: str, remote: str) -> None:
        self.header: StreamHeader | None = None
        self.features: StreamFeatures | None = None
        self.error = ""
        self.over = asyncio.Event()
        self._gone = asyncio.Event()
        self._connection = connection
        self._stream = Stream(True, Limits())
        connection.on_data = self._received
        connection.on_closed = self._closed
        connection.write(self._stream.send(StreamHeader(sender=local, to=remote)))

    async def leave(self) -> None:
        """End the stream in order, as far as that can be done within `GOODBYE` seconds."""
        if not self._connection.closed:
            self._connection.write(self._stream.send(StreamClosed()))
            self._connection.close()

        try:
            async with asyncio.timeout(GOODBYE):
                await self._gone.wait()
        except TimeoutError:
            self._connection.abort()

    def _received(self, data: bytes) -> None:
        for event in self._stream.receive(data):
            self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, StreamHeader):
            self.header = event

            # Before version 1.0 there were no features (RFC 6120 §4.7.5).
            if event.version is None:
                self.over.set()
        elif isinstance(event, StreamFeatures):
            self.features = event
            self.over.set()
        elif isinstance(event, StreamError):
            self.error = f"{event.condition}" + (f" ({event.text})" if event.text else "")
            self.over.set()
        elif isinstance(event, Violation | StreamClosed):
            self.error = self.error or ("it is no XMPP" if isinstance(event, Violation) else "the stream was closed")
            self.over.set()

    def _closed(self, how: str, error: Exception | None) -> None:
        if not self.over.is_set():
            self.error = "the connection was closed"

        self.over.set()
        self._gone.set()
