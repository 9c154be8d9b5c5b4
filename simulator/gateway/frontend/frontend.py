"""The front end: listens for SIP users, holds the link, and passes messages between the two.

Knows what is started and stopped. Does not know how a message is translated: that is `translation`.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from simulator.gateway.configuration import Configuration
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.gateway.link import LinkClient


class FrontEnd:
    """The inner half of the gateway. `link` and `registered` say how it is; ports are known after `start`."""

    def __init__(
        self,
        configuration: Configuration,
        rules: FrontEndRules | None = None,
        *,
        entropy: random.Random | None = None,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._configuration = configuration
        self._rules = rules or FrontEndRules()
        self._log = log
        self.link = LinkClient(configuration, entropy=entropy, log=log)
        self.tcp_port: int | None = None
        self.tls_port: int | None = None

    async def start(self, *, link_host: str | None = None, link_port: int | None = None) -> None:
        """Listen for SIP, and begin to connect to the edge (`link.wait_up()` says when that is done).

        The edge is sought at the configured address unless told otherwise (port 0 in a configuration means that
        only the running edge knows its port). Raises ListenError or CertificateError, and then nothing is left open.
        """

    async def stop(self) -> None:
        """Answer what is pending, close the link and every SIP connection."""
