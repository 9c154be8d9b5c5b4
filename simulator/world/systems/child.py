"""A system's child process: started in a process group and a folder of its own, and surely ended.

Knows processes and log files. Does not know what runs in them.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

#: seconds between asking a process to end and ending it
PATIENCE = 3.0
_PR_SET_PDEATHSIG = 1


def death_follows(parent: int, number: int = signal.SIGKILL) -> Callable[[], None] | None:
    """What a child calls to get this signal when its parent dies; None where the platform has no such thing."""
    if not sys.platform.startswith("linux"):
        return None

    prctl = ctypes.CDLL(None).prctl

    def follow() -> None:
        prctl(_PR_SET_PDEATHSIG, number)

        # The parent may have died before the line above: then nobody is left to follow.
        if os.getppid() != parent:
            os._exit(1)

    return follow


class Child:
    """A running process, its private folder, and the log files in it.

    It ends with us, however we end: by `end`, at the interpreter's exit, and on Linux even when we are killed
    (PR_SET_PDEATHSIG). On other platforms a SIGKILL of this process leaves the child running.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix=f"s2sim-{name}-"))
        self.console = self.folder / "console.log"
        self.ended = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        atexit.register(self._vanish)

    @property
    def pid(self) -> int:
        """The process id; only once it was started."""
        assert self._process is not None

        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.returncode if self._process else None

    @property
    def stdout(self) -> asyncio.StreamReader:
        """Its standard output, if it was started with ``read_stdout``."""
        assert self._process is not None
        assert self._process.stdout is not None

        return self._process.stdout

    async def start(self, *command: str, read_stdout: bool = False) -> None:
        """Start it in the folder. Its standard error, and output unless read, go to `console`. Raises OSError."""
        with self.console.open("ab") as console:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if read_stdout else console,
                stderr=console,
                cwd=self.folder,
                # Ctrl-C at a terminal is for us alone; we then end the child in order.
                start_new_session=True,
                preexec_fn=death_follows(os.getpid()),
            )

        self._watch = asyncio.create_task(self._wait())

    async def ask_to_end(self) -> None:
        """Send SIGTERM and return when it has ended; after `PATIENCE` seconds it is killed."""
        if self._process is None or self.ended.is_set():
            return

        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

        try:
            async with asyncio.timeout(PATIENCE):
                await self.ended.wait()
        except TimeoutError:
            self._kill()
            await self.ended.wait()

    def hang_up(self) -> None:
        """Send SIGHUP, by which programs are told to read their files again."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGHUP)

    async def kill(self) -> None:
        """Kill it (SIGKILL), with whatever it has started, and return when it has ended; its folder stays."""
        self._kill()

        if self._process is not None:
            await self.ended.wait()

    async def end(self) -> None:
        """End it, by force if need be, and remove its folder. May be called again; a cancelled call still kills."""
        try:
            await self.ask_to_end()
        finally:
            self._vanish()

            if self._watch is not None:
                await asyncio.gather(self._watch, return_exceptions=True)
                # Killed in the middle of its work it may have written once more.
                shutil.rmtree(self.folder, ignore_errors=True)

    def last_lines(self, last: int, *files: Path) -> list[str]:
        """The last lines of the first of these files that has any, or else of the console."""
        for file in (*files, self.console):
            lines = tail(file, last)

            if lines:
                return lines

        return []

    async def _wait(self) -> None:
        assert self._process is not None
        await self._process.wait()
        self.ended.set()

    def _kill(self) -> None:
        if self._process is None:
            return

        # The whole group, whose number is the child's: also for what the child itself has started.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _vanish(self) -> None:
        atexit.unregister(self._vanish)
        self._kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def tail(file: Path, last: int, *, at_most: int = 65536) -> list[str]:
    """The last lines of a text file, looking at no more than its last `at_most` bytes."""
    try:
        with file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - at_most))

            return log.read().decode("utf-8", "replace").splitlines()[-last:]
    except OSError:
        return []


def free_port(host: str) -> int:
    """A port that nobody listens on at this moment, for a program that cannot take one by itself."""
    with socket.create_server((host, 0)) as server:
        port: int = server.getsockname()[1]

        return port


async def answers(host: str, port: int, greeting: bytes, *, within: float, child: Child) -> bool:
    """Whether somebody there answers the greeting in time.

    Gives up at once when the child has ended.
    """
    pause = 0.005

    try:
        async with asyncio.timeout(within):
            while not child.ended.is_set():
                if await _answers_once(host, port, greeting):
                    return True

                await asyncio.sleep(pause)
                pause = min(pause * 1.5, 0.1)
    except TimeoutError:
        pass

    return False


async def _answers_once(host: str, port: int, greeting: bytes) -> bool:
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False

    try:
        writer.write(greeting)

        return bool(await reader.read(1))
    except OSError:
        return False
    finally:
        writer.close()
