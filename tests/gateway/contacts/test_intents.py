"""What users ask for: the list, their own requests, removal, blocks (RFC 6121 §2, §3; XEP-0191)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simulator.gateway.contacts.availability import Availability
from simulator.gateway.contacts.home import Blocked
from simulator.gateway.contacts.notices import Failed, Listed, Requested, Seen, Unlisted
from simulator.gateway.contacts.settings import HomeSettings
from simulator.xmpp.subscription import SUBSCRIPTION_TYPES, State
from tests.gateway.contacts.stage import ALICE, HERE, ROMEO, Stage

AWAY = Availability("away")


def test_a_request_goes_from_bare_to_bare_with_its_id() -> None:
    stage = Stage()
    stage.home.add(ALICE, ROMEO, stage.now, name="Romeo", groups=["Friends"], id="mine")

    assert stage.sent() == ["<presence from='alice@contoso.com' to='romeo@far.example' id='mine' type='subscribe'/>"]

    entry = stage.home.contact(ALICE, ROMEO)

    assert stage.told() == [Listed(ALICE, ROMEO, entry)]
    assert (entry.name, entry.groups, entry.listed, entry.state) == ("Romeo", ("Friends",), True, State.NPO)


def test_an_id_is_made_where_there_is_none() -> None:
    stage = Stage()
    stage.home.add(ALICE, ROMEO, stage.now)

    assert stage.sent() == ["<presence from='alice@contoso.com' to='romeo@far.example' id='i1' type='subscribe'/>"]


def test_a_closed_gate_keeps_the_request_and_not_the_entry() -> None:
    stage = Stage()
    stage.gates.outbound_is_closed = True
    closed = stage.home.add(ALICE, ROMEO, stage.now)

    assert closed is not None
    assert stage.sent() == []
    assert stage.home.contact(ALICE, ROMEO).listed
    assert stage.state() is State.NONE


def test_a_closed_gate_grants_nothing() -> None:
    stage = Stage()
    stage.set_state(State.NPI)
    stage.gates.outbound_is_closed = True

    assert stage.home.accept(ALICE, ROMEO, stage.now) is not None
    assert stage.state() is State.NPI
    assert stage.sent() == []


def test_a_closed_gate_keeps_nobody_from_ending_a_subscription() -> None:
    stage = Stage()
    stage.set_state(State.BOTH)
    stage.gates.outbound_is_closed = True
    stage.home.refuse(ALICE, ROMEO, stage.now)
    stage.home.unsubscribe(ALICE, ROMEO, stage.now)

    assert stage.state() is State.NONE
    assert stage.sent() == []


def test_a_name_is_changed_without_a_word_to_the_contact() -> None:
    stage = Stage()
    stage.set_state(State.BOTH)
    stage.home.edit(ALICE, ROMEO, name="R.", groups=["Montague"])

    assert stage.sent() == []
    assert [type(each) for each in stage.told()] == [Listed]
    assert (stage.home.contact(ALICE, ROMEO).name, stage.state()) == ("R.", State.BOTH)


@pytest.mark.parametrize(
    ("state", "types"),
    [
        (State.NONE, []),
        (State.NPO, ["unsubscribe"]),
        (State.NPI, ["unsubscribed"]),
        (State.NPOI, ["unsubscribe", "unsubscribed"]),
        (State.TO, ["unsubscribe"]),
        (State.TPI, ["unsubscribe", "unsubscribed"]),
        (State.FROM, ["unavailable", "unsubscribed"]),
        (State.FPO, ["unsubscribe", "unavailable", "unsubscribed"]),
        (State.BOTH, ["unsubscribe", "unavailable", "unsubscribed"]),
    ],
)
def test_removal_ends_whatever_there_is(state: State, types: list[str]) -> None:
    """RFC 6121 §2.5.2; unavailable comes before unsubscribed (§3.2.2)."""
    stage = Stage()
    stage.online("desk")
    stage.set_state(state)
    stage.home.edit(ALICE, ROMEO, name="Romeo")
    stage.clear()
    stage.home.remove(ALICE, ROMEO, stage.now)

    assert [each.split()[0] for each in stage.brief()] == types
    assert stage.told() == [Unlisted(ALICE, ROMEO)]
    assert list(stage.store.contacts()) == []


def test_refusing_leaks_no_presence() -> None:
    stage = Stage()
    stage.online("desk")
    stage.set_state(State.NPI)
    stage.home.refuse(ALICE, ROMEO, stage.now)
    stage.home.unavailable(ALICE, "desk", None, stage.now)

    assert stage.brief() == ["unsubscribed alice@contoso.com > romeo@far.example"]


def test_unsubscribing_voids_what_was_seen() -> None:
    stage = Stage()
    stage.online("desk")
    stage.set_state(State.BOTH)
    stage.presence(sender="romeo@far.example/orchard")
    stage.clear()
    stage.home.unsubscribe(ALICE, ROMEO, stage.now)

    assert stage.home.seen(ALICE, ROMEO) == {}
    assert Seen(ALICE, ROMEO, "orchard", None) in stage.told()

    stage.presence(sender="romeo@far.example/orchard")

    assert stage.home.seen(ALICE, ROMEO) == {}


def test_a_request_without_an_answer_is_repeated_in_time_and_at_login() -> None:
    stage = Stage(settings=HomeSettings(resend_interval=100.0))
    stage.online("desk")
    stage.home.add(ALICE, ROMEO, stage.now)
    stage.clear()

    for _ in range(99):
        stage.now += 1
        stage.home.expire(stage.now)

    assert stage.brief() == []

    stage.now += 12
    stage.home.expire(stage.now)
    stage.home.expire(stage.now)
    again = stage.sent()

    assert len(again) == 1
    assert "type='subscribe'" in again[0]
    assert " id='" in again[0]

    stage.now += 101
    stage.home.available(ALICE, "phone", HERE, stage.now)

    assert stage.brief() == ["subscribe alice@contoso.com > romeo@far.example"]

    stage.presence("subscribed")
    stage.now += 1000
    stage.home.available(ALICE, "third", HERE, stage.now)

    assert stage.brief() == []


def test_nothing_is_repeated_for_users_who_are_offline() -> None:
    stage = Stage(settings=HomeSettings(resend_interval=100.0))
    stage.home.add(ALICE, ROMEO, stage.now)
    stage.clear()
    stage.now += 1000
    stage.home.expire(stage.now)

    assert stage.brief() == []


def test_a_request_that_cannot_leave_is_reported() -> None:
    """RFC 6121 §3.1.2"""
    stage = Stage()
    stage.link_is_up = False
    stage.home.add(ALICE, ROMEO, stage.now)

    assert Failed(ALICE, ROMEO, "subscribe", "remote-server-timeout") in stage.told()


ERROR = (
    "<presence from='romeo@far.example' to='alice@contoso.com' id='mine' type='error'>"
    "<error type='{type}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
    "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>why</text></error></presence>"
)


@pytest.mark.parametrize(
    ("type_", "condition", "state"),
    [
        ("cancel", "item-not-found", State.NONE),
        ("auth", "forbidden", State.NONE),
        ("cancel", "remote-server-not-found", State.NPO),
        ("wait", "remote-server-timeout", State.NPO),
        ("wait", "resource-constraint", State.NPO),
    ],
)
def test_a_request_that_bounces_is_reported(type_: str, condition: str, state: State) -> None:
    stage = Stage()
    stage.online("desk")
    stage.home.add(ALICE, ROMEO, stage.now, id="mine")
    stage.clear()

    assert stage.receive(ERROR.format(type=type_, condition=condition)) == []
    assert Failed(ALICE, ROMEO, "subscribe", condition, "why") in stage.told()
    assert stage.state() is state


@pytest.mark.parametrize(
    "change", [("id='mine'", "id='other'"), ("romeo@", "juliet@"), ("far.example'", "elsewhere.example'")]
)
def test_an_error_that_answers_nothing_is_ignored(change: tuple[str, str]) -> None:
    stage = Stage()
    stage.home.add(ALICE, ROMEO, stage.now, id="mine")
    stage.clear()
    error = ERROR.format(type="cancel", condition="item-not-found").replace(*change)

    assert stage.receive(error) == []
    assert stage.told() == []
    assert stage.state() is State.NPO


def test_an_error_of_somebody_else_does_not_use_up_the_id() -> None:
    stage = Stage()
    stage.home.add(ALICE, ROMEO, stage.now, id="mine")
    stage.clear()
    error = ERROR.format(type="cancel", condition="item-not-found")
    stage.receive(error.replace("romeo@", "juliet@"))
    stage.receive(error)

    assert Failed(ALICE, ROMEO, "subscribe", "item-not-found", "why") in stage.told()
    assert stage.state() is State.NONE


def test_an_error_that_comes_after_the_grant_takes_nothing_away() -> None:
    stage = Stage()
    stage.home.add(ALICE, ROMEO, stage.now, id="mine")
    stage.presence("subscribed")
    stage.receive(ERROR.format(type="cancel", condition="item-not-found"))

    assert stage.state() is State.TO


def test_a_block_looks_like_going_offline() -> None:
    """XEP-0191 §3.3"""
    stage = Stage()
    stage.online("desk", "phone")
    stage.set_state(State.BOTH)
    stage.presence(sender="romeo@far.example/orchard")
    stage.clear()
    stage.home.block(ALICE, ROMEO, stage.now)

    assert stage.brief() == [
        "unavailable alice@contoso.com/desk > romeo@far.example",
        "unavailable alice@contoso.com/phone > romeo@far.example",
    ]
    assert Seen(ALICE, ROMEO, "orchard", None) in stage.told()


@pytest.mark.parametrize("state", [State.NONE, State.BOTH, State.NPO, State.FROM])
def test_a_blocked_contact_gets_and_brings_nothing(state: State) -> None:
    """ "the server MUST NOT respond and MUST NOT return an error" """
    stage = Stage()
    stage.online("desk")
    stage.set_state(state)
    stage.home.block(ALICE, ROMEO, stage.now)
    stage.clear()

    for type_ in ("", "unavailable", "probe", "foo", *SUBSCRIPTION_TYPES):
        assert stage.presence(type_) == []

    stage.home.available(ALICE, "desk", AWAY, stage.now)
    stage.home.unavailable(ALICE, "desk", None, stage.now)
    stage.home.available(ALICE, "desk", HERE, stage.now)

    assert stage.brief() == []
    assert not [each for each in stage.told() if isinstance(each, Requested | Seen)]


def test_a_blocked_contact_keeps_no_subscription_that_it_gives_up() -> None:
    stage = Stage()
    stage.set_state(State.BOTH)
    stage.home.block(ALICE, ROMEO, stage.now)
    stage.presence("unsubscribe")
    stage.presence("unsubscribed")

    assert stage.state() is State.NONE
    assert stage.home.contact(ALICE, ROMEO).blocked


def test_nothing_can_be_asked_of_a_blocked_contact() -> None:
    stage = Stage()
    stage.home.block(ALICE, ROMEO, stage.now)

    asked: list[Callable[[], object]] = [
        lambda: stage.home.add(ALICE, ROMEO, stage.now),
        lambda: stage.home.accept(ALICE, ROMEO, stage.now),
        lambda: stage.home.direct(ALICE, "desk", ROMEO, HERE, stage.now),
    ]

    for ask in asked:
        with pytest.raises(Blocked, match=r"alice@contoso\.com has blocked romeo@far\.example"):
            ask()

    assert stage.sent() == []


def test_after_a_block_each_sees_the_other_again() -> None:
    """XEP-0191 §3.4"""
    stage = Stage()
    stage.online("desk")
    stage.set_state(State.BOTH)
    stage.home.block(ALICE, ROMEO, stage.now)
    stage.clear()
    stage.home.unblock(ALICE, ROMEO, stage.now)

    assert stage.brief() == [
        "available alice@contoso.com/desk > romeo@far.example",
        "probe alice@contoso.com > romeo@far.example",
    ]

    stage.home.unblock(ALICE, ROMEO, stage.now)

    assert stage.brief() == []


def test_a_block_outlives_the_entry() -> None:
    stage = Stage()
    stage.set_state(State.BOTH)
    stage.home.block(ALICE, ROMEO, stage.now)
    stage.home.remove(ALICE, ROMEO, stage.now)

    assert [each.blocked for each in stage.store.contacts()] == [True]
