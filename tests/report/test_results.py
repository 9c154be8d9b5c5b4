"""Results as data, and names of files."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from simulator.report.results import Result, Run, as_json, file_name, totals, write_json
from simulator.scenario.model import Scenario
from simulator.verdict import Outcome, Verdict


def result(identifier: str, outcome: Outcome) -> Result:
    scenario = Scenario(id=identifier, claim=f"{identifier} holds", covers=("DBK-001",))
    verdict = Verdict(scenario=identifier, outcome=outcome, reason="because")

    return Result(scenario, verdict, 0.12345, Path("j.jsonl"))


def test_the_json_has_what_is_promised(tmp_path: Path) -> None:
    run = Run("embedded", "1.0", 7, 1.5, [result("a/b", Outcome.PASS), result("c", Outcome.FAIL)])
    file = tmp_path / "deep" / "run.json"
    write_json(run, file)
    read = json.loads(file.read_text())

    assert read == as_json(run)
    assert read["system"] == {"name": "embedded", "version": "1.0"}
    assert (read["seed"], read["duration_s"]) == (7, 1.5)
    assert read["totals"] == {"PASS": 1, "FAIL": 1}
    assert read["results"][0] == {
        "id": "a/b",
        "claim": "a/b holds",
        "covers": ["DBK-001"],
        "verdict": "PASS",
        "reason": "because",
        "duration_s": 0.123,
        "journal": "j.jsonl",
    }


def test_totals_are_ordered_best_first() -> None:
    found = totals([result("a", Outcome.ERROR), result("b", Outcome.PASS), result("c", Outcome.PASS)])

    assert list(found.items()) == [("PASS", 2), ("ERROR", 1)]


def test_names_of_files_are_readable() -> None:
    assert file_name("dns/unreachable[nxdomain]") == "dns__unreachable--nxdomain.jsonl"


@given(st.text(min_size=1), st.text(min_size=1))
def test_names_of_files_are_safe(one: str, other: str) -> None:
    name = file_name(one)

    assert "/" not in name
    assert name not in (".", "..")
    assert name.isascii()
    assert len(name) < 200
