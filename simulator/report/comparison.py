"""Several runs side by side: where their verdicts differ, and the table of families and systems.

Knows the saved results of runs (`run.json`). Does not know what a verdict rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from simulator.report.escape import harmless
from simulator.report.results import counted
from simulator.verdict import Outcome

NOT_PLAYED = "not played"


class UnreadableRun(Exception):  # noqa: N818 - says what it is
    """A file holds no results of a run: one line, with the file and what is wrong."""


@dataclass(frozen=True)
class SavedRun:
    """What is compared of one run."""

    source: Path
    system: str
    """Name and version."""
    seed: int
    verdicts: Mapping[str, Outcome]
    """By the id of the scenario, in the order of the file."""


class _System(msgspec.Struct):
    name: str
    version: str


class _Result(msgspec.Struct):
    id: str
    verdict: Outcome


class _Run(msgspec.Struct):
    system: _System
    seed: int
    results: list[_Result]


def read_run(place: Path) -> SavedRun:
    """Read a `run.json`, or the one in the folder of a run; raises UnreadableRun."""
    file = place / "run.json" if place.is_dir() else place

    try:
        run = msgspec.json.decode(file.read_bytes(), type=_Run)
    except OSError as error:
        raise UnreadableRun(f"{file}: {error.strerror}; `s2sim run --output DIR` writes DIR/run.json") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableRun(f"{file}: these are no results of `s2sim run`: {error}") from None

    system = f"{run.system.name} {run.system.version}".rstrip()

    return SavedRun(place, system, run.seed, {one.id: one.verdict for one in run.results})


def differences(runs: Sequence[SavedRun]) -> dict[str, list[Outcome | None]]:
    """The scenarios that have not the same verdict in all runs, each with its verdicts in the order of the runs."""
    found = {name: [run.verdicts.get(name) for run in runs] for name in _scenarios(runs)}

    return {name: verdicts for name, verdicts in found.items() if len(set(verdicts)) > 1}


def comparison(runs: Sequence[SavedRun]) -> Iterator[str]:
    """A line for each run, with its totals, and one for each scenario whose verdict differs."""
    width = max(len(harmless(str(run.source))) for run in runs)

    for run in runs:
        told = ", ".join(f"{count} {outcome}" for outcome, count in counted(run.verdicts.values()).items())
        yield f"{harmless(str(run.source)):<{width}}  {harmless(run.system)}, seed {run.seed}: {told or 'nothing'}"

    found = differences(runs)
    yield ""
    yield from (
        f"{harmless(name)}: {' | '.join(str(one or NOT_PLAYED) for one in verdicts)}"
        for name, verdicts in found.items()
    )
    yield f"{len(found)} of {len(_scenarios(runs))} scenarios differ between these {len(runs)} runs"


def matrix(runs: Sequence[SavedRun]) -> Iterator[str]:
    """A table in Markdown: a line for each family (the folder of a scenario), a column for each run."""
    families = sorted({_family(name) for name in _scenarios(runs)})
    occurring = {outcome for run in runs for outcome in run.verdicts.values()}

    yield ", ".join(f"{_letter(outcome)} = {outcome}" for outcome in Outcome if outcome in occurring)
    yield ""
    yield f"| family | {' | '.join(harmless(run.system) for run in runs)} |"
    yield "|---" * (len(runs) + 1) + "|"
    yield from (f"| `{family}` | {' | '.join(_cell(run, family) for run in runs)} |" for family in families)
    yield f"| all | {' | '.join(_cell(run) for run in runs)} |"


def _cell(run: SavedRun, family: str = "") -> str:
    chosen = [outcome for name, outcome in run.verdicts.items() if not family or _family(name) == family]

    return " · ".join(f"{count} {_letter(outcome)}" for outcome, count in counted(chosen).items()) or "–"


def _scenarios(runs: Iterable[SavedRun]) -> list[str]:
    return list(dict.fromkeys(name for run in runs for name in run.verdicts))


def _family(name: str) -> str:
    return name.partition("/")[0]


def _letter(outcome: Outcome) -> str:
    return outcome.value[0]
