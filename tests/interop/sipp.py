"""sipp as somebody's device at a gateway that is a process of its own, with a trace of what is said.

Knows how to run it. Does not know what it is asked, which is a scenario of the test's own.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from simulator.world.users.user import MESSAGE, User
from tests.gateway.frontend.sipp import Sipp, message, receive, register, scenario
from tests.interop.conftest import OUTSIDE
from tests.world.systems.conftest import Town
from tests.world.users.arrivals import arrived

JULIET = f"juliet@{OUTSIDE}"
#: seconds from its start to its end, between which real servers talk
PATIENCE = 40


class Presentity:
    """A run of sipp that registers and writes to Juliet, and ends with her answer; meanwhile it does as it is asked."""

    def __init__(self, town: Town, folder: Path) -> None:
        self._folder, self._own = folder, town.addresses.take("sipp")

    async def start(self, place: tuple[str, int], asked: str, transport: str = "TCP") -> None:
        """`asked` is what it does when a SUBSCRIBE comes, which is a call of its own."""

        def spoken(text: str) -> str:
            text = text.replace("SIP/2.0/TCP", f"SIP/2.0/{transport}")

            return text.replace("transport=tcp", f"transport={transport.lower()}")

        (self._folder / "asked").write_text(spoken(scenario(asked)))
        own = scenario(register(), message(JULIET, 200), receive("200 OK"))
        self._sipp = Sipp(self._folder, place, self._own, PATIENCE)
        await self._sipp.start(spoken(own), "-oocsf", "asked", "-trace_msg", "-message_file", "messages")

    async def has_written(self, juliet: User, words: str = "") -> str:
        """The thread in which Juliet can answer: sipp takes nothing before it has its own answer."""
        fields = await arrived(juliet, MESSAGE)
        assert fields["body"].startswith(words)
        await self.is_answered("2 MESSAGE")

        return str(fields["thread"])

    async def is_answered(self, sequence: str) -> None:
        """It has its 200 to the request with this CSeq."""
        answer = re.compile(rf"SIP/2\.0 200 OK\s(?:[^\n]+\n)*CSeq: {sequence}")

        async with asyncio.timeout(20):
            while True:
                if answer.search((self._folder / "messages").read_text()):
                    return

                await asyncio.sleep(0.02)

    async def ended(self) -> None:
        """It ends, and nothing was unexpected."""
        assert await self._sipp.succeeded() == ""
