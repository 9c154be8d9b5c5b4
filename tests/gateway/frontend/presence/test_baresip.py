"""A stranger's device: baresip (Debian baresip-core) is asked for its user's presence and watches a contact, over TCP.

It is of RFC 8048's kind: it says nothing about methods, names no Accept, and before its status is set its documents
hold ``<basic>?</basic>``.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from simulator.gateway.access.authorization import AuthorizationSettings
from simulator.world.addresses import Addresses
from tests.gateway.frontend.presence.phone import has_taken, of_juliet

MODULES = Path("/usr/lib/baresip/modules")

pytestmark = pytest.mark.skipif(
    shutil.which("baresip") is None or not (MODULES / "presence.so").exists(),
    reason="baresip is not installed: apt-get install baresip-core (Debian)",
)

CONFIG = """
sip_listen {host}:{sip}
sip_trans_def tcp
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


#: beside the port of SIP baresip takes the one above it for TLS
SIP, CONTROL = 5060, 4444


class Baresip:
    """One baresip, controlled by netstrings of JSON (its module ctrl_tcp)."""

    def __init__(self, folder: Path, host: str, port: int) -> None:
        self._folder, self._host, self._port = folder, host, port

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Baresip]:
        config = CONFIG.format(host=self._host, sip=SIP, modules=MODULES, control=CONTROL)
        proxy = f"sip:127.0.0.1:{self._port};transport=tcp"
        account = f'<sip:alice@contoso.com;transport=tcp>;outbound="{proxy}";regint=60;auth_pass=none\n'
        (self._folder / "config").write_text(config)
        (self._folder / "accounts").write_text(account)
        (self._folder / "contacts").write_text('"Juliet" <sip:juliet@gmail.com>;presence=p2p\n')
        self.process = await asyncio.create_subprocess_exec(
            *("baresip", "-4", "-f", str(self._folder), "-s"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

        try:
            yield self
        finally:
            if self.process.returncode is None:
                self.process.kill()

            out, _ = await self.process.communicate()
            (self._folder / "log").write_bytes(out)

    async def command(self, command: str, params: str = "") -> str:
        """Carry out a command of its menu; gives what it prints."""
        reader, writer = await asyncio.open_connection(self._host, CONTROL)
        text = json.dumps({"command": command, "params": params})
        writer.write(f"{len(text)}:{text},".encode())
        length = int((await asyncio.wait_for(reader.readuntil(b":"), 5))[:-1])
        answer = json.loads(await reader.readexactly(length))
        writer.close()

        return str(answer.get("data", ""))


@pytest.fixture
async def both(start: Any, tmp_path: Path) -> AsyncIterator[tuple[Any, Baresip]]:
    asking = AuthorizationSettings(public_verified_prompts=True)

    with Addresses() as addresses:
        host = addresses.take("baresip")

        async with start(authorization=asking) as inside, Baresip(tmp_path, host, inside.port).running() as baresip:
            yield inside, baresip


async def shows(baresip: Baresip, words: str) -> None:
    """Its contact list comes to hold these words; nothing that it sends says that it has read what it was told."""
    async with asyncio.timeout(5):
        while words not in (shown := await baresip.command("contacts")):
            assert "Juliet" in shown
            await asyncio.sleep(0.05)


async def test_baresip_watches_a_contact(both: tuple[Any, Baresip]) -> None:
    inside, baresip = both
    assert "type='subscribe'" in await inside.next_stanza()
    inside.sends(of_juliet("subscribed"))
    inside.sends(of_juliet(resource="home"))
    await shows(baresip, "Online")
    inside.sends(of_juliet(resource="home", content="<show>dnd</show>"))
    await shows(baresip, "Busy")
    inside.sends(of_juliet("unavailable", resource="home"))

    await shows(baresip, "Offline")


async def test_baresip_is_asked_for_presence(both: tuple[Any, Baresip]) -> None:
    inside, baresip = both
    assert "type='subscribe'" in await inside.next_stanza()
    inside.sends(of_juliet("subscribe"))
    # Its first document holds <basic>?</basic>, which is consent and no presence.
    assert "type='subscribed'" in await inside.next_stanza()
    await has_taken(inside)
    await baresip.command("presence_online")
    stanza = await inside.next_stanza()
    assert stanza.startswith("<presence from='alice@contoso.com/")
    assert "type=" not in stanza
    await baresip.command("presence_offline")
    assert "type='unavailable'" in await inside.next_stanza()

    inside.sends(of_juliet("probe"))
    assert "type='unavailable'" in await inside.next_stanza()
