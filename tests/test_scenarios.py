"""All scenarios, played as a user plays them: green on the embedded gateway, explained on real servers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulator.scenario.loader import load
from simulator.world.systems.catalogue import MODULES, seat

ROOT = Path(__file__).resolve().parents[1]
GOOD = {"PASS", "ALTERNATIVE"}
#: Many rows of one kind: they are not played again one at a time.
MATRIX = "negotiation"
SCENARIOS = load(ROOT / "scenarios")
#: Of the others, those that are played with nothing beside them: one in so many.
SAMPLE = 3
#: system -> a program that it comes with
SERVERS = {"prosody": "prosody", "ejabberd": "ejabberdctl"}


def run(output: Path, *options: str) -> tuple[int, list[dict[str, Any]], str]:
    """Play everything in a process of its own: its exit code, its results, and what it reports of the unexpected."""
    command = [sys.executable, "-m", "simulator", "run", "--output", str(output), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=500)

    assert done.returncode in (0, 1, 3), done.stderr

    results = json.loads((output / "run.json").read_text(encoding="utf-8"))["results"]
    # A heading with what stands below it, or an entry of the ledger. Lines of what was played have wider gaps.
    unexpected = re.findall(
        r"^(?:(?:FAIL|INCONCLUSIVE|ERROR)  \S.*\n(?:[ \n].*\n|\n)*|stale .*\n)", done.stdout, re.MULTILINE
    )

    return done.returncode, results, "".join(unexpected)


def verdicts(results: list[dict[str, Any]]) -> dict[str, str]:
    """Id -> verdict."""
    return {result["id"]: result["verdict"] for result in results}


def beside(results: list[dict[str, Any]], *expected: str) -> list[str]:
    """What came to another verdict than these, with the reason."""
    return [f"{one['id']}: {one['verdict']}: {one['reason']}" for one in results if one["verdict"] not in expected]


def playable(system: str) -> set[str]:
    """The ids of what a system declares to be able to."""
    capabilities = seat(system).capabilities

    return {one.id for one in SCENARIOS if one.needs <= capabilities}


def test_there_are_enough_rows() -> None:
    assert len(SCENARIOS) >= 90


def test_every_row_is_played_on_some_system() -> None:
    assert not {one.id for one in SCENARIOS}.difference(*map(playable, MODULES))


@pytest.mark.timeout(600)
def test_the_embedded_gateway_meets_claims_when_nothing_else_is_played(tmp_path: Path) -> None:
    """All of them, many at once, are what the README's first command plays, which the gates run as well."""
    sample = sorted(one.id for one in SCENARIOS if not one.id.startswith(f"{MATRIX}/"))[::SAMPLE]
    # Each process plays one at a time.
    code, alone, unexpected = run(tmp_path, "--jobs", "2", "--processes", "2", "--seed", "2", *sample)
    played = {name for name, verdict in verdicts(alone).items() if verdict in GOOD}

    assert not beside(alone, *GOOD, "UNSUPPORTED")
    assert played == playable("embedded") & set(sample)
    assert len(alone) == len(sample)
    assert code == 0, unexpected


@pytest.mark.timeout(600)
def test_edges_and_front_end_in_processes_of_their_own_meet_what_needs_them(tmp_path: Path) -> None:
    apart = sorted(playable("embedded-apart") - playable("embedded"))
    code, results, unexpected = run(tmp_path, "--system", "embedded-apart", *apart)

    assert not beside(results, *GOOD)
    assert len(results) == len(apart) > 0
    assert code == 0, unexpected


@pytest.mark.timeout(600)
@pytest.mark.parametrize("system", SERVERS)
def test_every_departure_of_a_real_server_is_in_its_ledger(system: str, tmp_path: Path) -> None:
    if not shutil.which(SERVERS[system]):
        pytest.skip(f"{system} is not installed: see the README for what to install")

    code, results, unexpected = run(tmp_path, "--system", system)

    assert len(results) == len(SCENARIOS)
    assert not beside(results, *GOOD, "WARN", "FAIL", "UNSUPPORTED")
    # 1 where a failure is in no ledger, or an entry of the ledger has nothing to explain any more.
    assert code == 0, unexpected
