"""Requests of partners' users: kept, delivered, granted, refused (RFC 6121 §3.1.3)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest

from simulator.gateway.access.authorization import Refusal
from simulator.gateway.access.partner_types import Action
from simulator.gateway.contacts.notices import Answered, Listed, Requested, Unlisted, Withdrawn
from simulator.gateway.contacts.settings import HomeSettings
from simulator.xmpp.address import parse_address
from simulator.xmpp.element import parse_element, serialize
from simulator.xmpp.subscription import State
from tests.gateway.contacts.stage import ALICE, BOB, HERE, ROMEO, Stage

REQUEST = (
    "<presence from='romeo@far.example' to='alice@contoso.com' id='r1' type='subscribe'>"
    "<status>Hi, Juliet told me to add you.</status><nick xmlns='http://jabber.org/protocol/nick'>Romeo</nick>"
    "</presence>"
)


def requests(stage: Stage) -> list[tuple[str | None, str]]:
    return [(each.device, serialize(each.stanza).decode()) for each in stage.told() if isinstance(each, Requested)]


def test_a_request_is_told_at_once_and_not_answered() -> None:
    stage = Stage()
    stage.online("desk")

    assert stage.receive(REQUEST) == []
    assert requests(stage) == [(None, REQUEST)]


def test_a_request_waits_whole_for_a_user_who_is_offline() -> None:
    """ "a record of the complete presence stanza [...] including any extended content" """
    stage = Stage()
    stage.receive(REQUEST)

    assert stage.told() == []

    stage.home.available(ALICE, "desk", HERE, stage.now)

    assert requests(stage) == [("desk", REQUEST)]


def test_a_request_is_told_again_at_each_login_until_it_is_answered() -> None:
    stage = Stage()
    stage.receive(REQUEST)

    for device in ("desk", "phone", "desk"):
        stage.home.unavailable(ALICE, device, None, stage.now)
        stage.home.available(ALICE, device, HERE, stage.now)

        assert requests(stage) == [(device, REQUEST)]

    stage.home.refuse(ALICE, ROMEO, stage.now)
    stage.home.available(ALICE, "third", HERE, stage.now)

    assert requests(stage) == []


def test_ten_requests_of_one_sender_are_delivered_once() -> None:
    """ "MUST NOT deliver more than one subscription request from any given user" """
    stage = Stage()

    for number in range(10):
        stage.receive(REQUEST.replace("r1", f"r{number}"))

    stage.home.available(ALICE, "desk", HERE, stage.now)

    assert requests(stage) == [("desk", REQUEST.replace("r1", "r0"))]


def test_a_request_survives_a_restart() -> None:
    stage = Stage()
    stage.receive(REQUEST)
    again = Stage(store=stage.store)
    again.home.available(ALICE, "desk", HERE, again.now)

    assert requests(again) == [("desk", REQUEST)]


def test_nobody_is_put_on_the_list_by_asking() -> None:
    """ "MUST NOT add an item for the user to the contact's roster" """
    stage = Stage()
    stage.online("desk")
    stage.receive(REQUEST)

    assert [type(each) for each in stage.told()] == [Requested]
    assert [each.shown for each in stage.home.contacts(ALICE)] == [False]


def test_only_so_many_requests_wait_for_one_user() -> None:
    stage = Stage(settings=HomeSettings(most_waiting=3))

    for number in range(10):
        assert stage.presence("subscribe", f"u{number}@far.example") == []

    stage.presence("subscribe", to="bob@contoso.com")

    assert len(stage.home.contacts(ALICE)) == 3
    assert len(stage.home.contacts(BOB)) == 1

    stage.home.refuse(ALICE, parse_address("u0@far.example"), stage.now)
    stage.presence("subscribe", "late@far.example")

    assert len(stage.home.contacts(ALICE)) == 3


def test_a_huge_request_is_kept_in_part() -> None:
    stage = Stage()
    stage.online("desk")
    huge = REQUEST.replace("</presence>", "<x xmlns='urn:x'>" + "y" * 20000 + "</x></presence>")
    stage.receive(huge)

    assert requests(stage) == [(None, REQUEST)]
    assert stage.home.contact(ALICE, ROMEO).request == REQUEST


def test_a_request_as_large_as_any_must_be_accepted_is_kept_whole() -> None:
    stage = Stage()
    stage.online("desk")
    large = REQUEST.replace("</presence>", "<x xmlns='urn:x'>" + "y" * 9000 + "</x></presence>")
    stage.receive(large)

    assert requests(stage) == [(None, large)]


def test_a_full_address_counts_as_the_bare_one() -> None:
    stage = Stage()
    stage.online("desk")
    stage.presence("subscribe", "romeo@far.example/orchard", "alice@contoso.com/gone")

    assert stage.state() is State.NPI


@pytest.mark.parametrize("type_", ["subscribed", "unsubscribe", "unsubscribed"])
def test_other_stanzas_to_a_resource_that_is_not_there_are_ignored(type_: str) -> None:
    """RFC 6121 §8.5.3.2.2"""
    stage = Stage()
    stage.set_state(State.FPO)
    stage.presence(type_, to="alice@contoso.com/gone")

    assert stage.state() is State.FPO
    assert stage.told() == []


@pytest.mark.parametrize("type_", ["subscribe", "subscribed", "unsubscribe", "unsubscribed", "", "unavailable"])
def test_stanzas_to_nobody_are_silently_ignored(type_: str) -> None:
    """RFC 6121 §8.5.1"""
    stage = Stage()

    assert stage.presence(type_, to="nobody@contoso.com") == []
    assert stage.told() == []
    assert list(stage.store.contacts()) == []


def test_what_was_approved_ahead_is_granted_without_asking() -> None:
    stage = Stage()
    stage.online("desk")

    assert stage.home.approve(ALICE, ROMEO, stage.now) is None
    assert stage.brief() == []
    assert [(each.entry.approved, each.entry.state) for each in stage.told() if isinstance(each, Listed)] == [
        (True, State.NONE)
    ]

    stage.receive(REQUEST)

    assert stage.brief() == []  # read by `receive`
    assert stage.state() is State.FROM
    assert requests(stage) == []


def test_an_approval_ahead_grants_with_presence() -> None:
    stage = Stage()
    stage.online("desk")
    stage.home.approve(ALICE, ROMEO, stage.now)
    sent = stage.receive(REQUEST)

    assert [each.partition("id=")[0] for each in sent] == [
        "<presence from='alice@contoso.com' to='romeo@far.example' ",
        "<presence from='alice@contoso.com/desk' to='romeo@far.example' ",
    ]
    assert "type='subscribed'" in sent[0]
    assert "id='r1'" not in sent[0]


def test_a_refusal_takes_an_approval_back_and_is_not_sent() -> None:
    """RFC 6121 §3.2.2"""
    stage = Stage()
    stage.home.approve(ALICE, ROMEO, stage.now)
    stage.home.refuse(ALICE, ROMEO, stage.now)

    assert stage.brief() == []
    assert not stage.home.contact(ALICE, ROMEO).approved


@pytest.mark.parametrize("state", [State.FROM, State.FPO, State.BOTH])
def test_who_is_approved_already_is_not_approved_ahead(state: State) -> None:
    """RFC 6121 §3.4.2"""
    stage = Stage()
    stage.set_state(state)
    stage.home.approve(ALICE, ROMEO, stage.now)

    assert stage.brief() == []
    assert stage.told() == []
    assert not stage.home.contact(ALICE, ROMEO).approved


def test_a_trusted_partner_is_granted_without_asking() -> None:
    stage = Stage()
    stage.online("desk")
    stage.gates.prompts = False
    stage.presence("subscribe")

    assert stage.state() is State.FROM
    assert not stage.home.contact(ALICE, ROMEO).listed
    assert stage.names() == ["Granted", "Listed"]


@pytest.mark.parametrize(
    ("refusal", "answer"),
    [
        (Refusal.SILENT, []),
        (Refusal.UNSUBSCRIBED, ["unsubscribed {to} > romeo@far.example"]),
        (Refusal.ERROR, ["error {to} > romeo@far.example"]),
    ],
)
@pytest.mark.parametrize("to", ["alice@contoso.com", "nobody@contoso.com"])
def test_a_gate_refuses_alike_who_exists_and_who_does_not(refusal: Refusal, answer: list[str], to: str) -> None:
    stage = Stage()
    stage.online("desk")
    stage.gates.stopped, stage.gates.refusal = {Action.SUBSCRIBE}, refusal
    stage.home.receive(_request(to), stage.now)

    assert stage.brief() == [each.format(to=to) for each in answer]
    assert stage.told() == []
    assert list(stage.store.contacts()) == []


def test_a_gate_lets_a_contact_pass_whom_the_user_has_added() -> None:
    stage = Stage()
    stage.gates.stopped = {Action.SUBSCRIBE}
    stage.home.add(ALICE, ROMEO, stage.now)
    stage.presence("subscribe")

    assert stage.state() is State.NPOI


def test_cross_subscribing_ends_with_both() -> None:
    stage = Stage()
    stage.home.add(ALICE, ROMEO, stage.now)
    stage.presence("subscribe")
    stage.presence("subscribed")
    stage.home.accept(ALICE, ROMEO, stage.now)

    assert stage.state() is State.BOTH


def test_a_grant_that_nobody_wanted_changes_nothing() -> None:
    stage = Stage()
    stage.online("desk")

    assert stage.presence("subscribed") == []
    assert stage.told() == []
    assert stage.home.contacts(ALICE) == []


def test_what_a_contact_says_is_told_before_the_list() -> None:
    """RFC 6121 §3.1.6, §3.2.3, §3.3.3: "This MUST occur before sending the roster push"."""
    stage = Stage()
    stage.set_state(State.FPO)
    stage.presence("subscribed")

    assert stage.told()[0] == Answered(ALICE, ROMEO, granted=True)

    stage.presence("unsubscribed")

    assert stage.told()[0] == Answered(ALICE, ROMEO, granted=False)

    stage.presence("unsubscribe")

    assert [type(each) for each in stage.told()] == [Withdrawn, Listed]


def test_a_request_that_is_withdrawn_leaves_nothing() -> None:
    """RFC 6121 §3.3.3: "MUST simply remove any record of the inbound presence subscription request"."""
    stage = Stage()
    stage.receive(REQUEST)
    stage.presence("unsubscribe")

    assert list(stage.store.contacts()) == []
    assert Unlisted(ALICE, ROMEO) not in stage.told()


def test_who_is_dropped_by_a_trusted_contact_is_off_the_list() -> None:
    stage = Stage()
    stage.gates.prompts = False
    stage.presence("subscribe")
    stage.clear()
    stage.presence("unsubscribe")

    assert [type(each) for each in stage.told()] == [Withdrawn, Unlisted]


def _request(to: str) -> Element:
    return parse_element(REQUEST.replace("alice@contoso.com", to))
