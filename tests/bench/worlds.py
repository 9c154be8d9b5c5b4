"""The simulator itself: how soon a world is up, and how many scenarios are played in a second.

Knows the runner. Does not know other systems than the embedded gateway.
"""

from __future__ import annotations

import resource
import time
from pathlib import Path

import msgspec

from simulator.journal import Journal
from simulator.runner.errand import Errand
from simulator.runner.many import Played, play_all
from simulator.runner.processes import play_apart
from simulator.runner.up import a_world
from simulator.scenario.loader import load
from simulator.scenario.model import Scenario
from simulator.verdict import judge
from simulator.world.casting import plan
from simulator.world.seating import Seats
from simulator.world.systems.embedded import SEAT
from simulator.world.world import World
from tests.bench.exchange import Measured

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
FOLDERS = ("dialback*", "instant-messaging")


async def bring_up(times: int) -> list[float]:
    """Seconds until name server, authority, partner and embedded gateway are up, from nothing, each time."""
    scenario = msgspec.structs.replace(a_world(), users={})
    found = []

    for _ in range(times):
        began = time.perf_counter()
        seats = Seats(SEAT)

        async with World(scenario, plan(scenario, 1, shared=False), seats, Journal(time.monotonic)):
            found.append(time.perf_counter() - began)

        await seats.close()

    return found


def dialback_scenarios() -> list[Scenario]:
    """Every scenario about dialback, and those about messages, which rest on it in both directions."""
    folders = [folder for name in FOLDERS for folder in sorted(SCENARIOS.glob(name)) if any(folder.iterdir())]

    return [scenario for folder in folders for scenario in load(folder)]


def negotiation_scenarios() -> list[Scenario]:
    """One in seven rows of the matrix of settings and abilities, both directions: most of them with TLS."""
    return load(SCENARIOS / "negotiation")[::7]


async def play(scenarios: list[Scenario], jobs: int, plays: int) -> Measured:
    """Play them, again and again until it was so often, and judge each; CPU is that of this process."""
    chosen = [scenarios[number % len(scenarios)] for number in range(plays)]
    judged = []

    def played(one: Played) -> None:
        judged.append(judge(one.scenario, one.journal.entries))

    used, began = time.process_time(), time.perf_counter()
    await play_all(chosen, Seats(SEAT), jobs=jobs, on_played=played)

    return Measured(len(judged), time.perf_counter() - began, time.process_time() - used)


async def play_in(processes: int, scenarios: list[Scenario], jobs: int, plays: int) -> Measured:
    """The same in worker processes, with the third of a second that they take to come up; CPU is that of them all."""
    errands = [Errand(scenarios[number % len(scenarios)]) for number in range(plays)]
    verdicts = []
    used, began = _used_by_children(), time.perf_counter()
    await play_apart(
        errands,
        SEAT.name,
        1,
        processes=processes,
        jobs=jobs,
        on_report=lambda errand, report: verdicts.append(report.verdict),
    )

    return Measured(len(verdicts), time.perf_counter() - began, _used_by_children() - used)


def _used_by_children() -> float:
    """Seconds of processor time, of those that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)

    return used.ru_utime + used.ru_stime
