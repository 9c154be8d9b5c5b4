"""Who was shown something is told when it is over: later if no way led there, and past gates that have closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.gateway.contacts.store import ContactStore
from simulator.xmpp.address import parse_address
from simulator.xmpp.subscription import State
from tests.gateway.contacts.stage import ALICE, ENDS, HERE, JULIET, ROMEO, Stage, end, killed, started

DESK = "available alice@contoso.com/desk > romeo@far.example"
TYBALT = parse_address("tybalt@other.example")
GONE = "unavailable alice@contoso.com > romeo@far.example"


@pytest.fixture
def stage() -> Stage:
    """Romeo sees Alice, on two devices."""
    stage = Stage()
    stage.set_state(State.FROM)
    stage.online("desk", "phone")

    return stage


def lose_link(stage: Stage) -> None:
    stage.link_is_up = False
    stage.home.link_lost(stage.now)


def find_link(stage: Stage) -> list[str]:
    stage.link_is_up = True
    stage.clear()
    stage.home.link_back(stage.now)

    return stage.brief()


def test_device_that_left_while_the_link_was_down_is_not_shown_for_ever(stage: Stage) -> None:
    lose_link(stage)
    stage.home.unavailable(ALICE, "phone", None, stage.now)

    assert find_link(stage) == [GONE, DESK]


def test_device_that_left_while_the_domain_was_lost_is_not_shown_for_ever(stage: Stage) -> None:
    stage.home.domain_lost("far.example", stage.now)
    stage.home.unavailable(ALICE, "phone", None, stage.now)
    stage.clear()
    stage.home.domain_back("far.example", stage.now)

    assert stage.brief() == [GONE, DESK]


@pytest.mark.parametrize("act", ["refuse", "remove", "block"])
def test_whoever_may_see_no_more_is_told_so_when_the_link_is_back(stage: Stage, act: str) -> None:
    lose_link(stage)
    getattr(stage.home, act)(ALICE, ROMEO, stage.now)

    assert find_link(stage) == [GONE]
    assert find_link(stage) == []


def test_process_that_ended_without_a_link_leaves_its_last_words_to_the_next(tmp_path: Path) -> None:
    store = ContactStore(tmp_path / "contacts.sqlite")
    store.open()
    stage = Stage(store=store)
    stage.set_state(State.FROM)
    stage.online("desk")
    lose_link(stage)
    stage.home.close(stage.now)
    again = Stage(store=store)
    again.home.open()
    again.home.link_back(again.now)

    assert again.brief() == [GONE]
    assert store.online() == set()

    store.close()


def test_whom_a_device_was_shown_directly_is_told_when_a_gate_closes() -> None:
    stage = Stage()
    stage.home.direct(ALICE, "desk", JULIET, HERE, stage.now)
    stage.clear()
    stage.gates.outbound_is_closed = True
    stage.home.reconsider(stage.now)

    assert stage.brief() == ["unavailable alice@contoso.com/desk > juliet@far.example"]


def test_probe_past_a_closed_gate_finds_nobody_who_was_shown_directly() -> None:
    stage = Stage()
    stage.home.direct(ALICE, "desk", JULIET, HERE, stage.now)
    stage.clear()
    stage.gates.outbound_is_closed = True

    # What a stranger is told.
    assert stage.presence("probe", "juliet@far.example") == [
        "<presence from='alice@contoso.com' to='juliet@far.example' id='p1' type='unsubscribed'/>"
    ]


@pytest.mark.parametrize("ends", ENDS)
def test_strangers_presence_counts_as_long_as_the_user_is_shown_to_him(ends: str) -> None:
    stage = Stage()
    stage.set_state(State.FROM, contact=JULIET)
    stage.online("phone")
    stage.home.direct(ALICE, "desk", JULIET, HERE, stage.now)
    stage.presence(sender="juliet@far.example/b")

    assert stage.home.seen(ALICE, JULIET)

    end(stage, ends)

    assert not stage.home.seen(ALICE, JULIET)


@pytest.fixture
def second(tmp_path: Path) -> Stage:
    """The gateway after the first kill, in the folder 2: Romeo and Tybalt, at two domains, saw Alice then."""
    first = started(tmp_path / "1")
    first.set_state(State.FROM)
    first.set_state(State.FROM, contact=TYBALT)
    first.online("desk")

    return killed(tmp_path / "1", tmp_path / "2")


def test_whoever_is_not_reached_before_a_second_kill_is_told_after_that(tmp_path: Path, second: Stage) -> None:
    second.home.domain_back("far.example", second.now)
    assert second.brief() == [GONE]

    # Who logs in and out in between is as little forgotten where no way led to.
    second.online("phone")
    second.home.unavailable(ALICE, "phone", None, second.now)

    third = killed(tmp_path / "2", tmp_path / "3")
    third.home.domain_back("other.example", third.now)
    assert third.brief() == ["unavailable alice@contoso.com > tybalt@other.example"]


def test_whoever_was_reached_is_not_told_again_after_the_next_kill(tmp_path: Path, second: Stage) -> None:
    second.home.domain_back("far.example", second.now)
    second.home.domain_back("other.example", second.now)
    assert len(second.brief()) == 2

    third = killed(tmp_path / "2", tmp_path / "3")
    third.home.domain_back("far.example", third.now)
    third.home.domain_back("other.example", third.now)
    assert third.brief() == []
