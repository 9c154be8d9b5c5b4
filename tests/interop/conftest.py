"""A gateway as a process, and beside it only what others have written: no partner of ours in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.world.systems.embedded_process import EmbeddedProcess
from simulator.world.systems.prosody import Prosody, installed
from simulator.world.systems.system import NotInstalled, System
from simulator.world.users.user import Arrival, User
from tests.world.systems.conftest import GOOGLE_TALK, Town

OUTSIDE = "jabber.example"


def row(words: str) -> dict[str, Any]:
    """The settings of a partner, said as TLS/SASL/dialback."""
    tls, sasl, dialback = words.split("/")

    return {"tls": tls, "sasl": sasl, "dialback": dialback == "yes", "keepalive": False}


async def fate(user: User, id: str) -> Arrival:  # noqa: A002
    """The message of this id, or its refusal."""
    async with asyncio.timeout(10):
        return await user.inbox.next(
            lambda arrival: arrival.what in ("message", "refusal") and arrival.fields["id"] == id
        )


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    town = Town()
    await town.names.start(town.addresses.take("dns"))

    try:
        yield town
    finally:
        await town.stop()


@pytest.fixture
async def gateway(town: Town) -> System:
    """``s2sim gateway --config FILE``, which allows the stranger as a partner without TLS."""
    return await town.seat(EmbeddedProcess, partners={OUTSIDE: GOOGLE_TALK})


@pytest.fixture
def outside(town: Town) -> Callable[[str], Awaitable[System]]:
    """Start a Prosody that has this domain."""
    try:
        installed()
    except NotInstalled as error:
        pytest.skip(str(error))

    return lambda domain: town.seat(Prosody, domains=(domain,), users=(), partners={})


@pytest.fixture
async def prosody(outside: Callable[[str], Awaitable[System]]) -> System:
    return await outside(OUTSIDE)


@pytest.fixture
def issued(town: Town) -> tuple[Path, Path]:
    """A certificate of the same authority for somebody who is not the front end, and its key."""
    files = town.authority.issue(OUTSIDE)

    return files.certificate, files.key
