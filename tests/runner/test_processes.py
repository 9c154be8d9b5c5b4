"""Several processes play as one does, whatever happens to any of them, and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.runner.errand import Errand, Report
from simulator.runner.processes import how_many, play_apart, usable_cores
from simulator.scenario.model import Scenario
from simulator.verdict import Outcome
from simulator.world.systems.system import NotInstalled
from tests.runner.leftovers import children, living_below, needs_proc, open_files, wait_until_deserted

Written = Callable[..., Scenario]

GOOD = """
claim: Both ways
steps:
  - alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hello}
  - juliet@gmail.com receives a message: Hello
"""
HANGING = """
claim: It waits
steps:
  - bob@contoso.com receives a message: Hello
    within: 50
"""


class Reports:
    """What comes back; `at` says after how many reports to do what."""

    def __init__(self, at: dict[int, Callable[[], object]] | None = None) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self.reasons: dict[str, str] = {}
        self._at = at or {}

    def __call__(self, errand: Errand, report: Report) -> None:
        assert errand.scenario.id not in self.outcomes, "reported twice"

        self.outcomes[errand.scenario.id] = report.verdict.outcome
        self.reasons[errand.scenario.id] = report.verdict.reason
        self._at.get(len(self.outcomes), lambda: None)()


def kill_all_workers() -> None:
    for pid in children():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def errands(written: Written) -> list[Errand]:
    """One that waits and waits, then five good ones."""
    good = [written(GOOD, f"test/good-{number}") for number in range(5)]

    return [Errand(scenario) for scenario in (written(HANGING, "test/hanging"), *good)]


async def test_every_errand_is_reported_once_and_with_its_journal(errands: list[Errand], temporary: Path) -> None:
    lines: dict[str, bytes] = {}
    await play_apart(
        errands[1:],
        "embedded",
        1,
        processes=2,
        jobs=3,
        on_report=lambda errand, report: lines.update({errand.scenario.id: report.lines}),
    )

    assert sorted(lines) == [errand.scenario.id for errand in errands[1:]]
    assert all(f'"scenario":"{name}"'.encode() in journal for name, journal in lines.items())
    assert os.listdir(temporary) == []


async def test_each_errand_has_its_own_mutant(written: Written, temporary: Path) -> None:
    scenario = written("""
claim: A key that the system never issued is denied
steps:
  - gmail.com connects
  - gmail.com sends: <db:verify from='gmail.com' to='contoso.com' id='never-seen'>a</db:verify>
  - gmail.com receives: <db:verify from='contoso.com' to='gmail.com' id='never-seen' type='invalid'>...</db:verify>
""")
    found: dict[str, Outcome] = {}
    errands = [Errand(scenario, name) for name in ("", "every-key-is-valid", "")]
    await play_apart(
        errands,
        "embedded",
        1,
        processes=1,
        jobs=2,
        on_report=lambda errand, report: found.update({errand.mutant: report.verdict.outcome}),
    )

    assert found == {"": Outcome.PASS, "every-key-is-valid": Outcome.FAIL}


async def test_a_slow_errand_holds_up_no_other(errands: list[Errand], temporary: Path) -> None:
    """Cut off when all others are done: those are handed over, and nothing else is."""
    reports = Reports({5: lambda: cutting.cancel()})
    cutting = asyncio.create_task(play_apart(errands, "embedded", 1, processes=2, jobs=2, on_report=reports))

    with pytest.raises(asyncio.CancelledError):
        await cutting

    assert reports.outcomes == {errand.scenario.id: Outcome.PASS for errand in errands[1:]}
    assert os.listdir(temporary) == []


@needs_proc
async def test_the_death_of_workers_is_our_own_error(errands: list[Errand], temporary: Path) -> None:
    """Both are killed at the first report: what they had in hand is lost, the rest is played by others."""
    reports = Reports({1: kill_all_workers})
    await play_apart(errands, "embedded", 1, processes=2, jobs=2, on_report=reports)
    lost = [name for name, outcome in reports.outcomes.items() if outcome is Outcome.ERROR]

    assert sorted(lost) == ["test/good-1", "test/hanging"]
    assert all("worker process" in reports.reasons[name] for name in lost)
    assert all("was killed by SIGKILL" in reports.reasons[name] for name in lost)
    assert {reports.outcomes[errand.scenario.id] for errand in errands if errand.scenario.id not in lost} == {
        Outcome.PASS
    }
    assert children() == []
    assert os.listdir(temporary) == []


@needs_proc
async def test_a_killed_worker_takes_its_own_children_with_it(written: Written, temporary: Path) -> None:
    hanging, good = Errand(written(HANGING, "test/hanging")), Errand(written(GOOD, "test/good"))
    reports = Reports({1: kill_all_workers})
    # In one worker: when the good one is done, the gateway of the other runs.
    await play_apart([hanging, good], "embedded-process", 1, processes=1, jobs=2, on_report=reports)

    assert reports.outcomes == {"test/good": Outcome.PASS, "test/hanging": Outcome.ERROR}
    assert os.listdir(temporary) == []
    wait_until_deserted(temporary)


async def test_a_worker_that_fails_is_named(
    written: Written, temporary: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    reports = Reports()
    errand = Errand(written(GOOD), "no-such-mutant")
    await play_apart([errand], "embedded", 1, processes=1, jobs=1, on_report=reports)

    assert reports.outcomes == {"test/one": Outcome.ERROR}
    assert "ended with exit code 1" in reports.reasons["test/one"]
    assert "no mutant is called 'no-such-mutant'" in capfd.readouterr().err


async def test_what_is_not_installed_is_said_as_ever(
    errands: list[Errand], temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(temporary))

    with pytest.raises(NotInstalled, match="Prosody is not installed; on Debian: apt-get install"):
        await play_apart(errands, "prosody", 1, processes=2, jobs=4, on_report=Reports())

    assert children() == []
    assert os.listdir(temporary) == []


async def test_a_report_that_cannot_be_taken_ends_everything(errands: list[Errand], temporary: Path) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        await play_apart(errands, "embedded", 1, processes=2, jobs=4, on_report=Reports({1: full}))

    assert children() == []
    assert os.listdir(temporary) == []


@needs_proc
async def test_a_cut_at_any_moment_leaves_nothing(written: Written, temporary: Path) -> None:
    errands = [Errand(written(GOOD, f"test/{number}")) for number in range(4)]
    loop = asyncio.get_running_loop()
    began = loop.time()
    await play_apart(errands, "embedded-process", 1, processes=2, jobs=4, on_report=Reports())
    whole = loop.time() - began
    before, tasks = open_files(), asyncio.all_tasks()
    source = random.Random(7)
    cut = 0

    for _ in range(5):
        playing = asyncio.create_task(
            play_apart(errands, "embedded-process", 1, processes=2, jobs=4, on_report=Reports())
        )
        await asyncio.sleep(source.random() * whole * 0.8)
        playing.cancel()
        # Once more, while it tears down: an impatient user.
        await asyncio.sleep(0)
        playing.cancel()
        cut += isinstance((await asyncio.gather(playing, return_exceptions=True))[0], asyncio.CancelledError)

        assert asyncio.all_tasks() == tasks
        assert children() == []
        assert living_below(temporary) == []
        assert os.listdir(temporary) == []

    # The loop lets go of closed sockets in its next turns.
    for _ in range(5):
        await asyncio.sleep(0)

    assert open_files() == before
    assert cut > 2


@pytest.mark.parametrize(
    ("scenarios", "jobs", "wanted", "expected"),
    [
        (1000, 64, 3, 3),
        (1000, 2, 3, 2),
        (2, 64, 3, 2),
        (0, 64, 3, 1),
        (0, 64, None, 1),
        (31, 64, None, 1),
        (1000, 1, None, 1),
        (1000, 64, None, min(4, usable_cores())),
    ],
)
def test_no_more_processes_than_have_something_to_do(
    scenarios: int, jobs: int, wanted: int | None, expected: int
) -> None:
    assert how_many(scenarios, jobs, wanted) == expected
