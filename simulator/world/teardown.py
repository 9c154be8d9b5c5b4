"""Ending things completely, whatever happens meanwhile.

Knows cancellation. Does not know what is ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

#: Seconds that the end of one member of a world may take.
PATIENCE = 10.0


async def surely(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` to its end even if we are cancelled meanwhile, again and again; then let the cancellation go on."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None

    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
        except Exception:
            break

    if cancelled is not None:
        # Whatever the work raised is less than the cancellation; it must be looked at, or asyncio complains.
        if not task.cancelled():
            task.exception()

        raise cancelled

    task.result()


async def in_turn(problem: Callable[[str], None], *ends: tuple[str, Callable[[], Awaitable[object]]]) -> None:
    """Run each end, in order, bounded; one that fails or hangs is told to `problem` and keeps no other from running."""
    for name, end in ends:
        try:
            async with asyncio.timeout(PATIENCE):
                await end()
        except TimeoutError:
            problem(f"{name} did not end within {PATIENCE:g} s")
        except Exception as error:
            problem(f"{name} did not end in order: {type(error).__name__}: {error}")
