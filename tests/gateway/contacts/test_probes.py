"""Answers to probes (RFC 6121 §4.3.2, §4.6.6)."""

from __future__ import annotations

import pytest

from simulator.gateway.access.partner_types import Action
from simulator.gateway.contacts.availability import Availability
from simulator.xmpp.address import Address
from simulator.xmpp.subscription import State, is_seen
from tests.gateway.contacts.stage import ALICE, HERE, JULIET, ROMEO, Stage

AWAY = Availability("away", (("", "Back soon"),))


@pytest.mark.parametrize("sender", ["romeo@far.example", "romeo@far.example/orchard"])
def test_every_device_is_shown_with_its_own_id(sender: str) -> None:
    stage = Stage()
    stage.set_state(State.FROM)
    stage.home.available(ALICE, "desk", HERE, stage.now)
    stage.home.available(ALICE, "phone", AWAY, stage.now)
    shown = stage.sent()

    assert stage.presence("probe", sender) == shown
    assert [stanza.count("id='p1'") for stanza in shown] == [0, 0]


def test_offline_is_said_from_the_bare_address_with_its_time() -> None:
    stage = Stage()
    stage.set_state(State.FROM)
    stage.online("desk")
    stage.home.unavailable(ALICE, "desk", None, stage.now)
    stage.clear()
    stage.now += 60

    assert stage.presence("probe") == [
        "<presence from='alice@contoso.com' to='romeo@far.example' id='p1' type='unavailable'>"
        "<delay xmlns='urn:xmpp:delay' stamp='1970-01-01T00:16:40Z'/></presence>"
    ]


def test_who_was_never_here_is_offline_without_a_time() -> None:
    stage = Stage()
    stage.set_state(State.FROM)

    assert stage.presence("probe") == [
        "<presence from='alice@contoso.com' to='romeo@far.example' id='p1' type='unavailable'/>"
    ]


def test_a_device_that_shows_presence_to_one_address_only_is_offline_for_others() -> None:
    stage = Stage()
    stage.set_state(State.FROM)
    stage.home.direct(ALICE, "desk", JULIET, HERE, stage.now)
    stage.clear()

    assert "type='unavailable'" in stage.presence("probe")[0]


@pytest.mark.parametrize("state", [each for each in State if not is_seen(each)])
@pytest.mark.parametrize("resource", ["", "/desk", "/gone"])
def test_a_stranger_learns_nothing_not_even_who_exists(state: State, resource: str) -> None:
    stage = Stage()
    stage.online("desk")
    stage.set_state(state)
    answers = [stage.presence("probe", to=f"{user}@contoso.com{resource}") for user in ("alice", "nobody")]

    assert answers[0] == ["<presence from='alice@contoso.com' to='romeo@far.example' id='p1' type='unsubscribed'/>"]
    assert answers[1] == [answers[0][0].replace("alice", "nobody")]
    assert stage.state() is state


def test_a_probe_cancels_no_approval() -> None:
    """ "this MUST NOT result in cancellation of a subscription pre-approval" """
    stage = Stage()
    stage.home.approve(ALICE, ROMEO, stage.now)
    stage.presence("probe")

    assert stage.home.contact(ALICE, ROMEO).approved


def test_a_probe_to_one_device_is_answered_for_that_one_and_says_little() -> None:
    stage = Stage()
    stage.set_state(State.FROM)
    stage.online("phone")
    stage.home.available(ALICE, "desk", AWAY, stage.now)
    stage.clear()
    (answer,) = stage.presence("probe", to="alice@contoso.com/desk")

    assert answer.startswith("<presence from='alice@contoso.com/desk' to='romeo@far.example' id='")
    assert answer.endswith("'/>")
    assert "type=" not in answer


def test_a_probe_to_a_device_that_is_gone_says_so() -> None:
    stage = Stage()
    stage.set_state(State.FROM)
    stage.online("phone")

    assert stage.presence("probe", to="alice@contoso.com/desk") == [
        "<presence from='alice@contoso.com/desk' to='romeo@far.example' id='p1' type='unavailable'/>"
    ]


def test_who_was_shown_presence_directly_may_ask_for_that_device() -> None:
    """§4.6.6"""
    stage = Stage()
    stage.online("phone")
    stage.home.available(ALICE, "desk", AWAY, stage.now)
    stage.home.direct(ALICE, "desk", Address("juliet", "far.example", "balcony"), AWAY, stage.now)
    stage.clear()
    (answer,) = stage.presence("probe", "juliet@far.example/balcony", "alice@contoso.com/desk")

    assert answer.startswith("<presence from='alice@contoso.com/desk' to='juliet@far.example/balcony' ")
    assert answer.endswith("'/>")
    assert "type=" not in answer
    assert "unsubscribed" in stage.presence("probe", "juliet@far.example/balcony", "alice@contoso.com/phone")[0]
    assert "unsubscribed" in stage.presence("probe", "juliet@far.example/other", "alice@contoso.com/desk")[0]

    stage.home.unavailable(ALICE, "desk", None, stage.now)
    stage.clear()

    assert "unsubscribed" in stage.presence("probe", "juliet@far.example/balcony", "alice@contoso.com/desk")[0]


def test_a_probe_to_the_bare_address_shows_what_was_shown_directly() -> None:
    stage = Stage()
    stage.online("phone", "desk")
    stage.home.direct(ALICE, "desk", JULIET, AWAY, stage.now)
    stage.clear()
    (answer,) = stage.presence("probe", "juliet@far.example/balcony")

    assert answer.startswith("<presence from='alice@contoso.com/desk' to='juliet@far.example' ")


def test_a_closed_gate_looks_like_being_offline() -> None:
    stage = Stage()
    stage.gates.prompts = False
    stage.presence("subscribe")
    stage.online("desk")
    stage.gates.stopped = {Action.SEE}

    assert stage.presence("probe") == [
        "<presence from='alice@contoso.com' to='romeo@far.example' id='p1' type='unavailable'/>"
    ]
    assert stage.state() is State.FROM


def test_nobody_answers_for_the_domain() -> None:
    stage = Stage()

    assert stage.presence("probe", to="contoso.com") == []
