"""Nothing is left behind: no socket, no task, no process, no file, whenever a world is cut off."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulator.journal import Journal
from simulator.runner.many import Played, play_all
from simulator.runner.play import play
from simulator.scenario.model import Scenario
from simulator.verdict import Outcome, judge
from simulator.world.addresses import Addresses
from simulator.world.casting import plan
from simulator.world.seating import Seats
from simulator.world.systems.catalogue import seat
from simulator.world.systems.system import SystemFailed, SystemSettings
from simulator.world.teardown import in_turn, surely
from simulator.world.world import World
from tests.runner.leftovers import children, needs_proc, open_files

BOTH_WAYS = """
claim: Both ways
steps:
  - alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hello}
  - juliet@gmail.com receives a message: Hello
  - juliet@gmail.com sends a message: {to: alice@contoso.com, body: Hello}
  - alice@contoso.com receives a message: Hello
  - alice@contoso.com has received nothing
  - juliet@gmail.com has received nothing
"""

Written = Callable[..., Scenario]


@needs_proc
async def test_a_cut_at_any_moment_leaves_nothing(written: Written, temporary: Path) -> None:
    scenario = written(BOTH_WAYS)
    loop = asyncio.get_running_loop()
    whole = 0.0

    # Twice in full: the first time libraries are loaded and keep what they keep; the second tells how long it takes.
    for _ in range(2):
        began = loop.time()
        seats = Seats(seat("embedded"))
        await play(scenario, seats)
        await seats.close()
        whole = loop.time() - began

    before, tasks = open_files(), asyncio.all_tasks()
    source = random.Random(7)
    cut = 0

    for _ in range(25):
        seats = Seats(seat("embedded"))
        playing = asyncio.create_task(play_all([scenario] * 2, seats, jobs=2))
        await asyncio.sleep(source.random() * whole)
        playing.cancel()
        # Once more, while it tears down: an impatient user.
        await asyncio.sleep(0)
        playing.cancel()
        cut += isinstance((await asyncio.gather(playing, return_exceptions=True))[0], asyncio.CancelledError)

        assert asyncio.all_tasks() == tasks
        assert os.listdir(temporary) == []

    # The loop lets go of closed sockets in its next turns.
    for _ in range(5):
        await asyncio.sleep(0)

    assert open_files() == before
    assert cut > 10


@needs_proc
async def test_a_cut_leaves_no_child_process(written: Written, temporary: Path) -> None:
    scenario = written(BOTH_WAYS)
    before = children()

    for seconds in (0.05, 0.3, 0.6):
        seats = Seats(seat("embedded-process"))
        playing = asyncio.create_task(play_all([scenario], seats))
        await asyncio.sleep(seconds)
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)

        assert children() == before
        assert os.listdir(temporary) == []


async def test_a_taken_port_is_a_clear_error(written: Written) -> None:
    scenario = written(BOTH_WAYS)
    seats = Seats(seat("embedded"))
    journal = Journal(lambda: 0.0)

    async with World(scenario, plan(scenario, 1, shared=False), seats, journal) as world:
        host, port = world.system.address_of("contoso.com")
        taken = _Here(host, port)
        second = Seats(seat("embedded"), addresses=taken)
        verdict = judge(scenario, (await play(scenario, second)).entries)

    await seats.close()
    await second.close()

    assert verdict.outcome in (Outcome.ERROR, Outcome.FAIL)
    assert f"{host}" in verdict.reason
    assert str(port) in verdict.reason


class _Here(Addresses):
    """Everybody lives at one address, and it is somebody else's."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(own_addresses=True)
        self._host, self._port = host, port

    def take(self, name: str) -> str:
        return self._host

    def port(self, true_port: int) -> int:
        return self._port


async def test_results_come_one_by_one(written: Written, rooms: Any) -> None:
    scenarios = [written(BOTH_WAYS, f"test/{number}") for number in range(6)]
    played: list[Played] = []
    seats = Seats(seat("embedded"))
    await play_all(scenarios, seats, jobs=3, on_played=played.append)

    assert sorted(one.scenario.id for one in played) == [one.id for one in scenarios]
    assert {judge(one.scenario, one.journal.entries).outcome for one in played} == {Outcome.PASS}


async def test_what_ended_before_the_cut_is_handed_over(talk: Scenario, rooms: Any) -> None:
    played: list[Played] = []
    hanging = rooms.seat()
    both = [talk, talk]

    def cut(one: Played) -> None:
        played.append(one)
        playing.cancel()

    playing = asyncio.create_task(play_all(both, Seats(hanging), jobs=1, on_played=cut))

    with pytest.raises(asyncio.CancelledError):
        await playing

    assert len(played) == 1


async def test_one_new_system_follows_a_failed_one(rooms: Any) -> None:
    """Those who shared the failed one ask again, all at once: none of them may start a system that nobody ends."""
    ways = iter(["start", ""])
    seats = Seats(replace(rooms.seat(shared=True), make=lambda settings: rooms.seat(fails=next(ways)).make(settings)))
    asking = [[seats.take(SystemSettings(), f"test/{n}", alone=False) for n in range(4)] for _ in range(2)]
    failed = await asyncio.gather(*asking[0], return_exceptions=True)
    seated = await asyncio.gather(*asking[1])
    await seats.close()

    assert [type(one) for one in failed] == [SystemFailed] * 4
    assert all(one is seated[0] for one in seated)
    assert [room.running for room in rooms.made] == [False, False]


async def test_surely_ends_its_work_despite_cancellation() -> None:
    done: list[str] = []
    goes_on = asyncio.Event()

    async def work() -> None:
        await goes_on.wait()
        done.append("done")

    task = asyncio.create_task(surely(work()))

    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()

    await asyncio.sleep(0)
    assert not task.done()
    goes_on.set()

    with pytest.raises(asyncio.CancelledError):
        await task

    assert done == ["done"]


async def test_one_bad_end_keeps_no_other_from_running() -> None:
    ended: list[str] = []
    said: list[str] = []

    async def bad() -> None:
        raise RuntimeError("stuck")

    async def good() -> None:
        ended.append("good")

    await in_turn(said.append, ("the first", bad), ("the second", good))

    assert ended == ["good"]
    assert said == ["the first did not end in order: RuntimeError: stuck"]
