"""A name server that costs next to nothing: every domain is the raw partner's, but for those of the system.

Knows just enough of DNS (RFC 1035, RFC 2782) to answer from the bytes of the question. Does not know zones.
"""

from __future__ import annotations

import asyncio
import socket
import struct

_A, _SRV = 1, 33
_NO_ERROR, _NO_SUCH_NAME = 0x8580, 0x8583
_SERVICE = b"\x0c_xmpp-server\x04_tcp"


class RawNames(asyncio.DatagramProtocol):
    """Answers SRV and A; `places` maps a domain to host and port, `elsewhere` is where all others are."""

    def __init__(self) -> None:
        self.places: dict[str, tuple[str, int]] = {}
        self.elsewhere = ("127.0.0.1", 5269)
        self.address = ("", 0)
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        """Listen on a free port of the loopback."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.address = self._transport.get_extra_info("sockname")

    def stop(self) -> None:
        """Listen no more."""
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(self._answer(data), addr)

    def _answer(self, data: bytes) -> bytes:
        end = data.index(b"\0", 12)
        name, kind = data[12 : end + 1], int.from_bytes(data[end + 1 : end + 3], "big")
        question = data[12 : end + 5]

        if kind == _SRV and name.startswith(_SERVICE):
            target = name[len(_SERVICE) :]
            record = struct.pack(">HHH", 0, 0, self._place(target)[1]) + target
        elif kind == _A:
            record = socket.inet_aton(self._place(name)[0])
        else:
            # Nobody here has a service over direct TLS, nor an address of IPv6.
            code = _NO_SUCH_NAME if name.startswith(b"\x0d_xmpps-server") else _NO_ERROR
            return data[:2] + struct.pack(">HHHHH", code, 1, 0, 0, 0) + question

        head = data[:2] + struct.pack(">HHHHH", _NO_ERROR, 1, 1, 0, 0)

        # The name of the answer is a pointer to that of the question.
        return head + question + struct.pack(">HHHIH", 0xC00C, kind, 1, 60, len(record)) + record

    def _place(self, name: bytes) -> tuple[str, int]:
        labels, at = [], 0

        while name[at]:
            labels.append(name[at + 1 : at + 1 + name[at]].decode("ascii"))
            at += 1 + name[at]

        return self.places.get(".".join(labels).lower(), self.elsewhere)
