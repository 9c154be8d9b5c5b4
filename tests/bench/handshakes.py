"""TLS handshakes in which both sides show a certificate for a P-256 key, one after the other on loopback.

Knows our TLS, and the programs `openssl s_time` and `openssl s_server`. Does not know XMPP.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from simulator.wire.connection import Connection, open_connection
from simulator.wire.listener import Listener, listen
from simulator.wire.tls import TLSContext, client_context, server_context
from simulator.world.ca import CertificateAuthority

HOST, NAME = "127.0.0.1", "bench.example"
#: how long the program may take to listen, in seconds
PATIENCE = 10.0
_COUNT = re.compile(r"^(\d+) connections in .* real seconds", re.MULTILINE)


class NotMeasured(Exception):  # noqa: N818 - says it all
    """The openssl program did not do what was asked; the text is its own."""


@dataclass(frozen=True)
class Papers:
    """The files of both ends: each is dialled and dials with the same certificate."""

    certificate: Path
    key: Path
    authority: Path

    @property
    def server(self) -> TLSContext:
        return server_context(self.certificate, self.key, self.authority, require_peer=True)

    @property
    def client(self) -> TLSContext:
        return client_context(self.certificate, self.key, self.authority)


@contextlib.contextmanager
def papers() -> Iterator[Papers]:
    """Make them, for as long as the block lasts."""
    authority = CertificateAuthority()

    try:
        issued = authority.issue(NAME)
        yield Papers(issued.certificate, issued.key, authority.authority)
    finally:
        authority.close()


async def both_ends_ours(own: Papers, seconds: float) -> float:
    """Handshakes per second when our client dials our server, both in this process."""
    listener = await _listening(own)
    context, count, began = own.client, 0, time.perf_counter()

    while (passed := time.perf_counter() - began) < seconds:
        connection = await open_connection(HOST, listener.port, timeout=10, tls=context, server_name=NAME)
        connection.close()
        count += 1

    await listener.close()

    return count / passed


async def dialled_by_s_time(own: Papers, seconds: int) -> float:
    """Handshakes per second when `openssl s_time` dials our server in this process."""
    listener = await _listening(own)

    try:
        return await asyncio.to_thread(_s_time, own, listener.port, seconds)
    finally:
        await listener.close()


async def s_server_dialled_by_s_time(own: Papers, seconds: int) -> float:
    """Handshakes per second when `openssl s_time` dials `openssl s_server`."""
    return await asyncio.to_thread(_s_time_and_s_server, own, seconds)


async def _listening(own: Papers) -> Listener:
    def accepted(connection: Connection) -> None:
        connection.on_data, connection.on_closed = lambda data: None, lambda how, error: None

    return await listen(HOST, 0, accepted, own.server)


def _s_time_and_s_server(own: Papers, seconds: int) -> float:
    with _s_server(own) as port:
        return _s_time(own, port, seconds)


@contextlib.contextmanager
def _s_server(own: Papers) -> Iterator[int]:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]

    words: list[str | Path] = [
        "-cert",
        own.certificate,
        "-key",
        own.key,
        "-CAfile",
        own.authority,
        "-Verify",
        "2",
        "-no_ticket",
    ]
    # Otherwise it would spend its time on telling of each connection, and waiting for its standard input.
    words += ["-quiet", "-www"]
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", f"{HOST}:{port}", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    try:
        _await_listening(port)
        yield port
    finally:
        server.kill()
        server.wait()


def _await_listening(port: int) -> None:
    last = time.perf_counter() + PATIENCE

    while time.perf_counter() < last:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection((HOST, port)):
            return

        time.sleep(0.01)

    raise NotMeasured("openssl s_server did not begin to listen")


def _s_time(own: Papers, port: int, seconds: int) -> float:
    words: list[str | Path] = [
        "-connect",
        f"{HOST}:{port}",
        "-cert",
        own.certificate,
        "-key",
        own.key,
        "-CAfile",
        own.authority,
    ]
    began = time.perf_counter()
    done = subprocess.run(
        ["openssl", "s_time", *words, "-new", "-verify", "2", "-time", str(seconds)],
        capture_output=True,
        text=True,
        check=False,
    )
    passed = time.perf_counter() - began
    counted = _COUNT.search(done.stdout)

    if counted is None or counted[1] == "0":
        raise NotMeasured(f"openssl s_time: {done.stderr.strip() or done.stdout.strip()}")

    return int(counted[1]) / passed
