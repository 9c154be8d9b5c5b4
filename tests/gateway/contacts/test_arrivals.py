"""Presence of contacts as it comes in: who is told, what is kept, and how much of it (RFC 6121 §4.2.3, §8.5)."""

from __future__ import annotations

import pytest

from simulator.gateway.contacts.availability import Availability
from simulator.gateway.contacts.notices import Seen
from simulator.gateway.contacts.rules import HomeRules
from simulator.xmpp.subscription import State, sees
from tests.gateway.contacts.stage import ALICE, HERE, JULIET, ROMEO, Stage

ORCHARD = "romeo@far.example/orchard"
AWAY = f"<presence from='{ORCHARD}' to='alice@contoso.com'><show>away</show><status>Gone</status></presence>"


def seen(stage: Stage) -> list[tuple[str, Availability | None]]:
    return [(each.resource, each.availability) for each in stage.told() if isinstance(each, Seen)]


@pytest.mark.parametrize("state", list(State))
def test_presence_is_shown_to_subscribers(state: State) -> None:
    stage = Stage()
    stage.online("desk")
    stage.set_state(state)
    stage.receive(AWAY)
    away = Availability("away", (("", "Gone"),))

    assert seen(stage) == ([("orchard", away)] if sees(state) else [])
    assert stage.home.seen(ALICE, ROMEO) == ({"orchard": away} if sees(state) else {})
    assert stage.state() is state


def test_presence_of_strangers_is_shown_to_those_who_showed_theirs() -> None:
    stage = Stage()
    stage.online("desk")
    stage.home.direct(ALICE, "desk", JULIET, HERE, stage.now)
    stage.presence(sender="juliet@far.example/balcony")

    assert seen(stage) == [("balcony", HERE)]
    assert stage.home.contacts(ALICE) == []


def test_presence_to_one_device_goes_to_that_one() -> None:
    stage = Stage()
    stage.online("desk", "phone")
    stage.set_state(State.TO)
    stage.presence(sender=ORCHARD, to="alice@contoso.com/phone")
    stage.presence(sender=ORCHARD)

    assert [each.device for each in stage.told() if isinstance(each, Seen)] == ["phone", None]


@pytest.mark.parametrize("to", ["alice@contoso.com/gone", "bob@contoso.com"])
def test_presence_to_who_is_not_there_is_ignored(to: str) -> None:
    """§8.5.3.2.2, §8.5.2.2.2"""
    stage = Stage()
    stage.online("desk")
    stage.set_state(State.TO)

    assert stage.presence(sender=ORCHARD, to=to) == []
    assert stage.told() == []
    assert stage.home.seen(ALICE, ROMEO) == {}


def test_unavailable_of_one_resource_leaves_the_others() -> None:
    stage = Stage()
    stage.online("desk")
    stage.set_state(State.TO)
    stage.presence(sender=ORCHARD)
    stage.presence(sender="romeo@far.example/home")
    stage.clear()
    stage.presence("unavailable", ORCHARD)

    assert seen(stage) == [("orchard", None)]
    assert list(stage.home.seen(ALICE, ROMEO)) == ["home"]


def test_unavailable_of_the_bare_address_is_for_all_resources() -> None:
    """§4.5.4"""
    stage = Stage()
    stage.online("desk")
    stage.set_state(State.TO)
    stage.presence(sender=ORCHARD)
    stage.presence(sender="romeo@far.example/home")
    stage.clear()
    stage.presence("unavailable")

    assert seen(stage) == [("orchard", None), ("home", None), ("", None)]
    assert stage.home.seen(ALICE, ROMEO) == {}


def test_a_contact_who_is_offline_from_the_start_is_told() -> None:
    stage = Stage()
    stage.online("desk")
    stage.set_state(State.TO)
    stage.presence("unavailable")

    assert seen(stage) == [("", None)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<priority>128</priority>", HERE),
        ("<priority>abc</priority>", HERE),
        ("<priority>-5</priority>", Availability(priority=-5)),
        ("<priority> 127 </priority>", Availability(priority=127)),
        ("<priority>99999999999999999999</priority>", HERE),
        ("<priority>\u0661</priority>", HERE),
        ("<show>busy</show>", HERE),
        ("<show> dnd </show>", Availability("dnd")),
        ("<show/><status/>", HERE),
        ("<status>a</status><status>b</status>", Availability(notes=(("", "a"),))),
        ("<status>a</status><status xml:lang='cs'>b</status>", Availability(notes=(("", "a"), ("cs", "b")))),
    ],
)
def test_malformed_content_hides_nobody(content: str, expected: Availability) -> None:
    stage = Stage()
    stage.online("desk")
    stage.set_state(State.TO)
    stage.receive(f"<presence from='{ORCHARD}' to='alice@contoso.com'>{content}</presence>")

    assert stage.home.seen(ALICE, ROMEO) == {"orchard": expected}


def test_an_unknown_type_is_a_bad_request_for_everybody() -> None:
    """§4.7.1"""
    stage = Stage()
    answers = [stage.presence("foo", to=f"{user}@contoso.com") for user in ("alice", "nobody")]

    assert answers[0] == [
        "<presence from='alice@contoso.com' to='romeo@far.example' id='p1' type='error'><error type='modify'>"
        "<bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    ]
    assert answers[1] == [answers[0][0].replace("alice", "nobody")]


def test_errors_are_not_answered() -> None:
    stage = Stage()
    stage.set_state(State.BOTH)

    assert stage.presence("error") == []
    assert stage.state() is State.BOTH


@pytest.mark.parametrize(("sender", "to"), [("", "alice@contoso.com"), ("romeo@far.example", "@"), ("a@b@c", "x")])
def test_presence_without_addresses_is_dropped(sender: str, to: str) -> None:
    stage = Stage()

    assert stage.presence("probe", sender, to) == []
    assert stage.log == [f"a presence without usable addresses was dropped: {stage.log[0].partition(': ')[2]}"]


def test_only_so_many_resources_of_a_contact_are_kept() -> None:
    stage = Stage()
    stage.online("desk")
    stage.set_state(State.TO)

    for number in range(1000):
        stage.now += 1
        stage.presence(sender=f"romeo@far.example/{number}")

    assert len(stage.home.seen(ALICE, ROMEO)) == 50
    assert len(seen(stage)) == 50


def test_a_flood_is_told_as_its_last_word() -> None:
    stage = Stage(HomeRules(most_changes=5))
    stage.online("desk")
    stage.set_state(State.TO)

    for number in range(1000):
        stage.receive(AWAY.replace("Gone", f"Gone {number}"))

    assert len(seen(stage)) == 5

    stage.home.expire(stage.now + 0.5)

    assert seen(stage) == []

    stage.home.expire(stage.now + 1)

    assert seen(stage) == [("orchard", Availability("away", (("", "Gone 999"),)))]


def test_a_flood_ends_with_the_right_word_in_the_right_order() -> None:
    stage = Stage(HomeRules(most_changes=2))
    stage.online("desk")
    stage.set_state(State.TO)
    stage.presence(sender="romeo@far.example/a")
    stage.presence(sender="romeo@far.example/b")
    stage.presence("unavailable")
    stage.presence(sender="romeo@far.example/b")
    stage.clear()
    stage.home.expire(stage.now + 1)

    assert seen(stage) == [("a", None), ("", None), ("b", HERE)]


def test_who_comes_and_goes_in_a_flood_fills_no_memory() -> None:
    stage = Stage(HomeRules(most_changes=2))
    stage.online("desk")
    stage.set_state(State.TO)

    for number in range(1000):
        stage.presence(sender=f"romeo@far.example/{number}")
        stage.presence("unavailable", f"romeo@far.example/{number}")

    stage.clear()
    stage.home.expire(stage.now + 1)

    assert seen(stage) == []


def test_what_was_seen_is_forgotten_when_the_user_leaves() -> None:
    stage = Stage()
    stage.online("desk")
    stage.set_state(State.TO)
    stage.presence(sender=ORCHARD)
    stage.home.unavailable(ALICE, "desk", None, stage.now)

    assert stage.home.seen(ALICE, ROMEO) == {}

    stage.presence(sender=ORCHARD)

    assert stage.home.seen(ALICE, ROMEO) == {}
