"""What could be left behind by a run: open files, child processes, files in a folder.

Knows /proc, and so only Linux. Does not know what ought to be there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this platform has no /proc")


def open_files() -> set[str]:
    """What this process holds open, sockets above all."""
    found = set()

    for number in os.listdir("/proc/self/fd"):
        try:
            found.add(f"{number} {os.readlink(f'/proc/self/fd/{number}')}")
        except FileNotFoundError:
            continue

    return found


def children() -> list[int]:
    """The processes that this one has started and that are not reaped yet."""
    return [pid for pid, file in _processes() if _read(file / "stat").rpartition(b")")[2].split()[1:2] == _me()]


def living_below(folder: Path) -> list[int]:
    """The processes, whosever children they are, that were told to keep their temporary files in this folder."""
    return [pid for pid, file in _processes() if f"TMPDIR={folder}".encode() in _read(file / "environ")]


def wait_until_deserted(folder: Path, within: float = 20.0) -> None:
    """Return when no process lives below the folder; for those that the kernel ends, not we."""
    until = time.monotonic() + within

    while living := living_below(folder):
        assert time.monotonic() < until, f"{living} live on"
        time.sleep(0.01)


def _me() -> list[bytes]:
    return [str(os.getpid()).encode()]


def _processes() -> Iterator[tuple[int, Path]]:
    return ((int(file.name), file) for file in Path("/proc").glob("[0-9]*"))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
