"""Gives each member of a world an address of its own on loopback.

Knows which addresses this machine lets a process use. Does not know who listens on them.
"""

from __future__ import annotations

import errno
import ipaddress
import secrets
import socket

#: A block of addresses is ours while we have this UDP port on its last one.
#: Below the range that systems take free ports from, so that nobody gets it by chance.
HOLD_PORT = 24009
ATTEMPTS = 64


class NoAddress(Exception):  # noqa: N818 - says what happened
    """No loopback address is left, or none can be used at all."""


class Addresses:
    """Loopback addresses for the members of worlds in one process.

    Where the platform lets any 127.x.y.z be used, each member gets its own and listens on true ports. Blocks of
    254 addresses differ between processes: one is ours only while we hold a socket on its last address.
    Elsewhere (or with ``own_addresses=False``) everybody shares 127.0.0.1 and gets free ports, which SRV announces.
    """

    def __init__(self, *, own_addresses: bool | None = None) -> None:
        self.own_addresses = _can_use_any() if own_addresses is None else own_addresses
        self._holds: list[socket.socket] = []
        self._free: list[str] = []
        self._taken: dict[str, str] = {}

    def take(self, name: str) -> str:
        """The host for the member of this name; the same name gets the same host until it is given back."""
        if not self.own_addresses:
            return "127.0.0.1"

        if name not in self._taken:
            if not self._free:
                self._reserve_block()

            self._taken[name] = self._free.pop()

        return self._taken[name]

    def give_back(self, name: str) -> None:
        """The member of this name is gone and everything it listened on is closed."""
        host = self._taken.pop(name, None)

        if host is not None:
            # At the far end: an address rests as long as possible before it serves somebody else.
            self._free.insert(0, host)

    def port(self, true_port: int) -> int:
        """The port to listen on: the true one where hosts are told apart by address, else 0 (any free port)."""
        return true_port if self.own_addresses else 0

    def close(self) -> None:
        """Let go of every block; may be called again."""
        for hold in self._holds:
            hold.close()

        self._holds.clear()
        self._free.clear()
        self._taken.clear()

    def _reserve_block(self) -> None:
        for _ in range(ATTEMPTS):
            # 127.0.0.0/16 is left to the machine: 127.0.0.1, 127.0.0.53, 127.0.1.1 and the like have users.
            second, third = 1 + secrets.randbelow(254), secrets.randbelow(256)
            block = ipaddress.IPv4Network(f"127.{second}.{third}.0/24")
            hold = _hold(str(block.broadcast_address))

            if hold is not None:
                self._holds.append(hold)
                self._free = [str(host) for host in block.hosts()][::-1]
                return

        raise NoAddress(f"no free block of loopback addresses was found in {ATTEMPTS} attempts")

    def __enter__(self) -> Addresses:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _hold(host: str) -> socket.socket | None:
    """A UDP socket that keeps everybody else from the same address, or None when somebody has it."""
    # UDP without SO_REUSEADDR: exclusive, never in TIME_WAIT, and gone with the process however it dies.
    hold = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    try:
        hold.bind((host, HOLD_PORT))
    except OSError as error:
        hold.close()

        if error.errno == errno.EADDRINUSE:
            return None

        raise NoAddress(f"{host} cannot be used: {error.strerror}") from None

    return hold


def _can_use_any() -> bool:
    """Whether this platform routes all of 127.0.0.0/8 to loopback without set-up (Linux does, macOS does not)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((f"127.{1 + secrets.randbelow(254)}.255.1", 0))
        except OSError:
            return False

    return True
