"""Two real servers, each in a mode of ours, meet; nothing of ours speaks between them, and their logs are the witness.

What a mode is said to be is what these servers make of it.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from simulator.world.systems import ejabberd, prosody
from simulator.world.systems.ejabberd import Ejabberd
from simulator.world.systems.prosody import Prosody
from simulator.world.systems.system import NotInstalled
from tests.interop.conftest import fate, row
from tests.interop.witness import EXTERNAL, TCP_DIALBACK, TLS_DIALBACK, methods

HERE, THERE = "prosody.example", "ejabberd.example"
#: what Prosody is set up for, and ejabberd, as TLS/SASL/dialback -> how both directions are authenticated
MEETINGS = [
    ("required/required/no", "required/required/no", EXTERNAL),
    ("required/required/yes", "optional/optional/no", EXTERNAL),
    ("optional/optional/yes", "required/optional/yes", EXTERNAL),
    ("required/not-supported/yes", "required/optional/yes", TLS_DIALBACK),
    ("optional/not-supported/yes", "optional/optional/yes", TLS_DIALBACK),
    ("optional/not-supported/yes", "not-supported/not-supported/yes", TCP_DIALBACK),
    ("not-supported/not-supported/yes", "optional/required/yes", TCP_DIALBACK),
    ("required/optional/yes", "not-supported/not-supported/yes", ""),
    ("required/not-supported/yes", "required/required/no", ""),
    ("not-supported/not-supported/yes", "optional/optional/no", ""),
]


@pytest.fixture(autouse=True)
def both_are_installed() -> None:
    try:
        prosody.installed()
        ejabberd.installed()
    except NotInstalled as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("here", "there", "method"), MEETINGS)
async def test_servers_meet_as_their_modes_say(town: Any, here: str, there: str, method: str) -> None:
    one = await town.seat(Prosody, domains=(HERE,), users=(), partners={THERE: row(here)})
    other = await town.seat(Ejabberd, domains=(THERE,), users=(), partners={HERE: row(there)})
    alice, juliet = await town.user(one, f"alice@{HERE}"), await town.user(other, f"juliet@{THERE}")

    await alice.send_message(juliet.address, "Hello", id="m1")
    assert (await fate(juliet if method else alice, "m1")).what == ("message" if method else "refusal")
    await juliet.send_message(alice.address, "Good day", id="m2")
    assert (await fate(alice if method else juliet, "m2")).what == ("message" if method else "refusal")

    expected = {"in": method, "out": method} if method else {}
    assert [await methods(system, len(expected)) for system in (one, other)] == [expected, expected]
    # Each takes a second to end: both at once.
    await asyncio.gather(one.stop(), other.stop())
