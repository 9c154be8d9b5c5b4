"""What follows the last step at once is seen in every run, not in some."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.document import parse_document
from simulator.gateway.rules import Rules
from simulator.runner.play import play
from simulator.scenario.loader import read_scenarios
from simulator.verdict import Outcome, judge
from simulator.world.seating import Seats
from simulator.world.systems.catalogue import seat

SCENARIO = """
claim: A key for a domain that is not served is answered, and nothing else is
steps:
  - gmail.com is authenticated
  - gmail.com offers a dialback key: {to: nobody.example}
"""

JUDGED = SCENARIO + "  - gmail.com receives: <db:result type='error'>...</db:result>\n"


async def outcome(text: str, rules: Rules | None = None) -> tuple[Outcome, str]:
    [scenario] = read_scenarios(parse_document(text), "settling/one")
    seats = Seats(seat("embedded"), seed=1, rules=rules)

    try:
        verdict = judge(scenario, (await play(scenario, seats)).entries)
    finally:
        await seats.close()

    return verdict.outcome, verdict.reason


async def test_an_answer_after_the_last_step_is_seen() -> None:
    came, reason = await outcome(SCENARIO)

    assert came is Outcome.FAIL
    assert "item-not-found" in reason


async def test_an_announced_answer_settles_quietly() -> None:
    pattern = JUDGED.replace("<db:result type='error'>", "<db:result from='...' to='...' type='error'>")

    assert (await outcome(pattern))[0] is Outcome.PASS


async def test_a_system_that_answers_no_question_is_not_blamed() -> None:
    mute = replace(Rules(), answer_verification=lambda *_: None)
    pattern = JUDGED.replace("<db:result type='error'>", "<db:result from='...' to='...' type='error'>")

    assert (await outcome(pattern, mute))[0] is Outcome.PASS


PRESENCE = """
claim: What a user shows last is seen by the contact
given:
  - alice@contoso.com has reached a subscription with juliet@gmail.com: {state}
steps:
  - juliet@gmail.com sets its presence: away
  - alice@contoso.com sets its presence: dnd
  - {last}
"""


@pytest.mark.parametrize(
    ("state", "who", "what"),
    [("F", "juliet@gmail.com", 'show="dnd"'), ("T", "alice@contoso.com", 'show="away"')],
)
async def test_presence_after_the_last_step_is_seen(state: str, who: str, what: str) -> None:
    quiet = "bob@contoso.com has received nothing"
    came, reason = await outcome(PRESENCE.format(state=state, last=quiet))

    assert came is Outcome.FAIL
    assert who in reason
    assert what in reason


async def test_presence_that_nobody_may_see_settles_quietly() -> None:
    assert (await outcome(PRESENCE.format(state="N", last="juliet@gmail.com has received nothing")))[0] is Outcome.PASS
