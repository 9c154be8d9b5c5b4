"""What goes to a worker process and what comes back, and how both are cut out of a stream of bytes.

Knows shapes and frames. Does not know processes. Everything travels pickled: the arguments of a scenario may be
anything that YAML can say, and nobody but our own processes holds an end of these sockets.
"""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import msgspec

from simulator.journal import Journal
from simulator.scenario.model import Scenario
from simulator.verdict import Verdict, judge

LENGTH = 4


class Errand(msgspec.Struct, frozen=True):
    """One scenario to play, on a system with this deliberate defect if any."""

    scenario: Scenario
    mutant: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What an errand came to."""

    number: int
    """Of the errand."""
    verdict: Verdict
    lines: bytes
    """The journal, as it is saved."""
    duration: float
    """Seconds."""
    version: str = ""
    """The version of the system, where it came to say it."""


class Missing(msgspec.Struct, frozen=True):
    """The system is not on this machine."""

    text: str


def report(number: int, scenario: Scenario, journal: Journal, duration: float) -> Report:
    """Judge what was played: the verdict is a function of scenario and journal alone, whoever computes it."""
    return Report(
        number=number,
        verdict=judge(scenario, journal.entries),
        lines=journal.lines(),
        duration=duration,
        version=str(journal.entries[0].data["system"]["version"]),
    )


def frame(message: tuple[int, Errand] | Report | Missing) -> bytes:
    """A message as it travels."""
    data = pickle.dumps(message)

    return len(data).to_bytes(LENGTH, "big") + data


async def next_message(reader: asyncio.StreamReader) -> Any:
    """What `frame` was given; None when the other process sends no more, however that came."""
    try:
        length = int.from_bytes(await reader.readexactly(LENGTH), "big")

        return pickle.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
