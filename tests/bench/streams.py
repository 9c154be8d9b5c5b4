"""New streams with dialback, each from a domain that the system has never met.

Knows how many are under way at once. Does not know what is said on them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from tests.bench.exchange import Measured
from tests.bench.partner import dial
from tests.bench.seats import Seated, cpu_seconds
from tests.bench.users import SYSTEM

CONCURRENT = 16


async def new_streams(seated: Seated, domains: list[str]) -> Measured:
    """Dial from each domain, be authenticated, and close; raises OSError when one is refused."""
    waiting = iter(domains)
    used, began = cpu_seconds(seated.pid), time.perf_counter()

    async with asyncio.TaskGroup() as workers:
        for _ in range(CONCURRENT):
            workers.create_task(_dial_all(seated, waiting))

    return Measured(len(domains), time.perf_counter() - began, cpu_seconds(seated.pid) - used)


async def _dial_all(seated: Seated, waiting: Iterator[str]) -> None:
    for domain in waiting:
        (await dial(seated.place, domain, SYSTEM)).close()
