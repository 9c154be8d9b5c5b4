"""One run from the first scenario to the last, or to Ctrl-C: played, saved, judged.

Knows signals and files. Does not know options, nor how results are shown.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulator.cli.lookup import WrongUse, write
from simulator.report.results import Result, file_name
from simulator.runner.many import Played, play_all
from simulator.scenario.model import Scenario
from simulator.verdict import Outcome
from simulator.verdict import judge as judged
from simulator.world.seating import Seats
from simulator.world.systems.system import NotInstalled

SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def play_and_judge(
    chosen: Sequence[Scenario], seats: Seats, jobs: int, journals: Path, played: Callable[[Result], None]
) -> None:
    def done(one: Played) -> None:
        file = journals / file_name(one.scenario.id)
        write(lambda: one.journal.save(file))
        verdict = judged(one.scenario, one.journal.entries)
        version = str(one.journal.entries[0].data["system"]["version"])
        # Thousands of journals need not be in memory: only those that a report will show.
        kept = () if verdict.outcome in (Outcome.PASS, Outcome.UNSUPPORTED) else one.journal.entries
        played(Result(one.scenario, verdict, one.duration, file, version, kept))

    await play_all(chosen, seats, jobs=jobs, on_played=done)


def until_interrupted(work: Coroutine[Any, Any, None]) -> int:
    """Run to the end, or until SIGINT or SIGTERM: then it is cancelled, may clean up, and the signal is returned."""

    told = 0

    async def supervised() -> None:
        task = asyncio.ensure_future(work)

        def end(number: int) -> None:
            nonlocal told
            told = told or number
            task.cancel()

        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, end, number)

        try:
            await task
        except asyncio.CancelledError:
            if not told:
                raise

    try:
        asyncio.run(supervised())
    except NotInstalled as error:
        raise WrongUse(str(error)) from None

    return told


@contextmanager
def undisturbed() -> Iterator[None]:
    """The report that is due after a run is written in full, whoever presses Ctrl-C once more."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}

    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
