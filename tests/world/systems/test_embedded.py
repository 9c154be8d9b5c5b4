"""The embedded gateway in the seat: in this process, and as a process of its own."""

import asyncio
import contextlib
import dataclasses
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from simulator.gateway.rules import Rules
from simulator.world.addresses import Addresses
from simulator.world.systems.embedded import Embedded
from simulator.world.systems.embedded_process import EmbeddedProcess
from simulator.world.systems.gateway_settings import partner_words
from simulator.world.systems.system import SettingsRefused, System, SystemFailed, SystemSettings

Make = Callable[[SystemSettings], System]
HEADER = (
    b"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
    b" xmlns:db='jabber:server:dialback' from='gmail.com' to='contoso.com' version='1.0'>"
)
both = pytest.mark.parametrize("make", [Embedded, EmbeddedProcess])


@both
async def test_messages_pass_both_ways(town: Any, make: Make) -> None:
    system, partner = await town.seat(make), await town.partner()

    await town.exchange(await town.user(system), partner)


@both
async def test_partner_hears_of_a_shutdown(town: Any, make: Make) -> None:
    system, partner = await town.seat(make), await town.partner()
    await town.exchange(await town.user(system), partner)
    await system.shut_down()
    received = "".join(entry.data["text"] for entry in town.journal if entry.kind == "received")

    assert "<system-shutdown" in received
    assert not system.died.is_set()


@both
async def test_stop_leaves_nothing_listening(town: Any, make: Make) -> None:
    system = await town.seat(make)
    place = system.address_of("contoso.com")
    await system.stop()
    await system.stop()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place, timeout=1)

    assert not system.died.is_set()
    assert system.log_lines()


@both
@pytest.mark.parametrize(
    ("partner", "settings", "words"),
    [
        ("gmail.com", {"tls": "not-supported", "sasl": "not-supported", "dialback": False}, "must be enabled"),
        ("gmail.com", {"tls": "not-supported", "sasl": "required", "dialback": False}, "SASL cannot succeed"),
        ("contoso.com", {}, "own domains"),
        ("gmail.com", {"tls": "perhaps"}, "perhaps"),
        ("gmail.com", {"limit": 0}, "limit"),
    ],
)
async def test_bad_settings_are_refused(
    town: Any, make: Make, partner: str, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(SettingsRefused, match=words):
        await town.seat(make, partners={partner: settings})


@both
async def test_settings_reach_the_gateway(town: Any, make: Make) -> None:
    system = await town.seat(make, gateway={"stream-establishment-timeout": 0.2})
    reader, writer = await asyncio.open_connection(*system.address_of("contoso.com"))
    writer.write(HEADER)

    async with asyncio.timeout(5):
        assert b"<connection-timeout" in await reader.readuntil(b"</stream:stream>")

    writer.close()


@both
async def test_taken_port_is_a_plain_failure(town: Any, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(town.addresses, "take", lambda name: "127.0.0.1")

    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setattr(town.addresses, "port", lambda port: other.getsockname()[1] if port == 5269 else 0)

        with pytest.raises(SystemFailed, match="the port is taken"):
            await town.seat(make)


@both
async def test_ports_are_announced_where_addresses_are_scarce(town: Any, make: Make) -> None:
    town.addresses.close()
    town.addresses = Addresses(own_addresses=False)
    system, other = await town.seat(make), await town.seat(make, domains=("fabrikam.com",), users=())
    partner = await town.partner()
    await town.exchange(await town.user(system), partner)

    assert system.address_of("contoso.com")[0] == other.address_of("fabrikam.com")[0] == "127.0.0.1"
    assert system.address_of("contoso.com") != other.address_of("fabrikam.com")


async def test_death_is_reported_with_its_log(town: Any) -> None:
    system = await town.seat(EmbeddedProcess)
    os.kill(system.tenant.child.pid, signal.SIGKILL)

    async with asyncio.timeout(5):
        await system.died.wait()

    assert "status -9" in system.cause_of_death
    assert len(system.cause_of_death.splitlines()) > 1


async def test_defect_can_be_seated(town: Any) -> None:
    rules = dataclasses.replace(Rules(), host_is_served=lambda *_: False)
    system = await town.seat(Embedded, rules=rules)
    reader, writer = await asyncio.open_connection(*system.address_of("contoso.com"))
    writer.write(HEADER)

    async with asyncio.timeout(5):
        assert b"<host-unknown" in await reader.readuntil(b"</stream:stream>")

    writer.close()


def test_defect_cannot_be_seated_in_another_process() -> None:
    with pytest.raises(ValueError, match="'embedded'"):
        EmbeddedProcess(SystemSettings(rules=Rules()))


async def test_same_seed_gives_the_same_stream_ids(town: Any) -> None:
    async def first_id() -> bytes:
        town.entropy = random.Random(11)
        system = await town.seat(Embedded)
        reader, writer = await asyncio.open_connection(*system.address_of("contoso.com"))
        writer.write(HEADER)
        answer = await reader.readuntil(b"features>")
        writer.close()
        await system.stop()

        return answer.partition(b"id='")[2].partition(b"'")[0]

    one = await first_id()

    assert one
    assert one == await first_id()


async def test_link_can_be_cut_and_mended(town: Any) -> None:
    system, partner = await town.seat(Embedded), await town.partner()
    user = await town.user(system)
    await system.cut_link()
    await user.send_message("juliet@gmail.com", "lost", id="lost")

    async with asyncio.timeout(5):
        refusal = await user.inbox.next()

    await system.mend_link()
    await town.exchange(user, partner)

    assert (refusal.what, refusal.fields["id"]) == ("refusal", "lost")


@pytest.mark.parametrize(
    ("word", "hint"), [("tsl", "did you mean 'tls'"), ("keep-alive", "'keepalive'"), ("xyz", "known are tls, sasl")]
)
def test_unknown_word_of_a_scenario_is_named(word: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        partner_words("gmail.com", {word: True})


def test_every_word_has_its_place_in_the_file() -> None:
    assert partner_words(
        "gmail.com",
        {
            "tls": "not-supported",
            "sasl": "optional",
            "dialback": True,
            "keepalive": False,
            "type": "public-verified",
            "additional": ["googlemail.com"],
            "proxy": "proxy.example",
            "limit": 3,
            "description": "a friend",
        },
    ) == {
        "identity": "gmail.com",
        "tls-negotiation": "NotSupported",
        "sasl-negotiation": "Optional",
        "support-dialback-negotiation": True,
        "enable-keep-alive": False,
        "partner-type": "PublicVerified",
        "additional-domains": ["googlemail.com"],
        "proxy-fqdn": "proxy.example",
        "connection-limit": 3,
        "description": "a friend",
    }


def test_process_dies_with_us(tmp_path: Any) -> None:
    """Even when nobody is left to end it."""
    program = """
import asyncio, random
from types import SimpleNamespace
from simulator.world.addresses import Addresses
from simulator.world.ca import CertificateAuthority
from simulator.world.systems.embedded_process import EmbeddedProcess
from simulator.world.systems.system import SystemSettings

async def main():
    around = SimpleNamespace(addresses=Addresses(), authority=CertificateAuthority(), name_server=("127.0.0.1", 9),
                             entropy=random.Random(1))
    system = EmbeddedProcess(SystemSettings())
    await system.start(around)
    print(*system.address_of("contoso.com"), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}

    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout is not None
        host, port = parent.stdout.readline().split()
        connection = socket.create_connection((host, int(port)), timeout=5)
        parent.kill()

        # The end of its process ends the connection: with a FIN or, had it something unread, a reset.
        with connection, contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
