"""Whole journals: every outcome is reachable, what decides is right, and nothing unannounced slips through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.journal import KINDS, Entry, Journal, load
from simulator.scenario.model import Scenario
from simulator.verdict import Outcome, judge, worst_of
from tests.verdict.journals import delivered, element, ended, played, problem, record, scenario

TWO = scenario("gmail.com receives: <a/>\ngmail.com receives: <b/>")
A, B = {"xml": "<a/>"}, {"xml": "<b/>"}


def outcome(scenario: Scenario, entries: list[Entry]) -> str:
    return judge(scenario, entries).outcome.value


def test_a_claim_that_holds_passes() -> None:
    verdict = judge(TWO, played(TWO, A, B))

    assert (verdict.outcome, verdict.reason, verdict.step, verdict.broken) == (Outcome.PASS, "", None, ())


def test_a_mismatch_fails_with_everything_about_it() -> None:
    verdict = judge(TWO, played(TWO, A, {"xml": "<b>x</b>"}, teardown=False))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.step is TWO.steps[1]
    assert (verdict.path, verdict.expected, verdict.seen) == ("/b", "no text", "<b>x</b>")
    assert verdict.reason == '/b: expected no text, got "x"'
    assert verdict.broken == ("A-1",)


@pytest.mark.parametrize(
    "broken",
    [
        {"system": {"capabilities": [{}]}},
        {"system": {"capabilities": 5}},
        {"captures": "x"},
        {"cast": ["x"]},
    ],
)
def test_a_journal_of_nonsense_is_our_own_fault(broken: dict[str, Any]) -> None:
    verdict = judge(TWO, played(TWO, A, B, **broken))

    assert verdict.outcome is Outcome.ERROR
    assert verdict.reason.startswith("the journal cannot be judged: ")


def test_a_step_may_name_what_it_breaks() -> None:
    played_ = scenario("gmail.com receives: <a/>\n  covers: [A-2]")

    assert judge(played_, played(played_, B)).broken == ("A-2",)


@pytest.mark.parametrize(("level", "expected", "broken"), [("should", "WARN", ("A-1",)), ("may", "ALTERNATIVE", ())])
def test_a_lower_level_is_judged_and_goes_on(level: str, expected: str, broken: tuple[str, ...]) -> None:
    one = scenario(f"gmail.com receives: <a/>\n  level: {level}\ngmail.com receives: <b/>")
    verdict = judge(one, played(one, B, B))

    assert (verdict.outcome.value, verdict.broken, verdict.step) == (expected, broken, one.steps[0])


def test_a_lower_level_does_not_hide_a_failure() -> None:
    one = scenario("gmail.com receives: <a/>\n  level: should\ngmail.com receives: <b/>")

    assert outcome(one, played(one, B, A)) == "FAIL"


def test_an_alternative_is_told_with_its_reason() -> None:
    one = scenario("gmail.com receives: <a/>\n  or: [{expect: <b/>, because: RFC 1 §2}]")
    verdict = judge(one, played(one, B))

    assert verdict.outcome is Outcome.ALTERNATIVE
    assert verdict.alternatives == ((one.steps[0].text, "RFC 1 §2"),)


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [element("<a/>")],
        played(TWO)[:1],
        played(TWO, A, teardown=False),
        played(TWO, A),
        played(TWO, A, B, teardown=False),
        [*played(TWO, A, B)[:1], Entry(at=1, kind="step", data={"part": "steps", "index": "x"})],
        [*played(TWO, A, B)[:1], Entry(at=1, kind="step", data={"part": "steps", "index": 0, "consumed": [99]})],
        played(TWO, A, B, scenario="other"),
        played(TWO, A, B, after=(problem("KeyError"),)),
        [*played(TWO, A, B), problem("the port stayed open")],
        played(TWO, [problem("KeyError"), record(B)]),
        played(TWO, {"outcome": "problem", "seen": {"text": "KeyError"}}),
        played(TWO, {"outcome": "skipped"}, B),
    ],
)
def test_our_own_fault_and_a_run_that_was_cut_never_pass(entries: list[Entry]) -> None:
    assert outcome(TWO, entries) == "ERROR"


def test_a_failure_before_our_own_fault_stays_one() -> None:
    verdict = judge(TWO, [*played(TWO, B), problem("KeyError")])

    assert verdict.outcome is Outcome.FAIL
    assert verdict.notes == ("our own fault, later: KeyError",)


def test_a_precondition_that_fails_leaves_the_claim_open() -> None:
    one = scenario("gmail.com receives: <b/>", "given: [{gmail.com receives: <a/>}]")

    assert outcome(one, played(one, B)) == "INCONCLUSIVE"
    assert outcome(one, played(one, A, B)) == "PASS"


@pytest.mark.parametrize(("declared", "expected"), [(["sip"], "PASS"), ([], "UNSUPPORTED"), (None, "PASS")])
def test_a_missing_capability_is_declared_not_inferred(declared: list[str] | None, expected: str) -> None:
    one = scenario("gmail.com receives: <a/>", "needs: [sip]")
    system = {"name": "x"} if declared is None else {"name": "x", "capabilities": declared}

    assert outcome(one, played(one, A, system=system)) == expected


def test_a_step_can_find_a_capability_missing() -> None:
    assert outcome(TWO, played(TWO, A, {"outcome": "unsupported", "seen": {"capability": "sip"}})) == "UNSUPPORTED"


# -- faults and deaths

FAULTY = scenario("DNS answers: {gmail.com: servfail}\ngmail.com receives: <a/>")


@pytest.mark.parametrize(("fired", "seen", "expected"), [
    ("gmail.com servfail", A, "PASS"), ("other", A, "INCONCLUSIVE"), ("other", B, "FAIL"),
])  # fmt: skip
def test_a_fault_that_did_not_fire_proves_nothing(fired: str, seen: dict[str, Any], expected: str) -> None:
    fault = Entry(at=1, kind="fault", actor="dns", data={"name": fired, "count": 1})

    assert outcome(FAULTY, played(FAULTY, {"faults": ["gmail.com servfail"]}, [fault, record(seen)])) == expected


def test_the_death_of_the_system_is_its_failure() -> None:
    log = Entry(at=1, kind="log", actor="system", data={"text": "segmentation\nfault"})
    death = problem("exit code -11", "system")
    one = scenario("gmail.com receives: <b/>", "given: [{gmail.com receives: <a/>}]")

    for journal in (played(one, [log, death, record(B)]), [*played(one, A, B), log, death]):
        verdict = judge(one, journal)

        assert verdict.outcome is Outcome.FAIL
        assert verdict.reason == "the system failed: exit code -11; its last log lines: segmentation fault"
        assert verdict.broken == ("A-1",)


def test_a_death_that_was_announced_is_none() -> None:
    death = problem("exit code 0", "system")
    one = scenario("gmail.com receives: <a/>\nthe system stops\ngmail.com is disconnected: system-shutdown")
    seen = {"ended": {"condition": "system-shutdown"}}

    assert outcome(one, played(one, A, [death, record()], seen)) == "PASS"
    assert outcome(one, played(one, A, {}, [death, record(seen)])) == "PASS"
    assert outcome(one, played(one, [death, record(A)], {}, seen)) == "FAIL"


def test_a_system_that_was_started_again_must_live() -> None:
    death = problem("exit code 1", "system")
    one = scenario("the system stops\nthe system starts\ngmail.com receives: <a/>")

    assert outcome(one, played(one, {}, {}, [death, record(A)])) == "FAIL"


def test_a_shutdown_may_end_every_stream() -> None:
    one = scenario("gmail.com receives: <a/>\nthe system stops\nalice@contoso.com is accepted")
    seen = {"delivered": {"what": "accepted"}}

    assert outcome(one, played(one, A, [ended("system-shutdown"), record()], seen)) == "PASS"
    assert outcome(one, played(one, [ended("system-shutdown"), record(A)], {}, seen)) == "FAIL"
    assert outcome(one, played(one, A, [ended("reset"), record()], seen)) == "FAIL"


# -- for all journals

KEYS = ["part", "index", "outcome", "seen", "consumed", "captures", "xml", "what", "condition", "by", "text"]
WORDS = ["steps", "given", "teardown", "done", "them", "<a/>", "message"]
VALUES = st.one_of(
    st.none(),
    st.integers(-2, 5),
    st.sampled_from(WORDS),
    st.lists(st.integers(-1, 9), max_size=3),
    st.dictionaries(st.sampled_from(["xml", "ended"]), st.just("<a/>")),
)
ENTRIES = st.builds(
    Entry,
    at=st.just(0.0),
    kind=st.sampled_from(sorted(KINDS)),
    actor=st.sampled_from(["", "gmail.com", "system"]),
    data=st.dictionaries(st.sampled_from(KEYS), VALUES),
)


@given(st.lists(ENTRIES, max_size=12))
def test_no_journal_breaks_the_judge(entries: list[Entry]) -> None:
    run = Entry(at=0, kind="run", data={"scenario": TWO.id})

    assert judge(TWO, [run, *entries]) == judge(TWO, [run, *entries])


@given(st.permutations(list(Outcome)), st.integers(1, 7))
def test_the_worst_is_the_worst_in_any_order(outcomes: list[Outcome], many: int) -> None:
    chosen = outcomes[:many]

    assert worst_of(chosen).severity == max(one.severity for one in chosen)
    assert worst_of([]) is Outcome.ERROR


def test_a_saved_journal_gives_the_same_verdict(tmp_path: Path) -> None:
    for entries in (played(TWO, A, B), played(TWO, B), played(TWO, [delivered("message", body="Psst"), record(A)], B)):
        journal = Journal(lambda: 0.0)
        journal.entries = entries
        journal.save(tmp_path / "journal.jsonl")

        assert judge(TWO, load(tmp_path / "journal.jsonl")) == judge(TWO, entries)
