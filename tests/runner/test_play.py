"""One scenario on one system: what ends up in the journal, whatever the system does."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from simulator.journal import Entry, Journal
from simulator.runner.play import play
from simulator.scenario.model import Scenario
from simulator.verdict import Outcome, judge
from simulator.world.seating import Seats
from simulator.world.systems.system import Seat

Written = Callable[..., Scenario]
SeatsOf = Callable[..., Seats]


def of_kind(journal: Journal, kind: str) -> list[Entry]:
    return [entry for entry in journal.entries if entry.kind == kind]


def outcome(scenario: Scenario, journal: Journal) -> Outcome:
    return judge(scenario, journal.entries).outcome


async def test_a_talk_passes(talk: Scenario, rooms: Any, seats_of: SeatsOf) -> None:
    journal = await play(talk, seats_of(rooms.seat()))

    assert outcome(talk, journal) is Outcome.PASS
    assert [entry.data["outcome"] for entry in of_kind(journal, "step")] == ["done"] * 4
    assert journal.entries[0].data["system"]["version"] == "1.0"


async def test_a_wrong_body_fails(written: Written, rooms: Any, seats_of: SeatsOf) -> None:
    scenario = written("""
claim: Wrong
partners: {}
steps:
  - alice@contoso.com sends a message: {to: bob@contoso.com, body: Hello}
  - bob@contoso.com receives a message: Goodbye
  - alice@contoso.com is accepted
""")
    journal = await play(scenario, seats_of(rooms.seat()))

    assert outcome(scenario, journal) is Outcome.FAIL
    assert len(of_kind(journal, "step")) == 3, "two steps and the teardown: nothing is played after a failure"


async def test_what_is_lost_fails_at_its_deadline(written: Written, rooms: Any, seats_of: SeatsOf) -> None:
    scenario = written(
        """
claim: Lost
partners: {}
steps:
  - alice@contoso.com sends a message: {to: bob@contoso.com, body: Hello}
  - bob@contoso.com receives a message: Hello
    within: 0.05
"""
    )
    journal = await play(scenario, seats_of(rooms.seat(fails="lose")))
    last = of_kind(journal, "step")[1]

    assert last.data["outcome"] == "deadline"
    assert outcome(scenario, journal) is Outcome.FAIL


@pytest.mark.parametrize(
    ("fails", "expected", "reason"),
    [
        ("die", Outcome.FAIL, "the roof came down"),
        ("start", Outcome.FAIL, "the room is locked"),
        ("settings", Outcome.FAIL, "no such room"),
        ("hang", Outcome.FAIL, "get rid of the message"),
        ("bug", Outcome.ERROR, "a bug of ours"),
        ("harness", Outcome.ERROR, "Address already in use"),
        ("sign-in", Outcome.FAIL, "the room is full"),
    ],
)
async def test_a_failing_system_is_no_green(
    fails: str, expected: Outcome, reason: str, written: Written, rooms: Any, seats_of: SeatsOf
) -> None:
    scenario = written("""
claim: Two people talk
partners: {}
deadline: 0.1
steps:
  - alice@contoso.com sends a message: {to: bob@contoso.com, body: Hello}
  - bob@contoso.com receives a message: Hello
""")
    verdict = judge(scenario, (await play(scenario, seats_of(rooms.seat(fails=fails)))).entries)

    assert (verdict.outcome, reason in verdict.reason) == (expected, True), verdict.reason
    assert not any(room.running for room in rooms.made)


async def test_a_stuck_stop_is_our_problem_on_record(talk: Scenario, rooms: Any, seats_of: SeatsOf) -> None:
    journal = await play(talk, seats_of(rooms.seat(fails="stop")))

    assert ["the door is stuck" in entry.data["text"] for entry in of_kind(journal, "problem")] == [True]


async def test_the_systems_log_is_kept(talk: Scenario, rooms: Any, seats_of: SeatsOf) -> None:
    journal = await play(talk, seats_of(rooms.seat()))

    assert [entry.data["text"] for entry in of_kind(journal, "log")] == ["somebody spoke"]


async def test_a_lacking_capability_is_unsupported(written: Written, rooms: Any, seats_of: SeatsOf) -> None:
    scenario = written("""
claim: Needs SIP
needs: [sip]
steps:
  - alice@contoso.com sends a message: {to: bob@contoso.com, body: Hello}
  - bob@contoso.com receives a message: Hello
""")
    journal = await play(scenario, seats_of(rooms.seat()))

    assert outcome(scenario, journal) is Outcome.UNSUPPORTED
    assert rooms.made == []


async def test_the_same_seed_gives_the_same_names(talk: Scenario, rooms: Any, seats_of: SeatsOf) -> None:
    def told(journal: Journal) -> list[Any]:
        return [entry.data for entry in of_kind(journal, "delivered")]

    first, again = [await play(talk, seats_of(rooms.seat(shared=True), 5)) for _ in range(2)]
    other = await play(talk, seats_of(rooms.seat(shared=True), 6))

    assert told(first) == told(again) != told(other)
    assert first.entries[0].data["cast"] == again.entries[0].data["cast"] != {}


async def test_a_shared_system_is_started_once(talk: Scenario, rooms: Any, seats_of: SeatsOf) -> None:
    seats = seats_of(rooms.seat(shared=True))
    journals = [await play(talk, seats) for _ in range(3)]

    assert [outcome(talk, journal) for journal in journals] == [Outcome.PASS] * 3
    assert len(rooms.made) == 1
    assert rooms.made[0].running


async def test_who_stops_a_system_has_it_alone(written: Written, rooms: Any, seats_of: SeatsOf) -> None:
    scenario = written("""
claim: It comes back
partners: {}
steps:
  - the system starts
  - the system stops
  - the system starts
  - alice@contoso.com sends a message: {to: bob@contoso.com, body: Hello}
  - bob@contoso.com receives a message: Hello
""")
    seats = seats_of(rooms.seat(shared=True))
    journal = await play(scenario, seats)

    assert outcome(scenario, journal) is Outcome.PASS, judge(scenario, journal.entries).reason
    assert len(rooms.made) == 2
    assert not any(room.running for room in rooms.made)


async def test_refused_settings_can_be_the_claim(written: Written, rooms: Any, seats_of: SeatsOf) -> None:
    text = """
claim: It refuses
partners: {}
steps:
  - the system refuses its settings: no such room
"""
    scenario = written(text)
    # The claim needs a capability that a room has not: without it nothing would be played.
    seat = rooms.seat(fails="settings")
    able = Seat(seat.name, seat.says, scenario.needs, False, seat.make)

    assert outcome(scenario, await play(scenario, seats_of(able))) is Outcome.PASS


async def test_a_refusal_can_be_the_claim(written: Written, rooms: Any, seats_of: SeatsOf) -> None:
    scenario = written("""
claim: There is no such person
partners: {}
steps:
  - alice@contoso.com sends a message: {to: nobody@contoso.com, body: Hello}
  - alice@contoso.com is refused: item-not-found
""")

    assert outcome(scenario, await play(scenario, seats_of(rooms.seat()))) is Outcome.PASS


def test_the_job_can_be_sent_elsewhere(talk: Scenario) -> None:
    assert pickle.loads(pickle.dumps(talk)) == talk
