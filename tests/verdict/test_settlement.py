"""What the ledger explains is expected, what it explains no more is stale, and the exit code says which."""

from __future__ import annotations

import pytest

from simulator.scenario.ledger import LedgerEntry
from simulator.verdict import Outcome, Verdict, settle


def verdict(scenario: str, outcome: str, reason: str = "", broken: tuple[str, ...] = ()) -> Verdict:
    return Verdict(scenario=scenario, outcome=Outcome(outcome), reason=reason, broken=broken)


def entry(
    scenario: str, outcome: str = "FAIL", match: str = "", requirement: str = "", sometimes: str = ""
) -> LedgerEntry:
    return LedgerEntry(
        scenario=scenario,
        outcome=outcome,  # type: ignore[arg-type]
        match=match,
        requirement=requirement,
        sometimes=sometimes,
        reason="known",
        section="RFC 1 §1",
        link="https://example.org",
    )


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        (["PASS", "ALTERNATIVE", "WARN", "UNSUPPORTED"], 0),
        (["PASS", "FAIL"], 1),
        (["PASS", "INCONCLUSIVE"], 3),
        (["PASS", "ERROR"], 3),
        (["ERROR", "FAIL"], 1),
        ([], 3),
    ],
)
def test_the_exit_code_without_a_ledger(outcomes: list[str], code: int) -> None:
    assert settle([verdict("a", outcome) for outcome in outcomes]).exit_code == code


@pytest.mark.parametrize(
    ("entries", "result", "code"),
    [
        ([entry("dbk/a")], verdict("dbk/a", "FAIL"), 0),
        ([entry("dbk/*")], verdict("dbk/a", "FAIL"), 0),
        ([entry("dbk/a[x]")], verdict("dbk/a[x]", "FAIL"), 0),
        ([entry("dbk/a[x]")], verdict("dbk/ax", "FAIL"), 1),
        ([entry("dbk/b")], verdict("dbk/a", "FAIL"), 1),
        ([entry("dbk/a", match="closed")], verdict("dbk/a", "FAIL", "it closed"), 0),
        ([entry("dbk/a", match="closed")], verdict("dbk/a", "FAIL", "it crashed"), 1),
        ([entry("dbk/a", requirement="A-1")], verdict("dbk/a", "FAIL", broken=("A-1",)), 0),
        ([entry("dbk/a", requirement="A-1")], verdict("dbk/a", "FAIL", broken=("A-2",)), 1),
        # Whatever the ledger says, what is undecided is not excused.
        ([entry("dbk/a")], verdict("dbk/a", "INCONCLUSIVE"), 3),
        ([entry("dbk/a")], verdict("dbk/a", "ERROR"), 3),
        ([entry("dbk/a")], verdict("dbk/a", "UNSUPPORTED"), 0),
        ([entry("dbk/a")], verdict("dbk/a", "PASS"), 1),
        ([entry("dbk/a")], verdict("dbk/a", "WARN"), 1),
        ([entry("dbk/a")], verdict("dbk/a", "ALTERNATIVE"), 1),
        # What hangs on something beside the system is explained where it is seen, and not missed where it is not.
        ([entry("dbk/a", sometimes="with lib 2")], verdict("dbk/a", "FAIL"), 0),
        ([entry("dbk/a", sometimes="with lib 2")], verdict("dbk/a", "PASS"), 0),
        ([entry("dbk/a", sometimes="with lib 2")], verdict("dbk/b", "FAIL"), 1),
        ([entry("dbk/a", "WARN")], verdict("dbk/a", "WARN"), 0),
        ([entry("dbk/a", "WARN")], verdict("dbk/a", "PASS"), 1),
        ([entry("dbk/a", "WARN")], verdict("dbk/a", "FAIL"), 1),
        ([entry("dbk/b")], verdict("dbk/a", "PASS"), 0),
    ],
)
def test_the_exit_code_with_a_ledger(entries: list[LedgerEntry], result: Verdict, code: int) -> None:
    assert settle([result], entries).exit_code == code


def test_a_run_is_sorted_into_new_expected_and_stale() -> None:
    known, fresh, passed = verdict("a", "FAIL"), verdict("b", "FAIL"), verdict("c", "PASS")
    entries = [entry("a"), entry("c"), entry("d")]
    found = settle([known, fresh, passed], entries)

    assert found.new == (fresh,)
    assert found.expected == ((known, entries[0]),)
    assert found.stale == (entries[1],)


def test_a_glob_that_still_explains_one_row_is_not_stale() -> None:
    assert settle([verdict("a[x]", "FAIL"), verdict("a[y]", "PASS")], [entry("a*")]).exit_code == 0


def test_strictness_counts_warnings() -> None:
    assert settle([verdict("a", "WARN")], strict=True).exit_code == 1
    assert settle([verdict("a", "WARN")], [entry("a", "WARN")], strict=True).exit_code == 0
