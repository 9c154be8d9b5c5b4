"""A listening TCP socket, TLS or not, that hands over each connection it accepts.

Knows ports, and handshakes that must be over before the owner sees a connection. Does not know what is served.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

from simulator.wire.connection import Connection
from simulator.wire.source import closed_on_error
from simulator.wire.tls import TLSContext, TLSInfo


class ListenError(OSError):
    """A port cannot be listened on; says which, for what, and what to do."""


class Listener:
    """A listening socket. Closing it leaves the accepted connections to their owners."""

    def __init__(self, server: asyncio.Server, host: str, unsecured: set[Connection]) -> None:
        self._server, self._unsecured = server, unsecured
        self.host = host
        self.port: int = server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Accept no more, and drop those that are still in their handshake."""
        self._server.close()

        for connection in tuple(self._unsecured):
            connection.abort()

        await asyncio.sleep(0)


async def listen(
    host: str,
    port: int,
    on_connection: Callable[[Connection], None],
    tls: TLSContext | None = None,
    *,
    service: str = "connections",
    handshake_timeout: float = 10.0,
) -> Listener:
    """Listen on an address; port 0 takes a free one. With `tls`, `on_connection` is called when the handshake is over.

    `service` says in a ListenError what the port was wanted for.
    """
    loop = asyncio.get_running_loop()
    unsecured: set[Connection] = set()

    def secure(connection: Connection) -> None:
        assert tls is not None
        unsecured.add(connection)
        deadline = loop.call_later(handshake_timeout, connection.abort)

        def ended(*_: object) -> None:
            deadline.cancel()
            unsecured.discard(connection)

        def secured(_: TLSInfo) -> None:
            ended()
            connection.on_secured = None
            on_connection(connection)

        connection.on_closed, connection.on_secured = ended, secured
        connection.start_tls(tls)

    made = on_connection if tls is None else secure

    try:
        server = await loop.create_server(
            lambda: Connection(made), host, port, backlog=1024, reuse_address=True, start_serving=False
        )
        await _start_serving(server)
    except OSError as error:
        raise ListenError(error.errno, _listen_advice(host, port, service, error)) from None

    return Listener(server, host, unsecured)


async def listen_on(sock: socket.socket, on_connection: Callable[[Connection], None]) -> Listener:
    """Serve a socket that listens already: whoever came meanwhile has waited in its queue."""
    loop = asyncio.get_running_loop()

    with closed_on_error(sock):
        server = await loop.create_server(lambda: Connection(on_connection), sock=sock, start_serving=False)

    await _start_serving(server)

    return Listener(server, sock.getsockname()[0], set())


async def _start_serving(server: asyncio.Server) -> None:
    # In two steps, for create_server forgets its open sockets when it is cancelled in its last one.
    try:
        await server.start_serving()
    except BaseException:
        server.close()
        raise


def _listen_advice(host: str, port: int, service: str, error: OSError) -> str:
    what = f"cannot listen on {host} port {port} for {service}"

    if error.errno == errno.EADDRINUSE:
        return f"{what}: the port is taken; stop whatever uses it, or choose another host or port"

    if error.errno == errno.EACCES:
        return f"{what}: not permitted; choose a port above 1023"

    if error.errno == errno.EADDRNOTAVAIL:
        return f"{what}: this machine has no such address"

    return f"{what}: {error.strerror or error}"
