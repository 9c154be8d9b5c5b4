"""The results of a run as data: what `run.json` and ``--json`` hold.

Knows the shape that other programs may rely on. Does not draw anything.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from simulator.journal import Entry
from simulator.scenario.model import Scenario
from simulator.verdict import Outcome, Verdict

LONGEST_NAME = 120


@dataclass(frozen=True)
class Result:
    """One scenario that was played, and its verdict."""

    scenario: Scenario
    verdict: Verdict
    duration: float
    """Seconds."""
    journal: Path | None
    version: str = ""
    """The version of the system, where it came to say it."""
    entries: Sequence[Entry] = ()
    """The journal itself, where a report has something to show from it."""


@dataclass(frozen=True)
class Run:
    """Everything that was played."""

    system: str
    version: str
    seed: int
    duration: float
    """Seconds."""
    results: Sequence[Result]
    mutant: str = ""


def counted(outcomes: Iterable[Outcome]) -> dict[Outcome, int]:
    """How often each verdict occurs, best first; those that do not are left out."""
    found = Counter(outcomes)

    return {outcome: found[outcome] for outcome in Outcome if found[outcome]}


def totals(results: Sequence[Result]) -> dict[str, int]:
    """`counted` for results, by the names of the verdicts."""
    return {outcome.value: count for outcome, count in counted(one.verdict.outcome for one in results).items()}


def as_json(run: Run) -> dict[str, Any]:
    """The run as plain JSON."""
    return {
        "system": {"name": run.system, "version": run.version},
        "seed": run.seed,
        "mutant": run.mutant or None,
        "duration_s": round(run.duration, 3),
        "results": [_result(result) for result in run.results],
        "totals": totals(run.results),
    }


def write_json(run: Run, path: Path) -> None:
    """Write `as_json`, whole or not at all; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(as_json(run)), indent=2) + b"\n")
    partial.replace(path)


def file_name(scenario_id: str) -> str:
    """A name for the journal of a scenario that every file system takes, and that no other scenario has."""
    plain = scenario_id.replace("/", "__").replace("[", "--").replace("]", "")
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", plain)

    if safe != plain or len(safe) > LONGEST_NAME:
        safe = f"{safe[:LONGEST_NAME]}-{hashlib.sha256(scenario_id.encode()).hexdigest()[:8]}"

    return f"{safe}.jsonl"


def _result(result: Result) -> dict[str, Any]:
    return {
        "id": result.scenario.id,
        "claim": result.scenario.claim,
        "covers": list(result.scenario.covers),
        "verdict": result.verdict.outcome.value,
        "reason": result.verdict.reason,
        "duration_s": round(result.duration, 3),
        "journal": str(result.journal) if result.journal else None,
    }
