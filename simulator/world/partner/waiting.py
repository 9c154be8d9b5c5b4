"""Those who wait for something to happen on a stream, and what waits for them.

Knows that something has changed. Does not know what: each waiter looks for himself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from simulator.world.partner.ending import Arrived

Choice = Callable[[list[str]], int | None]
"""Which of the waiting elements (as XML) is taken; None: another is awaited."""


class StreamOver(Exception):  # noqa: N818 - says what happened, it need not be wrong
    """The stream ended while something was awaited on it."""


def first(_: list[str]) -> int | None:
    """Whatever waits longest."""
    return 0


class Waiting:
    """The waiters of one stream, and the elements that no step has taken yet; `over` tells why waiting is in vain."""

    def __init__(self, over: Callable[[], str]) -> None:
        self.elements: deque[Arrived] = deque()
        self._over = over
        self._waiters: list[asyncio.Future[None]] = []

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until it is true; raises StreamOver."""
        while not true():
            if why := self._over():
                raise StreamOver(why)

            await self.change()

    async def element(self, choose: Choice = first) -> Arrived:
        """Take the element that is chosen, once it is there; raises StreamOver."""
        while True:
            await self.until(lambda: bool(self.elements))
            number = choose([arrived.xml for arrived in self.elements])

            if number is not None:
                arrived = self.elements[number]
                del self.elements[number]
                return arrived

            seen = len(self.elements)
            await self.until(lambda: len(self.elements) != seen)  # noqa: B023 - awaited before `seen` changes

    async def change(self) -> None:
        """Wait for the next change, whatever it is."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def changed(self) -> None:
        """Let everybody look again."""
        waiters, self._waiters = self._waiters, []

        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
