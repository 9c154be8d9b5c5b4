"""Whoever reads a command goes away, as `head` does: it ends quietly, with what it had begun torn down."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runner.leftovers import living_below, needs_proc
from tests.test_cli import HANGING, REQUIREMENTS, environment

#: as the shell tells of a program that SIGPIPE ended
GONE = 141


def piped(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Run the command with a reader that leaves after one line: its exit code, that line, and its errors.

    The reader leaves alone what it has not read, as `head` does.
    """
    command = shlex.join([sys.executable, "-m", "simulator", *arguments])
    ended = subprocess.run(
        ["bash", "-c", f"{command} | (IFS= read -r line; printf '%s\\n' \"$line\"); exit ${{PIPESTATUS[0]}}"],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    return ended.returncode, ended.stdout, ended.stderr


def add_many(folder: Path) -> None:
    """So many scenarios that no pipe holds what is said of them."""
    rows = ", ".join(f"n{number:04}" for number in range(700))
    claim = "${which} " + "waits " * 30
    text = f"claim: {claim}\nmatrix: {{which: [{rows}]}}\nsteps:\n  - bob@contoso.com has received nothing\n"
    (folder / "scenarios" / "im" / "many.yaml").write_text(text)
    (folder / "scenarios" / "requirements.yaml").write_text(REQUIREMENTS)


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["show", "im/many*"]])
def test_a_listing_ends_quietly(good: Path, arguments: list[str]) -> None:
    add_many(good)

    code, told, errors = piped(good, *arguments)

    assert (code, errors) == (GONE, "")
    assert told.strip()


@pytest.mark.parametrize("arguments", [["--version"], ["steps"]])
def test_short_output_is_missed_in_the_end(good: Path, arguments: list[str]) -> None:
    # A pipe holds it all, so nobody reads from the start: what is buffered cannot be written when the command is done.
    receiving, sending = os.pipe()
    os.close(receiving)
    command = [sys.executable, "-m", "simulator", *arguments]
    ended = subprocess.run(
        command, cwd=good, env=environment(good), stdout=sending, stderr=subprocess.PIPE, check=False
    )
    os.close(sending)

    assert (ended.returncode, ended.stderr) == (GONE, b"")


@needs_proc
@pytest.mark.parametrize("system", ["embedded", "embedded-process"])
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_run_is_torn_down(good: Path, processes: str, system: str) -> None:
    (good / "scenarios" / "im" / "hanging.yaml").write_text(HANGING)
    among = ["--jobs", "2", "--processes", processes, "--system", system, "--json", "results.json"]

    code, told, errors = piped(good, "run", *among)

    assert (code, errors) == (GONE, "")
    assert told.startswith("PASS")
    assert not living_below(good / "temporary")
    assert os.listdir(good / "temporary") == []
    # What was played is kept, and nothing of it is called a failure.
    journals = {Path(name).stem for name in os.listdir(good / "reports" / "last" / "journals")}
    written = json.loads((good / "reports" / "last" / "run.json").read_text())
    assert written == json.loads((good / "results.json").read_text())
    assert {one["id"].replace("/", "__") for one in written["results"]} == journals
    assert {one["verdict"] for one in written["results"]} == {"PASS"}
    assert "im__hanging" not in journals


@needs_proc
def test_a_world_comes_down(good: Path) -> None:
    code, told, errors = piped(good, "up")

    assert (code, errors) == (GONE, "")
    assert told.startswith("name server")
    assert not living_below(good / "temporary")
    assert os.listdir(good / "temporary") == []
