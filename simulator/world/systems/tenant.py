"""One child process in the seat, with the address it lives at: from its first moment to its last.

Knows whether it lives, and what its log said when it died. Does not know which program it is.
"""

from __future__ import annotations

import asyncio
import itertools

from simulator.world.addresses import Addresses
from simulator.world.systems.child import Child

_NUMBERS = itertools.count(1)


class Tenant:
    """A child that is moved in once, watched, and moved out; `died` is set when it ends unasked.

    `name` is a word for its folder, `says` what people call it. `log` is the file in its folder that holds its log, if
    it writes one.
    """

    def __init__(self, name: str, says: str, log: str = "") -> None:
        self.died = asyncio.Event()
        self.cause_of_death = ""
        self.host = ""
        self._name, self._says, self._log = name, says, log
        self._member = f"{name} {next(_NUMBERS)}"
        self._addresses: Addresses | None = None
        self._child: Child | None = None
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False
        self._last_lines: list[str] = []

    @property
    def child(self) -> Child:
        """The process; only between `move_in` and `stop`."""
        assert self._child is not None
        return self._child

    def move_in(self, addresses: Addresses) -> Child:
        """Take an address and a folder; the caller starts the process."""
        self._addresses, self.host = addresses, addresses.take(self._member)
        self._child = Child(self._name)

        return self._child

    def watch(self) -> None:
        """From here on its end is a death, unless it was asked for."""
        self._watch = asyncio.create_task(self._await_death())

    async def stop(self) -> None:
        """End it, remove its folder and give its address back; may be called at any time and again."""
        self._stopping = True

        if self._child is not None:
            self._last_lines = self.log_lines()
            await self._child.end()
            self._child = None

            if self._addresses is not None:
                self._addresses.give_back(self._member)

        if self._watch is not None:
            await asyncio.gather(self._watch, return_exceptions=True)

    async def shut_down(self) -> None:
        """Send SIGTERM and return when it has ended."""
        self._stopping = True

        if self._child is not None:
            await self._child.ask_to_end()

    def log_lines(self, last: int = 40) -> list[str]:
        """The last lines of its log; of its console when it did not come to write one."""
        if self._child is None:
            return self._last_lines[-last:]

        return self._child.last_lines(last, *([self._child.folder / self._log] if self._log else []))

    async def _await_death(self) -> None:
        child = self.child
        await child.ended.wait()

        if not self._stopping:
            why = f"{self._says} ended with status {child.status}"
            self.cause_of_death = "\n".join([why, *self.log_lines(10)])
            self.died.set()
