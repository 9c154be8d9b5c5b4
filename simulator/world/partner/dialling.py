"""How a partner reaches the servers of a domain: by its records, in the clear or with direct TLS.

Knows which records are asked for and in which order hosts are tried. Does not know what is said on the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from simulator.wire.connection import Connection, open_connection
from simulator.wire.tls import ResumableSession
from simulator.world.dns import NameServer
from simulator.world.pace import bounded
from simulator.world.partner.hosts import refuse_abroad
from simulator.world.partner.papers import Papers, Terms
from simulator.world.partner.stream import PartnerStream, StreamOver

#: Seconds to wait for a TCP connection to the system, and for a handshake on it.
CONNECT_TIMEOUT = 3.0

#: The service records of streams that begin in the clear (RFC 6120 §3.2.1), and of those over TLS (XEP-0368 §2).
SERVICE, DIRECT_SERVICE = "_xmpp-server._tcp", "_xmpps-server._tcp"

Locate = Callable[[str], list[tuple[str, int]]]


class Dialler:
    """Dials for one partner. `made` makes a stream of a connection; `source` is the address to dial from, if any."""

    def __init__(
        self,
        names: NameServer,
        papers: Papers,
        made: Callable[[Connection, str], PartnerStream],
        source: Callable[[], str | None],
        locate: Locate | None,
    ) -> None:
        self._names, self._papers, self._made, self._source = names, papers, made, source
        self._locate = locate or names.service

    async def dial(self, to: str, label: str) -> PartnerStream:
        """Connect to where the domain is served in the clear. Raises OSError."""
        return await self._try(self._locate(to), to, label)

    async def dial_direct(
        self,
        to: str,
        label: str,
        sni: str | None,
        terms: Terms | None = None,
        resume: ResumableSession | None = None,
    ) -> PartnerStream:
        """Connect to where the domain publishes direct TLS, and begin the handshake. Raises OSError."""
        stream = await self._try(self._direct_places(to), to, label)
        stream.secure(self._papers.as_client(terms or self._papers.terms(direct=True)), sni, resume=resume)

        return stream

    async def dial_secured(self, to: str, label: str, sni: str | None) -> PartnerStream:
        """As `dial_direct`, until the handshake is over; as `dial` where no direct TLS is published. Raises OSError."""
        if not self._direct_places(to):
            return await self.dial(to, label)

        stream = await self.dial_direct(to, label, sni)

        try:
            async with bounded(CONNECT_TIMEOUT):
                await stream.secured()
        except StreamOver:
            raise ConnectionError(f"direct TLS with {to} failed: {stream.ending.tls}") from None

        return stream

    def _direct_places(self, to: str) -> list[tuple[str, int]]:
        published = self._names.zone.records(f"{DIRECT_SERVICE}.{to}", "SRV")

        return self._names.service(to, DIRECT_SERVICE) if published else []

    async def _try(self, places: Iterable[tuple[str, int]], to: str, label: str) -> PartnerStream:
        problem: OSError = ConnectionRefusedError(f"the zone knows no server of {to}")

        for host, port in places:
            refuse_abroad(host)
            source = None if ":" in host else self._source()

            try:
                connection = await open_connection(
                    host, port, timeout=CONNECT_TIMEOUT, local_host=source, bound=bounded
                )
            except OSError as error:
                problem = error
            else:
                stream = self._made(connection, label)
                stream.begin()
                return stream

        raise problem
