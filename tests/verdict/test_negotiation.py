"""A negotiation is judged by what its act reports and by what the journal shows; the journal knows better."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.journal import Entry
from simulator.scenario.model import Scenario
from simulator.verdict import Outcome, does_not_apply, judge, judge_step
from tests.verdict.journals import played, record, scenario

EXTERNAL, OVER_TLS, OVER_TCP = "SASL EXTERNAL over TLS", "dialback over TLS", "dialback over TCP"
TOWARDS, BACK = ["gmail.com", "contoso.com"], ["contoso.com", "gmail.com"]

INBOUND = f"gmail.com negotiates: {{direction: inbound, outcome: {OVER_TLS}, back: [{OVER_TLS}]}}"
OUTBOUND = f"gmail.com negotiates: {{direction: outbound, outcome: {EXTERNAL}}}"
REFUSED = (
    "gmail.com negotiates: "
    "{direction: inbound, outcome: refused, at: dialback, by: dialback error, condition: policy-violation}"
)
TOLERANT = f"""\
gmail.com negotiates: {{direction: inbound, outcome: {OVER_TLS}}}
  or: [{{expect: {{direction: inbound, outcome: refused, at: tls}}, because: RFC 6120 §13.7.2}}]
juliet@gmail.com sends a message: {{to: alice@contoso.com, body: Hi}}
  when: authenticated
alice@contoso.com is refused: remote-server-timeout
  when: refused
"""


def secured(stream: str = "one") -> Entry:
    return Entry(at=1, kind="secured", actor="gmail.com", stream=stream, data={"version": "TLSv1.3"})


def authenticated(method: str, pair: list[str] = TOWARDS, stream: str = "one") -> Entry:
    data: dict[str, Any] = {"method": method, "pair": pair}

    return Entry(at=1, kind="authenticated", actor="gmail.com", stream=stream, data=data)


def verdict(step: str, seen: dict[str, Any], *entries: Entry) -> tuple[Outcome, str]:
    one = scenario(step)
    result = judge(one, played(one, [*entries, record(seen)]))

    return result.outcome, result.reason


def refused(**fields: str) -> dict[str, Any]:
    return {"refused": {"at": "dialback", "by": "dialback error", "condition": "policy-violation", **fields}}


# -- by the report


@pytest.mark.parametrize(
    ("step", "seen", "reason"),
    [
        (INBOUND, {"method": OVER_TLS}, ""),
        (INBOUND, {"method": OVER_TCP}, "/negotiation: expected dialback over TLS, got dialback over TCP"),
        (INBOUND, refused(), "got refused at dialback by dialback error policy-violation"),
        (INBOUND, {"connected": False, "why": "nobody listens"}, "got no connection (nobody listens)"),
        (REFUSED, refused(), ""),
        (REFUSED, refused(then="not-authorized"), ""),
        (REFUSED, refused(then="policy-violation"), ""),
        (REFUSED, refused(then="end of the connection"), ""),
        (REFUSED, refused(then="silence"), "/negotiation/stanza: expected end of the connection or not-authorized or"),
        (REFUSED, refused(then="connection-timeout"), "got connection-timeout"),
        (REFUSED, refused(at="starttls"), "got refused at starttls"),
        (REFUSED, refused(by="stream error"), "got refused at dialback by stream error policy-violation"),
        (REFUSED, refused(condition="not-authorized"), "by dialback error not-authorized"),
        (REFUSED, {"refused": {}}, "got refused"),
        (REFUSED, {"method": OVER_TLS}, "got dialback over TLS"),
        (REFUSED, {}, "got nothing"),
    ],
)
def test_the_report_is_held_against_the_step(step: str, seen: dict[str, Any], reason: str) -> None:
    one = scenario(step)
    judged = judge_step(one.steps[0], {"seen": seen}, {})

    assert judged.outcome is (Outcome.FAIL if reason else Outcome.PASS)
    assert reason in judged.reason


def test_what_is_not_named_is_not_compared() -> None:
    one = scenario("gmail.com negotiates: {direction: outbound, outcome: refused, at: dialback}")

    assert judge_step(one.steps[0], {"seen": refused()}, {}).outcome is Outcome.PASS


# -- by the journal


def test_what_was_reported_and_is_on_record_passes() -> None:
    assert verdict(INBOUND, {"method": OVER_TLS}, secured(), authenticated(OVER_TLS)) == (Outcome.PASS, "")
    assert verdict(REFUSED, refused()) == (Outcome.PASS, "")


def test_a_journal_with_another_method_fails() -> None:
    assert verdict(INBOUND, {"method": OVER_TLS}, secured(), authenticated(EXTERNAL)) == (
        Outcome.FAIL,
        "the journal shows SASL EXTERNAL over TLS on the stream one, not dialback over TLS",
    )


def test_a_journal_without_any_method_fails() -> None:
    assert verdict(INBOUND, {"method": OVER_TLS}, secured()) == (
        Outcome.FAIL,
        "the journal shows no stream that was authenticated, not dialback over TLS",
    )


def test_a_journal_without_tls_fails_what_was_said_to_be_over_it() -> None:
    for before in ([], [secured("other")]):
        outcome, reason = verdict(INBOUND, {"method": OVER_TLS}, *before, authenticated(OVER_TLS))
        assert (outcome, reason) == (Outcome.FAIL, "the journal shows dialback over TLS on the stream one without TLS")


def test_tls_that_comes_later_does_not_count() -> None:
    assert verdict(INBOUND, {"method": OVER_TLS}, authenticated(OVER_TLS), secured())[0] is Outcome.FAIL


def test_a_journal_with_tls_fails_what_was_said_to_be_in_plain() -> None:
    step = f"gmail.com negotiates: {{direction: inbound, outcome: {OVER_TCP}}}"
    outcome, reason = verdict(step, {"method": OVER_TCP}, secured(), authenticated(OVER_TCP))

    assert (outcome, reason) == (Outcome.FAIL, "the journal shows dialback over TCP on the stream one after TLS")
    assert verdict(step, {"method": OVER_TCP}, authenticated(OVER_TCP))[0] is Outcome.PASS


def test_who_is_authenticated_after_all_was_not_refused() -> None:
    one = scenario(REFUSED)
    later = played(one, record(refused()).data, after=(secured(), authenticated(OVER_TLS)))

    assert judge(one, later).outcome is Outcome.FAIL
    assert "not refused at dialback" in judge(one, later).reason


def test_the_other_direction_is_held_against_what_it_may_come_to() -> None:
    proof = [secured(), authenticated(OVER_TLS)]
    allowed = [*proof, secured("two"), authenticated(OVER_TLS, BACK, "two")]
    wrong = [*proof, secured("two"), authenticated(EXTERNAL, BACK, "two")]

    assert verdict(INBOUND, {"method": OVER_TLS}, *allowed)[0] is Outcome.PASS
    assert verdict(INBOUND, {"method": OVER_TLS}, *wrong) == (
        Outcome.FAIL,
        "the journal shows SASL EXTERNAL over TLS on the stream two, not dialback over TLS in this direction",
    )


def test_a_step_that_says_nothing_of_the_other_direction_lets_it_be() -> None:
    proof = [secured(), authenticated(EXTERNAL, BACK), authenticated(OVER_TCP, TOWARDS, "two")]

    assert verdict(OUTBOUND, {"method": EXTERNAL}, *proof)[0] is Outcome.PASS


def test_the_direction_is_told_by_who_proved_himself() -> None:
    assert verdict(OUTBOUND, {"method": EXTERNAL}, secured(), authenticated(EXTERNAL, TOWARDS))[0] is Outcome.FAIL


def test_proofs_of_another_partner_say_nothing() -> None:
    other = Entry(at=1, kind="authenticated", actor="x.org", stream="s", data={"method": OVER_TLS, "pair": TOWARDS})

    assert verdict(REFUSED, refused(), other)[0] is Outcome.PASS


def test_real_names_are_those_of_the_journal() -> None:
    one = scenario(INBOUND)
    proof = Entry(
        at=1, kind="authenticated", actor="gmail-x.com", stream="one", data={"method": OVER_TLS, "pair": ["a"]}
    )
    tls = Entry(at=1, kind="secured", actor="gmail-x.com", stream="one")
    journal = played(one, [tls, proof, record({"method": OVER_TLS})], cast={"gmail.com": "gmail-x.com"})

    assert judge(one, journal).outcome is Outcome.PASS


# -- alternatives, and steps for one outcome only


def test_an_alternative_must_be_on_record_as_well() -> None:
    one = scenario(TOLERANT)
    refusal = {"delivered": {"what": "refusal", "condition": "remote-server-timeout"}}
    rest: list[dict[str, Any]] = [{"outcome": "skipped"}, refusal]

    assert judge(one, played(one, {"refused": {"at": "tls"}}, *rest)).outcome is Outcome.ALTERNATIVE
    assert judge(one, played(one, [authenticated(OVER_TCP), record({"refused": {"at": "tls"}})], *rest)).outcome is (
        Outcome.FAIL
    )


def test_steps_for_the_other_outcome_are_skipped() -> None:
    one = scenario(TOLERANT)
    journal = played(
        one, [secured(), authenticated(OVER_TLS), record({"method": OVER_TLS})], {}, {"outcome": "skipped"}
    )

    assert judge(one, journal).outcome is Outcome.PASS


def test_a_step_that_applies_must_not_be_skipped() -> None:
    one = scenario(TOLERANT)
    proof = [secured(), authenticated(OVER_TLS), record({"method": OVER_TLS})]
    result = judge(one, played(one, proof, {"outcome": "skipped"}, {"outcome": "skipped"}))

    assert result.outcome is Outcome.ERROR


@pytest.mark.parametrize(
    ("seen", "applies"),
    [
        ({"method": OVER_TLS}, [True, True, False]),
        ({"refused": {"at": "tls"}}, [True, False, True]),
        ({}, [True, False, False]),
    ],
)
def test_what_was_negotiated_says_which_steps_apply(seen: dict[str, Any], applies: list[bool]) -> None:
    one: Scenario = scenario(TOLERANT)
    negotiated = judge_step(one.steps[0], {"seen": seen}, {}).negotiated

    assert [not does_not_apply(step, negotiated) for step in one.steps] == applies
