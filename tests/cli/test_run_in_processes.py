"""A run in several processes, as its users meet it: same verdicts, same journals, same end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.runner.leftovers import living_below, needs_proc, wait_until_deserted
from tests.test_cli import BAD, HANGING, UNREACHED, environment

PROCESSES = pytest.mark.parametrize("processes", ["1", "2"])


def start(folder: Path, *arguments: str) -> Any:
    return subprocess.Popen(
        [sys.executable, "-m", "simulator", "run", *arguments],
        cwd=folder,
        env={**environment(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output, errors."""
    process = start(folder, *arguments)
    told, errors = process.communicate(timeout=50)

    return process.returncode, told, errors


def results(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "reports" / "last" / "run.json").read_text())["results"]

    return found


def journals(folder: Path) -> list[str]:
    return sorted(os.listdir(folder / "reports" / "last" / "journals"))


def test_verdicts_do_not_depend_on_the_number_of_processes(good: Path) -> None:
    (good / "scenarios" / "im" / "bad.yaml").write_text(BAD.replace("covers: [IM-001]", ""))
    (good / "scenarios" / "im" / "undecided.yaml").write_text(UNREACHED)
    seen = []

    for processes in ("1", "2"):
        code, told, errors = run(good, "--processes", processes)
        verdicts = [(one["id"], one["verdict"], one["reason"], one["journal"]) for one in results(good)]
        seen.append((code, errors, verdicts, journals(good), "<db:result" in told))
        assert os.listdir(good / "temporary") == []

    assert seen[0] == seen[1]
    assert [verdict for _, verdict, _, _ in seen[0][2]] == ["FAIL", *["PASS"] * 6, "INCONCLUSIVE"]


@PROCESSES
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_reports_what_ran(good: Path, processes: str, number: int) -> None:
    (good / "scenarios" / "im" / "hanging.yaml").write_text(HANGING)
    process = start(good, "im/good-0", "im/hanging", "--jobs", "2", "--processes", processes)
    first = process.stdout.readline()
    # As Ctrl-C at a terminal does it: to everybody in the group; and by an impatient user.
    os.killpg(process.pid, number)
    os.killpg(process.pid, number)
    rest, errors = process.communicate(timeout=20)

    assert first.startswith("PASS")
    assert process.returncode == 128 + number
    assert "1 PASS on embedded" in rest
    assert "interrupted, 1 not played" in rest
    assert errors == ""
    assert [(one["id"], one["verdict"]) for one in results(good)] == [("im/good-0", "PASS")]
    assert os.listdir(good / "temporary") == []


@PROCESSES
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_interrupted_until_it_is_gone_reports_all_the_same(
    good: Path, processes: str, number: int
) -> None:
    (good / "scenarios" / "im" / "hanging.yaml").write_text(HANGING)
    process = start(good, "im/good-0", "im/hanging", "--jobs", "2", "--processes", processes)
    process.stdout.readline()

    # Some come when the event loop has ended, when the report is written, and when the interpreter goes.
    while process.poll() is None:
        process.send_signal(number)
        time.sleep(0.001)

    rest, errors = process.communicate(timeout=20)

    assert process.returncode == 128 + number
    assert "interrupted, 1 not played" in rest
    assert errors == ""
    assert [(one["id"], one["verdict"]) for one in results(good)] == [("im/good-0", "PASS")]
    assert os.listdir(good / "temporary") == []


@needs_proc
def test_workers_end_with_a_parent_that_is_killed(good: Path) -> None:
    (good / "scenarios" / "im" / "hanging.yaml").write_text(HANGING)
    process = start(good, "--system", "embedded-process", "--jobs", "2", "--processes", "2")
    process.stdout.readline()
    process.kill()
    process.communicate(timeout=20)
    # They remove what is theirs before they end.
    wait_until_deserted(good / "temporary", within=40)
    assert os.listdir(good / "temporary") == []


@needs_proc
def test_a_killed_worker_makes_the_run_our_own_fault(good: Path) -> None:
    (good / "scenarios" / "im" / "hanging.yaml").write_text(HANGING)
    process = start(good, "--jobs", "2", "--processes", "2")
    lines = [process.stdout.readline() for _ in range(6)]

    # All good ones are done: their worker has ended or is about to, and the other has the last one in hand.
    for pid in living_below(good / "temporary"):
        if pid != process.pid:
            os.kill(pid, signal.SIGKILL)

    told, errors = process.communicate(timeout=20)

    assert all(line.startswith("PASS") for line in lines)
    assert (process.returncode, errors) == (3, "")
    assert "was killed by SIGKILL" in told
    assert journals(good) == [*(f"im__good-{number}.jsonl" for number in range(6)), "im__hanging.jsonl"]
    assert os.listdir(good / "temporary") == []

    judged = subprocess.run(
        [sys.executable, "-m", "simulator", "judge", "reports/last/journals/im__hanging.jsonl"],
        cwd=good,
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.stdout.startswith("ERROR")


@PROCESSES
def test_what_is_not_installed_is_one_line(good: Path, processes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(good))
    code, told, errors = run(good, "--system", "prosody", "--processes", processes)

    assert (code, told) == (2, "")
    assert errors.startswith("s2sim: Prosody is not installed")
    assert len(errors.splitlines()) == 1
