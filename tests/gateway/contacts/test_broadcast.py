"""A user's own presence: who is told, from which address, and who never is (RFC 6121 §4.2, §4.4 to §4.6)."""

from __future__ import annotations

import pytest

from simulator.gateway.access.partner_types import Action
from simulator.gateway.contacts.availability import Availability
from simulator.xmpp.address import Address, parse_address
from simulator.xmpp.subscription import State, is_seen, sees
from tests.gateway.contacts.stage import ALICE, HERE, JULIET, ROMEO, Stage

AWAY = Availability("away", (("", "Back soon"),), 5)


@pytest.mark.parametrize("state", list(State))
def test_initial_presence_goes_to_those_who_may_see_and_probes_to_those_who_are_seen(state: State) -> None:
    """§4.2.2 and §4.3.1"""
    stage = Stage()
    stage.set_state(state)
    stage.home.available(ALICE, "desk", HERE, stage.now)
    shown = ["available alice@contoso.com/desk > romeo@far.example"] if is_seen(state) else []
    probed = ["probe alice@contoso.com > romeo@far.example"] if sees(state) else []

    assert stage.brief() == [*shown, *probed]


def test_the_whole_presence_is_sent() -> None:
    stage = Stage()
    stage.set_state(State.FROM)
    stage.home.available(ALICE, "desk", AWAY, stage.now)
    (stanza,) = stage.sent()

    assert stanza.endswith("><show>away</show><status>Back soon</status><priority>5</priority></presence>")


def test_a_second_device_needs_no_probes() -> None:
    stage = Stage()
    stage.set_state(State.BOTH)
    stage.online("desk")
    stage.home.available(ALICE, "phone", HERE, stage.now)

    assert stage.brief() == ["available alice@contoso.com/phone > romeo@far.example"]


def test_a_change_goes_to_the_same_people_and_a_repetition_to_nobody() -> None:
    stage = Stage()
    stage.set_state(State.FROM)
    stage.online("desk")
    stage.home.available(ALICE, "desk", AWAY, stage.now)

    assert stage.brief() == ["available alice@contoso.com/desk > romeo@far.example"]

    stage.home.available(ALICE, "desk", AWAY, stage.now)

    assert stage.brief() == []


def test_the_end_is_told_with_its_reason_only() -> None:
    """§4.5.1: "MUST NOT contain the <priority/> element or the <show/> element" """
    stage = Stage()
    stage.set_state(State.BOTH)
    stage.online("desk")
    stage.home.unavailable(ALICE, "desk", AWAY, stage.now)

    assert stage.sent() == [
        "<presence from='alice@contoso.com/desk' to='romeo@far.example' id='i5' type='unavailable'>"
        "<status>Back soon</status></presence>"
    ]


def test_a_lost_device_is_told_like_one_that_left() -> None:
    """§4.5.2: "If the server detects that the user has gone offline ungracefully" """
    stage = Stage()
    stage.set_state(State.FROM)
    stage.online("desk", "phone")
    stage.home.unavailable(ALICE, "phone", None, stage.now)
    stage.home.unavailable(ALICE, "phone", None, stage.now)

    assert stage.brief() == ["unavailable alice@contoso.com/phone > romeo@far.example"]


def test_five_hundred_contacts_get_one_stanza_each() -> None:
    stage = Stage()
    contacts = [parse_address(f"u{number}@far.example") for number in range(500)]

    for contact in contacts:
        stage.set_state(State.FROM, contact=contact)

    stage.home.available(ALICE, "desk", HERE, stage.now)
    sent = stage.brief()

    assert sorted(sent) == sorted(f"available {ALICE}/desk > {each}" for each in contacts)


def test_notes_are_kept_from_those_who_may_not_read_them() -> None:
    stage = Stage()
    stage.gates.notes = False
    stage.set_state(State.FROM)
    stage.home.available(ALICE, "desk", AWAY, stage.now)
    stage.home.direct(ALICE, "desk", JULIET, AWAY, stage.now)
    shown = stage.sent()
    answers = stage.presence("probe")
    stage.home.unavailable(ALICE, "desk", AWAY, stage.now)
    ended = stage.sent()

    assert (len(shown), len(answers), len(ended)) == (2, 1, 2)
    assert "<status>" not in "".join([*shown, *answers, *ended])


def test_presence_is_kept_from_those_whom_a_gate_stops() -> None:
    stage = Stage()
    stage.gates.prompts = False
    stage.presence("subscribe")
    stage.gates.stopped = {Action.SEE}
    stage.clear()
    stage.home.available(ALICE, "desk", HERE, stage.now)
    stage.home.unavailable(ALICE, "desk", None, stage.now)

    assert stage.brief() == []

    stage.home.edit(ALICE, ROMEO, name="Romeo")
    stage.home.available(ALICE, "desk", HERE, stage.now)

    assert stage.brief() == ["available alice@contoso.com/desk > romeo@far.example"]


@pytest.mark.parametrize("put_on_the_list", ["add", "edit"])
def test_whom_a_gate_kept_from_seeing_sees_from_the_moment_of_being_added(put_on_the_list: str) -> None:
    stage = Stage()
    stage.gates.prompts = False
    stage.presence("subscribe")
    stage.gates.stopped = {Action.SEE}
    stage.online("desk")

    if put_on_the_list == "add":
        stage.home.add(ALICE, ROMEO, stage.now)
    else:
        stage.home.edit(ALICE, ROMEO, name="Romeo")

    assert stage.brief()[-1:] == ["available alice@contoso.com/desk > romeo@far.example"]

    stage.home.edit(ALICE, ROMEO, name="Romeo M.")

    assert stage.brief() == []


@pytest.mark.parametrize("to", [JULIET, Address("juliet", "far.example", "balcony")])
def test_directed_presence_ends_with_the_session_and_is_not_updated(to: Address) -> None:
    """§4.6.3 case 2"""
    stage = Stage()
    stage.online("desk", "phone")
    stage.home.direct(ALICE, "desk", to, AWAY, stage.now)

    assert stage.brief() == [f"available alice@contoso.com/desk > {to}"]

    stage.home.available(ALICE, "desk", AWAY, stage.now)
    stage.home.unavailable(ALICE, "phone", None, stage.now)

    assert stage.brief() == []

    stage.home.unavailable(ALICE, "desk", None, stage.now)

    assert stage.brief() == [f"unavailable alice@contoso.com/desk > {to}"]


def test_directed_presence_is_possible_without_being_available() -> None:
    """§4.6.3 case 3"""
    stage = Stage()
    stage.home.direct(ALICE, "desk", JULIET, AWAY, stage.now)
    stage.home.unavailable(ALICE, "desk", None, stage.now)

    assert stage.brief() == [
        "available alice@contoso.com/desk > juliet@far.example",
        "unavailable alice@contoso.com/desk > juliet@far.example",
    ]
    assert not stage.home.is_online(ALICE)


def test_directed_presence_that_was_taken_back_is_not_ended_again() -> None:
    stage = Stage()
    stage.online("desk")
    stage.home.direct(ALICE, "desk", JULIET, HERE, stage.now)
    stage.home.direct(ALICE, "desk", JULIET, None, stage.now)
    stage.home.unavailable(ALICE, "desk", None, stage.now)

    assert [each.split()[0] for each in stage.brief()] == ["available", "unavailable"]


def test_who_has_left_need_not_be_told_that_we_leave() -> None:
    """§4.6.1: "SHOULD remove any entity that sends unavailable presence to the user" """
    stage = Stage()
    stage.online("desk")
    stage.home.direct(ALICE, "desk", Address("juliet", "far.example", "balcony"), HERE, stage.now)
    stage.presence("unavailable", "juliet@far.example/balcony")
    stage.clear()
    stage.home.unavailable(ALICE, "desk", None, stage.now)

    assert stage.brief() == []


def test_a_subscriber_gets_no_second_word_for_directed_presence() -> None:
    """§4.6.3 case 1"""
    stage = Stage()
    stage.set_state(State.FROM)
    stage.online("desk")
    stage.home.direct(ALICE, "desk", ROMEO, AWAY, stage.now)
    stage.home.available(ALICE, "desk", Availability("dnd"), stage.now)
    stage.home.unavailable(ALICE, "desk", None, stage.now)

    assert [each.split()[0] for each in stage.brief()] == ["available", "available", "unavailable"]


def test_the_end_of_a_subscription_ends_directed_presence_too() -> None:
    """§4.6.1: "which includes sending unavailable presence to the contact" """
    stage = Stage()
    stage.online("desk")
    stage.set_state(State.NPI)
    stage.home.direct(ALICE, "desk", ROMEO, HERE, stage.now)
    stage.home.refuse(ALICE, ROMEO, stage.now)
    stage.home.unavailable(ALICE, "desk", None, stage.now)

    assert [each.split()[0] for each in stage.brief()] == ["available", "unavailable", "unsubscribed"]


def test_a_device_that_is_not_available_is_hidden_from_a_subscriber_too() -> None:
    stage = Stage()
    stage.set_state(State.FROM)
    stage.home.direct(ALICE, "desk", ROMEO, HERE, stage.now)
    stage.clear()
    stage.home.refuse(ALICE, ROMEO, stage.now)

    assert [each.split()[0] for each in stage.brief()] == ["unavailable", "unsubscribed"]


def test_a_closed_gate_keeps_directed_presence() -> None:
    stage = Stage()
    stage.gates.outbound_is_closed = True

    assert stage.home.direct(ALICE, "desk", JULIET, HERE, stage.now) is not None
    assert stage.sent() == []


@pytest.mark.parametrize("to", [JULIET, Address("juliet", "far.example", "balcony")])
def test_whoever_was_shown_a_device_directly_may_know_that_it_is_there_while_the_gates_are_open(to: Address) -> None:
    """§11; the gate is asked, whether or not anybody has told the home that it has closed."""
    stage = Stage()
    desk = Address("alice", "contoso.com", "desk")
    stage.home.direct(ALICE, "desk", to, HERE, stage.now)
    balcony = Address("juliet", "far.example", "balcony")

    assert stage.home.shares_presence(desk, balcony)
    assert not stage.home.shares_presence(Address("alice", "contoso.com", "phone"), balcony)
    assert not stage.home.shares_presence(desk, ROMEO)

    stage.gates.outbound_is_closed = True

    assert not stage.home.shares_presence(desk, balcony)


def test_a_block_ends_what_a_device_has_shown_directly() -> None:
    stage = Stage()
    desk = Address("alice", "contoso.com", "desk")
    stage.home.direct(ALICE, "desk", JULIET, HERE, stage.now)
    stage.home.block(ALICE, JULIET, stage.now)

    assert not stage.home.shares_presence(desk, JULIET)

    stage.home.unblock(ALICE, JULIET, stage.now)

    assert not stage.home.shares_presence(desk, JULIET)


def test_a_device_shows_presence_to_so_many_and_no_more() -> None:
    stage = Stage()
    stage.online("desk")

    for number in range(1001):
        stage.home.direct(ALICE, "desk", parse_address(f"u{number}@far.example"), HERE, stage.now)

    assert stage.brief()[-1] == "unavailable alice@contoso.com/desk > u0@far.example"

    stage.home.unavailable(ALICE, "desk", None, stage.now)

    assert len(stage.brief()) == 1000
