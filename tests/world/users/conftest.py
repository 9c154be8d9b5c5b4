"""A real Prosody for clients only, with two accounts."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

CONFIGURATION = """
daemonize = false
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}"
log = {{ error = "{folder}/log" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
s2s_ports = {{ }}
c2s_direct_tls_ports = {{ }}
s2s_direct_tls_ports = {{ }}
modules_enabled = {{ "saslauth", "roster", "blocklist", "presence", "message", "iq", "ping" }}
modules_disabled = {{ "s2s", "tls" }}
authentication = "internal_plain"
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
VirtualHost "inside.example"
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    if not shutil.which("prosody"):
        pytest.skip("Prosody is not installed: apt-get install prosody")

    chosen = free_port()
    configuration = tmp_path / "prosody.cfg.lua"
    configuration.write_text(CONFIGURATION.format(folder=tmp_path, port=chosen))
    accounts = tmp_path / "inside%2eexample" / "accounts"
    accounts.mkdir(parents=True)

    for name in ("alice", "bob"):
        (accounts / f"{name}.dat").write_text('return { ["password"] = "secret" };')

    process = await asyncio.create_subprocess_exec("prosody", "-F", "--config", str(configuration))

    try:
        await answering(chosen)
        yield chosen
    finally:
        process.terminate()
        await process.wait()


async def answering(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return
