"""Expected against seen for every judge, and what levels, alternatives and deadlines make of it."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.scenario.evidence import EXPECTS
from simulator.scenario.steps import VERBS
from simulator.verdict import judge_step, stream_is_over
from simulator.verdict.compare import JUDGES
from tests.verdict.journals import scenario

ENDED = {"condition": "host-unknown", "text": "no contoso here", "closing_tag": True, "tcp": "fin", "by": "them"}
CLEAN = {"condition": None, "closing_tag": False, "tcp": "reset", "by": "them"}
LATE = ENDED | {"condition": "connection-timeout", "text": ""}
FEATURES = "<stream:features><dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></stream:features>"
MECHANISMS = (
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>"
    "</stream:features>"
)
MESSAGE = {"what": "message", "from": "juliet@gmail.com/balcony", "body": "Hi"}
REFUSAL = {"what": "refusal", "conditions": ["forbidden", "not-allowed"], "code": 403}
DIAGNOSED = REFUSAL | {"diagnostics": '1012;reason="federation is off"'}

TABLE: list[tuple[str, dict[str, Any], str]] = [
    ("gmail.com connects", {"connected": True, "header": {}}, ""),
    ("gmail.com connects", {"connected": True, "ended": ENDED}, ""),
    ("gmail.com connects", {"connected": False, "why": "refused"}, "/connection: expected a connection, got refused"),
    ("gmail.com receives: <a/>", {"xml": "<a/>"}, ""),
    ("gmail.com receives: <a/>", {"xml": "<a>x</a>"}, '/a: expected no text, got "x"'),
    ("gmail.com receives: <a/>", {"ended": ENDED},
     "/stream: expected <a/>, got the end of the stream with host-unknown"),
    ("gmail.com is asked to verify", {"xml": "<db:verify from='a' to='b' id='c'>key</db:verify>"}, ""),
    ("gmail.com is asked to verify", {"xml": "<db:result/>"}, "/verify: expected"),
    ("gmail.com is authenticated", {"xml": "<db:result from='a' to='b' type='valid'/>"}, ""),
    ("gmail.com is authenticated", {"xml": "<db:result from='a' to='b' type='invalid'/>"}, "/result/@type"),
    ("gmail.com is authenticated", {"xml": "<db:result from='a' to='b'/>"}, "/result/@type"),
    ("gmail.com is authenticated", {"ended": ENDED}, "/stream"),
    ("gmail.com is authenticated", {"connected": False, "why": "refused"}, "/connection"),
    ("gmail.com receives a header: {id: '{id}', to: null}", {"header": {"id": "7"}}, ""),
    ("gmail.com receives a header: {id: '{id}'}", {"header": {"from": "a"}}, "/header/id: expected"),
    ("gmail.com receives a header: {to: null}", {"header": {"to": "a"}}, '/header/to: expected nothing, got "a"'),
    ("gmail.com receives a header: {version: 1.0}", {"header": {"version": "1.0"}}, ""),
    ("gmail.com receives a header: {version: '1.0'}", {"ended": ENDED}, "/header: expected a stream header"),
    ("gmail.com receives features: none", {}, ""),
    ("gmail.com receives features: none", {"features": FEATURES}, "/features: expected no features"),
    ("gmail.com receives features: <stream:features>...</stream:features>", {"features": FEATURES}, ""),
    ("gmail.com receives features: <stream:features/>", {"features": FEATURES}, "/features/dialback: expected nothing"),
    ("gmail.com receives features: [\"<dialback xmlns='urn:xmpp:features:dialback'>...</dialback>\"]",
     {"features": FEATURES}, ""),
    ("gmail.com receives features: [\"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\"]",
     {"features": FEATURES}, "/features/starttls: expected"),
    ("gmail.com receives features: {mechanisms: []}", {"features": FEATURES}, ""),
    ("gmail.com receives features: {mechanisms: [EXTERNAL]}", {"features": FEATURES},
     "/features/mechanisms: expected EXTERNAL, got no mechanism"),
    ("gmail.com receives features: {mechanisms: []}", {"features": MECHANISMS},
     "/features/mechanisms: expected no mechanism, got EXTERNAL"),
    ("gmail.com receives features: {mechanisms: []}", {}, "/features: expected stream features, got nothing"),
    ("gmail.com receives features: []", {}, "/features: expected stream features, got nothing"),
    ("gmail.com is disconnected", {"ended": CLEAN}, ""),
    ("gmail.com is disconnected", {"ended": ENDED}, ""),
    ("gmail.com is disconnected", {"ended": LATE},
     '/stream/error: expected an end because of what was sent, got "connection-timeout"'),
    ("gmail.com is disconnected: {closing-tag: true}", {"ended": LATE},
     '/stream/error: expected an end because of what was sent, got "connection-timeout"'),
    ("gmail.com is disconnected: connection-timeout", {"ended": LATE}, ""),
    ("gmail.com is disconnected: '...'", {"ended": LATE}, ""),
    ("gmail.com is disconnected: host-unknown", {"ended": ENDED}, ""),
    ("gmail.com is disconnected: host-gone", {"ended": ENDED},
     '/stream/error/condition: expected "host-gone", got "host-unknown"'),
    ("gmail.com is disconnected: host-gone", {"ended": CLEAN},
     '/stream/error/condition: expected "host-gone", got the end of the stream without a stream error'),
    ("gmail.com is disconnected: {condition: null}", {"ended": CLEAN}, ""),
    ("gmail.com is disconnected: {condition: null}", {"ended": ENDED}, "/stream/error/condition: expected nothing"),
    ("gmail.com is disconnected: {closing-tag: true}", {"ended": ENDED}, ""),
    ("gmail.com is disconnected: {closing-tag: true}", {"ended": CLEAN}, "/stream: expected a closing tag, got no"),
    ("gmail.com is disconnected: {text: contoso}", {"ended": ENDED}, ""),
    ("gmail.com is disconnected: {text: gmail}", {"ended": ENDED}, "/stream/error/text"),
    ("gmail.com is disconnected", {"xml": "<a/>"}, "/stream: expected the end of the stream, got <a/>"),
    ("gmail.com stays connected", {"connected": True}, ""),
    ("gmail.com stays connected", {"ended": ENDED}, "/stream: expected the stream to stay, got the end"),
    ("alice@contoso.com receives a message: Hi", {"delivered": MESSAGE}, ""),
    ("alice@contoso.com receives a message: Ho", {"delivered": MESSAGE}, '/message/body: expected "Ho", got "Hi"'),
    ("alice@contoso.com receives a message: {from: juliet@gmail.com}", {"delivered": MESSAGE}, ""),
    ("alice@contoso.com receives a message: {from: romeo@gmail.com}", {"delivered": MESSAGE}, "/message/from"),
    ("alice@contoso.com receives a message: Hi", {"delivered": REFUSAL}, "/message: expected a message, got refusal"),
    ("alice@contoso.com is refused", {"delivered": REFUSAL}, ""),
    ("alice@contoso.com is refused: not-allowed", {"delivered": REFUSAL}, ""),
    ("alice@contoso.com is refused: [gone, forbidden]", {"delivered": REFUSAL}, ""),
    ("alice@contoso.com is refused: [gone, redirect]", {"delivered": REFUSAL},
     "/refusal/condition: expected gone or redirect, got forbidden or not-allowed"),
    ("alice@contoso.com is refused: {condition: forbidden, code: 403}", {"delivered": REFUSAL}, ""),
    ("alice@contoso.com is refused: {condition: forbidden, code: 404}", {"delivered": REFUSAL}, "/refusal/code"),
    ("alice@contoso.com is refused: {diagnostics: 1012}", {"delivered": DIAGNOSED}, ""),
    ("alice@contoso.com is refused: {diagnostics: 1002}", {"delivered": DIAGNOSED},
     '/refusal/diagnostics: expected "1002", got "1012"'),
    ("alice@contoso.com is refused: {diagnostics: 1012}", {"delivered": REFUSAL}, "/refusal/diagnostics"),
    ("alice@contoso.com is refused: {diagnostics: null}", {"delivered": REFUSAL}, ""),
    ("alice@contoso.com is refused: gone", {"delivered": {"what": "refusal"}},
     "/refusal/condition: expected gone, got none"),
    ("alice@contoso.com is refused", {"delivered": {"what": "accepted"}}, "/refusal: expected a refusal, got accepted"),
    ("alice@contoso.com is accepted", {"delivered": {"what": "accepted"}}, ""),
    ("alice@contoso.com is accepted: {id: two}", {"delivered": {"what": "accepted", "id": "two"}}, ""),
    ("alice@contoso.com is accepted: {id: two}", {"delivered": {"what": "accepted", "id": "one"}}, "/answer/id"),
    ("alice@contoso.com is accepted", {"delivered": REFUSAL}, "/answer: expected accepted, got refusal"),
    ("DNS is asked: _xmpp-server._tcp.gmail.com SRV",
     {"query": {"name": "_XMPP-server._tcp.gmail.com.", "type": "SRV", "transport": "udp"}}, ""),
    ("DNS is asked: gmail.com SRV", {"query": {"name": "gmail.com", "type": "A"}}, "/query: expected gmail.com srv"),
    ("DNS is asked: {name: gmail.com, transport: tcp}",
     {"query": {"name": "gmail.com", "type": "A", "transport": "udp"}}, "/query"),
    ("the system refuses its settings", {"refusal": "no"}, ""),
    ("the system refuses its settings: SASL or dialback", {"refusal": "f.yaml:3: sasl\n or Dialback must be on"}, ""),
    ("the system refuses its settings: TLS", {"refusal": "SASL"}, '/settings: expected "TLS", got "SASL"'),
    ("the system refuses its settings", {}, "/settings: expected the system to refuse its settings, got it started"),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "seen", "reason"), TABLE)
def test_the_table_of_steps_holds(sentence: str, seen: dict[str, Any], reason: str) -> None:
    played = scenario(sentence)
    verdict = judge_step(played.steps[0], {"seen": seen}, {})

    assert verdict.outcome.value == ("FAIL" if reason else "PASS"), verdict
    assert verdict.reason.startswith(reason)


def test_every_judge_exists_and_is_explained() -> None:
    assert {verb.expects for verb in VERBS.values()} == set(JUDGES) == set(EXPECTS)


def test_a_reset_for_a_fin_is_a_note() -> None:
    played = scenario("gmail.com is disconnected: {tcp: fin}")
    verdict = judge_step(played.steps[0], {"seen": {"ended": CLEAN}}, {})

    assert (verdict.outcome.value, verdict.notes) == ("PASS", ("the connection ended with reset, not fin",))


RECEIVES = """\
gmail.com receives: <a/>
  level: {level}
  or:
  - {{expect: <b/>, because: RFC 1}}
  - {{is disconnected: reset, because: RFC 2}}
  - {{has received nothing: , because: RFC 3}}
"""


@pytest.mark.parametrize(
    ("level", "record", "outcome", "because", "ends"),
    [
        ("must", {"seen": {"xml": "<a/>"}}, "PASS", "", False),
        ("must", {"seen": {"xml": "<b/>"}}, "ALTERNATIVE", "RFC 1", False),
        ("must", {"seen": {"ended": {"condition": "reset"}}}, "ALTERNATIVE", "RFC 2", True),
        ("must", {"seen": {"ended": {"condition": "conflict"}}}, "FAIL", "", False),
        ("must", {"outcome": "deadline", "seen": {}}, "ALTERNATIVE", "RFC 3", False),
        # That silence is allowed does not allow another noise.
        ("must", {"seen": {"xml": "<c/>"}}, "FAIL", "", False),
        ("should", {"seen": {"xml": "<c/>"}}, "WARN", "", False),
        ("may", {"seen": {"xml": "<c/>"}}, "ALTERNATIVE", "a MAY: the text leaves it open", False),
    ],
)
def test_levels_and_alternatives(level: str, record: dict[str, Any], outcome: str, because: str, ends: bool) -> None:
    played = scenario(RECEIVES.format(level=level))
    verdict = judge_step(played.steps[0], record, {})

    assert (verdict.outcome.value, verdict.because, verdict.ends_stream) == (outcome, because, ends)
    assert verdict.goes_on == (outcome != "FAIL")


WANTED = "gmail.com receives: <a/>"
LATE = {"outcome": "deadline", "seen": {"waiting_for": "an element", "within": 3.0}}
SLOW = {"outcome": "deadline"}


@pytest.mark.parametrize(
    ("sentence", "record", "outcome", "reason"),
    [
        (WANTED, LATE, "FAIL", "nothing arrived within 3.0 s; waiting for an element"),
        ("gmail.com stays connected", SLOW, "FAIL", "nothing arrived in time; waiting for gmail.com"),
        ("gmail.com has received nothing", SLOW, "INCONCLUSIVE", "nothing arrived in time"),
        ("DNS is not asked: a A", SLOW, "INCONCLUSIVE", "nothing arrived in time"),
        (WANTED, {"outcome": "unsupported", "seen": {"capability": "sip"}}, "UNSUPPORTED", "the system lacks: sip"),
        (WANTED, {"outcome": "unreached", "seen": {"why": "no\nstream"}}, "INCONCLUSIVE", "no stream"),
        (WANTED, {"outcome": "problem", "seen": {"text": "KeyError"}}, "ERROR", "KeyError"),
        (WANTED, {"outcome": "splendid"}, "ERROR", "no outcome of a step is called 'splendid'"),
    ],
)
def test_a_step_that_was_not_done(sentence: str, record: dict[str, Any], outcome: str, reason: str) -> None:
    played = scenario(sentence)
    verdict = judge_step(played.steps[0], record, {})

    assert verdict.outcome.value == outcome
    assert verdict.reason.startswith(reason)
    assert not verdict.goes_on


def test_an_unmet_precondition_is_inconclusive() -> None:
    played = scenario("gmail.com receives: <b/>", "given: [{gmail.com receives: <a/>}]")
    verdict = judge_step(played.given[0], {"seen": {"xml": "<c/>"}}, {})

    assert verdict.outcome.value == "INCONCLUSIVE"
    assert verdict.reason.startswith("the precondition was not reached: /a: expected")


def test_names_are_captured_and_recast() -> None:
    played = scenario("gmail.com receives: <a from='gmail.com' id='{id}'/>")
    record = {"seen": {"xml": "<a from='gmail-1.com' id='7'/>"}}
    cast = {"gmail.com": "gmail-1.com"}

    assert judge_step(played.steps[0], record, {}, cast).captures == {"id": "7"}
    assert judge_step(played.steps[0], record, {"id": "8"}, cast).outcome.value == "FAIL"
    assert judge_step(played.steps[0], record, {}).outcome.value == "FAIL"


def test_an_alternative_end_skips_the_rest_of_its_stream_only() -> None:
    played = scenario("""\
gmail.com connects as two
gmail.com on two receives: <a/>
gmail.com on two stays connected
gmail.com stays connected
gmail.com has received nothing
gmail.com is authenticated as two
alice@contoso.com has received nothing
""")

    assert [stream_is_over(step, {("gmail.com", "two")}) for step in played.steps] == [
        False, True, True, False, False, False, False,
    ]  # fmt: skip
