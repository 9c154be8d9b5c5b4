"""What real servers in the seat have in common: how they end, when they are told to and when they are not."""

import asyncio
import os
import shutil
import signal
import socket
from typing import Any

import pytest

from simulator.world.systems.ejabberd import Ejabberd
from simulator.world.systems.prosody import Prosody
from simulator.world.systems.server import XMPPServer


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed: see the README")


#: each with the least number of lines that are told of its death
SERVERS = [
    pytest.param(Prosody, 6, marks=needs("prosody"), id="Prosody"),
    pytest.param(Ejabberd, 2, marks=needs("ejabberdctl"), id="ejabberd"),
]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False

    return True


@pytest.mark.parametrize(("server", "lines"), SERVERS)
async def test_stop_leaves_nothing_behind(town: Any, server: type[XMPPServer], lines: int) -> None:
    system = await town.seat(server)
    child = system.tenant.child
    place = system.address_of("contoso.com")
    await system.stop()
    await system.stop()

    assert not alive(child.pid)
    assert child.status != -signal.SIGKILL, "it ends when it is asked to"
    assert not child.folder.exists()
    assert not system.died.is_set()
    assert len(system.log_lines()) >= lines

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place, timeout=1)


@pytest.mark.parametrize(("server", "lines"), SERVERS)
async def test_death_is_reported_with_its_log(town: Any, server: type[XMPPServer], lines: int) -> None:
    system = await town.seat(server)
    os.kill(system.tenant.child.pid, signal.SIGKILL)

    async with asyncio.timeout(5):
        await system.died.wait()

    assert "status -9" in system.cause_of_death
    assert len(system.cause_of_death.splitlines()) >= lines
