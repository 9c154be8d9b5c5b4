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


class Sent:
    """The account of one connection, in bytes. Whoever holds the connection says what he writes to its transport."""

    def __init__(self) -> None:
        self.written = 0
        self.fin = False
        """Whether our half was closed: a FIN takes a place in TCP's own count."""
        self._taken = 0
        self._transport: asyncio.WriteTransport | None = None

    def wrote(self, size: int, transport: asyncio.WriteTransport) -> None:
        """So many bytes were written."""
        self.written += size
        self._transport = transport
        self._look()

    @property
    def acknowledged(self) -> int:
        """How many of the bytes `written` the peer's TCP has surely acknowledged.

        Where the platform does not tell (any but Linux): how many the operating system has taken.
        """
        self._look()

        return max(0, self._taken - (_queued(self._transport, self.fin) if self._transport is not None else 0))

    def _look(self) -> None:
        # asyncio throws away what it has buffered when a connection breaks, and would then seem to have sent it.
        if self._transport is not None and not self._transport.is_closing():
            self._taken = self.written - self._transport.get_write_buffer_size()


def _queued(transport: asyncio.WriteTransport, fin: bool) -> int:
    """Bytes that the operating system has taken and the peer has not acknowledged."""
    sock = transport.get_extra_info("socket")

    if not sys.platform.startswith("linux") or sock is None:
        return 0

    import fcntl
    import termios

    # SIOCOUTQ of tcp(7), which has the number of TIOCOUTQ: "the amount of unsent data in the socket send queue", which
    # the kernel counts from the last octet that was acknowledged.
    size = array("i", [0])

    try:
        fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, size)
    except (OSError, ValueError):
        # The socket is closed already: nothing more will be known.
        return sys.maxsize

    return max(0, size[0] - fin)
