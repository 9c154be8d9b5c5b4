"""How much of what was sent the peer's TCP has acknowledged.

Knows what the operating system tells of a socket's send queue. Does not know what was sent.

It is the most that can be known of a delivery without the peer's own word: what is acknowledged lies in the peer's
machine, and neither the end of our process nor that of our machine can take it back. Whether the peer's program reads
it is not said.
"""

from __future__ import annotations

import asyncio
import sys
from array import array


def unacknowledged(transport: asyncio.Transport, *, fin_sent: bool) -> int:
    """Bytes given to the transport that the peer's TCP has not acknowledged.

    Where the platform does not tell (any but Linux): those that the operating system has not taken.
    """
    return transport.get_write_buffer_size() + _queued(transport, fin_sent)


def _queued(transport: asyncio.Transport, fin_sent: bool) -> int:
    sock = transport.get_extra_info("socket")

    if not sys.platform.startswith("linux") or sock is None or sock.fileno() < 0:
        return 0

    import fcntl
    import termios

    # SIOCOUTQ of tcp(7), which has the number of TIOCOUTQ: "the amount of unsent data in the socket send queue", which
    # the kernel counts from the last octet that was acknowledged. A FIN takes a place in that count, too.
    size = array("i", [0])

    try:
        fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, size)
    except OSError:
        return 0

    return max(0, size[0] - fin_sent)
