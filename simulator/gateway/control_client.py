"""The other end of a control socket: asks a running gateway, one question at a time.

Knows the lines of `control`. Does not know what to do with the answers.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.gateway.control import LONGEST_LINE
from simulator.gateway.socket_path import short


class NoGateway(Exception):  # noqa: N818 - says what is the matter
    """Nobody answers on this control socket; the text says what to do."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A line that failed; `text` is all that the shell prints of it."""

    line: int
    column: int
    message: str
    hint: str = ""
    text: str = ""


class ControlClient:
    """A connection to the control socket at `path`; raises NoGateway, then and whenever it breaks."""

    def __init__(self, path: Path, timeout: float = 120.0) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)

        try:
            with short(path) as reachable:
                self._socket.connect(reachable)
        except OSError as error:
            self._socket.close()
            why = error.strerror or error
            hint = "start one with `s2sim gateway --config FILE --control SOCKET`"
            raise NoGateway(f"no gateway answers on {path}: {why}; {hint}") from None

        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> ControlClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection, and with it the session."""
        self._lines.close()
        self._socket.close()

    def status(self) -> dict[str, Any]:
        """What the gateway says about itself."""
        found: dict[str, Any] = self._asked({"command": "status"})["status"]

        return found

    def configuration(self) -> dict[str, Any]:
        """Its configuration as it is now, as plain data."""
        found: dict[str, Any] = self._asked({"command": "configuration"})["configuration"]

        return found

    def run(
        self,
        text: str,
        say: Callable[[str, str], None],
        ask: Callable[[str], bool | None],
        *,
        name: str = "",
        stop: bool = False,
    ) -> list[Failure]:
        """Run lines, and give what failed; with `stop` the first failure ends them. Raises NoGateway.

        `say` gets each printed line with its stream, `ask` answers -Confirm, with None if nobody can; `name` is what
        failures call the lines.
        """
        self._send({"command": "run", "text": text, "name": name, "stop": stop})

        for said in self._answers():
            if "line" in said:
                say(said["line"]["stream"], said["line"]["text"])
            elif "ask" in said:
                self._send({"answer": ask(said["ask"])})
            elif "done" in said:
                return [Failure(**error) for error in said["done"]["errors"]]

        raise NoGateway(f"the gateway at {self._path} has ended")

    def _asked(self, question: dict[str, Any]) -> dict[str, Any]:
        self._send(question)

        for said in self._answers():
            return said

        raise NoGateway(f"the gateway at {self._path} has ended")

    def _send(self, said: dict[str, Any]) -> None:
        try:
            self._socket.sendall(json.dumps(said).encode() + b"\n")
        except OSError as error:
            raise NoGateway(f"the gateway at {self._path} does not read: {error}") from None

    def _answers(self) -> Iterator[dict[str, Any]]:
        while True:
            try:
                line = self._lines.readline(LONGEST_LINE)
            except OSError as error:
                raise NoGateway(f"the gateway at {self._path} does not answer: {error}") from None

            if not line.endswith(b"\n"):
                return

            said = json.loads(line)

            if "error" in said:
                raise NoGateway(f"the gateway at {self._path} does not understand: {said['error']}")

            yield said
