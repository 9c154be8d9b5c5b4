"""Where a partner listens: its hosts, their addresses and ports, and what zone text says of them.

Knows listeners and names. Does not know what becomes of a connection.
"""

from __future__ import annotations

import ipaddress
import itertools
import socket
from collections.abc import Callable, Iterable

from simulator.wire.connection import Connection
from simulator.wire.listener import Listener, listen
from simulator.world.addresses import Addresses

#: The port of server-to-server streams (RFC 6120 §14.7).
XMPP_SERVER_PORT = 5269
#: What direct TLS usually has; no number is assigned to it, the records say where it is (XEP-0368 §2).
DIRECT_TLS_PORT = 5270

_SERIAL = itertools.count(1)


class Hosts:
    """The hosts of one partner by name; `below` is the domain that stands behind names of a renamed partner."""

    def __init__(
        self, names: Iterable[str], addresses: Addresses, below: str = "", port: int = XMPP_SERVER_PORT
    ) -> None:
        self.names = tuple(names)
        self._port = port
        self.places: dict[str, tuple[str, int]] = {}
        """host name -> address and port."""
        self._addresses, self._below = addresses, below
        self._serial = next(_SERIAL)
        self._listeners: list[Listener] = []
        self._reserved: list[socket.socket] = []

    async def listen(self, host: str, on_connection: Callable[[Connection], None], service: str) -> None:
        """Let connections to a host reach `on_connection`. Raises ListenError."""
        address = self._take(host)
        listener = await listen(address, self._addresses.port(self._port), on_connection, service=service)
        self._listeners.append(listener)
        self.places[host] = address, listener.port

    def refuse(self, host: str) -> None:
        """Give a host an address at which nobody listens."""
        address = self._take(host)

        # A socket that is bound and does not listen: whoever connects gets RST, and nobody else can listen there.
        reserved = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self._reserved.append(reserved)
        # Connections of whoever had this address before may still be in TIME_WAIT.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind((address, self._addresses.port(self._port)))
        self.places[host] = address, reserved.getsockname()[1]

    async def close(self) -> None:
        """Listen no more, and give the addresses back."""
        for listener in self._listeners:
            await listener.close()

        for reserved in self._reserved:
            reserved.close()

        for host in self.names:
            self._addresses.give_back(self._member(host))

    def concerns(self, host: str, given: str) -> bool:
        """Whether `given`, as a scenario writes it, is this host or all of them."""
        return not given or given in (host, self._plain(host))

    def fill(self, text: str, domains: Iterable[str]) -> str:
        """Fill ``{address of NAME}`` and ``{port of NAME}``: NAME is a host, or one of `domains` for the first host."""
        named = {name: place for host, place in self.places.items() for name in (host, self._plain(host))}
        first = next(iter(self.places.values()))

        for name, (address, port) in {**dict.fromkeys(domains, first), **named}.items():
            text = text.replace(f"{{address of {name}}}", address).replace(f"{{port of {name}}}", str(port))

        return text

    def _plain(self, host: str) -> str:
        return host.removesuffix(f".{self._below}") if self._below else host

    def _take(self, host: str) -> str:
        address = self._addresses.take(self._member(host))
        refuse_abroad(address)

        return address

    def _member(self, host: str) -> str:
        # Partners of several worlds may have hosts of one name.
        return f"{host}/{self._serial}"


def refuse_abroad(host: str) -> None:
    """Refuse every address outside 127.0.0.0/8 and ::1: a partner never leaves this machine."""
    if not ipaddress.ip_address(host).is_loopback:
        raise PermissionError(f"{host} is not on loopback: a partner contacts nobody else")
