"""What a fake does to TCP: hear nothing, and have no room."""

from __future__ import annotations

import asyncio

from simulator.wire.connection import Connection, open_connection
from simulator.wire.listener import listen
from simulator.wire.rough import be_deaf, make_room


async def pair() -> tuple[Connection, Connection]:
    arrived: asyncio.Queue[Connection] = asyncio.Queue()
    listener = await listen("127.0.0.1", 0, arrived.put_nowait)
    ours = await open_connection("127.0.0.1", listener.port, timeout=5)
    theirs = await arrived.get()
    await listener.close()

    return ours, theirs


async def test_nothing_is_acknowledged_by_who_is_deaf() -> None:
    ours, theirs = await pair()
    heard: list[bytes] = []
    theirs.on_data = heard.append
    be_deaf(theirs)
    ours.write(b"hello")
    await asyncio.sleep(0)
    ours.write(b"hello")
    # Twice as long as an acknowledgement may be put off (RFC 1122 §4.2.3.2 allows 0.5 s, Linux takes 0.04 s).
    await asyncio.sleep(0.1)

    assert (ours.sent.written, ours.sent.acknowledged, heard) == (10, 0, [])
    ours.abort()
    theirs.abort()


async def test_little_is_taken_by_who_has_no_room() -> None:
    ours, theirs = await pair()
    make_room(theirs, 4096)
    theirs.pause_reading()
    ours.write(b"x" * 4_000_000)
    await asyncio.sleep(0.1)

    assert 0 < ours.sent.acknowledged < 1_000_000
    ours.abort()
    theirs.abort()


async def test_who_is_gone_is_left_alone() -> None:
    ours, theirs = await pair()
    ours.abort()
    theirs.abort()
    await asyncio.sleep(0)
    be_deaf(theirs)
    make_room(theirs, 4096)
