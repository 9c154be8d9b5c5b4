"""The front end: listens for SIP users, holds the link, and passes messages between the two.

Knows what is started and stopped, and the clock. Does not know how a request is answered (`outward`), how a stanza is
delivered (`inward`), nor how a message is translated (`translation`).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from xml.etree.ElementTree import Element

from simulator.gateway.access.point import AccessPoint
from simulator.gateway.configuration import Configuration
from simulator.gateway.contacts.rules import HomeRules
from simulator.gateway.frontend.delivery import Delivery
from simulator.gateway.frontend.edges import Edges, Places
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.homing import make_home
from simulator.gateway.frontend.inward import Inward
from simulator.gateway.frontend.messages import Messages
from simulator.gateway.frontend.outbox import Outbox
from simulator.gateway.frontend.outward import Dispatcher
from simulator.gateway.frontend.parties import Parties
from simulator.gateway.frontend.presence.agent import PresenceAgent
from simulator.gateway.frontend.refusal import Refused
from simulator.gateway.frontend.registrar import Registrar
from simulator.gateway.frontend.registration import Registration
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.gateway.frontend.sessions.context import Context
from simulator.gateway.frontend.sessions.sessions import Sessions
from simulator.gateway.topology_rules import TopologyRules
from simulator.sip.agent import Incoming
from simulator.sip.identifiers import Identifiers
from simulator.wire.connection import Connection
from simulator.wire.listener import Listener, listen
from simulator.wire.tls import server_context
from simulator.xmpp.address import parse_address

#: seconds between two looks at what has run out; less where the settings are in fractions of a second
TICK = 1.0


class FrontEnd:
    """The inner half of the gateway. Ports are known after `start`; None is a transport that is switched off.

    `access` is asked who may reach whom; `home` has the users' contacts and presence.
    """

    def __init__(
        self,
        configuration: Configuration,
        rules: FrontEndRules | None = None,
        *,
        access: AccessPoint | None = None,
        home_rules: HomeRules | None = None,
        topology_rules: TopologyRules | None = None,
        entropy: random.Random | None = None,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        rules = rules or FrontEndRules()
        access = access or AccessPoint(configuration)
        self._configuration, self._rules, self._log = configuration, rules, log
        self._identifiers = Identifiers(entropy)
        self._clock: Callable[[], float] = lambda: asyncio.get_running_loop().time()
        self._registrar: Registrar[Flow] = Registrar()
        self._flows: set[Flow] = set()
        self._listeners: list[Listener] = []
        self._timer: asyncio.TimerHandle | None = None
        self.tcp_port: int | None = None
        self.tls_port: int | None = None
        self.link = Edges(configuration, topology_rules, entropy=entropy, log=log)
        self.home = make_home(
            configuration,
            home_rules,
            access=access,
            send=self.link.send,
            make_id=self._identifiers.fresh,
            log=log,
        )
        self._parties = Parties(configuration, rules, self._registrar, access)
        self._dispatcher = Dispatcher(rules, self._parties.speaks_for)
        self._outbox = Outbox(
            rules,
            identifiers=self._identifiers,
            send=self._send_message,
            timeout=configuration.frontend.transaction_timeout,
            clock=self._now,
            log=log,
        )
        delivery = Delivery(self._identifiers, rules.message_limit, rules.best_answer)
        self._sessions = self._make_sessions(delivery)
        self._serve(delivery)
        self._presence = PresenceAgent(
            configuration,
            rules,
            home=self.home,
            dispatcher=self._dispatcher,
            parties=self._parties,
            registrar=self._registrar,
            identifiers=self._identifiers,
            clock=self._now,
            log=log,
        )
        self.home.tell = self._presence.tell
        self._inward = self._make_inward(access)
        self._follow_link()

    def _make_sessions(self, delivery: Delivery) -> Sessions:
        configuration = self._configuration
        context = Context(
            settings=lambda: configuration.frontend,
            rules=self._rules,
            parties=self._parties,
            dialogs=self._dispatcher.dialogs,
            outbox=self._outbox,
            delivery=delivery,
            identifiers=self._identifiers,
            clock=self._now,
            allow=lambda: self._dispatcher.allow,
            log=self._log,
        )

        return Sessions(context, self._registrar, queue=configuration.limits.queued_stanzas)

    def _make_inward(self, access: AccessPoint) -> Inward:
        return Inward(
            self._configuration,
            self._rules,
            registrar=self._registrar,
            sessions=self._sessions,
            access=access,
            added=self.home.has_added,
            is_taken=self.home.takes_from,
            send=self.link.send,
            hold=self.link.hold,
            bounced=self._outbox.bounced,
            presence=self._presence.receive,
            priority_of=self._presence.priority_of,
            shares=self.home.shares_presence,
            log=self._log,
        )

    def _serve(self, delivery: Delivery) -> None:
        """Say who answers which method; those of presence are served by its agent."""
        registration = Registration(self._configuration, self._rules, self._registrar, self._now)
        messages = Messages(
            self._configuration,
            self._rules,
            parties=self._parties,
            registrar=self._registrar,
            delivery=delivery,
            outbox=self._outbox,
        )
        self._sessions.serve(self._dispatcher)
        self._dispatcher.serve("REGISTER", registration.handle)
        self._dispatcher.serve("MESSAGE", messages.handle)

    def _follow_link(self) -> None:
        self.link.on_stanza = self._stanza
        self.link.on_handed_over = self._outbox.handed_over
        self.link.on_down = self._outbox.link_lost
        self.link.on_edge_lost = lambda owns: self.home.link_lost(self._now(), owns)
        self.link.on_edge_back = lambda owns: self.home.link_back(self._now(), owns)
        self.link.on_domain_lost = lambda domain: self.home.domain_lost(domain, self._now())
        self.link.on_domain_back = lambda domain: self.home.domain_back(domain, self._now())

    def _now(self) -> float:
        # The clock is that of the loop, which there is only from `start` on.
        return self._clock()

    async def start(self, places: Places | None = None) -> None:
        """Listen for SIP, and begin to connect to the edges (`link.wait_up()` says when that is done).

        An edge is sought at the configured address unless `places` has another (port 0 in a configuration means that
        only the running edge knows its port). Raises ListenError, CertificateError or StoreError, and then nothing is
        left open.
        """
        self._clock = asyncio.get_running_loop().time
        self.home.epoch = time.time() - self._clock()

        try:
            self.home.open()
            await self._listen()
            await self.link.start(places)
        except BaseException:
            await self.stop()
            raise

        self._tick()

    async def stop(self) -> None:
        """Tell contacts that everybody leaves, close the link, which answers what is pending, and SIP connections."""
        if self._timer is not None:
            self._timer.cancel()

        for listener in self._listeners:
            await listener.close()

        self._listeners.clear()
        self.home.close(self._clock())
        self._presence.close()
        await self.link.settle()
        await self.link.stop()

        for flow in tuple(self._flows):
            flow.close()

    def _send_message(self, stanza: Element) -> None:
        """Messages ask the gates, also within sessions that began when they were open. Raises Refused, LinkDown."""
        sender, to = parse_address(stanza.get("from", "")), parse_address(stanza.get("to", ""))
        self._parties.admit(sender, to)

        # XEP-0191 §3.3: "the user's server MUST NOT route the stanza to the contact".
        if not self.home.sends_to(sender.bare, to.bare):
            raise Refused(403, "You have blocked this contact")

        self.link.send(stanza)

    def reconfigure(self) -> None:
        """The configuration has changed: routes, and users who are no longer in it are registered no longer."""
        self.link.reconfigure()
        self.home.reconsider(self._clock())
        self._registrar.forget_users(lambda user: self._configuration.user(str(user)) is not None)

    async def _listen(self) -> None:
        frontend, certificates = self._configuration.frontend, self._configuration.certificates

        if frontend.sip_tcp_port is not None:
            listener = await listen(frontend.host, frontend.sip_tcp_port, self._accepted, service="SIP")
            self._listeners.append(listener)
            self.tcp_port = listener.port

        if frontend.sip_tls_port is not None and certificates.sip is not None:
            # Users show no certificate: what ties them to a name is their registration.
            tls = server_context(certificates.sip.certificate, certificates.sip.key)
            listener = await listen(frontend.host, frontend.sip_tls_port, self._accepted, tls, service="SIP over TLS")
            self._listeners.append(listener)
            self.tls_port = listener.port

    def _accepted(self, connection: Connection) -> None:
        limits = self._configuration.limits
        flow = Flow(
            connection,
            self._identifiers,
            timeout=self._configuration.frontend.transaction_timeout,
            body_bytes=limits.sip_bytes,
            unsent_bytes=limits.unsent_bytes,
            queue=limits.queued_stanzas,
            overlaps=self._rules.overlaps,
            clock=self._clock,
            on_request=self._request,
            on_closed=self._flow_closed,
        )
        flow.on_cancelled = lambda incoming: self._sessions.cancelled(flow, incoming)
        self._flows.add(flow)

    def _request(self, flow: Flow, incoming: Incoming) -> None:
        self._dispatcher.handle(flow, incoming)

    def _stanza(self, stanza: Element) -> None:
        self._inward.handle(stanza)

    def _flow_closed(self, flow: Flow) -> None:
        self._flows.discard(flow)
        self._dispatcher.dialogs.forget_flow(flow)
        self._sessions.flow_closed(flow)
        self._registrar.forget_flow(flow)
        self._presence.flow_closed(flow)

    def _tick(self) -> None:
        now = self._clock()
        self._outbox.expire(now)
        self._sessions.expire(now)
        self._registrar.expire(now)
        self._presence.expire(now)
        self.home.expire(now)

        for flow in tuple(self._flows):
            flow.expire()

        shortest = min(
            self._configuration.frontend.transaction_timeout,
            self._configuration.frontend.subscription_resend_interval,
            self._configuration.gateway.subscription_refresh_interval,
        )
        pause = min(TICK, shortest / 20)
        self._timer = asyncio.get_running_loop().call_later(pause, self._tick)
