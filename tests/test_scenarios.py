"""All scenarios, played as a user plays them: green on the embedded gateway, explained on real servers."""

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
#: Many rows of one kind: they are not played again one at a time.
MATRIX = "negotiation"
FOLDERS = sorted({one.id.partition("/")[0] for one in load(ROOT / "scenarios")} - {MATRIX})
#: system -> a program that it comes with
SERVERS = {"prosody": "prosody", "ejabberd": "ejabberdctl"}


def run(output: Path, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """Play everything in a process of its own: its exit code and its results."""
    command = [sys.executable, "-m", "simulator", "run", "--output", str(output), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=500)

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


@pytest.mark.timeout(600)
def test_the_embedded_gateway_meets_every_claim_however_many_at_once(tmp_path: Path) -> None:
    code, crowded = run(tmp_path / "crowded", "--jobs", "32")
    # Each process plays one at a time.
    _, alone = run(tmp_path / "alone", "--jobs", "2", "--processes", "2", "--seed", "2", *FOLDERS)
    ids = {one["id"] for one in alone}

    assert not beside(crowded, *GOOD)
    assert not beside(alone, *GOOD)
    assert len(crowded) == len(load(ROOT / "scenarios"))
    assert verdicts(alone) == {name: verdict for name, verdict in verdicts(crowded).items() if name in ids}
    assert code == 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("system", SERVERS)
def test_every_departure_of_a_real_server_is_in_its_ledger(system: str, tmp_path: Path) -> None:
    if not shutil.which(SERVERS[system]):
        pytest.skip(f"{system} is not installed: see the README for what to install")

    code, results = run(tmp_path, "--system", system)

    assert len(results) == len(load(ROOT / "scenarios"))
    assert not beside(results, *GOOD, "WARN", "FAIL", "UNSUPPORTED")
    # 1 where a failure is in no ledger, or an entry of the ledger has nothing to explain any more.
    assert code == 0, beside(results, *GOOD, "WARN", "UNSUPPORTED")
