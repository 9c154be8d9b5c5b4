"""Serves the authority's lists of revoked certificates over HTTP, where its certificates say that they are.

Knows one GET on each connection. Does not know what stands in a list, nor who is revoked: that is the authority's.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus

import h11

from simulator.wire.connection import Connection
from simulator.wire.listener import Listener, listen_on
from simulator.world.addresses import Addresses
from simulator.world.ca import CertificateAuthority
from simulator.world.dns import NameServer

HOST = "crl.s2sim.example"
#: above those that only root may listen on
PORT = 8080
#: the list that is asked for in vain
SILENT = "silent"

#: domain whose certificate is checked, list, how many times it was asked for by now
OnRequest = Callable[[str, str, int], None]


class RevocationService:
    """Comes up when a certificate is minted that names it, and answers as often as it is asked.

    Its host is HOST, which the name server knows from then on.
    """

    def __init__(
        self, authority: CertificateAuthority, names: NameServer, addresses: Addresses, on_request: OnRequest
    ) -> None:
        self._authority, self._names, self._addresses, self._on_request = authority, names, addresses, on_request
        self._place = ""
        self._starting: asyncio.Task[Listener] | None = None
        self._connections: set[Connection] = set()
        self.requests: Counter[tuple[str, str]] = Counter()
        """How many times each list was asked for: (domain, list) -> count."""
        authority.revocation_lists_over_http(self.place)

    @property
    def _member(self) -> str:
        # Each world has such a host, and all of them may share one block of addresses.
        return f"{HOST} of the name server on port {self._names.port}"

    def place(self) -> str:
        """The URL below which lists are served, from now on; raises OSError when its port is taken."""
        if not self._place:
            host = self._addresses.take(self._member)
            # At once, as the port stands in the certificate that is being minted, and somebody may follow it soon.
            sock = socket.create_server((host, self._addresses.port(PORT)), backlog=64)
            self._starting = asyncio.get_running_loop().create_task(listen_on(sock, self._met))
            self._names.publish(f"{HOST} A {host}")
            self._place = f"http://{HOST}:{sock.getsockname()[1]}"

        return self._place

    async def stop(self) -> None:
        """Close everything; may be called again."""
        if self._starting is None:
            return

        try:
            await (await self._starting).close()
        finally:
            for connection in tuple(self._connections):
                connection.abort()

            self._addresses.give_back(self._member)
            self._starting, self._place = None, ""

    def _met(self, connection: Connection) -> None:
        http = h11.Connection(h11.SERVER)
        self._connections.add(connection)

        def ended(*_: object) -> None:
            self._connections.discard(connection)

        def received(data: bytes) -> None:
            try:
                http.receive_data(data)
                request = http.next_event()
            except h11.RemoteProtocolError:
                connection.abort()
                return

            if isinstance(request, h11.Request):
                self._answer(connection, http, request)

        connection.on_data, connection.on_closed = received, ended

    def _answer(self, connection: Connection, http: h11.Connection, request: h11.Request) -> None:
        domain, _, file = request.target.decode("ascii").strip("/").partition("/")
        name = file.removesuffix(".crl")
        self.requests[domain, name] += 1
        self._on_request(domain, name, self.requests[domain, name])

        if name == SILENT:
            return

        try:
            status, body = HTTPStatus.OK, self._authority.served_list(name)
        except LookupError:
            status, body = HTTPStatus.NOT_FOUND, b""

        # RFC 5280 §4.2.1.13: "application/pkix-crl", and a single list in DER.
        headers = [
            ("Content-Type", "application/pkix-crl"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        response = h11.Response(status_code=status.value, reason=status.phrase.encode(), headers=headers)

        for event in (response, h11.Data(data=body), h11.EndOfMessage()):
            connection.write(http.send(event) or b"")

        connection.close()
