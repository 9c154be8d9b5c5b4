"""Presence, decisions, contact lists and states: what is right, what is not, and what nobody announced."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.journal import Entry
from simulator.scenario.model import Scenario
from simulator.scenario.subscription import LISTED
from simulator.verdict import judge
from simulator.verdict.presence import state_of
from tests.verdict.journals import barrier, delivered, played, record, scenario

JULIET, BALCONY = "juliet@gmail.com", "juliet@gmail.com/balcony"
CAPABLE: dict[str, Any] = {"system": {"capabilities": ["presence", "contact-lists", "cmdlets"]}}


def outcome(one: Scenario, *steps: Any, **more: Any) -> str:
    return judge(one, played(one, *steps, **CAPABLE, **more)).outcome.value


def shown(type: str = "available", sender: str = BALCONY, **fields: Any) -> dict[str, Any]:  # noqa: A002
    return {"delivered": {"what": "presence", "from": sender, "type": type, **fields}}


def decided(type: str, sender: str = JULIET) -> dict[str, Any]:  # noqa: A002
    return {"delivered": {"what": "subscription", "from": sender, "type": type}}


#: step, what it saw, what it comes to
STEPS: dict[str, tuple[str, dict[str, Any], str]] = {
    "presence": ("sees juliet@gmail.com: away", shown(show="away"), "PASS"),
    "another show": ("sees juliet@gmail.com: away", shown(show="dnd"), "FAIL"),
    "a show where none should be": ("sees juliet@gmail.com: available", shown(show="away"), "FAIL"),
    "any show": ("sees juliet@gmail.com", shown(show="away"), "PASS"),
    "gone instead": ("sees juliet@gmail.com", shown("unavailable"), "FAIL"),
    "gone": ("sees juliet@gmail.com: unavailable", shown("unavailable"), "PASS"),
    "a note": ("sees juliet@gmail.com: {note: Lunch}", shown(status="Lunch"), "PASS"),
    "another note": ("sees juliet@gmail.com: {note: Lunch}", shown(status="Dinner"), "FAIL"),
    "a note that must not be there": ("sees juliet@gmail.com: {note: null}", shown(status="Lunch"), "FAIL"),
    "no note": ("sees juliet@gmail.com: {note: null}", shown(), "PASS"),
    "notes": (
        "sees juliet@gmail.com: {note: {cs: Oběd}}",
        shown(status="Lunch", notes={"": "Lunch", "cs": "Oběd"}),
        "PASS",
    ),
    "another of the notes": ("sees juliet@gmail.com: {note: {cs: Oběd}}", shown(notes={"cs": "Lunch"}), "FAIL"),
    "another device": ("sees juliet@gmail.com/garden", shown(), "FAIL"),
    "a decision instead of presence": ("sees juliet@gmail.com", decided("subscribed"), "FAIL"),
    "a request": ("is asked by juliet@gmail.com", decided("subscribe"), "PASS"),
    "a request of another": ("is asked by juliet@gmail.com", decided("subscribe", "romeo@gmail.com"), "FAIL"),
    "a decision instead of a request": ("is asked by juliet@gmail.com", decided("subscribed"), "FAIL"),
    "the wrong decision": ("is told by juliet@gmail.com: subscribed", decided("unsubscribed"), "FAIL"),
    "presence instead of a decision": ("is told by juliet@gmail.com: unsubscribed", shown("unavailable"), "FAIL"),
    "another chat state": (
        "sees a chat state of juliet@gmail.com: composing",
        {"delivered": {"what": "composing", "from": BALCONY, "state": "paused"}},
        "FAIL",
    ),
    "an entry": (
        "has juliet@gmail.com in its contact list: to",
        {"listed": {"subscription": "to", "ask": "subscribe"}},
        "PASS",
    ),
    "an entry that asks, and should not": (
        "has juliet@gmail.com in its contact list: {subscription: none, ask: null}",
        {"listed": {"subscription": "none", "ask": "subscribe"}},
        "FAIL",
    ),
    "another subscription": (
        "has juliet@gmail.com in its contact list: both",
        {"listed": {"subscription": "to"}},
        "FAIL",
    ),
    "no entry": ("has juliet@gmail.com in its contact list", {"listed": None}, "FAIL"),
    "an entry that should not be": (
        "does not have juliet@gmail.com in its contact list",
        {"listed": {"subscription": "none"}},
        "FAIL",
    ),
    "nobody on the list": ("does not have juliet@gmail.com in its contact list", {"listed": None}, "PASS"),
    "somebody who only asks": (
        "does not have juliet@gmail.com in its contact list",
        {"listed": {"pending": True}},
        "PASS",
    ),
}


@pytest.mark.parametrize("case", STEPS.values(), ids=STEPS)
def test_what_is_seen_is_held_against_what_is_said(case: tuple[str, dict[str, Any], str]) -> None:
    sentence, seen, expected = case

    assert outcome(scenario(f"alice@contoso.com {sentence}"), seen) == expected


def found(state: str, **differs: Any) -> dict[str, Any]:
    """What is seen of somebody who is in a state."""
    subscription, ask = LISTED[state]
    entry = {"subscription": subscription, **({"ask": ask} if ask else {})}

    return {
        "contact_list": entry if (subscription, ask) != ("none", "") else None,
        "asked": state in ("NPI", "NPOI", "TPI"),
        "probe": "answered" if state in ("F", "FPO", "B") else "refused",
        **differs,
    }


@pytest.mark.parametrize("state", LISTED)
def test_a_state_is_told_from_every_other(state: str) -> None:
    assert state_of(found(state)) == (state, "")

    for said in LISTED:
        one = scenario(f"alice@contoso.com has a subscription with juliet@gmail.com: {said}")

        assert outcome(one, {"subscription": found(state)}) == ("PASS" if said == state else "FAIL")


@pytest.mark.parametrize(
    ("state", "differs", "contradiction"),
    [
        ("T", {"probe": "answered"}, "the contact's probe is answered with presence"),
        ("F", {"probe": "refused"}, "the contact's probe is refused"),
        ("B", {"probe": "silent"}, "the contact's probe is silent"),
        ("F", {"asked": True}, "the contact's request is shown again"),
    ],
)
def test_signs_that_contradict_each_other_are_no_state(state: str, differs: dict[str, Any], contradiction: str) -> None:
    one = scenario(f"alice@contoso.com has a subscription with juliet@gmail.com: {state}")
    verdict = judge(one, played(one, {"subscription": found(state, **differs)}, **CAPABLE))

    assert verdict.outcome.value == "FAIL"
    assert contradiction in verdict.reason


def test_a_state_that_was_not_reached_decides_nothing() -> None:
    one = scenario(
        "alice@contoso.com sees juliet@gmail.com",
        "given: [{alice@contoso.com has reached a subscription with juliet@gmail.com: T}]",
    )
    failed = {"outcome": "unreached", "seen": {"why": "nothing came"}}

    assert outcome(one, failed, shown()) == "INCONCLUSIVE"


# -- what nobody announced

SEES = scenario("alice@contoso.com sees juliet@gmail.com: away\nbob@contoso.com has received nothing")
AWAY = delivered("presence", **{"from": BALCONY, "type": "available", "show": "away"})
PLAIN = delivered("presence", **{"from": BALCONY, "type": "available"})
NOBODY = delivered("presence", **{"from": JULIET, "type": "unavailable"})
GONE = delivered("presence", **{"from": BALCONY, "type": "unavailable"})
ASKS = delivered("subscription", **{"from": JULIET, "type": "subscribe"})
OWN = delivered("presence", **{"from": "alice@contoso.com/desk", "type": "available"})
LIST = delivered("contact", contact=JULIET, subscription="to")
TYPING = delivered("composing", **{"from": BALCONY, "state": "composing"})
TAKEN = [AWAY, record(shown(show="away"), 1)]
QUIET = [barrier(by="x"), record()]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (PLAIN, "FAIL"),
        (GONE, "FAIL"),
        (ASKS, "FAIL"),
        (TYPING, "FAIL"),
        (AWAY, "PASS"),
        (LIST, "PASS"),
        (OWN, "PASS"),
        (NOBODY, "FAIL"),
    ],
    ids=["presence", "gone", "request", "chat state", "the same again", "list", "own presence", "nobody any more"],
)
def test_what_comes_besides_fails_unless_it_says_nothing(entry: Entry, expected: str) -> None:
    assert outcome(SEES, TAKEN, QUIET, after=(entry,)) == expected


def test_nobody_there_is_no_news_where_nobody_was() -> None:
    one = scenario("juliet@gmail.com receives a message: Hi")
    message = {"delivered": {"what": "message", "body": "Hi"}}

    assert outcome(one, message, after=(NOBODY,)) == "PASS"
    assert outcome(one, message, after=(GONE,)) == "FAIL"


def test_a_leak_after_a_cancellation_is_no_repetition() -> None:
    one = scenario(
        "alice@contoso.com sees juliet@gmail.com: away\nalice@contoso.com is told by juliet@gmail.com: unsubscribed"
    )
    told = delivered("subscription", **{"from": JULIET, "type": "unsubscribed"})
    journal = [TAKEN, [told, record(decided("unsubscribed"), 3)]]

    assert outcome(one, *journal) == "PASS"
    assert outcome(one, *journal, after=(AWAY,)) == "FAIL"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [(AWAY, "FAIL"), (ASKS, "FAIL"), (NOBODY, "FAIL"), (LIST, "PASS"), (OWN, "PASS")],
    ids=["presence", "request", "nobody there", "list", "own presence"],
)
def test_a_quiet_is_broken_by_a_first_word(entry: Entry, expected: str) -> None:
    one = scenario("alice@contoso.com has received nothing\njuliet@gmail.com sees alice@contoso.com")
    other = shown(sender="alice@contoso.com/desk")

    assert outcome(one, [entry, barrier(by="x"), record()], other) == expected


def test_a_quiet_is_not_broken_by_a_repetition() -> None:
    one = scenario("alice@contoso.com sees juliet@gmail.com: away\nalice@contoso.com has received nothing")

    assert outcome(one, TAKEN, [AWAY, barrier(by="x"), record()]) == "PASS"
    assert outcome(one, TAKEN, [PLAIN, barrier(by="x"), record()]) == "FAIL"


def test_what_may_come_besides_is_said_by_its_fields() -> None:
    one = scenario(
        "juliet@gmail.com has received nothing:\n  may also receive: [{type: unavailable}]\n"
        "alice@contoso.com sees juliet@gmail.com: away"
    )
    ack, leak = (
        delivered("presence", "juliet@gmail.com", **{"from": "alice@contoso.com", "type": kind})
        for kind in ("unavailable", "available")
    )

    assert outcome(one, [ack, barrier(by="x"), record()], shown(show="away")) == "PASS"
    assert outcome(one, [leak, barrier(by="x"), record()], shown(show="away")) == "FAIL"


def test_a_quiet_of_a_device_is_not_broken_on_another() -> None:
    one = scenario(
        "alice@contoso.com/desk has received nothing\nalice@contoso.com/phone sees juliet@gmail.com",
        "users: {alice@contoso.com: {devices: [desk, phone]}}",
    )
    on_phone, on_desk = ({**AWAY.data, "device": device} for device in ("phone", "desk"))
    seen = {"delivered": on_phone}

    def entry(data: dict[str, Any]) -> Entry:
        return Entry(at=1, kind="delivered", actor="alice@contoso.com", data=data)

    assert outcome(one, [entry(on_phone), barrier(by="x"), record()], [record(seen, 1)]) == "PASS"
    assert outcome(one, [entry(on_desk), barrier(by="x"), record()], [record(seen)]) == "FAIL"


# -- levels


@pytest.mark.parametrize(("level", "expected"), [("must", "FAIL"), ("should", "WARN"), ("may", "ALTERNATIVE")])
def test_what_should_not_have_come_is_judged_once(level: str, expected: str) -> None:
    one = scenario(
        f"alice@contoso.com has received nothing:\n  level: {level}\njuliet@gmail.com receives a message: Hi"
    )
    message = {"delivered": {"what": "message", "body": "Hi"}}

    assert outcome(one, [ASKS, barrier(by="x"), record()], message) == expected


def test_what_comes_after_a_weak_quiet_is_judged_as_ever() -> None:
    one = scenario("alice@contoso.com has received nothing:\n  level: should\njuliet@gmail.com receives a message: Hi")
    message = {"delivered": {"what": "message", "body": "Hi"}}

    assert outcome(one, [barrier(by="x"), record()], message, after=(ASKS,)) == "FAIL"


def test_a_weak_quiet_does_not_excuse_what_came_before_the_last_step() -> None:
    one = scenario(
        "alice@contoso.com receives a message: Hi\nalice@contoso.com has received nothing:\n  level: should\n"
        "juliet@gmail.com receives a message: Ho"
    )
    messages = [{"delivered": {"what": "message", "body": body}} for body in ("Hi", "Ho")]

    assert outcome(one, [ASKS, record(messages[0])], [barrier(by="x"), record()], messages[1]) == "FAIL"


def test_a_weak_quiet_judges_what_came_while_its_actor_did_something() -> None:
    one = scenario("alice@contoso.com signs in\nalice@contoso.com has received nothing:\n  level: should")

    assert outcome(one, [ASKS, record()], [barrier(by="x"), record()]) == "WARN"


def test_alternatives_hold_for_presence() -> None:
    one = scenario(
        "alice@contoso.com sees juliet@gmail.com: away\n"
        "  or: [{expect: dnd, because: x}, {is told by juliet@gmail.com: unsubscribed, because: x}]"
    )

    assert outcome(one, shown(show="dnd")) == "ALTERNATIVE"
    assert outcome(one, decided("unsubscribed")) == "ALTERNATIVE"
    assert outcome(one, decided("subscribed")) == "FAIL"


# -- the administrator

RUNS = scenario("the administrator runs: Get-CsXmppAllowedPartner\nalice@contoso.com has received nothing")
TOLD = scenario("the administrator runs: Get-Nothing\nthe administrator is told: {error: not   recognized}")


@pytest.mark.parametrize(("what", "expected"), [("output", "PASS"), ("error", "FAIL")])
def test_errors_of_commands_must_be_announced(what: str, expected: str) -> None:
    said = delivered(what, "the administrator", text="something")

    assert outcome(RUNS, [said, record()], [barrier(by="x"), record()]) == expected


@pytest.mark.parametrize(
    ("what", "text", "expected"),
    [
        ("error", "The term 'Get-Nothing' is not\nrecognized as a cmdlet.", "PASS"),
        ("error", "Access denied", "FAIL"),
        ("output", "it is not recognized", "FAIL"),
    ],
)
def test_what_the_shell_says_is_compared(what: str, text: str, expected: str) -> None:
    said = delivered(what, "the administrator", text=text)

    assert outcome(TOLD, [said, record()], [record({"delivered": {"what": what, "text": text}}, 1)]) == expected
