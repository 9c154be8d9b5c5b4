"""The complete gateway: an edge, a front end and the link between them, started and stopped together.

Knows the order in which the halves come and go. Does not know what passes through them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import msgspec

from simulator.gateway.access.point import AccessPoint
from simulator.gateway.configuration import Configuration
from simulator.gateway.edge.edge import Edge
from simulator.gateway.frontend.frontend import FrontEnd
from simulator.gateway.link import LinkListener
from simulator.gateway.rules import Rules

Log = Callable[[str], None]

#: parts of the configuration that are looked at when the gateway starts
AT_START = ("dns", "certificates", "edge", "frontend")


class LinkNotUp(ConnectionError):  # noqa: N818 - says what happened
    """The front end did not reach the edge in time; the text says where it was sought."""


class Gateway:
    """A gateway that was not started yet.

    `rules` other than the default are deliberate defects. With `entropy` everything random comes from it, so that a
    run can be repeated; without, from the operating system.
    """

    def __init__(
        self,
        configuration: Configuration,
        rules: Rules | None = None,
        *,
        entropy: random.Random | None = None,
        log: Log = lambda line: None,
    ) -> None:
        rules = rules or Rules()
        self.configuration, self._log = configuration, log
        self._link = LinkListener(configuration, log=log)
        self.edge = Edge(configuration, rules, entropy=entropy, log=log, link=self._link)
        access = AccessPoint(configuration, rules.access, partner_for=rules.partner_for)
        self.frontend = FrontEnd(
            configuration, rules.frontend, home_rules=rules.home, access=access, entropy=entropy, log=log
        )

    @property
    def listening(self) -> dict[str, tuple[str, int]]:
        """Service -> host and port, of everything that listens: ``edge``, ``link``, and where on ``sip``, ``sips``, and
        ``edge-tls`` for partners that begin with TLS (XEP-0368).
        """
        edge, inside = self.configuration.edge, self.configuration.frontend.host
        found = {"edge": (edge.host, self.edge.port), "link": (edge.link_host or edge.host, self._link.port)}

        if self.edge.direct_tls_port is not None:
            found["edge-tls"] = (edge.host, self.edge.direct_tls_port)

        if self.frontend.tcp_port is not None:
            found["sip"] = (inside, self.frontend.tcp_port)

        if self.frontend.tls_port is not None:
            found["sips"] = (inside, self.frontend.tls_port)

        return found

    async def start(self) -> None:
        """Return when everything listens and the link is up.

        Raises ListenError, CertificateError, StoreError or LinkNotUp, and then nothing is left open.
        """
        try:
            await self.edge.start()
            await self.frontend.start(link_port=self._link.port)
            await self._await_link()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close every stream with system-shutdown, answer what is pending, and listen no more. May be called again."""
        # The front end first: whatever it still takes on could no longer leave through the edge.
        try:
            await self.frontend.stop()
        finally:
            await self.edge.stop()

    def reconfigure(self, configuration: Configuration) -> tuple[str, ...]:
        """Go on with another configuration, which must have been `checked`; gives the parts that take a new start.

        Everybody who holds our configuration sees the new one. Streams of partners that are allowed no longer are
        closed, and those whose negotiation was set differently. What streams and sockets were made of at the start
        stays as it was: addresses, name server and certificates.
        """
        later = tuple(part for part in AT_START if getattr(configuration, part) != getattr(self.configuration, part))
        kept = {part: getattr(self.configuration, part) for part in AT_START}
        self.configuration.adopt(msgspec.structs.replace(configuration, **kept))
        self.edge.reconfigure()
        self.frontend.reconfigure()
        self._log(f"reconfigured{': these take a new start: ' + ', '.join(later) if later else ''}")

        return later

    async def cut_link(self) -> None:
        """Take the link down and keep it down, as if the inner network had failed."""
        await self.frontend.link.stop()

    async def mend_link(self) -> None:
        """Let the link come up again; returns when it is. Raises LinkNotUp."""
        await self.frontend.link.start(port=self._link.port)
        await self._await_link()

    async def _await_link(self) -> None:
        try:
            async with asyncio.timeout(self.configuration.edge.connect_timeout):
                await self.frontend.link.wait_up()
        except TimeoutError:
            host, port = self.listening["link"]
            raise LinkNotUp(
                f"the front end cannot reach the edge at {host}:{port}; are the certificates right?"
            ) from None
