"""The gateway in several processes: it comes up, its parts are killed and come back, and its edges are announced."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from simulator.journal import Journal
from simulator.world.addresses import Addresses
from simulator.world.seating import Ground, Seated
from simulator.world.systems.embedded import Embedded
from simulator.world.systems.embedded_apart import EmbeddedApart
from simulator.world.systems.embedded_process import EmbeddedProcess
from simulator.world.systems.system import SettingsRefused, SystemFailed, SystemSettings

WEST, EAST = "edge1.contoso.com", "edge2.contoso.com"
POOLS = {
    "pools": [{"identity": name, "enable-xmpp-federation": True} for name in (WEST, EAST)],
    "sites": [{"identity": "Redmond", "xmpp-federation-route": WEST}],
}
USER = "alice@contoso.com"


@pytest.fixture
async def ground() -> AsyncIterator[Ground]:
    with Addresses() as addresses:
        made = Ground(addresses, random.Random(1))
        await made.start()
        yield made
        await made.stop()


def settings(**configuration: Any) -> SystemSettings:
    return SystemSettings(domains=("contoso.com",), users=(USER,), configuration=configuration)


async def can_connect(place: tuple[str, int]) -> bool:
    try:
        _, writer = await asyncio.open_connection(*place)
    except OSError:
        return False

    writer.close()

    return True


async def test_parts_are_killed_and_come_back(ground: Ground) -> None:
    system = EmbeddedApart(settings())

    try:
        await system.start(ground)
        places = dict(system.listening)
        assert set(places) == {"edge", "link", "sip", "sips"}

        await system.kill_process("edge")
        assert not await can_connect(places["edge"])
        assert await can_connect(places["sip"])
        await system.start_process("edge")
        assert await can_connect(places["edge"])

        await system.stop_process("front end")
        assert not await can_connect(places["sip"])
        await system.start_process("front end")
        user = await system.user(USER, Journal(asyncio.get_running_loop().time))
        await user.sign_in()
        await user.sign_out()
        # What was asked for is no death.
        assert not system.died.is_set()

        with pytest.raises(SystemFailed, match=r"there is no process 'middle'; there are: edge, front end"):
            await system.kill_process("middle")

        system._parts["edge"].child._kill()
        await asyncio.wait_for(system.died.wait(), 10)
        assert "the edge edge ended with status -9" in system.cause_of_death
    finally:
        await system.stop()

    assert not any([await can_connect(place) for place in places.values()])


async def test_stop_that_is_cut_off_still_ends_all(ground: Ground) -> None:
    system = EmbeddedApart(settings())
    await system.start(ground)
    children = [part.child for part in system._parts.values()]
    stopping = asyncio.create_task(system.stop())
    # It has asked the first part to end, and waits.
    await asyncio.sleep(0)
    stopping.cancel()

    with pytest.raises(asyncio.CancelledError):
        await stopping

    assert [child.status is None for child in children] == [False, False]
    assert [folder for folder in (system._folder, *(child.folder for child in children)) if folder.exists()] == []


def test_system_that_is_never_stopped_leaves_no_folder(tmp_path: Path) -> None:
    program = "\n".join(
        (
            "from simulator.world.systems.embedded_apart import EmbeddedApart",
            "from simulator.world.systems.system import SystemSettings",
            "system = EmbeddedApart(SystemSettings(domains=('contoso.com',)))",
            "assert system._folder.exists()",
        )
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "TMPDIR": str(tmp_path)}, timeout=30)

    assert list(tmp_path.iterdir()) == []


async def test_settings_that_contradict_each_other_are_refused(ground: Ground) -> None:
    system = EmbeddedApart(settings(sites=[{"identity": "Redmond", "xmpp-federation-route": "nowhere"}]))

    with pytest.raises(SettingsRefused, match="there is no edge pool nowhere"):
        await system.start(ground)


@pytest.mark.parametrize("make", [Embedded, EmbeddedProcess, EmbeddedApart])
async def test_shell_says_the_same_wherever_the_gateway_runs(ground: Ground, make: type[Any]) -> None:
    system = make(settings())

    with pytest.raises(SystemFailed):
        await system.run_commands("Get-CsUser")

    try:
        await system.start(ground)
        assert await system.run_commands("$type = 'Federated'") == []
        # What both commands print comes first, and then each error by itself.
        text = "New-CsXmppAllowedPartner a.example -PartnerType $type\nSet-CsSite Nowhere\nSet-CsSit"
        (output, printed), (error, unknown_site), (error_too, unknown_command) = await system.run_commands(text)

        assert (output, error, error_too) == ("output", "error", "error")
        assert "a.example" in printed
        assert "Federated" in printed
        assert "At line:2 char:1" in unknown_site
        assert "'Set-CsSit' is not recognized" in unknown_command
    finally:
        await system.stop()


async def test_commands_reach_the_process_that_they_are_about(ground: Ground) -> None:
    system = EmbeddedApart(settings(**POOLS))

    try:
        await system.start(ground)
        places = system.edges
        assert await system.run_commands(f"Stop-CsWindowsService -ComputerName {EAST}") == []
        assert await can_connect(places[WEST][1:])
        assert not await can_connect(places[EAST][1:])
        assert await system.run_commands(f"Start-CsWindowsService -ComputerName {EAST}") == []
        assert await can_connect(places[EAST][1:])

        # What was changed inside is known at every edge when the command is over, and each says so.
        await system.run_commands(f"New-CsXmppAllowedPartner a.example; Set-CsSite Redmond -XmppFederationRoute {EAST}")

        for name, is_route in ((WEST, False), (EAST, True)):
            status, configuration = await system._parts[name].shell.look()
            assert [link["route"] for link in status["links"]] == [is_route]
            assert "a.example" in [partner["identity"] for partner in configuration["partners"]]

        # A front end that is started again has forgotten what was typed in.
        assert await system.run_commands("$x = 'kept'; $x") == [("output", "kept")]
        await system.kill_process("front end")

        with pytest.raises(SystemFailed, match=r"the gateway at .* (has ended|does not)"):
            await system.run_commands("$x")

        await system.start_process("front end")
        assert await system.run_commands("$x") == []
    finally:
        await system.stop()


@pytest.mark.parametrize("make", [Embedded, EmbeddedApart])
async def test_each_pool_has_a_record_with_a_priority_of_its_own(ground: Ground, make: type[Any]) -> None:
    seated = Seated(make(settings(**POOLS)), ground, False, settings(**POOLS))

    try:
        await seated.start()
        system = seated.system
        first, second = system.listening["edge"], system.listening[f"edge@{EAST}"]
        records = ground.names.zone.records("_xmpp-server._tcp.contoso.com", "SRV")
        assert first != second
        assert await can_connect(first)
        assert await can_connect(second)
        assert system.edges == {WEST: (0, *first), EAST: (10, *second)}  # type: ignore[attr-defined]
        assert sorted(records) == [(0, 0, first[1], WEST), (10, 0, second[1], EAST)]
    finally:
        await seated.stop()
