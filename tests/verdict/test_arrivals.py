"""What arrives and was not announced fails the scenario, and a quiet must be proven."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.journal import Entry
from simulator.scenario.model import Scenario
from simulator.verdict import Outcome, judge
from tests.verdict.journals import barrier, delivered, element, ended, played, record, scenario

TWO = scenario("gmail.com receives: <a/>\ngmail.com receives: <b/>")
A, B = {"xml": "<a/>"}, {"xml": "<b/>"}


def outcome(scenario: Scenario, entries: list[Entry]) -> str:
    return judge(scenario, entries).outcome.value


UNANNOUNCED: dict[str, tuple[Entry, str]] = {
    "an element": (element("<c/>"), "gmail.com received what nobody announced: <c/>"),
    "a message": (
        delivered("message", body="Psst"),
        'alice@contoso.com received what nobody announced: message body="Psst"',
    ),
    "a refusal": (
        delivered("refusal", conditions=["forbidden"]),
        "alice@contoso.com received what nobody announced: refusal",
    ),
    "the end with an error": (
        ended("conflict"),
        "gmail.com received what nobody announced: the end of the stream with conflict",
    ),
    "no XMPP": (
        element("", violation="not-well-formed"),
        "gmail.com received what nobody announced: no XMPP: not-well-formed",
    ),
    "no SIP": (
        element("", "alice@contoso.com", violation="Via has no branch", protocol="SIP"),
        "alice@contoso.com received what nobody announced: no SIP: Via has no branch",
    ),
}

HARMLESS = {
    "handled by automation": element("<db:verify/>", handled="verification"),
    "an acknowledgement": delivered("accepted"),
    "an orderly end": ended(""),
    "an end of our own": ended("conflict", by="us"),
    "a log line": Entry(at=1, kind="log", data={"text": "hello"}),
    "bytes": Entry(at=1, kind="received", actor="gmail.com", data={"text": "<c/>"}),
}


@pytest.mark.parametrize("case", UNANNOUNCED.values(), ids=UNANNOUNCED)
def test_what_nobody_announced_fails(case: tuple[Entry, str]) -> None:
    entry, reason = case

    for journal in (played(TWO, [entry, record(A)], B), played(TWO, A, B, after=(entry,))):
        verdict = judge(TWO, journal)

        assert verdict.outcome is Outcome.FAIL
        assert verdict.reason.startswith(reason)
        assert verdict.broken == ("A-1",)


@pytest.mark.parametrize("entry", HARMLESS.values(), ids=HARMLESS)
def test_what_brings_nothing_new_does_not_fail(entry: Entry) -> None:
    assert outcome(TWO, played(TWO, [entry, record(A)], B)) == "PASS"


@pytest.mark.parametrize("case", UNANNOUNCED.values(), ids=UNANNOUNCED)
def test_what_comes_after_teardown_began_is_no_matter(case: tuple[Entry, str]) -> None:
    assert outcome(TWO, [*played(TWO, A, B), case[0]]) == "PASS"


@pytest.mark.parametrize("case", UNANNOUNCED.values(), ids=UNANNOUNCED)
def test_what_a_step_consumed_was_announced(case: tuple[Entry, str]) -> None:
    assert outcome(TWO, played(TWO, [case[0], record(A, 1)], B)) == "PASS"


@pytest.mark.parametrize(
    ("pattern", "entry", "expected"),
    [
        ("<c/>", element("<c/>"), "PASS"),
        ("<c/>", element("<c>x</c>"), "FAIL"),
        ("<c/>", element("<c/>", actor="evil.example"), "FAIL"),
        ("<c to='gmail.com'/>", element("<c to='gmail.com'/>"), "PASS"),
        ("{ends: conflict}", ended("conflict"), "PASS"),
        ("{ends: conflict}", ended("reset"), "FAIL"),
    ],
)
def test_what_may_also_come_is_allowed(pattern: str, entry: Entry, expected: str) -> None:
    partners = "partners: {gmail.com: {}, evil.example: {}}"
    quoted = pattern if pattern.startswith("{") else f'"{pattern}"'
    one = scenario(f"gmail.com receives: <a/>\n  may also receive: [{quoted}]\ngmail.com receives: <b/>", partners)

    assert outcome(one, played(one, A, [entry, record(B)])) == expected
    assert outcome(one, played(one, A, B, after=(entry,))) == expected


def test_arrivals_are_told_apart_by_real_names() -> None:
    one = scenario("gmail.com receives: <a/>\n  may also receive: [\"<c from='gmail.com'/>\"]")
    cast = {"gmail.com": "gmail-1.com"}

    assert (
        outcome(one, played(one, [element("<c from='gmail-1.com'/>", "gmail-1.com"), record(A)], cast=cast)) == "PASS"
    )
    assert outcome(one, played(one, [element("<c from='gmail.com'/>", "gmail-1.com"), record(A)], cast=cast)) == "FAIL"


def test_an_end_that_a_step_judged_is_not_judged_twice() -> None:
    one = scenario("gmail.com receives: <a/>\n  level: should\n  or: [{is disconnected: reset, because: x}]")

    for condition, expected in (("reset", "ALTERNATIVE"), ("conflict", "WARN")):
        seen = {"ended": {"condition": condition}}

        assert outcome(one, played(one, [ended(condition), record(seen)])) == expected
        assert outcome(one, played(one, [ended("host-gone"), record(seen)])) == "FAIL"


def test_an_end_while_connecting_must_be_announced() -> None:
    seen = {"connected": True, "ended": {"condition": "host-unknown"}}
    one = scenario("gmail.com connects\nalice@contoso.com is accepted")
    two = scenario("gmail.com connects\ngmail.com is disconnected: host-unknown")

    accepted = {"delivered": {"what": "accepted"}}
    announced = [record({"ended": {"condition": "host-unknown"}}, 1)]

    assert outcome(one, played(one, [ended("host-unknown"), record(seen)], accepted)) == "FAIL"
    assert outcome(two, played(two, [ended("host-unknown"), record(seen)], announced)) == "PASS"


def test_a_failing_step_tells_what_else_arrived() -> None:
    verdict = judge(TWO, played(TWO, [element("<c/>"), record(B)]))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.step is TWO.steps[0]
    assert verdict.notes == ("gmail.com received what nobody announced: <c/>",)


# -- quiet

QUIET = scenario("gmail.com receives: <a/>\nalice@contoso.com has received nothing\ngmail.com receives: <b/>")
MESSAGE = delivered("message", body="Psst")


@pytest.mark.parametrize(
    ("proof", "expected"),
    [([barrier(by="ping")], "PASS"), ([barrier(quiet_s=0.2)], "PASS"), ([], "INCONCLUSIVE")],
)
def test_a_quiet_needs_its_proof(proof: list[Entry], expected: str) -> None:
    assert outcome(QUIET, played(QUIET, A, [*proof, record()], B)) == expected


def test_a_proof_before_the_step_proves_nothing() -> None:
    assert outcome(QUIET, played(QUIET, [barrier(by="ping"), record(A)], {}, B)) == "INCONCLUSIVE"


def test_an_arrival_breaks_the_quiet() -> None:
    verdict = judge(QUIET, played(QUIET, A, [MESSAGE, barrier(by="ping"), record()], B))

    assert (verdict.outcome, verdict.step) == (Outcome.FAIL, QUIET.steps[1])
    assert "Psst" in verdict.reason


def test_an_arrival_that_a_later_step_takes_breaks_the_quiet_too() -> None:
    one = scenario("alice@contoso.com has received nothing\nalice@contoso.com receives a message: Psst")
    seen = {"delivered": {"what": "message", "body": "Psst"}}

    assert outcome(one, played(one, [MESSAGE, barrier(by="x"), record()], [record(seen, 1)])) == "FAIL"
    assert outcome(one, played(one, [barrier(by="x"), record()], [MESSAGE, record(seen, 3)])) == "PASS"


def test_the_quiet_of_one_is_not_broken_by_another() -> None:
    one = scenario(
        "bob@contoso.com has received nothing\nalice@contoso.com receives a message: Psst",
    )
    seen = {"delivered": {"what": "message", "body": "Psst"}}

    assert outcome(one, played(one, [MESSAGE, barrier(by="x"), record()], [record(seen, 1)])) == "PASS"


@pytest.mark.parametrize(("opened", "expected"), [(0, "PASS"), (1, "PASS"), (2, "FAIL")])
def test_contacts_beyond_those_accepted_are_found(opened: int, expected: str) -> None:
    one = scenario("gmail.com accepts a stream\ngmail.com is not contacted")
    connections = [Entry(at=1, kind="opened", actor="gmail.com", data={"by": "them"}) for _ in range(opened)]
    own = Entry(at=1, kind="opened", actor="gmail.com", data={"by": "us"})

    assert outcome(one, played(one, {}, [own, *connections, barrier(quiet_s=0.1), record()])) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [("alt1.google.com", "FAIL"), ("alt1.google.com.gmail.com", "FAIL"), ("alt2.google.com", "PASS")],
)
def test_contacts_at_one_host_are_told_apart(host: str, expected: str) -> None:
    one = scenario("gmail.com is not contacted: alt1.google.com")
    opened = Entry(at=1, kind="opened", actor="gmail.com", data={"by": "them", "host": host})

    assert outcome(one, played(one, [opened, barrier(quiet_s=0.1), record()])) == expected


def test_a_contact_against_a_recommendation_is_a_warning() -> None:
    one = scenario("gmail.com is not contacted:\n  level: should")
    opened = Entry(at=1, kind="opened", actor="gmail.com", data={"by": "them"})

    assert outcome(one, played(one, [opened, barrier(quiet_s=0.1), record()])) == "WARN"


@pytest.mark.parametrize(("name", "expected"), [("gmail.com.", "FAIL"), ("chat.gmail.com", "PASS")])
def test_a_question_that_was_asked_is_found(name: str, expected: str) -> None:
    one = scenario("DNS is not asked: gmail.com A")
    query = Entry(at=1, kind="query", actor="dns", data={"name": name, "type": "A"})

    assert outcome(one, played(one, [query, barrier(quiet_s=0.1), record()])) == expected


def test_skipped_steps_need_an_end_that_was_allowed() -> None:
    one = scenario(
        "gmail.com receives: <a/>\n  or: [{is disconnected: reset, because: x}]\ngmail.com stays connected\n"
        "alice@contoso.com has received nothing"
    )
    over = [ended("reset"), record({"ended": {"condition": "reset"}}, 1)]
    skipped: dict[str, Any] = {"outcome": "skipped"}

    assert outcome(one, played(one, over, skipped, [barrier(by="x"), record()])) == "ALTERNATIVE"
    assert outcome(one, played(one, A, skipped, [barrier(by="x"), record()])) == "ERROR"
    assert outcome(one, played(one, over, skipped, skipped)) == "ERROR"


def test_a_stream_that_should_have_come_has_no_later_steps() -> None:
    one = scenario("gmail.com accepts a stream:\n  level: should\ngmail.com receives: <a/>")
    late: dict[str, Any] = {"outcome": "deadline", "seen": {"waiting_for": "a stream"}}
    skipped: dict[str, Any] = {"outcome": "skipped"}

    assert outcome(one, played(one, late, skipped)) == "WARN"
    assert outcome(one, played(one, {}, skipped)) == "ERROR"
