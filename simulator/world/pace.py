"""Deadlines in the time that an event loop really had: what it slept through does not count.

Partners, users and often the system itself live in one loop. Where the machine is busy, or the loop is, a deadline
by the clock would call late what nobody had a chance to do in time: a wrong verdict.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

#: Seconds from one look at the clock to the next, and what one of them counts at most.
BEAT, COUNTS = 0.1, 0.11


@asynccontextmanager
async def bounded(seconds: float) -> AsyncIterator[asyncio.Timeout]:
    """Like `asyncio.timeout`, but a beat that came late counts as one that was in time. Raises TimeoutError."""
    loop = asyncio.get_running_loop()
    left, looked_at = seconds, loop.time()

    async with asyncio.timeout(None) as bound:
        beat = loop.call_later(min(BEAT, left), lambda: look())

        def look() -> None:
            nonlocal left, looked_at, beat
            now = loop.time()
            left, looked_at = left - min(now - looked_at, COUNTS), now

            if left > 0:
                beat = loop.call_later(min(BEAT, left), look)
            else:
                bound.reschedule(now)

        try:
            yield bound
        finally:
            beat.cancel()
