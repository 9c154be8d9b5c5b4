"""Every scenario bites: with each deliberate defect that it names, the embedded gateway must turn it red."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path

import pytest

from simulator.runner.many import Played, play_all
from simulator.scenario.loader import load
from simulator.scenario.model import Scenario
from simulator.verdict import Outcome, judge
from simulator.world.seating import Seats
from simulator.world.systems.mutants.catalogue import MUTANTS
from simulator.world.systems.mutants.mutant import Mutant
from simulator.world.systems.catalogue import seat

SCENARIOS = load(Path(__file__).resolve().parents[1] / "scenarios")
PAIRS: dict[str, list[Scenario]] = defaultdict(list)

for _scenario in SCENARIOS:
    for _name in _scenario.mutants:
        PAIRS[_name].append(_scenario)


def test_every_scenario_names_a_mutant() -> None:
    assert not [scenario.id for scenario in SCENARIOS if not scenario.mutants]


def test_every_mutant_named_exists() -> None:
    assert not set(PAIRS) - set(MUTANTS)


def test_there_are_enough_mutants() -> None:
    assert len(MUTANTS) >= 20


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_mutant_is_caught_by_every_scenario_that_names_it(name: str) -> None:
    verdicts: dict[str, Outcome] = {}

    def played(one: Played) -> None:
        verdicts[one.scenario.id] = judge(one.scenario, one.journal.entries).outcome

    asyncio.run(play_all(PAIRS[name], seats_with(MUTANTS[name]), jobs=8, on_played=played))
    survived = {identifier: outcome.value for identifier, outcome in verdicts.items() if outcome is not Outcome.FAIL}

    assert PAIRS[name], "no scenario names it"
    assert not survived


def seats_with(mutant: Mutant) -> Seats:
    """The embedded gateway with one defect."""
    return Seats(seat("embedded"), seed=1, rules=mutant.rules)
