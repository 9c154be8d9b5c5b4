"""Tasks that are attended to: a mistake of ours in one is told, and whoever waits for it does not wait for ever.

Knows tasks. Does not know what they do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from simulator.gateway.edge.context import Log


def attended(work: Coroutine[Any, Any, None], log: Log, on_mistake: Callable[[], None]) -> asyncio.Task[None]:
    """Run `work` beside; what it raises, which nothing should make it, is logged, and `on_mistake` is called."""

    def over(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log(f"a mistake of the gateway's own: {type(error).__name__}: {error}")
            on_mistake()

    task = asyncio.create_task(work)
    task.add_done_callback(over)

    return task
