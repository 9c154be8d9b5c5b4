"""SASL EXTERNAL at both ends: every state with every event, base 64 to the letter, and the two ends together."""

from __future__ import annotations

import base64
import itertools
from functools import partial
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.xmpp import starttls
from simulator.xmpp.element import parse_element
from simulator.xmpp.errors import SASLCondition
from simulator.xmpp.external import (
    INITIATING,
    RECEIVING,
    RETRIES,
    Answer,
    Initiating,
    InitiatingState,
    Reaction,
    Receiving,
    ReceivingState,
    Request,
    Sends,
    judge_authzid,
)
from simulator.xmpp.namespaces import SASL
from simulator.xmpp.sasl import (
    ABORT,
    AUTH,
    CHALLENGE,
    FAILURE,
    RESPONSE,
    SUCCESS,
    decode,
    encode,
    failure,
    failure_condition,
    is_sasl,
    mechanisms,
    offered_mechanisms,
)

#: how each request is written
REQUESTS = {
    Request.AUTH: f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>",
    Request.BARE_AUTH: f"<auth xmlns='{SASL}' mechanism='EXTERNAL'/>",
    Request.OTHER_AUTH: f"<auth xmlns='{SASL}' mechanism='PLAIN'>=</auth>",
    Request.RESPONSE: f"<response xmlns='{SASL}'>=</response>",
    Request.ABORT: f"<abort xmlns='{SASL}'/>",
    Request.BADLY_ENCODED: f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>*</auth>",
    Request.MALFORMED: f"<success xmlns='{SASL}'/>",
}
ANSWERS = {
    Answer.CHALLENGE: f"<challenge xmlns='{SASL}'/>",
    Answer.CHALLENGE_WITH_DATA: f"<challenge xmlns='{SASL}'>YQ==</challenge>",
    Answer.SUCCESS: f"<success xmlns='{SASL}'/>",
    Answer.FAILURE: f"<failure xmlns='{SASL}'><invalid-authzid/></failure>",
    Answer.OTHER: f"<auth xmlns='{SASL}'/>",
}


def receiving(sender: str = "gmail.com") -> Receiving:
    return Receiving(partial(_judge, sender))


def _judge(sender: str, authzid: str) -> SASLCondition | None:
    return judge_authzid(authzid, sender)


def said(mechanism: str | None, text: str, tag: str = AUTH) -> Element:
    element = Element(tag, {} if mechanism is None else {"mechanism": mechanism})
    element.text = text

    return element


def test_the_tables_have_a_key_for_everything_that_can_be_said() -> None:
    assert set(RECEIVING) == set(itertools.product(ReceivingState, Request))
    assert set(INITIATING) == set(itertools.product(InitiatingState, Answer))


def brought(state: ReceivingState) -> Receiving:
    exchange = receiving()

    if state is ReceivingState.CHALLENGED:
        exchange.handle(parse_element(REQUESTS[Request.BARE_AUTH]))
    elif state is ReceivingState.SUCCEEDED:
        exchange.handle(parse_element(REQUESTS[Request.AUTH]))

    assert exchange.state is state

    return exchange


_S = ReceivingState
CONDITIONS = {
    Request.OTHER_AUTH: "invalid-mechanism",
    Request.ABORT: "aborted",
    Request.BADLY_ENCODED: "incorrect-encoding",
    Request.MALFORMED: "malformed-request",
}


@pytest.mark.parametrize(("state", "request_"), list(itertools.product(ReceivingState, Request)))
def test_every_request_is_answered_in_every_state(state: ReceivingState, request_: Request) -> None:
    exchange = brought(state)
    reply = exchange.handle(parse_element(REQUESTS[request_]))
    assert reply.element is not None
    good = request_ is Request.AUTH or (request_ is Request.RESPONSE and state is _S.CHALLENGED)

    if state is _S.SUCCEEDED:
        assert (reply.condition, exchange.state) == ("not-authorized", _S.SUCCEEDED)
    elif good:
        assert (reply.element.tag, reply.succeeded, exchange.state) == (SUCCESS, True, _S.SUCCEEDED)
    elif request_ is Request.BARE_AUTH:
        assert (reply.element.tag, len(reply.element), exchange.state) == (CHALLENGE, 0, _S.CHALLENGED)
        assert not reply.element.text
    else:
        assert reply.condition == CONDITIONS.get(request_, "malformed-request")
        assert exchange.state is _S.IDLE

    assert (reply.element.tag == FAILURE) == (reply.condition is not None)


@pytest.mark.parametrize(
    ("authzid", "condition"),
    [
        ("", None),
        ("gmail.com", None),
        ("GMAIL.com", None),
        ("gmail.com.", None),
        ("googlemail.com", "invalid-authzid"),
        ("sub.gmail.com", "invalid-authzid"),
        ("juliet@gmail.com", "invalid-authzid"),
        ("gmail.com/res", "invalid-authzid"),
        ("@gmail.com", "invalid-authzid"),
        ("gmail.com ", "invalid-authzid"),
        (" ", "invalid-authzid"),
        ("gmail.com\0", "malformed-request"),
    ],
)
@pytest.mark.parametrize("challenged", [False, True])
def test_only_the_domain_of_the_stream_will_do(authzid: str, condition: str | None, challenged: bool) -> None:
    exchange = receiving()
    tag = AUTH

    if challenged:
        exchange.handle(said("EXTERNAL", ""))
        tag = RESPONSE

    assert exchange.handle(said("EXTERNAL", encode(authzid), tag)).condition == condition


@pytest.mark.parametrize("authzid", ["bücher.example", "xn--bcher-kva.example", "BÜCHER.example"])
def test_a_labels_and_u_labels_are_the_same_domain(authzid: str) -> None:
    assert receiving("bücher.example").handle(said("EXTERNAL", encode(authzid))).succeeded


def test_an_identity_that_is_no_utf_8_is_malformed() -> None:
    text = base64.b64encode(b"\xff").decode()
    assert receiving().handle(said("EXTERNAL", text)).condition == "malformed-request"


@pytest.mark.parametrize("name", [None, "", "external", "External", "PLAIN", "ANONYMOUS", "EXTERNAL ", "EXTERNAL-PLUS"])
def test_only_external_is_a_mechanism(name: str | None) -> None:
    assert receiving().handle(said(name, "=")).condition == "invalid-mechanism"


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "BBBB=CCC",
        "=AAA",
        "Zm9",
        "Zm9v\n",
        "\n=\n",
        " ",
        "Zm9 v",
        "Zh==",
        "Zm9=Zg==",
        "==",
        "====",
        "Zm-_",
        "Zm9vé",
    ],
)
@pytest.mark.parametrize("tag", [AUTH, RESPONSE])
def test_base_64_is_read_to_the_letter(text: str, tag: str) -> None:
    assert decode(text) is None
    exchange = brought(_S.CHALLENGED)
    assert exchange.handle(said("EXTERNAL", text, tag)).condition == "incorrect-encoding"


@given(st.text())
def test_what_is_encoded_is_decoded(text: str) -> None:
    assert decode(encode(text)) == text.encode()


@given(st.text(alphabet="=AQgZ+/ a\n", max_size=12))
def test_one_text_for_one_piece_of_data(text: str) -> None:
    data = decode(text)
    assert data is None or text in (base64.b64encode(data).decode(), "=")


@pytest.mark.parametrize("tag", [AUTH, RESPONSE, ABORT])
def test_elements_within_are_malformed(tag: str) -> None:
    element = said("EXTERNAL", "=", tag)
    element.append(Element("{urn:x}y"))
    assert receiving().handle(element).condition == "malformed-request"


def test_retries_are_counted_whatever_they_fail_of() -> None:
    exchange = receiving()
    wrong = [parse_element(REQUESTS[one]) for one in (Request.OTHER_AUTH, Request.ABORT, Request.BADLY_ENCODED)]

    for number in range(RETRIES + 1):
        assert exchange.handle(wrong[number % 3]).condition is not None

    last = exchange.handle(parse_element(REQUESTS[Request.AUTH]))
    assert (last.element, last.succeeded, last.exhausted) == (None, False, True)
    assert 2 <= RETRIES <= 5


def test_an_attempt_may_succeed_after_failures() -> None:
    exchange = receiving()

    for _ in range(RETRIES):
        assert not exchange.handle(said("PLAIN", "=")).succeeded

    assert exchange.handle(said("EXTERNAL", "=")).succeeded


@given(st.lists(st.sampled_from(list(Request)), max_size=12))
def test_success_comes_once_and_only_for_what_was_asked(requests: list[Request]) -> None:
    exchange, successes = receiving(), 0

    for request in requests:
        before, failures = exchange.state, exchange.failures
        reply = exchange.handle(parse_element(REQUESTS[request]))
        successes += reply.succeeded

        if reply.exhausted:
            assert (failures > RETRIES, exchange.state) == (True, before)
        elif reply.succeeded:
            assert RECEIVING[before, request].reaction is Reaction.JUDGE
        else:
            assert exchange.failures == failures + (reply.condition is not None)

    assert successes == (exchange.state is ReceivingState.SUCCEEDED)


def walked(state: InitiatingState) -> Initiating:
    exchange = Initiating("contoso.com")
    way = {
        InitiatingState.ANSWERED: [Answer.CHALLENGE],
        InitiatingState.ABORTING: [Answer.OTHER],
        InitiatingState.SUCCEEDED: [Answer.SUCCESS],
        InitiatingState.FAILED: [Answer.FAILURE],
    }

    for answer in way.get(state, []):
        exchange.handle(parse_element(ANSWERS[answer]))

    assert exchange.state is state

    return exchange


@pytest.mark.parametrize(("state", "answer"), list(itertools.product(InitiatingState, Answer)))
def test_every_answer_is_taken_in_every_state(state: InitiatingState, answer: Answer) -> None:
    exchange = walked(state)
    reply = exchange.handle(parse_element(ANSWERS[answer]))
    expected, sends = INITIATING[state, answer]

    assert exchange.state is expected
    assert (reply is None) == (sends is Sends.NOTHING)
    assert (exchange.condition is not None) == (expected is InitiatingState.FAILED)

    if sends is Sends.RESPONSE:
        assert reply is not None
        assert (reply.tag, reply.text) == (RESPONSE, "Y29udG9zby5jb20=")
    elif sends is Sends.ABORT:
        assert reply is not None
        assert reply.tag == ABORT


@given(st.lists(st.sampled_from(list(Answer)), max_size=8))
def test_an_exchange_ends_with_the_first_end(answers: list[Answer]) -> None:
    exchange = Initiating("")

    for answer in answers:
        exchange.handle(parse_element(ANSWERS[answer]))

    ends = [answer for answer in answers if answer in (Answer.SUCCESS, Answer.FAILURE)]
    over = {Answer.SUCCESS: InitiatingState.SUCCEEDED, Answer.FAILURE: InitiatingState.FAILED}
    waiting = (InitiatingState.ASKED, InitiatingState.ANSWERED, InitiatingState.ABORTING)
    assert exchange.state in ((over[ends[0]],) if ends else waiting)


@pytest.mark.parametrize("text", ["", "=", "YQ=="])
def test_success_may_bring_data(text: str) -> None:
    exchange = Initiating("")
    exchange.handle(said(None, text, SUCCESS))
    assert exchange.state is InitiatingState.SUCCEEDED


def test_success_with_what_is_no_base_64_is_none() -> None:
    exchange = Initiating("")
    reply = exchange.handle(said(None, "*", SUCCESS))
    assert reply is not None
    assert (reply.tag, exchange.state) == (ABORT, InitiatingState.ABORTING)


@pytest.mark.parametrize(
    ("children", "condition"),
    [
        ("<temporary-auth-failure/>", "temporary-auth-failure"),
        ("<text>x</text><invalid-authzid/>", "invalid-authzid"),
        ("<brand-new/>", "not-authorized"),
        ("<temporary-auth-failure xmlns='urn:x'/>", "not-authorized"),
        ("", "not-authorized"),
    ],
)
def test_an_unknown_condition_means_not_authorized(children: str, condition: str) -> None:
    assert failure_condition(parse_element(f"<failure xmlns='{SASL}'>{children}</failure>")) == condition


@pytest.mark.parametrize("condition", list(SASLCondition))
def test_a_failure_says_what_it_means(condition: SASLCondition) -> None:
    assert failure_condition(failure(condition)) is condition


@pytest.mark.parametrize(("authzid", "text"), [("", "="), ("contoso.com", "Y29udG9zby5jb20=")])
@pytest.mark.parametrize("challenged", [False, True])
def test_the_two_ends_agree(authzid: str, text: str, challenged: bool) -> None:
    judged = receiving("contoso.com")
    asking = Initiating(authzid)
    asked = asking.begin()
    assert (asked.get("mechanism"), asked.text) == ("EXTERNAL", text)

    if challenged:
        asked.text = None

    rounds = 0
    answer: Element | None = asked

    while answer is not None:
        reply = judged.handle(answer)
        assert reply.element is not None
        answer = asking.handle(reply.element)
        rounds += 1

    assert rounds == 1 + challenged
    assert asking.state is InitiatingState.SUCCEEDED
    assert judged.state is ReceivingState.SUCCEEDED


def test_mechanisms_are_read_as_they_are_written() -> None:
    features = [starttls.feature(), mechanisms("EXTERNAL", "SCRAM-SHA-1"), mechanisms()]
    assert offered_mechanisms(features) == ("EXTERNAL", "SCRAM-SHA-1")
    assert [is_sasl(feature) for feature in features] == [False, True, True]


@pytest.mark.parametrize(
    ("features", "offered", "mandatory"),
    [
        ((), False, False),
        ((starttls.feature(),), True, True),
        ((starttls.feature(required=True),), True, True),
        ((starttls.feature(), mechanisms()), True, False),
        ((mechanisms(), starttls.feature(required=True)), True, True),
        ((mechanisms(),), False, False),
    ],
)
def test_a_sole_or_required_starttls_is_mandatory(
    features: tuple[Element, ...], offered: bool, mandatory: bool
) -> None:
    assert (starttls.is_offered(features), starttls.is_mandatory(features)) == (offered, mandatory)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", True),
        ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'> </starttls>", True),
        ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>now</starttls>", False),
        ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>", False),
        ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", False),
        ("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", False),
    ],
)
def test_a_command_says_nothing_but_its_name(text: str, good: bool) -> None:
    assert starttls.is_well_formed(parse_element(text)) is good
    assert starttls.is_well_formed(starttls.command())
