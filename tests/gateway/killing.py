"""A gateway in processes that are killed, and a link that is cut.

Knows processes and bytes. Does not know who uses them: that is `people`.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path
from typing import Any

import yaml

from simulator.wire.connection import Connection, open_connection
from simulator.wire.listener import listen
from simulator.world.systems.child import Child

PATIENCE = 30.0


class Part:
    """One process of the gateway, which can be started again."""

    def __init__(self, name: str, file: Path) -> None:
        self.name, self._file = name, file
        self.child = Child(name)

    async def start(self) -> None:
        if self.child.ended.is_set():
            await self.child.end()
            self.child = Child(self.name)

        command = ("-m", "simulator", "gateway", "--config", str(self._file), "--role", self.name)
        await self.child.start(sys.executable, *command, read_stdout=True)
        line = await asyncio.wait_for(self.child.stdout.readline(), PATIENCE)
        assert line.startswith(b"s2sim gateway ready"), self.child.last_lines(20)

    async def kill(self) -> None:
        await self.child.kill()


class Relay:
    """Stands between front end and edge: it passes bytes, until it is cut or swallows them."""

    def __init__(self, host: str, port: int, to: tuple[str, int]) -> None:
        self._host, self._port, self._to = host, port, to
        self._swallows = self._refuses = False
        self._pairs: set[tuple[Connection, Connection]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._listener = await listen(self._host, self._port, self._accepted)

    async def stop(self) -> None:
        await self._listener.close()
        self.cut()

    def _accepted(self, connection: Connection) -> None:
        if self._refuses:
            connection.abort()
            return

        task = asyncio.create_task(self._join(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join(self, near: Connection) -> None:
        try:
            far = await open_connection(*self._to, timeout=5)
        except OSError:
            near.abort()
            return

        self._pairs.add((near, far))

        for one, other in ((near, far), (far, near)):
            one.on_data = lambda data, other=other: None if self._swallows else other.write(data)  # type: ignore[misc]
            one.on_closed = lambda how, error, other=other: other.abort()  # type: ignore[misc]

    def cut(self) -> None:
        """Break every connection (RST), and take no new one until `mend`."""
        self._refuses = True

        for near, far in self._pairs:
            near.abort()
            far.abort()

        self._pairs.clear()

    def swallow(self) -> None:
        """Let everything vanish that is said from now on; nobody is told."""
        self._swallows = True

    def mend(self) -> None:
        if self._swallows:
            self.cut()

        self._swallows = self._refuses = False


def write_files(folder: Path, words: dict[str, Any], hosts: dict[str, str]) -> tuple[Path, Path]:
    """The files of the edge and of the front end, which seeks the edge at the relay."""
    files = []

    for name, link in (("edge", hosts["edge"]), ("front-end", hosts["relay"])):
        edge = {**words["edge"], "host": hosts["edge"], "port": 5269, "link-host": link, "link-port": 23456}
        file = folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump({**words, "edge": edge}), encoding="utf-8")
        files.append(file)

    return files[0], files[1]


def pace(seeded: random.Random) -> float:
    """A pause between two messages, in seconds: short, and never the same."""
    return seeded.random() * 0.01
