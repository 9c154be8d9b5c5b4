"""What a gateway still had to say when it was killed is said by the one that comes after it, once."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from simulator.gateway.contacts.last_words import DOUBT
from simulator.gateway.contacts.sessions import MOST_DIRECTED
from simulator.xmpp.address import Address, parse_address
from simulator.xmpp.subscription import State
from tests.gateway.contacts.stage import ALICE, ENDS, HERE, JULIET, ROMEO, Stage, end, killed, started

DESK = parse_address("alice@contoso.com/desk")
GONE = "unavailable alice@contoso.com > romeo@far.example"
DESK_IS_GONE = "unavailable alice@contoso.com/desk > juliet@far.example"
DESK_IS_SHOWN = "available alice@contoso.com/desk > romeo@far.example"


class Run:
    """One gateway after the other, each killed."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbers = folder, count(1)
        self.stage = started(folder / "0")
        self._last = folder / "0"

    def kill(self) -> Stage:
        """The next one, which has no link yet."""
        self._last, last = self._folder / str(next(self._numbers)), self._last
        self.stage = killed(last, self._last)

        return self.stage

    def finds(self) -> list[str]:
        """The link is back; gives what is sent for it."""
        self.stage.link_is_up = True
        self.stage.clear()
        self.stage.home.link_back(self.stage.now)

        return self.stage.brief()

    def loses(self) -> None:
        """The link is down."""
        self.stage.link_is_up = False
        self.stage.home.link_lost(self.stage.now)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def shown_to_romeo(run: Run) -> Stage:
    run.stage.set_state(State.FROM)
    run.stage.online("desk")

    return run.stage


@pytest.mark.parametrize("act", ["refuse", "remove", "block"])
@pytest.mark.parametrize("lost", ["link", "domain"])
def test_who_was_refused_removed_or_blocked_while_no_way_led_there(run: Run, lost: str, act: str) -> None:
    first = shown_to_romeo(run)

    if lost == "link":
        run.loses()
    else:
        first.home.domain_lost("far.example", first.now)

    getattr(first.home, act)(ALICE, ROMEO, first.now)
    run.kill()

    assert run.finds() == [GONE]
    assert run.finds() == []

    run.kill()

    assert run.finds() == []
    assert run.stage.store.last_words() == []


def test_who_is_owed_a_word_is_owed_it_through_any_number_of_kills(run: Run) -> None:
    first = shown_to_romeo(run)
    run.loses()
    first.home.refuse(ALICE, ROMEO, first.now)

    for _ in range(3):
        run.kill()

    assert run.finds() == [GONE]


def test_who_was_accepted_again_is_told_of_what_is_gone_and_then_of_what_is_there(run: Run) -> None:
    first = shown_to_romeo(run)
    run.loses()
    first.home.refuse(ALICE, ROMEO, first.now)
    second = run.kill()
    second.set_state(State.FROM)
    second.online("desk")

    assert run.finds() == [GONE, DESK_IS_SHOWN]
    assert run.finds() == [DESK_IS_SHOWN]
    assert second.store.last_words() == []


def test_to_whom_a_device_had_shown_itself_directly(run: Run) -> None:
    """§4.6.3 case 2, and §4.5.2: "If the server detects that the user has gone offline ungracefully" """
    run.stage.home.direct(ALICE, "desk", JULIET, HERE, run.stage.now)
    run.kill()

    assert run.finds() == [DESK_IS_GONE]
    assert run.finds() == []

    run.kill()

    assert run.finds() == []


def test_to_whom_a_device_had_shown_itself_that_left_while_no_way_led_there(run: Run) -> None:
    first = run.stage
    first.home.direct(ALICE, "desk", JULIET, HERE, first.now)
    run.loses()
    first.home.unavailable(ALICE, "desk", None, first.now)
    run.kill()

    assert run.finds() == [DESK_IS_GONE]
    assert run.finds() == []


def test_a_resource_is_told_that_was_shown_the_device(run: Run) -> None:
    """§4.6.3 case 2: "the user's server MUST route that unavailable presence to the entity" """
    run.stage.home.direct(ALICE, "desk", parse_address("room@far.example/alice"), HERE, run.stage.now)
    run.kill()

    assert run.finds() == ["unavailable alice@contoso.com/desk > room@far.example/alice"]


def test_one_word_for_all_devices_is_enough_for_who_was_shown_one_directly_as_well(run: Run) -> None:
    first = shown_to_romeo(run)
    first.home.direct(ALICE, "phone", ROMEO, HERE, first.now)
    run.kill()

    assert run.finds() == [GONE]
    assert run.finds() == []
    assert run.stage.store.last_words() == []


def test_a_device_that_shows_itself_again_is_not_gone(run: Run) -> None:
    run.stage.home.direct(ALICE, "desk", JULIET, HERE, run.stage.now)
    second = run.kill()
    second.home.direct(ALICE, "desk", JULIET, HERE, second.now)

    assert run.finds() == []

    second.home.unavailable(ALICE, "desk", None, second.now)

    assert second.brief() == [DESK_IS_GONE]
    assert second.store.last_words() == []


def test_what_is_owed_does_not_take_back_what_another_device_shows_meanwhile(run: Run) -> None:
    first = shown_to_romeo(run)
    run.loses()
    first.home.refuse(ALICE, ROMEO, first.now)
    second = run.kill()
    second.home.direct(ALICE, "phone", ROMEO, HERE, second.now)

    assert second.brief() == [GONE, "available alice@contoso.com/phone > romeo@far.example"]
    assert run.finds() == []
    assert second.store.last_words() == [(parse_address("alice@contoso.com/phone"), ROMEO)]


@pytest.mark.parametrize("ends", [*ENDS, "blocked", "forgotten"])
def test_what_was_taken_back_is_not_owed(run: Run, ends: str) -> None:
    first = run.stage
    first.set_state(State.NPI, contact=JULIET)
    first.home.direct(ALICE, "desk", JULIET, HERE, first.now)

    assert first.store.last_words() == [(DESK, JULIET)]

    if ends in ENDS:
        end(first, ends)
    elif ends == "blocked":
        first.home.block(ALICE, JULIET, first.now)
    else:
        for number in range(MOST_DIRECTED):
            first.home.direct(ALICE, "desk", Address(f"u{number}", "far.example"), HERE, first.now)

    assert (DESK, JULIET) not in first.store.last_words()
    # Those who were not forgotten for anybody are owed the word, and nobody else is.
    assert len(first.store.last_words()) == (MOST_DIRECTED if ends == "forgotten" else 0)


def test_who_is_forgotten_for_another_while_no_way_leads_there_is_told_later(run: Run) -> None:
    first = run.stage
    first.home.direct(ALICE, "desk", JULIET, HERE, first.now)
    run.loses()

    for number in range(MOST_DIRECTED):
        first.home.direct(ALICE, "desk", Address(f"u{number}", "far.example"), HERE, first.now)

    assert run.finds() == [DESK_IS_GONE]
    assert run.finds() == []


def test_showing_oneself_again_to_the_same_costs_no_write(run: Run) -> None:
    run.stage.home.direct(ALICE, "desk", JULIET, HERE, run.stage.now)
    before = run.stage.store._database.total_changes

    for _ in range(10):
        run.stage.home.direct(ALICE, "desk", JULIET, HERE, run.stage.now)

    assert run.stage.store._database.total_changes == before


# An edge says which domains it has lost right after its link is up, and finds out about others when it dials.


@pytest.mark.parametrize("act", ["refuse", "unavailable"])
@pytest.mark.parametrize("killed_again", [False, True])
def test_what_was_said_in_the_hope_of_a_way_is_said_again_when_there_was_none(
    run: Run, act: str, killed_again: bool
) -> None:
    first = shown_to_romeo(run)
    run.loses()

    if act == "refuse":
        first.home.refuse(ALICE, ROMEO, first.now)
    else:
        first.home.unavailable(ALICE, "desk", None, first.now)

    second = run.kill()

    assert run.finds() == [GONE]

    second.now += DOUBT
    second.home.expire(second.now)
    second.home.domain_lost("far.example", second.now)
    third = run.kill() if killed_again else second
    third.home.domain_back("far.example", third.now)

    assert third.brief() == [GONE]

    third.home.domain_lost("far.example", third.now)
    third.home.domain_back("far.example", third.now)

    assert third.brief() == []


def test_what_was_said_longer_ago_has_arrived(run: Run) -> None:
    first = shown_to_romeo(run)
    run.loses()
    first.home.refuse(ALICE, ROMEO, first.now)
    second = run.kill()

    assert run.finds() == [GONE]

    second.now += DOUBT + 1
    second.home.domain_lost("far.example", second.now)
    second.home.domain_back("far.example", second.now)

    assert second.brief() == []


def test_what_could_not_be_kept_is_kept_with_the_next_change(run: Run) -> None:
    first = run.stage
    first.store._database.execute("PRAGMA query_only = ON")
    first.home.direct(ALICE, "desk", JULIET, HERE, first.now)

    assert "cannot be written" in first.log[-1]

    first.store._database.execute("PRAGMA query_only = OFF")
    first.home.direct(ALICE, "desk", ROMEO, HERE, first.now)

    assert first.store.last_words() == [(DESK, JULIET), (DESK, ROMEO)]


def test_what_was_said_in_vain_is_owed_though_the_link_was_down_once_more(run: Run) -> None:
    first = shown_to_romeo(run)
    run.loses()
    first.home.refuse(ALICE, ROMEO, first.now)
    second = run.kill()

    assert run.finds() == [GONE]

    run.loses()

    assert run.finds() == []

    second.home.domain_lost("far.example", second.now)
    second.home.domain_back("far.example", second.now)

    assert second.brief() == [GONE]


def test_what_was_said_before_a_stream_led_there_has_arrived(run: Run) -> None:
    first = shown_to_romeo(run)
    run.loses()
    first.home.refuse(ALICE, ROMEO, first.now)
    second = run.kill()

    assert run.finds() == [GONE]

    second.home.domain_back("far.example", second.now)
    second.home.domain_lost("far.example", second.now)
    second.home.domain_back("far.example", second.now)

    assert second.brief() == []


def test_a_device_that_shows_itself_again_after_it_was_said_to_be_gone_is_there(run: Run) -> None:
    run.stage.home.direct(ALICE, "desk", JULIET, HERE, run.stage.now)
    second = run.kill()

    assert run.finds() == [DESK_IS_GONE]

    second.home.direct(ALICE, "desk", JULIET, HERE, second.now)
    second.home.domain_lost("far.example", second.now)
    second.clear()
    second.home.domain_back("far.example", second.now)

    assert second.brief() == []
    assert second.store.last_words() == [(DESK, JULIET)]


def test_a_device_that_is_there_is_not_gone_because_the_file_is_read_again(run: Run) -> None:
    run.stage.home.direct(ALICE, "desk", JULIET, HERE, run.stage.now)
    run.stage.home.open()

    assert run.finds() == []
