"""Counts messages by their ids, exactly: each once, none twice, none that was not sent.

Knows numbers. Does not know how they came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable


class MiscountedError(Exception):
    """Messages were lost, doubled or invented: the measurement is worth nothing."""


class Tally:
    """Awaits the numbers from `first` on, `amount` of them; `on_progress` is called whenever some came."""

    def __init__(self, first: int, amount: int, on_progress: Callable[[], None] = lambda: None) -> None:
        self._first, self._seen = first, bytearray(amount)
        self._on_progress = on_progress
        self._amount = amount
        self._all = asyncio.Event()
        self.count = 0
        self.problem = ""

    def note(self, numbers: Iterable[bytes]) -> None:
        """These came."""
        for number in numbers:
            index = int(number) - self._first

            if not 0 <= index < self._amount or self._seen[index]:
                self.problem = f"message {number.decode()} came twice, or was never sent"
                self._all.set()
                return

            self._seen[index] = 1
            self.count += 1

        if self.count == self._amount:
            self._all.set()

        self._on_progress()

    async def wait_all(self, patience: float = 120.0) -> None:
        """Return when all are there; raises MiscountedError."""
        try:
            async with asyncio.timeout(patience):
                await self._all.wait()
        except TimeoutError:
            self.problem = f"{self.count} of {self._amount} messages came within {patience:g} s"

        if self.problem:
            raise MiscountedError(self.problem)
