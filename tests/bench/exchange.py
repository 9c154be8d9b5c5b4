"""Messages through a system, one way at a time: how many in a second, and what each costs.

Knows pipelining: so many messages are under way at once, in blocks. Does not know what a message looks like.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.partner import DialledStream, dial
from tests.bench.seats import NAMES, Ground, Seated, cpu_seconds
from tests.bench.tally import MiscountedError, Tally
from tests.bench.users import PARTNER, SYSTEM, Users, partner_message

#: messages under way at once, and how many are written at once
WINDOW, BLOCK = 1000, 50


@dataclass(frozen=True)
class Measured:
    """So many in so many seconds, and what of these the system's process was on a processor."""

    amount: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """In a second."""
        return self.amount / self.seconds

    @property
    def microseconds(self) -> float:
        """Of a processor's time, for each."""
        return self.cpu / self.amount * 1e6


class Exchange:
    """A system whose users are signed in, and the partner's stream to it."""

    def __init__(self, seated: Seated, ground: Ground) -> None:
        self.seated, self._ground = seated, ground
        self._users: list[Users] = []
        self._stream: DialledStream | None = None
        self._next = 1

    async def open(self) -> None:
        """Sign in, authenticate, and let a few messages pass both ways."""
        self._users = await self.seated.sign_in()
        self._stream = await dial(self.seated.place, PARTNER, SYSTEM)

        for way in (self.inward, self.outward):
            await way(500)

    def close(self) -> None:
        """End every connection of ours."""
        for users in self._users:
            users.close()

        if self._stream is not None:
            self._stream.close()

    async def inward(self, amount: int) -> Measured:
        """From the partner to the users."""
        assert self._stream is not None

        return await self._measure(amount, partner_message, [self._stream.write], self._hear_users)

    async def outward(self, amount: int) -> Measured:
        """From the users to the partner; where the users are answered, until the last of them was."""
        return await self._measure(amount, self.seated.message, [one.write for one in self._users], self._hear_partner)

    def _hear_users(self, tally: Tally) -> None:
        for users in self._users:
            users.note = tally.note

    def _hear_partner(self, tally: Tally) -> None:
        self._ground.partner.note = tally.note
        self._hear_users(tally)

    async def _measure(
        self,
        amount: int,
        message: Callable[[int, str], bytes],
        writers: list[Callable[[bytes], None]],
        hear: Callable[[Tally], None],
    ) -> Measured:
        first, self._next = self._next, self._next + amount
        blocks = [
            b"".join(message(number, _name(number, first)) for number in range(at, min(at + BLOCK, first + amount)))
            for at in range(first, first + amount, BLOCK)
        ]
        wanted = self._answered() + amount
        all_answered = asyncio.Event()
        sent = 0

        def pump() -> None:
            nonlocal sent

            while sent < len(blocks) and (sent + 1) * BLOCK - tally.count <= WINDOW:
                writers[sent % len(writers)](blocks[sent])
                sent += 1

            if self._answered() >= wanted:
                all_answered.set()

        tally = Tally(first, amount, pump)
        hear(tally)
        used, began = cpu_seconds(self.seated.pid), time.perf_counter()
        pump()
        await tally.wait_all()

        if self.seated.answers_its_users:
            async with asyncio.timeout(10):
                await all_answered.wait()

        seconds = time.perf_counter() - began

        if self._answered() > wanted:
            raise MiscountedError(f"{self._answered() - wanted} answers too many")

        return Measured(amount, seconds, cpu_seconds(self.seated.pid) - used)

    def _answered(self) -> int:
        return sum(users.answered for users in self._users)


def _name(number: int, first: int) -> str:
    """A block is one user's, when users write: whoever has the connection."""
    return NAMES[(number - first) // BLOCK % len(NAMES)]
