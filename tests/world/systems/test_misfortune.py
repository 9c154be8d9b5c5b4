"""Things go wrong around a running gateway: its name server is gone, its partner vanishes, strangers sit on ports."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from simulator.runner.play import play
from simulator.scenario.loader import load
from simulator.verdict import Outcome, judge
from simulator.wire.listener import ListenError
from simulator.world.seating import Seats
from simulator.world.systems.catalogue import seat
from simulator.world.systems.embedded_process import EmbeddedProcess

REFUSED = """
claim: Without a name server a message comes back
settings: {gmail.com: {tls: not-supported, sasl: not-supported}, configuration: {dns: {port: 9, timeout: 0.1}}}
steps:
  - alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hello}
  - alice@contoso.com is refused: remote-server-not-found
"""
ARRIVES = REFUSED.replace(
    "alice@contoso.com is refused: remote-server-not-found",
    "juliet@gmail.com receives a message: Hello\n    within: 0.5",
)


async def verdict(folder: Path, text: str, system: str) -> Any:
    (folder / "one.yaml").write_text(text)
    [scenario] = load(folder)
    seats = Seats(seat(system))
    journal = await play(scenario, seats)
    await seats.close()

    return judge(scenario, journal.entries)


@pytest.mark.parametrize("system", ["embedded", "embedded-process"])
async def test_dead_name_server_returns_messages(tmp_path: Path, system: str) -> None:
    assert (await verdict(tmp_path, REFUSED, system)).outcome is Outcome.PASS
    spoilt = await verdict(tmp_path, ARRIVES, system)

    assert spoilt.outcome is Outcome.FAIL
    assert "waiting for" in spoilt.reason


async def test_name_server_that_comes_back_is_asked_again(town: Any) -> None:
    alice = await town.user(await town.seat(EmbeddedProcess, configuration={"dns": {"timeout": 0.1}}))
    partner = await town.partner()
    host, port = town.name_server
    await town.names.stop()
    assert await fate(alice, "m0") == "refusal"
    await town.names.start(host, port)

    # There is a pause before a partner is tried again, and it grows.
    async with asyncio.timeout(10):
        while await fate(alice, "m1") == "refusal":
            pass

    assert (await town.mail.get()).get("id") == "m1"
    await town.exchange(alice, partner)


async def fate(user: Any, identifier: str) -> str:
    """Send a message, and say what became of it."""
    await user.send_message("juliet@gmail.com", "Hello", id=identifier)

    async with asyncio.timeout(10):
        return str((await user.inbox.next(lambda arrival: arrival.fields["id"] == identifier)).what)


async def test_port_of_a_partner_may_be_taken(town: Any) -> None:
    with socket.create_server((town.addresses.take("somebody"), 5269)) as other:
        town.addresses.take = lambda name: other.getsockname()[0]

        with pytest.raises(ListenError, match=r"port 5269.*taken"):
            await town.partner()
