"""Two real servers, each in a mode of ours, meet; nothing of ours speaks between them, and a log is the witness.

What a mode is said to be is what these servers make of it.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from simulator.world.systems import ejabberd, prosody
from simulator.world.systems.ejabberd import Ejabberd
from simulator.world.systems.prosody import Prosody
from simulator.world.systems.system import NotInstalled, System
from simulator.world.users.user import Arrival, User

HERE, THERE = "prosody.example", "ejabberd.example"
EXTERNAL, TLS_DIALBACK, TCP_DIALBACK = "tls EXTERNAL", "tls dialback", "tcp dialback"
_ACCEPTED = re.compile(r"\((\w+)\|[^)]*\) Accepted (?:in|out)bound s2s (\w+) authentication")

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


def settings(row: str) -> dict[str, Any]:
    tls, sasl, dialback = row.split("/")

    return {"tls": tls, "sasl": sasl, "dialback": dialback == "yes"}


async def fate(user: User, id: str) -> Arrival:  # noqa: A002
    """The message of this id, or its refusal."""
    async with asyncio.timeout(10):
        return await user.inbox.next(
            lambda arrival: arrival.what in ("message", "refusal") and arrival.fields["id"] == id
        )


async def accepted(system: System, number: int) -> list[str]:
    """How it says that streams were authenticated; its log is written a moment later."""
    async with asyncio.timeout(5):
        while len(found := _ACCEPTED.findall("\n".join(system.log_lines(1000)))) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    return [" ".join(how) for how in found]


@pytest.mark.parametrize(("here", "there", "method"), MEETINGS)
async def test_servers_meet_as_their_modes_say(town: Any, here: str, there: str, method: str) -> None:
    one = await town.seat(Prosody, domains=(HERE,), users=(), partners={THERE: settings(here)})
    other = await town.seat(Ejabberd, domains=(THERE,), users=(), partners={HERE: settings(there)})
    alice, juliet = await town.user(one, f"alice@{HERE}"), await town.user(other, f"juliet@{THERE}")

    await alice.send_message(juliet.address, "Hello", id="m1")
    assert (await fate(juliet if method else alice, "m1")).what == ("message" if method else "refusal")
    await juliet.send_message(alice.address, "Good day", id="m2")
    assert (await fate(alice if method else juliet, "m2")).what == ("message" if method else "refusal")

    assert await accepted(other, 2 if method else 0) == ([method, method] if method else [])
    # Each takes a second to end: both at once.
    await asyncio.gather(one.stop(), other.stop())
