"""Real ejabberd in the seat."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from simulator.world.dns import Fault
from simulator.world.systems.ejabberd import Ejabberd, installed, sharing_key
from simulator.world.systems.system import NotInstalled, SystemFailed, SystemSettings
from tests.world.systems.conftest import GOOGLE_TALK

needs_ejabberd = pytest.mark.skipif(
    shutil.which("ejabberdctl") is None, reason="ejabberd is not installed: apt-get install ejabberd"
)


def listening_sockets(pid: int) -> int:
    """How many TCP sockets of IPv4 and IPv6 this process listens on."""
    sockets = {os.readlink(handle) for handle in Path(f"/proc/{pid}/fd").iterdir() if handle.is_symlink()}
    tables = "".join(Path(f"/proc/net/{name}").read_text() for name in ("tcp", "tcp6"))
    rows = [line.split() for line in tables.splitlines()]

    return sum(row[3] == "0A" and f"socket:[{row[9]}]" in sockets for row in rows)


@needs_ejabberd
async def test_users_come_while_it_runs(town: Any) -> None:
    system, partner = await town.seat(Ejabberd), await town.partner()

    for address in ("alice@contoso.com", "bob@fabrikam.com", "o_malley-k3x9@contoso.com"):
        await town.exchange(await town.user(system, address), partner)

    assert system.version.split(".")[0].isdigit()


@needs_ejabberd
async def test_user_who_comes_again_is_the_same(town: Any) -> None:
    system, partner = await town.seat(Ejabberd), await town.partner()
    await (await town.user(system)).sign_out()

    await town.exchange(await town.user(system), partner)


@needs_ejabberd
async def test_every_question_reaches_our_name_server(town: Any) -> None:
    """Those about addresses, too, which it asks of the C library: a failure there is met, and remembered by nobody."""
    system, partner = await town.seat(Ejabberd), await town.partner()
    user = await town.user(system)
    town.names.fail("xmpp.gmail.com", Fault(kind="nxdomain"))
    await user.send_message("juliet@gmail.com", "too early", id="early")

    async with asyncio.timeout(10):
        refusal = await user.inbox.next(lambda arrival: arrival.what == "refusal")
        assert refusal.fields["conditions"][0] == "remote-server-not-found"

    asked = {(query.name, query.type) for query in town.names.history}
    assert {("_xmpp-server._tcp.gmail.com", "SRV"), ("xmpp.gmail.com", "A"), ("xmpp.gmail.com", "AAAA")} <= asked

    town.names.heal("xmpp.gmail.com")
    # The other domain has no pause after a failure.
    await town.exchange(await town.user(system, "bob@fabrikam.com"), partner)


@needs_ejabberd
async def test_nothing_else_listens(town: Any) -> None:
    """There is no port of the runtime for other nodes, nor one for the names of nodes."""
    system = await town.seat(Ejabberd)
    listening = await asyncio.to_thread(listening_sockets, system.tenant.child.pid)

    assert listening == len(system.listening) == 2


@needs_ejabberd
async def test_configuration_that_it_refuses_is_reported(town: Any) -> None:
    with pytest.raises(SystemFailed, match="Invalid value of option"):
        await town.seat(Ejabberd, domains=("no domain",), users=())


async def test_missing_program_says_how_to_install_it(
    town: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    installed.cache_clear()

    with pytest.raises(NotInstalled, match=r"apt-get install .*ejabberd"):
        await town.seat(Ejabberd)


async def test_missing_libraries_are_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("erl", "ejabberdctl"):
        (tmp_path / name).write_text(f"#!/bin/sh\nERL_LIBS='{tmp_path}/lib'\n")
        (tmp_path / name).chmod(0o700)

    monkeypatch.setenv("PATH", str(tmp_path))
    installed.cache_clear()

    with pytest.raises(NotInstalled, match="libraries"):
        installed()


def test_users_do_not_keep_scenarios_apart_but_modes_do() -> None:
    one = SystemSettings(users=("alice@contoso.com",), partners={"gmail.com": GOOGLE_TALK})
    other = SystemSettings(users=("bob@contoso.com",), partners={"jabber.example": GOOGLE_TALK})
    encrypted = SystemSettings(partners={"gmail.com": {"tls": "required"}})

    assert sharing_key(one) == sharing_key(other)
    assert sharing_key(one) != sharing_key(encrypted)
