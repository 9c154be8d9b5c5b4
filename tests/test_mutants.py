"""Every scenario bites: with each deliberate defect that it names, the embedded gateway must turn it red."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from simulator.runner.errand import Errand, Report
from simulator.runner.processes import how_many, play_apart
from simulator.scenario.loader import load
from simulator.scenario.model import Scenario
from simulator.verdict import Outcome, Verdict
from simulator.world.systems.catalogue import seat
from simulator.world.systems.mutants.catalogue import MUTANTS

SCENARIOS = load(Path(__file__).resolve().parents[1] / "scenarios")
#: How many pairs a process plays at once: not so many that they would fail for want of time alone.
JOBS = 24
PAIRS: dict[str, list[Scenario]] = defaultdict(list)

for _scenario in SCENARIOS:
    for _name in _scenario.mutants:
        PAIRS[_name].append(_scenario)


def test_every_scenario_that_the_gateway_can_play_names_a_mutant() -> None:
    playable = [one for one in SCENARIOS if one.needs <= seat("embedded").capabilities]

    assert not [scenario.id for scenario in playable if not scenario.mutants]


def test_every_mutant_named_exists() -> None:
    assert not set(PAIRS) - set(MUTANTS)


def test_there_are_enough_mutants() -> None:
    assert len(MUTANTS) >= 20


@pytest.fixture(scope="session")
def verdicts(request: pytest.FixtureRequest) -> dict[tuple[str, str], Verdict]:
    """Play each chosen mutant against the scenarios that name it: (mutant, scenario id) -> verdict.

    All at once, for most of the time goes by in waiting for what a defective gateway never does.
    """
    chosen = {_parameters(item)["name"] for item in request.session.items if "name" in _parameters(item)}

    return play_pairs([Errand(one, name) for name in sorted(chosen) for one in PAIRS[name]])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_mutant_is_caught_by_every_scenario_that_names_it(name: str, verdicts: dict[tuple[str, str], Verdict]) -> None:
    found = [verdicts[name, scenario.id] for scenario in PAIRS[name]]
    survived = [
        f"{one.scenario}: {one.outcome}: {one.reason}"
        for one in found
        if one.outcome not in (Outcome.FAIL, Outcome.WARN)
    ]

    assert PAIRS[name], "no scenario names it"
    assert not survived


def play_pairs(pairs: list[Errand]) -> dict[tuple[str, str], Verdict]:
    """Play each pair on an embedded gateway of its own."""
    found: dict[tuple[str, str], Verdict] = {}

    def judged(pair: Errand, report: Report) -> None:
        found[pair.mutant, pair.scenario.id] = report.verdict

    processes = how_many(len(pairs), len(pairs))
    jobs = JOBS * processes
    asyncio.run(play_apart(pairs, "embedded", 1, processes=processes, jobs=jobs, on_report=judged))

    return found


def _parameters(item: pytest.Item) -> dict[str, Any]:
    return getattr(getattr(item, "callspec", None), "params", {}) if item.path == Path(__file__) else {}
