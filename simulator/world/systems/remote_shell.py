"""The management shell of a gateway that runs as a process: lines are typed in over its control socket.

Knows what the shell says, and in which order the system is to tell of it. Does not know what the lines mean.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from simulator.gateway.control_client import ControlClient, NoGateway
from simulator.world.systems.system import SystemFailed

#: the socket's name in a folder of the process's own
SOCKET = "control"

T = TypeVar("T")


class RemoteShell:
    """A session of the shell behind the control socket at `path`. It begins with the first line that is typed in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._client: ControlClient | None = None

    async def type_in(self, text: str) -> list[tuple[str, str]]:
        """Run lines: ``output`` with all that they print, then ``error`` for each error. Raises SystemFailed."""
        return await asyncio.to_thread(self._run, text)

    async def look(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The status of the process, and its configuration as it is now. Raises SystemFailed."""
        return await asyncio.to_thread(self._asked, lambda client: (client.status(), client.configuration()))

    def close(self) -> None:
        """End the session, and forget its variables."""
        client, self._client = self._client, None

        if client is not None:
            client.close()

    def _run(self, text: str) -> list[tuple[str, str]]:
        printed: list[str] = []

        def say(stream: str, line: str) -> None:
            if stream != "error":
                printed.append(line)

        failures = self._asked(lambda client: client.run(text, say, ask=lambda question: False))
        output = "\n".join(printed).strip("\n")

        return [*([("output", output)] if output else []), *(("error", failure.text) for failure in failures)]

    def _asked(self, ask: Callable[[ControlClient], T]) -> T:
        try:
            if self._client is None:
                self._client = ControlClient(self._path)

            return ask(self._client)
        except NoGateway as error:
            self.close()
            raise SystemFailed(str(error)) from None
