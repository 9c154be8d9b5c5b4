"""All scenarios, played: green on the embedded gateway, explained on Prosody, the same however many at once."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from simulator.runner.many import Played, play_all
from simulator.scenario.ledger import read_ledger
from simulator.scenario.loader import load
from simulator.verdict import Outcome, Verdict, judge, settle
from simulator.world.seating import Seats
from simulator.world.systems.catalogue import seat

ROOT = Path(__file__).resolve().parents[1]
SCENARIOS = load(ROOT / "scenarios")


def verdicts(system: str, *, jobs: int, seed: int = 1) -> dict[str, Verdict]:
    """Play everything on a system: id -> verdict."""
    found: dict[str, Verdict] = {}

    def played(one: Played) -> None:
        found[one.scenario.id] = judge(one.scenario, one.journal.entries)

    asyncio.run(play_all(SCENARIOS, Seats(seat(system), seed), jobs=jobs, on_played=played))

    return found


def test_there_are_enough_rows() -> None:
    assert len(SCENARIOS) >= 90


@pytest.mark.timeout(180)
def test_the_embedded_gateway_meets_every_claim_however_many_at_once() -> None:
    alone, crowded = verdicts("embedded", jobs=1), verdicts("embedded", jobs=32, seed=2)
    good = {Outcome.PASS, Outcome.ALTERNATIVE}

    assert {
        identifier: str(verdict.reason) for identifier, verdict in alone.items() if verdict.outcome not in good
    } == {}
    assert {name: verdict.outcome for name, verdict in alone.items()} == {
        name: verdict.outcome for name, verdict in crowded.items()
    }


@pytest.mark.timeout(240)
@pytest.mark.skipif(not shutil.which("prosody"), reason="Prosody is not installed: apt-get install prosody lua-unbound")
def test_every_departure_of_prosody_is_in_its_ledger() -> None:
    found = verdicts("prosody", jobs=16)
    ledger = read_ledger(ROOT / "reports/ledgers/prosody.yaml")
    settlement = settle(list(found.values()), ledger)

    assert len(found) == len(SCENARIOS)
    assert not [name for name, verdict in found.items() if verdict.outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE)]
    assert not [f"{verdict.scenario}: {verdict.reason}" for verdict in settlement.new]
    assert not settlement.stale
    assert settlement.exit_code == 0
