"""One Edge Server: its proxy and its end of the link, stopped and started together as the one service that they are.

Knows what is made anew when the service starts, and what stays: the ports, and whatever the configuration has become.
Does not know what passes through.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from simulator.gateway.configuration import Configuration
from simulator.gateway.counters import Counters
from simulator.gateway.edge.edge import Edge
from simulator.gateway.link import LinkListener, Log
from simulator.gateway.replica import with_replica
from simulator.gateway.rules import Rules
from simulator.gateway.settings import EdgeSettings


class EdgeServer:
    """An edge that can be started again. `configuration` is its own, as `frontend.edges.of_member` makes it."""

    def __init__(
        self,
        identity: str,
        configuration: Configuration,
        rules: Rules,
        *,
        entropy: random.Random | None = None,
        log: Log = lambda _: None,
    ) -> None:
        self.identity, self.configuration = identity, configuration
        self._rules, self._entropy, self._log = rules, entropy, log
        self.counters = Counters()
        self.running = False
        self.on_replica: Callable[[str], None] = lambda _: None
        """Told of what the front end has replicated, once it counts."""
        self._make()

    def _make(self) -> None:
        self.link = LinkListener(self.configuration, log=self._log)
        self.link.on_replica = self._replicated
        self.edge = Edge(
            self.configuration,
            self._rules,
            entropy=self._entropy,
            log=self._log,
            link=self.link,
            counters=self.counters,
        )

    @property
    def places(self) -> dict[str, tuple[str, int]]:
        """``edge``, ``link`` and perhaps ``edge-tls`` -> host and port; only once it was started."""
        settings = self.configuration.edge
        found = {
            "edge": (settings.host, settings.port),
            "link": (settings.link_host or settings.host, settings.link_port),
        }

        if self.edge.direct_tls_port is not None:
            found["edge-tls"] = (settings.host, self.edge.direct_tls_port)

        return found

    async def start(self) -> None:
        """Listen for partners and the front end; does nothing while it runs. Raises ListenError or CertificateError.

        Started again it listens where it did before, also where any free port was asked for.
        """
        if self.running:
            return

        await self.edge.start()
        self.running = True
        ports = {"port": self.edge.port, "link_port": self.link.port, "direct_tls_port": self.edge.direct_tls_port}
        self._adopt(self.configuration, msgspec.structs.replace(self.configuration.edge, **ports))

    async def stop(self) -> None:
        """Close every stream with system-shutdown, and the link; what waits is bounced. May be called at any time."""
        was_running, self.running = self.running, False
        await self.edge.stop()

        if was_running:
            self._make()

    def reconfigure(self, configuration: Configuration) -> None:
        """Go on with another configuration; where it listens, and its certificates, stay as they are."""
        certificates = self.configuration.certificates
        self._adopt(msgspec.structs.replace(configuration, certificates=certificates), self.configuration.edge)
        self.edge.reconfigure()

    def _replicated(self, text: str) -> None:
        """The front end says what we are to know. It knows better than our file does."""
        try:
            configuration = with_replica(self.configuration, text)
        except ValueError as error:
            self._log(str(error))
            return

        if configuration != self.configuration:
            self._log("partners and domains are those of the front end from now on")
            self.configuration.adopt(configuration)
            self.edge.reconfigure()
            self.on_replica(text)

    def _adopt(self, configuration: Configuration, edge: EdgeSettings) -> None:
        self.configuration.adopt(msgspec.structs.replace(configuration, edge=edge))
