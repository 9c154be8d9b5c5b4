"""A mistake in a task beside a stream is told, and nobody waits for ever."""

from __future__ import annotations

import asyncio

import pytest

from simulator.gateway.edge.attending import attended


async def fails() -> None:
    raise LookupError("no such thing")


async def ends_well() -> None:
    await asyncio.sleep(0)


async def test_a_mistake_is_logged_and_its_owner_hears_of_it() -> None:
    log: list[str] = []
    heard = asyncio.Event()
    task = attended(fails(), log.append, heard.set)

    with pytest.raises(LookupError):
        await task

    async with asyncio.timeout(5):
        await heard.wait()

    assert log == ["a mistake of the gateway's own: LookupError: no such thing"]


async def test_an_end_in_order_and_a_cancellation_are_no_mistakes() -> None:
    log: list[str] = []
    good = attended(ends_well(), log.append, lambda: log.append("mistaken"))
    cut = attended(ends_well(), log.append, lambda: log.append("mistaken"))
    cut.cancel()
    await asyncio.wait([good, cut])
    # Callbacks of a task are called in the turn of the loop after its end.
    await asyncio.sleep(0)

    assert log == []
