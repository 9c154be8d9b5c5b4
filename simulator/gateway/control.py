"""The control socket of a running gateway: a Unix socket on which JSON lines ask for status and run commands.

Knows lines, and that only the owner may connect. Does not know what the commands do.

    > {"command": "status"}                                        < {"status": {…}}
    > {"command": "configuration"}                                 < {"configuration": {…}}
    > {"command": "run", "text": "Get-CsUser", "name": "", "stop": false}
        < {"line": {"stream": "output", "text": "…"}}              as often as there are lines
        < {"ask": "Are you sure …"}    > {"answer": true}          for -Confirm; null: nobody can be asked
        < {"done": {"errors": [{"line": 1, "column": 1, "message": "…", "text": "…"}]}}
    whatever is wrong:                                             < {"error": "…"}

Variables of the shell live as long as the connection.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from simulator.gateway.administration import Administration
from simulator.gateway.management.session import Session
from simulator.gateway.socket_path import short
from simulator.powershell.errors import Source, render

Log = Callable[[str], None]

#: bytes of one line, in either direction
LONGEST_LINE = 4 * 1024 * 1024
#: seconds that a peer may take to read what it has asked for
PATIENCE = 30.0


class ControlError(OSError):
    """The control socket cannot be had; says which, and what to do."""


class Control:
    """The control socket at `path`, to be started and stopped with the gateway."""

    def __init__(self, administration: Administration, path: Path, log: Log = lambda _: None) -> None:
        self._administration, self._path, self._log = administration, path, log
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. A socket that a dead process left behind is replaced. Raises ControlError."""
        self._make_way()
        # Nobody else may connect, not even for the moment between the birth of the socket and a chmod.
        before = os.umask(0o177)

        try:
            with short(self._path) as path:
                self._server = await asyncio.start_unix_server(self._accepted, path, limit=LONGEST_LINE)
        except OSError as error:
            why = f"{self._path}: cannot be listened on: {error.strerror}"
            raise ControlError(f"{why}; choose another --control") from None
        finally:
            os.umask(before)

    async def stop(self) -> None:
        """Listen no more, and end what is being asked."""
        if self._server is None:
            return

        self._server.close()

        for talk in tuple(self._talks):
            talk.cancel()

        await asyncio.gather(*self._talks, return_exceptions=True)

        with suppress(FileNotFoundError):
            self._path.unlink()

    def _make_way(self) -> None:
        """Remove what a process left behind that is no more."""
        try:
            kind = self._path.lstat().st_mode
        except FileNotFoundError:
            return
        except OSError as error:
            raise ControlError(f"{self._path}: {error.strerror}; choose another --control") from None

        if not stat.S_ISSOCK(kind):
            raise ControlError(f"{self._path} exists and is no socket; choose another --control")

        with socket.socket(socket.AF_UNIX) as trial:
            try:
                with short(self._path) as path:
                    trial.connect(path)
            except OSError:
                self._path.unlink()
                return

        raise ControlError(f"another gateway listens on {self._path}; choose another --control")

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.ensure_future(_Talk(self._administration, reader, writer).run())
        self._talks.add(talk)
        talk.add_done_callback(self._over)

    def _over(self, talk: asyncio.Task[None]) -> None:
        self._talks.discard(talk)

        if not talk.cancelled() and (error := talk.exception()) is not None:
            self._log(f"control: {error}")


class _Talk:
    """One connection to the control socket."""

    def __init__(
        self, administration: Administration, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._administration, self._reader, self._writer = administration, reader, writer
        self._session: Session | None = None

    async def run(self) -> None:
        """Answer until the peer is gone."""
        try:
            while (asked := await self._read()) is not None:
                await self._answer(asked)
        except (ConnectionError, TimeoutError):
            pass
        except ValueError as error:
            # A peer that does not speak our language is told so, and listened to no longer.
            with suppress(ConnectionError, TimeoutError):
                await self._write({"error": str(error)})
        finally:
            self._writer.close()

    async def _answer(self, asked: dict[str, Any]) -> None:
        command = asked.get("command")

        if command == "status":
            await self._write({"status": self._administration.snapshot()})
        elif command == "configuration":
            await self._write({"configuration": msgspec.to_builtins(self._administration.configuration)})
        elif command == "run" and isinstance(asked.get("text"), str):
            await self._run(asked["text"], str(asked.get("name", "")), bool(asked.get("stop", False)))
        else:
            raise ValueError(f"unknown command {command!r}; known are status, configuration, run (with a text)")

    async def _run(self, text: str, name: str, stop: bool) -> None:
        if self._session is None:
            self._session = self._administration.session(self._ask)

        outcome = await self._session.run(text, name=name, stop=stop)

        for line in outcome.lines:
            await self._write({"line": {"stream": line.stream, "text": line.text}})

        errors, source = [], Source(text)

        for error in outcome.errors:
            line_number, column = source.place(error.extent.start)
            place = {"line": line_number, "column": column}
            said = {"message": error.message, "hint": error.hint, "text": "\n".join(render(error, source))}
            errors.append(place | said)

        await self._write({"done": {"errors": errors}})

    async def _ask(self, question: str) -> bool | None:
        await self._write({"ask": question})
        said = await self._read()
        answer = said.get("answer") if said is not None else False

        return None if answer is None else answer is True

    async def _read(self) -> dict[str, Any] | None:
        line = await self._reader.readline()

        if not line.endswith(b"\n"):
            return None

        try:
            asked = json.loads(line)
        except RecursionError:
            raise ValueError("a request is nested too deeply") from None

        if not isinstance(asked, dict):
            raise ValueError("a request is an object in one line of JSON")

        return asked

    async def _write(self, said: dict[str, Any]) -> None:
        self._writer.write(json.dumps(said, ensure_ascii=False).encode() + b"\n")

        async with asyncio.timeout(PATIENCE):
            await self._writer.drain()
