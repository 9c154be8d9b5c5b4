"""Connections and listeners on loopback: how they begin, carry bytes and end."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from simulator.wire.connection import Connection, open_connection
from simulator.wire.listener import Listener, ListenError, listen


class End:
    """One end of a connection, with what reached it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.pieces: list[bytes] = []
        self.closed: asyncio.Future[tuple[str, Exception | None]] = asyncio.get_running_loop().create_future()
        self._more = asyncio.Event()
        connection.on_data, connection.on_closed = self._got, lambda how, error: self.closed.set_result((how, error))

    def _got(self, data: bytes) -> None:
        self.pieces.append(data)
        self._more.set()

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)

    async def has(self, size: int) -> bytes:
        async with asyncio.timeout(5):
            while len(self.data) < size:
                self._more.clear()
                await self._more.wait()

        return self.data

    async def end(self) -> str:
        async with asyncio.timeout(5):
            return (await self.closed)[0]


async def pair() -> tuple[End, End, Listener]:
    accepted: asyncio.Future[End] = asyncio.get_running_loop().create_future()
    listener = await listen("127.0.0.1", 0, lambda connection: accepted.set_result(End(connection)))
    ours = End(await open_connection("127.0.0.1", listener.port, timeout=5))

    return ours, await accepted, listener


async def test_bytes_arrive_in_order_both_ways() -> None:
    ours, theirs, listener = await pair()
    ours.connection.write(b"one ")
    ours.connection.write(b"two")
    theirs.connection.write(b"three")

    assert await theirs.has(7) == b"one two"
    assert await ours.has(5) == b"three"
    assert ours.connection.remote == ("127.0.0.1", listener.port) == theirs.connection.local
    ours.connection.close()
    assert await theirs.end() == "fin"
    assert await ours.end() == "local"
    await listener.close()


async def test_writes_of_one_turn_leave_in_one_piece() -> None:
    ours, theirs, listener = await pair()

    for _ in range(100):
        ours.connection.write(b"x" * 10)

    assert await theirs.has(1000)
    assert len(theirs.pieces) == 1
    ours.connection.close()
    await theirs.end()
    await listener.close()


async def test_what_was_written_before_close_arrives() -> None:
    ours, theirs, listener = await pair()
    ours.connection.write(b"y" * 3_000_000)
    theirs.connection.write(b"unread by the closing side")
    ours.connection.close()

    assert len(await theirs.has(3_000_000)) == 3_000_000
    assert await theirs.end() == "fin"
    await listener.close()


async def test_abort_is_seen_as_a_reset() -> None:
    ours, theirs, listener = await pair()
    ours.connection.abort()

    assert await theirs.end() == "reset"
    assert isinstance(theirs.closed.result()[1], ConnectionResetError)
    assert await ours.end() == "local"
    await listener.close()


async def test_close_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.wire.connection.LINGER", 0.05)
    accepted = asyncio.Event()
    held: list[asyncio.StreamWriter] = []

    async def never_close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        accepted.set()
        await asyncio.Event().wait()

    server = await asyncio.start_server(never_close, "127.0.0.1", 0)
    ours = End(await open_connection("127.0.0.1", server.sockets[0].getsockname()[1], timeout=5))
    await accepted.wait()
    ours.connection.close()

    assert await ours.end() == "local"
    server.close()
    held[0].close()


async def test_data_before_the_owner_listens_is_kept() -> None:
    early = b"hello before anybody looked"

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(early)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    connection = await open_connection("127.0.0.1", server.sockets[0].getsockname()[1], timeout=5)

    # Until the kernel has handed over both the greeting and the FIN, nobody looks.
    while not connection.closed:  # noqa: ASYNC110 - there is no event: nobody is listening, that is the point
        await asyncio.sleep(0)

    ours = End(connection)

    assert await ours.has(len(early)) == early
    assert await ours.end() == "fin"
    server.close()


async def test_a_slow_reader_pauses_the_writer() -> None:
    ours, theirs, listener = await pair()
    theirs.connection.pause_reading()
    ours.connection.write(b"z" * 20_000_000)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert ours.connection.paused
    assert ours.connection.unsent > 1_000_000
    theirs.connection.resume_reading()
    async with asyncio.timeout(5):
        await ours.connection.drain()

    assert len(await theirs.has(20_000_000)) == 20_000_000
    ours.connection.close()
    await theirs.end()
    await listener.close()


async def test_a_refused_connection_is_an_os_error() -> None:
    listener = await listen("127.0.0.1", 0, lambda connection: None)
    await listener.close()

    with pytest.raises(ConnectionRefusedError):
        await open_connection("127.0.0.1", listener.port, timeout=5)


async def test_a_taken_port_says_what_to_do() -> None:
    listener = await listen("127.0.0.1", 0, lambda connection: None)

    with pytest.raises(ListenError, match=rf"127\.0\.0\.1 port {listener.port} for partners: the port is taken; stop"):
        await listen("127.0.0.1", listener.port, lambda connection: None, service="partners")

    await listener.close()


async def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ListenError, match="this machine has no such address"):
        await listen("192.0.2.1", 0, lambda connection: None)


async def test_the_local_address_can_be_chosen() -> None:
    accepted: asyncio.Future[End] = asyncio.get_running_loop().create_future()
    listener = await listen("127.0.0.1", 0, lambda connection: accepted.set_result(End(connection)))

    try:
        ours = End(await open_connection("127.0.0.1", listener.port, timeout=5, local_host="127.0.0.77"))
    except OSError:
        pytest.skip("this platform has one loopback address only")

    theirs = await accepted
    assert theirs.connection.remote[0] == "127.0.0.77"
    ours.connection.close()
    await theirs.end()
    await listener.close()


async def test_reset_before_the_first_look_is_a_connection_that_ended() -> None:
    """A peer that takes connections and breaks them at once never looks like one that is not there."""
    listening = socket.create_server(("127.0.0.1", 0))
    host, port = listening.getsockname()[:2]

    def break_each() -> None:
        for _ in range(50):
            accepted = listening.accept()[0]
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()

    breaking = asyncio.get_running_loop().run_in_executor(None, break_each)
    hows: set[str] = set()

    for _ in range(50):
        connection = await open_connection(host, port, timeout=5.0)
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        connection.on_closed = lambda how, _, ended=ended: ended.set_result(how)  # type: ignore[misc]
        hows.add(await ended)

    await breaking
    listening.close()

    assert hows == {"reset"}


async def test_connecting_takes_as_long_as_its_caller_counts() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(TimeoutError, match="did not answer within 5 s"),
    ):
        await open_connection("127.0.0.1", server.getsockname()[1], timeout=5, bound=lambda _: asyncio.timeout(-1))
