"""One run from the first scenario to the last, or to Ctrl-C: played, saved, judged.

Knows signals and files. Does not know options, nor how results are shown.
"""

from __future__ import annotations

import asyncio
import select
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.cli.lookup import WrongUse, write
from simulator.journal import load, save_lines
from simulator.report.results import Result, file_name
from simulator.runner.errand import Errand, Report, report
from simulator.runner.many import play_all
from simulator.runner.processes import how_many, play_apart
from simulator.runner.signals import INTERRUPTIONS, heeded
from simulator.scenario.model import Scenario
from simulator.verdict import Outcome
from simulator.world.seating import Seats
from simulator.world.systems.system import NotInstalled

#: Seconds between two looks whether anybody still reads what is printed.
PACE = 0.2
#: How many scenarios a process plays at once.
JOBS = 16


@dataclass(frozen=True)
class Crew:
    """How many scenarios are played at once, and in how many processes."""

    jobs: int
    processes: int


def crew_for(scenarios: int, jobs: int | None, processes: int | None) -> Crew:
    """What suits so many scenarios, where the user says nothing else."""
    # One process is busy with sixteen: most scenarios spend most of their time waiting.
    processes = how_many(scenarios, jobs or scenarios, processes)

    return Crew(jobs or JOBS * processes, processes)


async def play_and_judge(
    chosen: Sequence[Scenario],
    seats: Seats,
    mutant: str,
    crew: Crew,
    journals: Path,
    played: Callable[[Result], None],
) -> None:
    """Play all that was chosen, and hand over each result as it comes; its journal then is on disk."""

    def saved(scenario: Scenario, one: Report) -> None:
        file = journals / file_name(scenario.id)
        write(lambda: save_lines(one.lines, file))
        # Thousands of journals need not be in memory: only those that a report will show.
        kept = () if one.verdict.outcome in (Outcome.PASS, Outcome.UNSUPPORTED) else load(file)
        played(Result(scenario, one.verdict, one.duration, file, one.version, kept))

    if crew.processes == 1:
        await play_all(
            chosen,
            seats,
            jobs=crew.jobs,
            on_played=lambda one: saved(one.scenario, report(0, one.scenario, one.journal, one.duration)),
        )
        return

    await play_apart(
        [Errand(scenario, mutant) for scenario in chosen],
        seats.seat.name,
        seats.seed,
        processes=crew.processes,
        jobs=crew.jobs,
        on_report=lambda errand, one: saved(errand.scenario, one),
    )


def until_interrupted(work: Coroutine[Any, Any, None]) -> int:
    """Run to the end, or until SIGINT, SIGTERM or SIGHUP: then it is cancelled, may clean up, and that is returned.

    0: nobody interrupted it. Raises WrongUse where the program under test is not installed, and BrokenPipeError, after
    the same cleaning up, when nobody reads standard output any more: what is long silent does not find out by writing.
    After an interruption further ones are without effect: what is still to be done is to report and to exit.
    """
    told = 0
    before = {number: signal.getsignal(number) for number in heeded()}

    async def supervised() -> None:
        task = asyncio.ensure_future(work)

        def end(number: int) -> None:
            nonlocal told
            told = told or number
            task.cancel()

        def look() -> None:
            if nobody_reads():
                end(signal.SIGPIPE)
            else:
                loop.call_later(PACE, look)

        def heed(number: int, _: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(end, number)

        loop = asyncio.get_running_loop()
        look()

        for number in before:
            # Not the loop's own handlers: they go with the loop, and a signal that comes after that would end us
            # before the report is written.
            signal.signal(number, heed)

        try:
            await task
        except asyncio.CancelledError:
            if not told:
                raise

    try:
        asyncio.run(supervised())
    except NotInstalled as error:
        raise WrongUse(str(error)) from None
    finally:
        for number, handler in before.items():
            # What is ignored stays so until the process is gone; handlers the interpreter takes away before.
            signal.signal(number, signal.SIG_IGN if told else handler)

    if told == signal.SIGPIPE:
        raise BrokenPipeError

    return told


def nobody_reads() -> bool:
    """Whether standard output is a pipe whose other end is closed."""
    try:
        watched = select.poll()
        watched.register(sys.stdout.fileno(), 0)
    except (AttributeError, OSError, ValueError):
        # It is closed, or none of the operating system's.
        return False

    return any(flags & (select.POLLERR | select.POLLHUP) for _, flags in watched.poll(0))


@contextmanager
def undisturbed() -> Iterator[None]:
    """The report that is due after a run is written in full, whoever presses Ctrl-C once more."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in INTERRUPTIONS}

    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
