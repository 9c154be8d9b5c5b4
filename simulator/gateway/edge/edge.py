"""The edge proxy: listens for partners, dials them, and passes stanzas between them and the link.

Knows who owns which stream and where stanzas come from and go. Every decision is in `rules`; roles, dialback and
resolution have files of their own.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from typing import Protocol
from xml.etree.ElementTree import Element

from simulator.gateway.configuration import Configuration
from simulator.gateway.counters import Count, Counters
from simulator.gateway.edge.channel import Channel
from simulator.gateway.edge.checking import answers_ping
from simulator.gateway.edge.context import Context, Log
from simulator.gateway.edge.dialling import Dialler
from simulator.gateway.edge.failures import Failure
from simulator.gateway.edge.inbound import InboundStream
from simulator.gateway.edge.presence_ledger import PresenceLedger
from simulator.gateway.edge.routing import Routes
from simulator.gateway.edge.stream_status import StreamStatus
from simulator.gateway.edge.verification import Verifications
from simulator.gateway.link import LinkDown, LinkListener
from simulator.gateway.rules import Rules
from simulator.wire.connection import Connection
from simulator.wire.listener import Listener, listen
from simulator.xmpp.element import make_error
from simulator.xmpp.events import DialbackResult, DialbackVerify

#: how long partners may take to close their connections when the gateway stops, in seconds
PARTING = 1.0


class Link(Protocol):
    """What the edge needs of the link to the front end; `LinkListener` is one."""

    on_stanza: Callable[[Element], None]
    on_unsettled: Callable[[Element], None]
    on_route: Callable[[bool], None]
    on_up: Callable[[], None]
    on_down: Callable[[], None]
    owes: Callable[[Element], bool]

    def send(self, stanza: Element) -> None:
        """Hand a partner's stanza to the front end; raises LinkDown."""

    def handed_over(self, ids: Iterable[str]) -> None:
        """Say that the messages with these ids were handed over to a partner."""

    def domain_lost(self, domain: str) -> None:
        """Say that nothing is known any more of the users of a partner's domain."""

    def domain_back(self, domain: str) -> None:
        """Say that a domain that was lost is back."""

    async def start(self) -> None:
        """Listen for the front end; raises ListenError or CertificateError."""

    async def stop(self) -> None:
        """Close the link."""


class Edge:
    """The XMPP half of the gateway.

    `entropy` makes stream ids, the dialback secret (unless it is configured) and the choice among equal SRV records
    repeatable; without it they are unpredictable. `link` defaults to a `LinkListener` at the configured address.
    """

    def __init__(
        self,
        configuration: Configuration,
        rules: Rules | None = None,
        *,
        entropy: random.Random | None = None,
        log: Log = lambda _: None,
        link: Link | None = None,
        counters: Counters | None = None,
    ) -> None:
        self._context = Context(configuration, rules or Rules(), log, entropy, counters or Counters())
        self._topology = self._context.rules.topology
        self.link: Link = link or LinkListener(configuration, log=log)
        self._ledger = PresenceLedger(self._topology.presences_remembered(configuration.limits.presences))
        self._dialler = Dialler(self._context)
        self._verifications = Verifications(self._context, self._dialler)
        self._routes = Routes(
            self._context,
            self._dialler,
            handed_over=self.link.handed_over,
            bounce=self._bounce,
            stray=self._stray,
            received=self._deliver,
        )
        self._inbound: set[InboundStream] = set()
        self._listener: Listener | None = None
        self._direct_listener: Listener | None = None
        self._follow_link()

    def _follow_link(self) -> None:
        self.link.on_stanza = self.submit
        self.link.owes = self._topology.is_owed
        self.link.on_unsettled = self._not_settled
        self.link.on_route = self._route_changed
        self.link.on_up, self.link.on_down = self._link_up, self._link_down
        reachability = self._context.reachability
        reachability.on_lost, reachability.on_back = self.link.domain_lost, self.link.domain_back

    @property
    def port(self) -> int:
        """Where partners find us; only after `start`."""
        assert self._listener is not None

        return self._listener.port

    @property
    def direct_tls_port(self) -> int | None:
        """Where partners find us that begin with TLS (XEP-0368); only after `start`, and where it is switched on."""
        return self._direct_listener.port if self._direct_listener is not None else None

    def streams(self, now: float) -> list[StreamStatus]:
        """Every stream with partners, `now` by the event loop: first those that partners opened, in no order."""
        inbound = [stream.status(now) for stream in self._inbound]
        outbound = [stream.status(now) for stream in self._routes.streams]

        return inbound + [status for status in outbound if status is not None]

    @property
    def lost(self) -> frozenset[str]:
        """The domains of partners of whose users nothing is known any more."""
        return self._context.reachability.lost

    @property
    def shown(self) -> int:
        """How many presences of users are shown to users outside."""
        return len(self._ledger)

    @property
    def host(self) -> str:
        """The address that we listen on."""
        return self._context.configuration.edge.host

    async def start(self) -> None:
        """Listen for partners and for the front end, with the certificates that are in the files now.

        Raises ListenError, CertificateError, and then nothing is left open.
        """
        self._context.credentials.load(self._dialler.fetch)
        await self.link.start()

        try:
            await self._listen()
        except BaseException:
            await self._listen_no_more()
            await self.link.stop()
            raise

    async def _listen(self) -> None:
        edge, credentials = self._context.configuration.edge, self._context.credentials
        self._listener = await listen(edge.host, edge.port, self._accepted, service="partners (XMPP)")

        if edge.direct_tls_port is not None and credentials.available:
            timeout = self._context.rules.establishment_timeout(self._context.configuration.gateway)
            self._direct_listener = await listen(
                edge.host,
                edge.direct_tls_port,
                self._accepted,
                credentials.direct_server,
                service="partners (XMPP, direct TLS)",
                **({} if timeout is None else {"handshake_timeout": timeout}),
            )

    async def _listen_no_more(self) -> None:
        for listener in (self._listener, self._direct_listener):
            if listener is not None:
                await listener.close()

    async def stop(self) -> None:
        """Tell every partner that we shut down, and close everything."""
        await self._listen_no_more()

        if self._topology.stopped_edge_withdraws:
            self._withdraw(self._routes.write_if_open)

        farewell = self._context.rules.farewell()
        inbound = [stream.channel for stream in self._inbound]

        for channel in (*inbound, *self._dialler.channels):
            channel.finish(farewell)
            # Those that said goodbye before, and wait for the peer to do so, need wait no longer.
            channel.connection.close()

        self._verifications.stop()
        await self._routes.stop()
        await _all_over([*inbound, *self._dialler.channels])
        await self.link.stop()

    def submit(self, stanza: Element) -> None:
        """Send a stanza of a user inside to the partner that it is addressed to, or bounce it."""
        pair = self._context.rules.pair_of_stanza(stanza.get("from"), stanza.get("to"))

        if pair is None or pair[0] not in self._context.served:
            self._context.log(
                f"dropped: a stanza from {stanza.get('from')!r} to {stanza.get('to')!r} is not ours to send"
            )
        else:
            if not self._ledger.saw(stanza):
                self._context.log(f"{stanza.get('from')} is shown to more people than can be remembered")

            self._note(stanza)
            self._routes.route(stanza, *pair)

    def _note(self, stanza: Element) -> None:
        bodies = self._context.configuration.gateway.enable_logging_all_message_bodies
        line = self._context.rules.line_of_message(stanza, bodies=bodies)

        if line is not None:
            self._context.log(line)

    def reconfigure(self) -> None:
        """Take over what the configuration has now, and end the streams that were negotiated under other settings."""
        self._context.renew()
        rules, partner_for = self._context.rules, self._context.partner_for

        for stream in tuple(self._inbound):
            stream.reconsider()

        self._routes.finish(
            lambda stream: rules.stream_stays(stream.partner, partner_for(stream.remote)),
            lambda remote: rules.farewell_to_former(partner_for(remote)),
        )

    def _route_changed(self, serves: bool) -> None:
        """The front end says whether we are the site's XMPP federation route.

        "Failing over the Edge pool used for XMPP federation": the administrator changes the site's route, and the DNS
        records by which partners find us. Of open streams the page says nothing. What partners still send to the
        former route could only come back as an error: so its streams are closed in order, and partners, who dial
        again for the next stanza, find the new one by the new records. Users are shown by the new route from now on.
        """
        self._context.log(f"this edge is {'' if serves else 'no longer '}the site's XMPP federation route")

        if not serves and self._topology.former_route_closes_streams:
            self._ledger.clear()
            self._routes.finish(lambda _: False, lambda _: None)

            for stream in tuple(self._inbound):
                stream.channel.finish()

    def _link_up(self) -> None:
        for domain in sorted(self._context.reachability.lost):
            self.link.domain_lost(domain)

    def _link_down(self) -> None:
        if self._topology.edge_withdraws_for_front_end:
            self._withdraw(self._routes.route)

    def _withdraw(self, send: Callable[[Element, str, str], None]) -> None:
        """RFC 6121 §4.5.2: "the server MUST generate the unavailable presence broadcast on the user's behalf"."""
        for presence in self._ledger.withdraw():
            pair = self._context.rules.pair_of_stanza(presence.get("from"), presence.get("to"))

            if pair is not None:
                send(presence, *pair)

    def _stray(self, answer: DialbackVerify | DialbackResult) -> None:
        """An answer came on a stream on which nothing was asked."""
        if isinstance(answer, DialbackVerify):
            self._verifications.stray(answer)
        else:
            self._routes.stray(answer)

    def _accepted(self, connection: Connection) -> None:
        seat = self._context.census.take_seat()

        if seat is None:
            # XEP-0205 §4.1: a connection above the limit is not allowed to proceed; it is owed no XMPP error.
            self._context.log(f"{connection.remote[0]}:{connection.remote[1]}: refused: too many connections")
            connection.abort()
            return

        stream = InboundStream(
            self._context, connection, seat, self._verifications, self._deliver, self._stray, self._inbound.discard
        )
        self._inbound.add(stream)

    def _deliver(self, stanza: Element) -> None:
        self._context.counters.count(Count.STANZAS_IN, asyncio.get_running_loop().time())
        self._note(stanza)

        if answers_ping(self._context, stanza):
            return

        try:
            self.link.send(stanza)
        except LinkDown as down:
            self._context.log(f"not delivered: from {stanza.get('from')} to {stanza.get('to')}: {down}")

            if self._context.rules.is_answered(stanza):
                self._not_settled(stanza)

    def _not_settled(self, stanza: Element) -> None:
        """The front end did not take a stanza, or was lost before it said what became of it: its sender is told."""
        self._context.counters.count(Count.NOT_DELIVERED, asyncio.get_running_loop().time())
        # Replies go over our own stream to the partner: the one it came on is the partner's (RFC 6120 §4.5).
        self.submit(make_error(stanza, self._topology.condition_of_loss, type="wait"))

    def _bounce(self, stanza: Element, failure: Failure) -> None:
        if not self._context.rules.is_bounced(stanza):
            return

        error = make_error(stanza, self._context.rules.bounce_condition(failure), text=failure.value)

        try:
            self.link.send(error)
        except LinkDown as down:
            self._context.log(f"not bounced to {stanza.get('from')}: {down}")


async def _all_over(channels: list[Channel]) -> None:
    """Wait until all connections are gone; those that take too long are dropped."""
    waiting = [asyncio.ensure_future(channel.over.wait()) for channel in channels]

    if not waiting:
        return

    await asyncio.wait(waiting, timeout=PARTING)

    for channel in channels:
        channel.connection.abort()

    await asyncio.gather(*waiting)
