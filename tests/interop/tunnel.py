"""TLS by OpenSSL's own client for a program that has none: what is written to the tunnel leaves it encrypted.

Knows the openssl program. Does not know what is said.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

PROGRAM = shutil.which("openssl")


@asynccontextmanager
async def tunnel(host: str, gateway: tuple[str, int], *, authority: Path, name: str) -> AsyncIterator[tuple[str, int]]:
    """Listen on `host`; each connection there has its own to the gateway, whose certificate must be for `name`."""
    assert PROGRAM is not None
    command = [PROGRAM, "s_client", "-quiet", "-verify_return_error", "-CAfile", str(authority)]
    command += ["-verify_hostname", name, "-servername", name, "-connect", f"{gateway[0]}:{gateway[1]}"]
    clients: list[asyncio.subprocess.Process] = []

    async def opened(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        clients.append(client)
        assert client.stdin is not None
        assert client.stdout is not None

        with contextlib.suppress(ConnectionError):
            await asyncio.gather(_pipe(reader, client.stdin), _pipe(client.stdout, writer))

    server = await asyncio.start_server(opened, host, 0)

    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()

        for client in clients:
            with contextlib.suppress(ProcessLookupError):
                client.kill()

        await asyncio.gather(*(client.wait() for client in clients))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()

    writer.close()
