"""Real Prosody in the seat."""

import asyncio
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

from simulator.world.systems.prosody import Prosody, installed, sharing_key
from simulator.world.systems.system import NotInstalled, SystemFailed, SystemSettings

INSTALLED = shutil.which("prosody")
needs_prosody = pytest.mark.skipif(
    not INSTALLED, reason="Prosody is not installed: apt-get install prosody lua-unbound"
)

HEADER = (
    b"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
    b" xmlns:db='jabber:server:dialback' from='gmail.com' to='contoso.com' version='1.0'>"
)


@needs_prosody
async def test_messages_pass_both_ways(town: Any) -> None:
    system, partner = await town.seat(Prosody), await town.partner()
    await town.exchange(await town.user(system), partner)

    assert system.version.startswith("0.") or system.version[0].isdigit()


@needs_prosody
async def test_second_domain_is_served_too(town: Any) -> None:
    system, partner = await town.seat(Prosody), await town.partner()

    await town.exchange(await town.user(system, "bob@fabrikam.com"), partner)


@needs_prosody
async def test_users_come_while_it_runs(town: Any) -> None:
    system, partner = await town.seat(Prosody), await town.partner()

    for name in ("alice", "carol", "o_malley-k3x9"):
        await town.exchange(await town.user(system, f"{name}@contoso.com"), partner)


@needs_prosody
async def test_name_server_failure_is_not_remembered(town: Any) -> None:
    """Scenarios share this system: what one met must not meet the next."""
    system = await town.seat(Prosody)
    user = await town.user(system)
    await user.send_message("juliet@gmail.com", "too early", id="early")

    async with asyncio.timeout(10):
        refusal = await user.inbox.next(lambda arrival: arrival.what == "refusal")
        assert refusal.fields["id"] == "early"

    await town.exchange(user, await town.partner())


@needs_prosody
async def test_offered_key_is_verified_by_dialing_back(town: Any) -> None:
    system, partner = await town.seat(Prosody), await town.partner()
    reader, writer = await asyncio.open_connection(*system.address_of("contoso.com"))
    writer.write(HEADER)

    async with asyncio.timeout(10):
        await reader.readuntil(b"</stream:features>")
        writer.write(b"<db:result from='gmail.com' to='contoso.com'>not the key</db:result>")
        answer = await reader.readuntil(b">")

    writer.close()
    assert b"type='invalid'" in answer
    assert any(entry.kind == "opened" and entry.actor == partner.domain for entry in town.journal)


@needs_prosody
async def test_unanswered_dialback_ends_within_its_setting(town: Any) -> None:
    system = await town.seat(Prosody, gateway={"stream-establishment-timeout": 0.3})
    reader, writer = await asyncio.open_connection(*system.address_of("contoso.com"))
    writer.write(HEADER)

    async with asyncio.timeout(5):
        rest = await reader.read()

        while data := await reader.read():
            rest += data

    writer.close()
    assert b"<connection-timeout" in rest


@needs_prosody
async def test_partner_hears_of_a_shutdown(town: Any) -> None:
    system, partner = await town.seat(Prosody), await town.partner()
    await town.exchange(await town.user(system), partner)
    await system.shut_down()
    received = "".join(entry.data["text"] for entry in town.journal if entry.kind == "received")

    assert "<system-shutdown" in received
    assert not system.died.is_set()


@needs_prosody
async def test_taken_port_is_reported_at_start(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(town.addresses, "take", lambda name: "127.0.0.1")
    monkeypatch.setattr("simulator.world.systems.prosody.START", 1.0)

    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setattr(town.addresses, "port", lambda true_port: other.getsockname()[1])

        with pytest.raises(SystemFailed, match=r"does not answer on 127\.0\.0\.1 port"):
            await town.seat(Prosody)


async def test_missing_program_says_how_to_install_it(
    town: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    installed.cache_clear()

    with pytest.raises(NotInstalled, match=r"apt-get install .*prosody lua-unbound"):
        await town.seat(Prosody)


async def test_missing_resolver_library_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without it Prosody would ask the name servers of the machine."""
    for name in ("prosody", "prosodyctl"):
        (tmp_path / name).write_text("#!/bin/sh\necho Prosody 0.12.3\n")
        (tmp_path / name).chmod(0o700)

    monkeypatch.setenv("PATH", str(tmp_path))
    installed.cache_clear()

    with pytest.raises(NotInstalled, match="without lua-unbound"):
        installed()


def test_partners_and_users_do_not_keep_scenarios_apart() -> None:
    plain = {"tls": "not-supported", "sasl": "not-supported", "dialback": True}
    one = SystemSettings(users=("alice@contoso.com",), partners={"gmail.com": plain})
    other = SystemSettings(users=("bob@contoso.com",))
    slower = SystemSettings(gateway={"stream-establishment-timeout": 7})

    assert sharing_key(one) == sharing_key(other)
    assert sharing_key(one) != sharing_key(slower)
