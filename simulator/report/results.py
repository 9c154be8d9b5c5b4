"""The results of a run as data: what `run.json` and ``--json`` hold.

Knows the shape that other programs may rely on. Does not draw anything.
"""

from __future__ import annotations

import errno
import hashlib
import os
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


def prepare_json(path: Path) -> None:
    """Find out before a run what would keep `write_json` from writing there; raises OSError. What is there stays."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))

    if _takes_files(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _partial(path).touch()
        _partial(path).unlink()
    elif path.is_file():
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND))


def write_json(run: Run, path: Path) -> None:
    """Write `as_json`, whole or not at all; raises OSError. A pipe, a device or a link stays what it is."""
    data = msgspec.json.format(msgspec.json.encode(as_json(run)), indent=2) + b"\n"

    if not _takes_files(path):
        path.write_bytes(data)
        return

    path.parent.mkdir(parents=True, exist_ok=True)
    _partial(path).write_bytes(data)
    _partial(path).replace(path)


def file_name(scenario_id: str) -> str:
    """A name for the journal of a scenario that every file system takes, and that no other scenario has."""
    plain = scenario_id.replace("/", "__").replace("[", "--").replace("]", "")
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", plain)

    if safe != plain or len(safe) > LONGEST_NAME:
        safe = f"{safe[:LONGEST_NAME]}-{hashlib.sha256(scenario_id.encode()).hexdigest()[:8]}"

    return f"{safe}.jsonl"


def _takes_files(path: Path) -> bool:
    """Whether a file can take the place of what is there: of /dev/null and /dev/stdout none must."""
    return not path.is_symlink() and (path.is_file() or not path.exists())


def _partial(path: Path) -> Path:
    return path.with_name(f"{path.name}.partial")


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
