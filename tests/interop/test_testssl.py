"""testssl.sh against the port for partners: what it offers is of today, and none of what it knows to be weak."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from simulator.world.systems.embedded_process import EmbeddedProcess
from tests.interop.conftest import OUTSIDE, row

PROGRAM = shutil.which("testssl") or shutil.which("testssl.sh")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="testssl.sh is not installed: apt-get install testssl.sh")

STREAMS = b"http://etherx.jabber.org/streams"
HEADER = b"<stream:stream xmlns='jabber:server' xmlns:stream='%s' version='1.0' to='contoso.com'>" % STREAMS
STARTTLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
#: protocols, categories of cipher suites, forward secrecy, renegotiation, compression, FREAK, LOGJAM
CHECKS = ("-p", "-s", "-f", "-R", "-C", "-F", "-J")
#: of what it reports, what comes to more than a remark
GOOD = {"OK", "INFO"}
#: what it says about itself
ITSELF = {"engine_problem", "service"}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def relay(town: Any) -> AsyncIterator[str]:
    """Where TLS begins at once, and leads into that of the gateway's port for partners.

    The testssl.sh of Debian 12 knows STARTTLS for XMPP clients, and not for servers: so this says the words before.
    """
    gateway = await town.seat(EmbeddedProcess, partners={OUTSIDE: row("required/optional/yes")})
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        beyond, there = await asyncio.open_connection(*gateway.address_of("contoso.com"))
        there.write(HEADER)
        await beyond.readuntil(b"</stream:features>")
        there.write(STARTTLS)
        await beyond.readuntil(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        await asyncio.gather(_pump(reader, there), _pump(beyond, writer))

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, town.addresses.take("relay"), 0)
    host, port = server.sockets[0].getsockname()

    try:
        yield f"{host}:{port}"
    finally:
        server.close()

        for task in tuple(tasks):
            task.cancel()

        await asyncio.gather(*tasks, return_exceptions=True)


async def findings(place: str, folder: Path, *checks: str) -> dict[str, tuple[str, str]]:
    """What it finds: name -> severity and text."""
    assert PROGRAM
    file = folder / "findings.json"
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--jsonfile", str(file)),
        *(*checks, place),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
        start_new_session=True,
    )

    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            # Then it removes its folder below /tmp; what it has started is of its group.
            os.killpg(process.pid, signal.SIGTERM)
            await process.wait()

    assert file.exists(), said.decode()

    return {
        found["id"]: (found["severity"], found["finding"])
        for found in json.loads(file.read_text())
        if found["id"] not in ITSELF
    }


@pytest.mark.timeout(300)
async def test_nothing_of_yesterday_is_offered(relay: str, tmp_path: Path) -> None:
    """RFC 9325 §3.1.1, §4.1, §4.2: TLS 1.2 and 1.3, forward secrecy, authenticated encryption."""
    found = await findings(relay, tmp_path, *CHECKS)

    assert {name: text for name, (severity, text) in found.items() if severity not in GOOD} == {}
    assert {name: found[name][1] for name in ("SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3")} == {
        "SSLv2": "not offered",
        "SSLv3": "not offered",
        "TLS1": "not offered",
        "TLS1_1": "not offered",
        "TLS1_2": "offered",
        "TLS1_3": "offered with final",
    }
