"""All scenarios, played as a user plays them: green on the embedded gateway, explained on Prosody."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulator.scenario.loader import load

ROOT = Path(__file__).resolve().parents[1]
GOOD = {"PASS", "ALTERNATIVE"}


def run(output: Path, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """Play everything in a process of its own: its exit code and its results."""
    command = [sys.executable, "-m", "simulator", "run", "--output", str(output), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=400)

    assert done.returncode in (0, 1, 3), done.stderr

    return done.returncode, json.loads((output / "run.json").read_text(encoding="utf-8"))["results"]


def verdicts(results: list[dict[str, Any]]) -> dict[str, str]:
    """Id -> verdict."""
    return {result["id"]: result["verdict"] for result in results}


def beside(results: list[dict[str, Any]], *expected: str) -> list[str]:
    """What came to another verdict than these, with the reason."""
    return [f"{one['id']}: {one['verdict']}: {one['reason']}" for one in results if one["verdict"] not in expected]


def test_there_are_enough_rows() -> None:
    assert len(load(ROOT / "scenarios")) >= 90


@pytest.mark.timeout(450)
def test_the_embedded_gateway_meets_every_claim_however_many_at_once(tmp_path: Path) -> None:
    # Each process plays one at a time.
    code, alone = run(tmp_path / "alone", "--jobs", "2", "--processes", "2")
    _, crowded = run(tmp_path / "crowded", "--jobs", "32", "--seed", "2")

    assert not beside(alone, *GOOD)
    assert not beside(crowded, *GOOD)
    assert verdicts(alone) == verdicts(crowded)
    assert code == 0


@pytest.mark.timeout(450)
@pytest.mark.skipif(not shutil.which("prosody"), reason="Prosody is not installed: apt-get install prosody lua-unbound")
def test_every_departure_of_prosody_is_in_its_ledger(tmp_path: Path) -> None:
    code, results = run(tmp_path, "--system", "prosody")

    assert len(results) == len(load(ROOT / "scenarios"))
    assert not beside(results, *GOOD, "WARN", "FAIL", "UNSUPPORTED")
    # 1 where a failure is in no ledger, or an entry of the ledger has nothing to explain any more.
    assert code == 0, beside(results, *GOOD, "WARN", "UNSUPPORTED")
