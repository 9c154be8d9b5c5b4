"""Child processes end with us, however we end."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator.world.systems import child as module
from simulator.world.systems.child import Child, tail

# It waits for the signal itself: one that comes between the last look at a handler's flag and the system call of a
# sleep is heeded only when the sleep is over.
POLITE = (
    "import signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]); print('ready', flush=True);"
    " sys.exit(7 if signal.sigwait([signal.SIGTERM]) else 1)"
)
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)


def alive(pid: int) -> bool:
    """Whether the process runs (and is not just waiting to be reaped)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int) -> None:
    """Wait until the process has ended."""
    deadline = time.monotonic() + 5

    while alive(pid):
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.01)


async def test_child_is_asked_to_end_first() -> None:
    child = Child("test")
    await child.start(sys.executable, "-c", POLITE, read_stdout=True)
    await child.stdout.readline()
    await child.end()

    assert child.status == 7
    assert not child.folder.exists()


async def test_child_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    child = Child("test")
    await child.start(sys.executable, "-c", STUBBORN, read_stdout=True)
    await child.stdout.readline()
    await child.end()

    assert child.status == -signal.SIGKILL


async def test_cancelled_end_still_kills() -> None:
    child = Child("test")
    await child.start(sys.executable, "-c", STUBBORN, read_stdout=True)
    await child.stdout.readline()
    ending = asyncio.create_task(child.end())
    await asyncio.sleep(0)
    ending.cancel()
    await asyncio.gather(ending, return_exceptions=True)

    async with asyncio.timeout(5):
        await child.ended.wait()

    assert not child.folder.exists()


async def test_what_the_child_started_ends_too() -> None:
    child = Child("test")
    await child.start("sh", "-c", "trap '' TERM; sleep 60 & echo $!; wait", read_stdout=True)
    grandchild = int(await child.stdout.readline())
    child._kill()
    await child.end()

    await asyncio.to_thread(gone, grandchild)


async def test_program_that_is_missing_leaves_nothing() -> None:
    child = Child("test")

    with pytest.raises(FileNotFoundError):
        await child.start("/no/such/program")

    await child.end()
    assert not child.folder.exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lets a child die with its parent")
def test_child_dies_when_we_are_killed() -> None:
    program = """
import asyncio
from simulator.world.systems.child import Child

async def main():
    child = Child("test")
    await child.start("sleep", "60")
    print(child.pid, child.folder, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, folder = parent.stdout.readline().split()
        assert alive(int(pid))
        parent.kill()

    gone(int(pid))
    # Nobody was left to remove it.
    os.unlink(f"{folder}/console.log")
    os.rmdir(folder)


def test_tail_reads_only_the_end(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("".join(f"line {number}\n" for number in range(10000)))

    assert tail(file, 2) == ["line 9998", "line 9999"]
    assert len(tail(file, 10000, at_most=100)) < 15
    assert tail(tmp_path / "missing", 2) == []
