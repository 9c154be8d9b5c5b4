"""Sentences with a contact, a word or a device are read as they are meant, or refused with a hint."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.document import DocumentError, parse_document
from simulator.report.listing import scenario as shown
from simulator.scenario.loader import read_scenarios
from simulator.scenario.model import Scenario, Step
from simulator.scenario.phrase import find_verb, spoken
from simulator.scenario.presence_steps import PRESENCE_VERBS
from simulator.scenario.steps import VERBS

JULIET = "juliet@gmail.com"


def read(*steps: str, head: str = "") -> Scenario:
    lines = "\n".join(f"- {step}" for step in steps)

    return read_scenarios(parse_document(f"claim: x\n{head}\nsteps:\n{lines}\n", "file.yaml"), "file")[0]


def step(sentence: str, head: str = "") -> Step:
    return read(sentence, "alice@contoso.com has received nothing", head=head).steps[0]


def refused(*steps: str, head: str = "") -> tuple[str, str]:
    with pytest.raises(DocumentError) as caught:
        read(*steps, head=head)

    return caught.value.message, caught.value.hint


FULL: dict[str, tuple[str, Any]] = {
    f"alice@contoso.com adds {JULIET}": ("adds CONTACT", {"contact": JULIET}),
    f"alice@contoso.com adds {JULIET}: {{name: Juliet}}": ("adds CONTACT", {"contact": JULIET, "name": "Juliet"}),
    f"alice@contoso.com sees {JULIET}": ("sees CONTACT", {"from": JULIET, "type": "available"}),
    f"alice@contoso.com sees {JULIET}: available": (
        "sees CONTACT",
        {"from": JULIET, "type": "available", "show": None},
    ),
    f"alice@contoso.com sees {JULIET}: dnd": ("sees CONTACT", {"from": JULIET, "type": "available", "show": "dnd"}),
    f"alice@contoso.com sees {JULIET}: unavailable": ("sees CONTACT", {"from": JULIET, "type": "unavailable"}),
    f"alice@contoso.com sees {JULIET}: {{note: Lunch}}": (
        "sees CONTACT",
        {"from": JULIET, "type": "available", "status": "Lunch"},
    ),
    f"alice@contoso.com sees {JULIET}: {{note: {{en: Lunch}}}}": (
        "sees CONTACT",
        {"from": JULIET, "type": "available", "notes": {"en": "Lunch"}},
    ),
    f"alice@contoso.com sees a chat state of {JULIET}: paused": (
        "sees a chat state of CONTACT",
        {"from": JULIET, "state": "paused"},
    ),
    f"alice@contoso.com is asked by {JULIET}": ("is asked by CONTACT", {"from": JULIET, "type": "subscribe"}),
    f"alice@contoso.com is told by {JULIET}: subscribed": (
        "is told by CONTACT",
        {"from": JULIET, "type": "subscribed"},
    ),
    f"alice@contoso.com has {JULIET} in its contact list: to": (
        "has CONTACT in its contact list",
        {"contact": JULIET, "subscription": "to"},
    ),
    f"alice@contoso.com does not have {JULIET} in its contact list": (
        "does not have CONTACT in its contact list",
        {"contact": JULIET, "listed": False},
    ),
    f"alice@contoso.com has reached a subscription with {JULIET}: NPOI": (
        "has reached a subscription with CONTACT",
        {"contact": JULIET, "state": "NPOI"},
    ),
    "alice@contoso.com sets its presence: unavailable": ("sets its presence", {"type": "unavailable"}),
    "alice@contoso.com sets its presence: {show: away, note: {en: Out}}": (
        "sets its presence",
        {"show": "away", "note": {"en": "Out"}},
    ),
    f"alice@contoso.com sends its presence to {JULIET}: chat": (
        "sends its presence to CONTACT",
        {"to": JULIET, "type": "available", "show": "chat"},
    ),
}


@pytest.mark.parametrize("sentence", FULL)
def test_short_forms_are_read_in_full(sentence: str) -> None:
    found = step(sentence)

    assert (found.verb, found.argument) == FULL[sentence]
    assert found.text == sentence


REFUSED: dict[str, tuple[str, str]] = {
    f"alice@contoso.com sees {JULIET}: bussy": ("'sees CONTACT' knows no 'bussy'", "there are: available"),
    f"alice@contoso.com sees {JULIET}: {{show: availble}}": ("'sees CONTACT' knows no 'availble'", "there are: away"),
    f"alice@contoso.com sees {JULIET}: {{shw: away}}": ("'sees CONTACT' knows no 'shw'", "did you mean show"),
    f"alice@contoso.com sees {JULIET}: {{type: unavailabel}}": (
        "'sees CONTACT' knows no 'unavailabel'",
        "did you mean unavailable",
    ),
    f"alice@contoso.com is told by {JULIET}": ("'is told by CONTACT' needs an argument", "for example"),
    f"alice@contoso.com is told by {JULIET}: subscribd": ("knows no 'subscribd'", "did you mean subscribed"),
    f"alice@contoso.com has reached a subscription with {JULIET}: NOP": ("knows no 'NOP'", "did you mean NPO"),
    f"alice@contoso.com sends a chat state to {JULIET}: composin": ("knows no 'composin'", "did you mean composing"),
    "alice@contoso.com sees juliet": ("unknown step: 'sees juliet'", "CONTACT is an address"),
    f"alice@contoso.com looks at {JULIET}": (f"unknown step: 'looks at {JULIET}'", "CONTACT"),
    f"alice@contoso.com adds {JULIET} as friend": (f"'adds {JULIET}' opens no stream, so that it takes no", ""),
    f"gmail.com adds {JULIET}": (f"'adds {JULIET}' is for user, and this is a partner", "a partner has"),
    "alice@contoso.com/desk signs in": ("alice@contoso.com/desk is nobody in this scenario", "alice@contoso.com"),
    "the administrator sees juliet@gmail.com": ("is for user, and this is an administrator", "runs"),
    "the system's process is killed": ("'process is killed' needs an argument", "for example"),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_mistakes_are_found_with_a_hint(sentence: str) -> None:
    message, hint = REFUSED[sentence]
    said = refused(sentence, "alice@contoso.com has received nothing")

    assert message in said[0]
    assert hint in said[1]


def test_devices_act_where_the_scenario_gives_them() -> None:
    head = "users: {alice@contoso.com: {devices: [desk, phone]}}"
    found = step(f"alice@contoso.com/phone sees {JULIET}: away", head)

    assert (found.actor, found.device) == ("alice@contoso.com", "phone")
    assert found.text.startswith("alice@contoso.com/phone")

    message, hint = refused("alice@contoso.com/desc signs in", f"alice@contoso.com sees {JULIET}", head=head)

    assert "nobody" in message
    assert "alice@contoso.com/desk" in hint


def test_an_alternative_keeps_the_contact_or_names_another() -> None:
    found = step(
        f"alice@contoso.com sees {JULIET}: away\n  or: [{{expect: dnd, because: x}}, "
        "{sees romeo@gmail.com: unavailable, because: x}, {has received nothing: null, because: x}]"
    )

    assert [(one.verb, one.argument) for one in found.alternatives] == [
        ("sees CONTACT", {"from": JULIET, "type": "available", "show": "dnd"}),
        ("sees CONTACT", {"from": "romeo@gmail.com", "type": "unavailable"}),
        ("has received nothing", None),
    ]


def test_alternatives_are_shown_as_they_would_be_written() -> None:
    one = read(f"alice@contoso.com sees {JULIET}: away\n  or: [{{expect: unavailable, because: RFC}}]")

    assert f"      or sees {JULIET}: unavailable   (RFC)" in list(shown(one, {}))


@pytest.mark.parametrize("verb", [verb for verb in PRESENCE_VERBS if verb.contact], ids=lambda verb: verb.name)
def test_what_is_spoken_is_understood_again(verb: Any) -> None:
    argument = {**verb.implied, verb.contact: JULIET}
    phrase, rest = spoken(verb, argument)

    assert find_verb(VERBS, phrase) == (verb, JULIET)
    assert rest is None


def test_every_example_is_a_step() -> None:
    for verb in PRESENCE_VERBS:
        assert read(verb.example, "juliet@gmail.com has received nothing").steps[0].verb == verb.name


def test_who_uses_presence_needs_a_system_that_has_it() -> None:
    assert read(f"alice@contoso.com sees {JULIET}").needs == {"presence"}
    assert read(f"alice@contoso.com blocks {JULIET}", f"alice@contoso.com sees {JULIET}").needs == {
        "presence",
        "blocking",
    }
    assert read(f"alice@contoso.com has {JULIET} in its contact list").needs == {"presence", "contact-lists"}
    assert read(f"alice@contoso.com sees a chat state of {JULIET}: gone").needs == frozenset()


def test_policies_and_access_need_a_system_that_has_them() -> None:
    quiet = "alice@contoso.com has received nothing"
    one = read(quiet, head="access: {allow-federated-users: false}\npolicies: [{identity: Global}]")

    assert one.access == {"allow-federated-users": False}
    assert one.policies == ({"identity": "Global"},)
    assert one.needs == {"policies"}
    assert read(quiet, head="users: {alice@contoso.com: {policy: Remote}}").needs == {"policies"}
    assert "identity" in refused(quiet, head="policies: [{enable-xmpp-access: true}]")[0]
