"""Peers that mean harm, as bytes, at the gateway as a process: it answers, stays up and small, and serves others."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from simulator.world.systems.embedded_process import EmbeddedProcess

DECLARATION = b"<?xml version='1.0'?>"
START = b"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
HEADER = START + b" from='gmail.com' to='contoso.com' version='1.0'>"
LAUGHS = b"".join(b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
MEGABYTE = 1 << 20
BLOCK = 1 << 16
#: what may be on its way in buffers of the system when the gateway stops reading
IN_FLIGHT = 8 * MEGABYTE

#: what is sent once, and then again and again up to a gigabyte; and the answer
HARM: dict[str, tuple[bytes, bytes, str]] = {
    "billion laughs": (
        DECLARATION + b"<!DOCTYPE l [<!ENTITY a0 'lol'>" + LAUGHS + b"]>" + HEADER + b"<message>&a9;</message>",
        b"",
        "restricted-xml",
    ),
    "DTD from elsewhere": (
        DECLARATION + b"<!DOCTYPE stream SYSTEM 'http://127.0.0.1:9/dtd'>" + HEADER,
        b"",
        "restricted-xml",
    ),
    "entity from a file": (
        DECLARATION + b"<!DOCTYPE s [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + HEADER + b"<message>&e;</message>",
        b"",
        "restricted-xml",
    ),
    "DTD inside the stream": (HEADER + b"<!DOCTYPE message [<!ENTITY a 'b'>]>", b"", "restricted-xml"),
    "unknown entity": (HEADER + b"<message><body>&nbsp;</body></message>", b"", "restricted-xml"),
    "comment": (HEADER + b"<!-- harmless -->", b"", "restricted-xml"),
    "instruction": (HEADER + b"<message><?php system('true') ?></message>", b"", "restricted-xml"),
    "ten thousand levels": (HEADER + b"<message>" + b"<a>" * 10_000, b"", "policy-violation"),
    "many attributes": (
        HEADER + b"<message" + b"".join(b" a%d=''" % n for n in range(10_000)) + b">",
        b"",
        "policy-violation",
    ),
    "a hundred thousand attributes": (
        HEADER + b"<message" + b"".join(b" a%d=''" % n for n in range(100_000)) + b">",
        b"",
        "policy-violation",
    ),
    "as many in the header": (START + b"".join(b" a%d=''" % n for n in range(100_000)) + b">", b"", "policy-violation"),
    "stanza without end": (HEADER + b"<message><body>", b"x" * BLOCK, "policy-violation"),
    "children without end": (HEADER + b"<message>", b"<a/>" * 16384, "policy-violation"),
    "tag without end": (HEADER + b"<message a='", b"x" * BLOCK, "policy-violation"),
    "name without end": (HEADER + b"<", b"x" * BLOCK, "policy-violation"),
    "comment without end": (HEADER + b"<!-- ", b"x" * BLOCK, "policy-violation"),
    "header without end": (START + b" to='", b"x" * BLOCK, "policy-violation"),
    "declaration without end": (b"<?xml version='", b"1" * BLOCK, "policy-violation"),
    "white space before the header": (DECLARATION, b" " * BLOCK, "policy-violation"),
    "nothing that is XML": (b"\x16\x03\x01\x02\x00\x01\x00" + b"\xff" * 500, b"", "not-well-formed"),
    "UTF-16": (DECLARATION.decode().encode("utf-16"), b"", "unsupported-encoding"),
}


@pytest.fixture
async def gateway(town: Any) -> Any:
    return await town.seat(EmbeddedProcess, gateway={"stream-establishment-timeout": 2.0, "connection-limit": 2000})


def memory(system: Any) -> int:
    """Bytes that it holds."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{system.tenant.child.pid}/status").read_text())
    assert found

    return int(found[1]) * 1024


class Attack:
    """One connection of somebody who takes no notice of answers until he cannot go on."""

    def __init__(self, place: tuple[str, int]) -> None:
        self._place = place
        self.sent = 0

    async def run(self, blocks: Iterator[bytes], pause: float = 0.0) -> bytes:
        """Send all there is, as long as anybody listens; then what was answered."""
        reader, writer = await asyncio.open_connection(*self._place)
        answer = asyncio.create_task(_until_the_end(reader))

        try:
            for block in blocks:
                if answer.done():
                    break

                writer.write(block)
                await writer.drain()
                self.sent += len(block)
                await asyncio.sleep(pause)
        except ConnectionError:
            pass

        async with asyncio.timeout(10):
            heard = await answer

        writer.close()

        return heard


async def _until_the_end(reader: asyncio.StreamReader) -> bytes:
    heard = b""

    try:
        while data := await reader.read(65536):
            heard += data
    except ConnectionError:
        pass

    return heard


def condition(answer: bytes) -> str:
    found = re.search(rb"<stream:error><([\w-]+)", answer)

    return found[1].decode() if found else f"no error in {answer[-300:]!r}"


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="this platform has no /proc")


@needs_proc
async def test_harm_is_answered_and_nobody_else_suffers(town: Any, gateway: Any) -> None:
    alice, partner = await town.user(gateway), await town.partner()
    place = gateway.address_of("contoso.com")
    await town.exchange(alice, partner)
    before, answers = memory(gateway), {}

    for name, (once, again, _) in HARM.items():
        attack = Attack(place)
        blocks = chain([once], repeat(again, 1024 * MEGABYTE // max(1, len(again))) if again else [])
        attacking = asyncio.create_task(attack.run(blocks))
        # The stream of the partner goes on, and new ones are opened.
        await town.exchange(alice, partner)
        answers[name] = condition(await attacking)
        assert attack.sent < IN_FLIGHT, name

    assert answers == {name: expected for name, (_, _, expected) in HARM.items()}
    assert memory(gateway) - before < 10 * MEGABYTE
    assert not gateway.died.is_set()


@needs_proc
async def test_thousand_idle_connections_keep_nobody_out(town: Any, gateway: Any) -> None:
    alice, partner = await town.user(gateway), await town.partner()
    place = gateway.address_of("contoso.com")
    await town.exchange(alice, partner)
    before = memory(gateway)
    idle = [await asyncio.open_connection(*place) for _ in range(1000)]
    await town.exchange(alice, partner)
    grown = memory(gateway) - before
    ends = await asyncio.gather(*(_until_the_end(reader) for reader, _ in idle))

    for _, writer in idle:
        writer.close()

    assert grown < 20 * MEGABYTE, "20 KB each"
    assert {condition(answer) for answer in ends} == {"connection-timeout"}


@pytest.mark.parametrize("drip", [b" ", b"<", HEADER])
async def test_drip_does_not_outlive_the_time_to_authenticate(gateway: Any, drip: bytes) -> None:
    """However busily it speaks: a stream that is not authenticated in time is closed."""
    place = gateway.address_of("contoso.com")
    loop = asyncio.get_running_loop()
    began = loop.time()
    slowly = chain([drip], repeat(b" ", 1000)) if drip != b"<" else iter(START[n : n + 1] for n in range(len(START)))
    answer = await Attack(place).run(slowly, 0.05)

    assert condition(answer) == "connection-timeout"
    assert 1.5 < loop.time() - began < 5


async def test_partner_that_vanishes_within_a_stanza_is_forgotten(town: Any, gateway: Any) -> None:
    alice, partner = await town.user(gateway), await town.partner()
    host, port = gateway.address_of("contoso.com")

    for cut in (len(DECLARATION) - 3, len(HEADER) - 20, len(HEADER) + 12, len(HEADER) + 30):
        with socket.create_connection((host, port)) as stream:
            stream.sendall((HEADER + b"<db:result from='gmail.com' to='contoso.com'>key</db:result>")[:cut])
            # A reset and no goodbye.
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    await town.exchange(alice, partner)
