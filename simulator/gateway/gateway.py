"""The complete gateway, or what of it runs in this process: edges, a front end and the links between them.

Knows the order in which the parts come and go. Does not know what passes through them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from enum import StrEnum

import msgspec

from simulator.gateway import topology
from simulator.gateway.access.point import AccessPoint
from simulator.gateway.configuration import Configuration
from simulator.gateway.edge.edge import Edge
from simulator.gateway.edge_server import EdgeServer
from simulator.gateway.frontend.edges import Places, of_member
from simulator.gateway.frontend.frontend import FrontEnd
from simulator.gateway.replica import with_replica
from simulator.gateway.rules import Rules
from simulator.gateway.services import FRONT_END, PROXY, TRANSLATING, NoSuchService, Service
from simulator.gateway.topology import Member

Log = Callable[[str], None]

#: parts of the configuration that are looked at when the gateway starts
AT_START = ("dns", "certificates", "edge", "frontend")


class LinkNotUp(ConnectionError):  # noqa: N818 - says what happened
    """The front end did not reach the edge in time; the text says where it was sought."""


class NoSuchEdge(LookupError):  # noqa: N818 - says what is the matter
    """The configuration has no such edge, or several where one was meant; the text says which there are."""


class Role(StrEnum):
    """What of the gateway runs in a process."""

    ALL = "all"
    EDGE = "edge"
    FRONT_END = "front-end"


class Gateway:
    """A gateway that was not started yet.

    `rules` other than the default are deliberate defects. With `entropy` everything random comes from it, so that a
    run can be repeated; without, from the operating system. `pool` and `edge` (FQDN) choose among several edges, in the
    role of an edge; raises NoSuchEdge.
    """

    def __init__(
        self,
        configuration: Configuration,
        rules: Rules | None = None,
        *,
        role: Role = Role.ALL,
        pool: str | None = None,
        edge: str | None = None,
        entropy: random.Random | None = None,
        log: Log = lambda line: None,
    ) -> None:
        rules = rules or Rules()
        self.configuration, self.role, self._log = configuration, role, log
        self.edges: dict[str, EdgeServer] = {}
        """Those that run in this process, by their FQDN."""
        self._frontend: FrontEnd | None = None
        self._translates = True
        self._taken_over = rules.access.taken_over

        if role is not Role.FRONT_END:
            for member in _chosen(configuration, role, pool, edge):
                own = of_member(configuration, member)
                server = EdgeServer(member.identity, own, rules, entropy=entropy, log=log)
                self.edges[member.identity] = server

                # Where the front end is elsewhere we know of an administrator's changes what it says.
                if role is Role.EDGE:
                    server.on_replica = self._replicated

        if role is not Role.EDGE:
            access = AccessPoint(configuration, rules.access, partner_for=rules.partner_for)
            self._frontend = FrontEnd(
                configuration,
                rules.frontend,
                access=access,
                home_rules=rules.home,
                topology_rules=rules.topology,
                entropy=entropy,
                log=log,
            )

    @property
    def edge(self) -> Edge:
        """The first edge of this process."""
        return next(iter(self.edges.values())).edge

    @property
    def frontend(self) -> FrontEnd:
        """The front end; not in the role of an edge."""
        assert self._frontend is not None

        return self._frontend

    @property
    def listening(self) -> dict[str, tuple[str, int]]:
        """Service -> host and port, of everything that listens: ``edge``, ``link``, and where on ``sip``, ``sips``, and
        ``edge-tls`` for partners that begin with TLS (XEP-0368); with ``@FQDN`` for every edge but the first.
        """
        found: dict[str, tuple[str, int]] = {}

        for number, (identity, server) in enumerate(self.edges.items()):
            behind = f"@{identity}" if number else ""
            found |= {f"{service}{behind}": place for service, place in server.places.items()}

        frontend, inside = self._frontend, self.configuration.frontend.host

        if frontend is not None and frontend.tcp_port is not None:
            found["sip"] = (inside, frontend.tcp_port)

        if frontend is not None and frontend.tls_port is not None:
            found["sips"] = (inside, frontend.tls_port)

        return found

    async def start(self) -> None:
        """Return when everything listens and the links within this process are up.

        A front end alone does not wait for its edges: they may come later. Raises ListenError, CertificateError or
        LinkNotUp, and then nothing is left open.
        """
        try:
            for server in self.edges.values():
                await server.start()

            if self._frontend is not None:
                await self._frontend.start(self._places())

                if self.edges:
                    await self._await_link()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close every stream with system-shutdown, answer what is pending, and listen no more. May be called again."""
        # The front end first: whatever it still takes on could no longer leave through the edge.
        try:
            if self._frontend is not None:
                await self._frontend.stop()
        finally:
            await asyncio.gather(*(server.stop() for server in self.edges.values()))

    # -- while it runs

    def reconfigure(self, configuration: Configuration) -> tuple[str, ...]:
        """Go on with another configuration, which must have been `checked`; gives the parts that take a new start.

        Everybody who holds our configuration sees the new one. Streams of partners that are allowed no longer are
        closed, and those whose negotiation was set differently. Another route of a site takes over at once. What
        streams and sockets were made of at the start stays as it was: addresses, name server and certificates.
        """
        configuration = self._taken_over(self.configuration, configuration)
        later = [part for part in AT_START if getattr(configuration, part) != getattr(self.configuration, part)]
        kept = {part: getattr(self.configuration, part) for part in AT_START}
        self.configuration.adopt(msgspec.structs.replace(configuration, **kept))

        for server in self.edges.values():
            server.reconfigure(self.configuration)

        if self._frontend is not None:
            self._frontend.reconfigure()

        if self.role is Role.ALL and {member.identity for member in _members(self.configuration)} - self.edges.keys():
            later.append("pools")

        self._log(f"reconfigured{': these take a new start: ' + ', '.join(later) if later else ''}")

        return tuple(later)

    def _replicated(self, text: str) -> None:
        self.configuration.adopt(with_replica(self.configuration, text))

    @property
    def services(self) -> tuple[Service, ...]:
        """The services of this process, as `services` names them."""
        proxies = [
            Service(name=PROXY, computer=server.identity, running=server.running) for server in self.edges.values()
        ]
        inside = [Service(name=TRANSLATING, computer=FRONT_END, running=self._translates)] if self._frontend else []

        return (*proxies, *inside)

    async def stop_service(self, name: str, computer: str | None = None) -> None:
        """Stop a service, on every computer of this process unless one is named; raises NoSuchService.

        Without the proxy an edge has no sockets, and its partners are told system-shutdown. Without the translating
        gateway users stay registered, and learn that nothing can be sent; partners' stanzas come back.
        """
        for service in self._found(name, computer):
            if service.name == TRANSLATING:
                self._translates = False
                await self.frontend.link.settle()
                await self.frontend.link.stop()
            else:
                await self.edges[service.computer].stop()

            self._log(f"stopped: {service.name} on {service.computer}")

    async def start_service(self, name: str, computer: str | None = None) -> None:
        """Start a service again; one that runs stays as it is. Raises NoSuchService, ListenError, CertificateError."""
        for service in self._found(name, computer):
            if service.running:
                continue

            if service.name == TRANSLATING:
                self._translates = True
                await self.frontend.link.start(self._places())
            else:
                await self.edges[service.computer].start()

            self._log(f"started: {service.name} on {service.computer}")

    async def cut_link(self) -> None:
        """Take the link down and keep it down, as if the inner network had failed."""
        await self.frontend.link.stop()

    async def mend_link(self) -> None:
        """Let the link come up again; returns when it is. Raises LinkNotUp."""
        await self.frontend.link.start(self._places())
        await self._await_link()

    def _found(self, name: str, computer: str | None) -> list[Service]:
        wanted = name.lower(), computer.lower() if computer is not None else None
        found = [
            service
            for service in self.services
            if service.name.lower() == wanted[0] and wanted[1] in (None, service.computer.lower())
        ]

        if not found:
            raise NoSuchService(name, computer, self.services)

        return found

    def _places(self) -> Places:
        return {identity: server.places["link"] for identity, server in self.edges.items()}

    async def _await_link(self) -> None:
        try:
            async with asyncio.timeout(self.configuration.edge.connect_timeout):
                await self.frontend.link.wait_up()
        except TimeoutError:
            host, port = self.listening["link"]
            raise LinkNotUp(
                f"the front end cannot reach the edge at {host}:{port}; are the certificates right?"
            ) from None


def _members(configuration: Configuration) -> tuple[Member, ...]:
    return topology.members(configuration.pools, configuration.edge)


def _chosen(configuration: Configuration, role: Role, pool: str | None, edge: str | None) -> list[Member]:
    """The edges that run in this process: all, or in the role of an edge the one that is meant."""
    members = _members(configuration)
    chosen = [each for each in members if each.pool == (pool or each.pool) and each.identity == (edge or each.identity)]

    if not chosen or (role is Role.EDGE and len(chosen) > 1 and pool is None):
        there = ", ".join(f"{each.identity} (pool {each.pool})" for each in members) or "none with XMPP federation"
        what = f"there is no edge {edge or pool}" if not chosen else "which edge?"
        raise NoSuchEdge(f"{what}; the configuration has: {there}")

    return chosen
