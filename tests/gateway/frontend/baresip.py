"""baresip (Debian baresip-core) as somebody's user agent, over TCP or TLS.

Knows its files, and its module ctrl_tcp: netstrings of JSON, commands one way, answers and events the other.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from simulator.world.addresses import Addresses
from simulator.world.systems.child import Child, answers

MODULES = Path("/usr/lib/baresip/modules")
needs_baresip = pytest.mark.skipif(
    shutil.which("baresip") is None or not (MODULES / "presence.so").exists(),
    reason="baresip is not installed: apt-get install baresip-core (Debian)",
)
#: it listens for TLS one port above that for TCP
SIP, CONTROL = 5060, 4444
#: seconds until its control port must answer, and for whatever is waited for
START, PATIENCE = 20.0, 20.0

CONFIGURATION = """\
sip_listen {host}:{sip}
sip_trans_def {transport}
sip_cafile {authority}
module_path {modules}
module stdio.so
module g711.so
module_tmp uuid.so
module_tmp account.so
module_app contact.so
module_app menu.so
module_app presence.so
module_app ctrl_tcp.so
ctrl_tcp_listen {host}:{control}
"""
#: the least command that it has, as a greeting for whoever asks whether it is there
ABOUT = b'19:{"command":"about"},'


class Baresip:
    """One that runs; `events` are what it tells by itself."""

    def __init__(self, child: Child, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._child, self._writer = child, writer
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read(reader))

    async def command(self, command: str, params: str = "") -> str:
        """Carry out a command of its menu; gives what it prints."""
        text = json.dumps({"command": command, "params": params}).encode()
        self._writer.write(b"%d:%s," % (len(text), text))

        async with asyncio.timeout(PATIENCE):
            return str((await self._answers.get()).get("data", ""))

    async def shows(self, words: str) -> None:
        """Its contact list comes to hold these words; nothing that it sends says that it has read what it was told."""
        async with asyncio.timeout(PATIENCE):
            while True:
                if words in await self.command("contacts"):
                    return

                await asyncio.sleep(0.05)

    async def tells(self, **wanted: str) -> dict[str, Any]:
        """The next event that has these fields."""
        async with asyncio.timeout(PATIENCE):
            while True:
                event = await self.events.get()

                if wanted.items() <= event.items():
                    return event

    async def hears(self, method: str, words: str) -> None:
        """A request with this method and these words comes, as its trace has it."""
        async with asyncio.timeout(PATIENCE):
            while True:
                trace = "\n".join(self._child.last_lines(2000))

                if any(words in part for part in trace.split(f"\n{method} sip:")[1:]):
                    return

                await asyncio.sleep(0.05)

    def log(self) -> str:
        """What it has printed, for whoever looks for the reason."""
        return "\n".join(self._child.last_lines(60))

    async def close(self) -> None:
        self._writer.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            length = int((await reader.readuntil(b":"))[:-1])
            said = json.loads(await reader.readexactly(length))
            # The netstring's comma is not counted.
            await reader.readexactly(1)
            (self.events if said.get("event") else self._answers).put_nowait(said)


@asynccontextmanager
async def baresip(
    address: str,
    addresses: Addresses,
    gateway: tuple[str, int],
    *,
    authority: Path,
    transport: str = "tcp",
    contacts: Sequence[str] = (),
) -> AsyncIterator[Baresip]:
    """Started and registered as this user, with contacts whom it watches; `authority` is whom it trusts over TLS."""
    child, host = Child("baresip"), addresses.take("baresip")
    proxy = f"sip:{gateway[0]}:{gateway[1]};transport={transport}"
    account = f'<sip:{address};transport={transport}>;outbound="{proxy}";regint=60;auth_pass=none\n'
    configuration = CONFIGURATION.format(
        host=host,
        sip=SIP,
        control=CONTROL,
        modules=MODULES,
        transport=transport,
        authority=authority,
    )
    (child.folder / "config").write_text(configuration)
    (child.folder / "accounts").write_text(account)
    listed = "".join(f'"{contact.partition("@")[0]}" <sip:{contact}>;presence=p2p\n' for contact in contacts)
    (child.folder / "contacts").write_text(listed)

    try:
        await child.start("baresip", "-4", "-f", str(child.folder), "-s")
        assert await answers(host, CONTROL, ABOUT, within=START, child=child), child.last_lines(40)
        running = Baresip(child, *await asyncio.open_connection(host, CONTROL))

        try:
            yield running
        finally:
            await running.close()
    finally:
        await child.kill()
        await child.end()
