"""Plays many scenarios in several worker processes, under one limit, and survives the death of any of them.

Knows processes, and who plays what. Does not know what is played, nor how it is judged: that is the `worker`'s.

Workers are fresh interpreters, in sessions of their own: Ctrl-C at a terminal is for the parent alone, who then closes
the socket of each. Whatever they make of temporary files is in one folder for each worker, which goes with it even
when it was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable

from simulator.journal import Journal
from simulator.runner.errand import Errand, Missing, Report, frame, next_message, report
from simulator.world.systems.system import NotInstalled
from simulator.world.teardown import surely

#: No more than these unless somebody says so.
MOST = 4
#: A worker takes a third of a second to come up, and a shared system longer: fewer scenarios are not worth another.
WORTH_A_PROCESS = 16
#: Seconds that a worker may take to end what it plays.
PATIENCE = 30.0
#: What a worker runs: it finds what we find, and nothing else that lies about in the current folder.
PROGRAM = (
    "import sys; sys.path[:] = sys.argv[4:]; from simulator.runner.worker import main; sys.exit(main(*sys.argv[1:4]))"
)

OnReport = Callable[[Errand, Report], None]


def how_many(scenarios: int, jobs: int, wanted: int | None = None) -> int:
    """How many processes to play so many scenarios in, of which `jobs` are played at once.

    As many as are `wanted`, else one for each core that we may use, where that is worth it; never more than have
    something to do.
    """
    useful = max(1, min(jobs, scenarios))

    return min(useful, wanted or min(MOST, usable_cores(), max(1, scenarios // WORTH_A_PROCESS)))


def usable_cores() -> int:
    """How many cores this process may use."""
    if sys.platform.startswith("linux"):
        return len(os.sched_getaffinity(0))

    return os.cpu_count() or 1


async def play_apart(
    errands: Iterable[Errand], system: str, seed: int, *, processes: int, jobs: int, on_report: OnReport
) -> None:
    """Play every errand, `jobs` at a time over all processes, and hand over the report of each as it ends.

    Cancelled at any moment, it has every worker tear down what it plays and raises CancelledError; what was played
    until then is handed over. What a worker had in hand that died is reported as an error of our own, and another
    takes its place. Raises NotInstalled when the system is not on this machine.
    """
    waiting = deque(enumerate(errands))
    shares = [jobs // processes + (number < jobs % processes) for number in range(processes)]
    places = [asyncio.create_task(_Place(waiting, system, seed, share, on_report).fill()) for share in shares]

    try:
        await asyncio.wait(places, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        await surely(_vacate(places))

    for problem in [place.exception() for place in places if not place.cancelled()]:
        if problem is not None:
            raise problem


async def _vacate(places: list[asyncio.Task[None]]) -> None:
    for place in places:
        place.cancel()

    await asyncio.wait(places)


class _Place:
    """Where one worker works, and after its death the next."""

    def __init__(
        self, waiting: deque[tuple[int, Errand]], system: str, seed: int, share: int, on_report: OnReport
    ) -> None:
        self._waiting, self._on_report = waiting, on_report
        self._system, self._seed = system, seed
        self._share = share

    async def fill(self) -> None:
        """Have workers work until nothing waits any more."""
        while self._waiting:
            worker = _Worker(self._waiting, self._on_report)

            try:
                await worker.start(self._system, self._seed)
                await worker.play(self._share)
            finally:
                await surely(worker.end())

            # Each death costs at least one errand: those that bring every worker down come to an end, too.
            worker.report_losses()


class _Worker:
    """One worker process and what it has in hand."""

    def __init__(self, waiting: deque[tuple[int, Errand]], on_report: OnReport) -> None:
        self._waiting, self._on_report = waiting, on_report
        self._in_hand: dict[int, tuple[Errand, float]] = {}
        self._folder = tempfile.mkdtemp(prefix="s2sim-worker-")
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._goes_on = True

    async def start(self, system: str, seed: int) -> None:
        """Start the process; it need not be ready to be given errands. Raises OSError."""
        ours, theirs = socket.socketpair()

        with theirs:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-c", PROGRAM, system, str(seed), str(theirs.fileno()), *sys.path),
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    env={**os.environ, "TMPDIR": self._folder},
                    start_new_session=True,
                )
                reader, self._writer = await asyncio.open_unix_connection(sock=ours)
            except BaseException:
                ours.close()
                raise

        self._reading = asyncio.create_task(self._read(reader))

    async def play(self, share: int) -> None:
        """Keep so many errands in its hand; returns when all are done, or when it is dead."""
        assert self._reading is not None

        for _ in range(share):
            self._hand_out()

        if not self._in_hand:
            # While it came up, the others took what was left.
            return

        # A cancellation is not for the reading: it goes on until the worker has said all it has to say.
        await asyncio.wait([self._reading])
        self._reading.result()

    async def end(self) -> None:
        """Let it cut off what it plays, surely end, and leave nothing behind; what it still reports is handed over."""
        self._goes_on = False

        if self._writer is not None:
            self._tell_to_end(self._writer)

        if self._process is not None:
            await self._see_it_end(self._process)

        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)

        if self._writer is not None:
            self._writer.close()
            await asyncio.gather(self._writer.wait_closed(), return_exceptions=True)

        shutil.rmtree(self._folder, ignore_errors=True)

    def report_losses(self) -> None:
        """Report what it had in hand when it died: a journal that says so, and the verdict on it."""
        for number, (errand, began) in self._in_hand.items():
            journal = Journal(time.monotonic)
            system = {"name": "", "version": ""}
            journal.record("run", "runner", scenario=errand.scenario.id, system=system, cast={})
            journal.record("problem", "runner", text=f"the worker process that played it {self._end_in_words}")
            self._on_report(errand, report(number, errand.scenario, journal, time.monotonic() - began))

    @property
    def _end_in_words(self) -> str:
        assert self._process is not None
        status = self._process.returncode or 0
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit code {status}"

        return f"({self._process.pid}) {how}"

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while answer := await next_message(reader):
            if isinstance(answer, Missing):
                raise NotInstalled(answer.text)

            errand, _ = self._in_hand.pop(answer.number)
            self._on_report(errand, answer)
            self._hand_out()

            if not self._in_hand:
                # Nothing is left to hand out, or it is to end.
                return

    def _hand_out(self) -> None:
        if self._writer is not None and self._waiting and self._goes_on:
            number, errand = self._waiting.popleft()
            self._in_hand[number] = errand, time.monotonic()
            self._writer.write(frame((number, errand)))

    def _tell_to_end(self, writer: asyncio.StreamWriter) -> None:
        if self._reading is None or self._reading.done():
            # Nobody listens any more: it must not wait until we have read what it has to say.
            writer.close()
            return

        with contextlib.suppress(OSError):
            writer.write_eof()

    async def _see_it_end(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
