"""sipp as somebody's device at a gateway that is a process of its own, with a trace of what is said.

Knows how to run it. Does not know what it is asked, which is a scenario of the test's own.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from simulator.world.users.user import MESSAGE, User
from tests.gateway.frontend.test_sipp import RECEIVE, REGISTER, message, scenario
from tests.interop.conftest import OUTSIDE, arrived
from tests.world.systems.conftest import Town

JULIET = f"juliet@{OUTSIDE}"


class Presentity:
    """A run of sipp that registers and writes to Juliet, and ends with her answer; meanwhile it does as it is asked."""

    def __init__(self, town: Town, folder: Path) -> None:
        self._folder, self._own = folder, town.addresses.take("sipp")

    async def start(self, place: tuple[str, int], asked: str, transport: str = "TCP") -> None:
        """`asked` is what it does when a SUBSCRIBE comes, which is a call of its own."""
        own = scenario(REGISTER, message(JULIET, 200), RECEIVE.format(code=200, phrase="OK"))

        for name, text in (("main", own), ("asked", scenario(asked))):
            spoken = text.replace("SIP/2.0/TCP", f"SIP/2.0/{transport}")
            spoken = spoken.replace("transport=tcp", f"transport={transport.lower()}")
            (self._folder / name).write_text(spoken)

        self._process = await asyncio.create_subprocess_exec(
            *("sipp", f"{place[0]}:{place[1]}", "-sf", "main", "-oocsf", "asked", "-t", "t1", "-m", "1"),
            *("-i", self._own, "-p", "5060", "-nostdin", "-timeout", "40", "-timeout_error", "-recv_timeout", "30000"),
            *("-trace_err", "-error_file", "errors", "-trace_msg", "-message_file", "messages"),
            cwd=self._folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

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
        try:
            async with asyncio.timeout(20):
                code = await self._process.wait()
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()

        # Only where there is something to tell.
        file = self._folder / "errors"
        errors = file.read_text() if file.exists() else ""
        assert code == 0, errors
        assert "nexpected" not in errors, errors
