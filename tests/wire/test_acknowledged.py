"""What the peer's TCP has acknowledged, which is more than what the operating system has taken."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from simulator.wire.connection import Connection, open_connection

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")


async def acknowledged(connection: Connection, size: int) -> None:
    async with asyncio.timeout(5):
        while connection.sent.acknowledged < size:  # noqa: ASYNC110
            # The kernel tells nobody when it changes: it can only be asked again.
            await asyncio.sleep(0.005)


async def accepted(server: socket.socket) -> tuple[Connection, socket.socket]:
    ours = await open_connection("127.0.0.1", server.getsockname()[1], timeout=5)
    theirs, _ = server.accept()

    return ours, theirs


async def test_what_lies_in_the_peers_buffer_is_acknowledged() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours, theirs = await accepted(server)
        ours.write(b"x" * 1000)
        await acknowledged(ours, 1000)
        assert ours.sent.written == 1000

        ours.abort()
        # Nothing was read before the connection broke, and nothing is lost.
        assert theirs.recv(2000) == b"x" * 1000
        theirs.close()


async def test_what_the_peer_has_no_room_for_is_not_acknowledged() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        ours, theirs = await accepted(server)
        size = 8 * 1024 * 1024
        ours.write(b"x" * size)
        await asyncio.sleep(0)
        await acknowledged(ours, 1)

        assert ours.sent.written == size
        assert ours.sent.acknowledged < size
        theirs.close()
        ours.abort()


async def test_a_fin_is_no_byte() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours, theirs = await accepted(server)
        ours.write(b"x" * 10)
        ours.close()
        await acknowledged(ours, 10)

        assert ours.sent.acknowledged == ours.sent.written == 10
        theirs.close()
