"""Plays many scenarios at once in one event loop, under a limit.

Knows how to stop early with what there is. Does not know verdicts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from simulator.journal import Journal
from simulator.runner.play import play
from simulator.scenario.model import Scenario
from simulator.world.seating import Seats
from simulator.world.teardown import surely


@dataclass(frozen=True)
class Played:
    """One scenario that was played to its end."""

    scenario: Scenario
    journal: Journal
    duration: float
    """Seconds."""


async def play_all(
    scenarios: Iterable[Scenario],
    seats: Seats,
    *,
    jobs: int = 8,
    on_start: Callable[[Scenario], None] = lambda scenario: None,
    on_played: Callable[[Played], None] = lambda played: None,
) -> None:
    """Play every scenario, `jobs` at a time, and hand over each as it ends.

    Cancelled at any moment, it tears down what runs and raises CancelledError; what was handed over stays. Raises
    NotInstalled when the system is not on this machine. The seats are closed in every case.
    """
    waiting = iter(scenarios)

    async def work() -> None:
        for scenario in waiting:
            on_start(scenario)
            began = time.monotonic()
            journal = await play(scenario, seats)
            on_played(Played(scenario, journal, time.monotonic() - began))

    workers = [asyncio.create_task(work()) for _ in range(jobs)]

    try:
        # Not gather: that would hand on every cancellation, and an impatient second one would disturb the teardown.
        await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        await surely(_end(workers, seats))

    for problem in (worker.exception() for worker in workers if not worker.cancelled()):
        if problem is not None:
            raise problem


async def _end(workers: list[asyncio.Task[None]], seats: Seats) -> None:
    for worker in workers:
        worker.cancel()

    await asyncio.wait(workers)
    await seats.close()
