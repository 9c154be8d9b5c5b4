"""Sockets that connect from a given address of ours.

Knows how not to run out of ports doing so. Does not know connections.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

#: of <linux/in.h>; Python names it from 3.12 on
IP_BIND_ADDRESS_NO_PORT = 24


def socket_from(local_host: str, remote_host: str) -> socket.socket:
    """A TCP socket bound to `local_host`, not connected yet; raises OSError when that address is not ours."""
    sock = socket.socket(socket.AF_INET6 if ":" in remote_host else socket.AF_INET, socket.SOCK_STREAM)

    with closed_on_error(sock):
        sock.setblocking(False)

        # Without this a bound address takes its port before the peer is known, and ports run out long before pairs do.
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)

        sock.bind((local_host, 0))

    return sock


@contextlib.contextmanager
def closed_on_error(sock: socket.socket) -> Iterator[socket.socket]:
    """Close the socket when the block does not end well."""
    try:
        yield sock
    except BaseException:
        sock.close()
        raise
