"""One worker process: plays and judges what its parent hands it, many at once, and hands back the reports.

Knows its parent's socket, and when it is time to end. Does not know which scenarios there are, nor where journals go.

It ends in order, with nothing left behind, when its parent closes the socket (also by dying, however that came), and at
SIGTERM, which Linux sends it at its parent's death, too: that reaches even a loop that is stuck.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time
from typing import Any

from simulator.runner.errand import Errand, Missing, frame, next_message, report
from simulator.runner.play import play
from simulator.runner.plugins import load_verbs
from simulator.runner.signals import heeded
from simulator.world.addresses import Addresses
from simulator.world.seating import Seats
from simulator.world.systems.catalogue import seat
from simulator.world.systems.child import death_follows
from simulator.world.systems.system import NotInstalled
from simulator.world.teardown import surely

#: Seconds after a signal until the kernel ends what could not end itself.
PATIENCE = 30


def main(system: str, seed: str, descriptor: str) -> int:
    """Work until the parent says or is no more; returns the exit code."""
    # Ours alone, made by the parent. Registered first, and so done last, after all that is removed one by one.
    atexit.register(shutil.rmtree, tempfile.gettempdir(), ignore_errors=True)
    channel = socket.socket(fileno=int(descriptor))
    # No program that we start may keep it open.
    channel.set_inheritable(False)
    load_verbs()

    return asyncio.run(_until_told(_Desk(system, int(seed)), channel))


async def _until_told(desk: _Desk, channel: socket.socket) -> int:
    task = asyncio.ensure_future(desk.work(channel))
    loop = asyncio.get_running_loop()
    told = 0

    def end(number: int, _: Any) -> None:
        nonlocal told
        told = number

        # One that comes later finds nothing to end.
        if not loop.is_closed():
            signal.alarm(PATIENCE)
            loop.call_soon_threadsafe(task.cancel)

    for number in heeded():
        # Not the loop's own handlers: those wait for a loop that may be stuck, and the alarm must not.
        signal.signal(number, end)

    if follow := death_follows(os.getppid(), signal.SIGTERM):
        follow()

    try:
        await task
    except asyncio.CancelledError:
        if not told:
            raise

    return 128 + told if told else 0


class _Desk:
    """Where errands come in and reports go out. Systems of one defect share a seat; all share our addresses."""

    def __init__(self, system: str, seed: int) -> None:
        self._seat, self._seed = seat(system), seed
        self._addresses = Addresses()
        self._seats: dict[str, Seats] = {}

    async def work(self, channel: socket.socket) -> None:
        """Play what comes in until nothing can come any more; what is still being played then is cut off."""
        reader, writer = await asyncio.open_unix_connection(sock=channel)

        try:
            async with asyncio.TaskGroup() as group:
                playing: set[asyncio.Task[None]] = set()

                while message := await next_message(reader):
                    number, errand = message
                    task = group.create_task(self._play(number, errand, writer))
                    playing.add(task)
                    task.add_done_callback(playing.discard)

                for task in playing:
                    task.cancel()
        finally:
            await surely(self._close(writer))

    async def _play(self, number: int, errand: Errand, writer: asyncio.StreamWriter) -> None:
        began = time.monotonic()

        try:
            journal = await play(errand.scenario, self._seats_for(errand.mutant))
        except NotInstalled as error:
            writer.write(frame(Missing(str(error))))
            return

        writer.write(frame(report(number, errand.scenario, journal, time.monotonic() - began)))

    def _seats_for(self, mutant: str) -> Seats:
        if mutant not in self._seats:
            self._seats[mutant] = Seats(self._seat, self._seed, _rules(mutant), self._addresses)

        return self._seats[mutant]

    async def _close(self, writer: asyncio.StreamWriter) -> None:
        for seats in self._seats.values():
            await seats.close()

        self._addresses.close()
        writer.close()

        # If the parent is no more, nobody waits for our last words.
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def _rules(mutant: str) -> Any:
    if not mutant:
        return None

    # Only here: whoever plays without defects need not load them all.
    from simulator.world.systems.mutants.catalogue import find

    return find(mutant).rules
