"""Deadlines in the time that the loop had."""

from __future__ import annotations

import asyncio
import time

import pytest

from simulator.world.pace import bounded


async def test_what_never_comes_is_given_up() -> None:
    began = time.monotonic()

    with pytest.raises(TimeoutError):
        async with bounded(0.25):
            await asyncio.Event().wait()

    assert time.monotonic() - began >= 0.25


async def test_time_that_the_loop_slept_through_does_not_count() -> None:
    done = asyncio.Event()

    async with bounded(0.5):
        # The loop stands still for longer than the deadline; what comes after it still has its time.
        time.sleep(0.8)  # noqa: ASYNC251 - this is the stall
        asyncio.get_running_loop().call_later(0.05, done.set)
        await done.wait()


async def test_what_is_in_time_leaves_no_timer() -> None:
    async with bounded(0.2) as bound:
        pass

    await asyncio.sleep(0.3)

    assert not bound.expired()
