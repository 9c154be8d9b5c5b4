"""A step takes the next arrival, and passes over exactly what the scenario allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from simulator.document import parse_document
from simulator.scenario.loader import read_scenarios
from simulator.scenario.model import Scenario
from simulator.scenario.take import choose, end_is_allowed

RECEIVES = """\
claim: x
steps:
- gmail.com receives: <a id='{id}'/>
  or: [{expect: <c/>, because: x}]
  may also receive: [<b>...</b>]
- gmail.com receives: <b><deep/></b>
- gmail.com is asked to verify
"""

USERS = """\
claim: x
steps:
- alice@contoso.com receives a message: {from: juliet@gmail.com, body: Hi}
  may also receive: [noise, {from: romeo@gmail.com}]
- alice@contoso.com is refused: forbidden
- alice@contoso.com is accepted
- alice@contoso.com is refused: forbidden
  or: [{is accepted: , because: x}]
- alice@contoso.com is accepted: {id: two}
"""


def scenario(text: str) -> Scenario:
    return read_scenarios(parse_document(text), "file")[0]


@pytest.mark.parametrize(
    ("step", "waiting", "taken"),
    [
        (0, [], None),
        (0, ["<a id='1'/>"], 0),
        (0, ["<x/>", "<a id='1'/>"], 0),
        (0, ["<b/>", "<a id='1'/>"], 1),
        (0, ["<b/>", "<b><c/></b>"], None),
        (0, ["<b/>", "<c/>"], 1),
        (0, ["<b/>", "<x/>"], 1),
        # What an earlier step allows stays allowed, but what this step wants is taken all the same.
        (1, ["<b/>", "<b><deep/></b>"], 1),
        (2, ["<b/>", "<db:verify>k</db:verify>"], 1),
    ],
)
def test_a_stream_step_takes_the_next_that_is_not_allowed_besides(
    step: int, waiting: list[str], taken: int | None
) -> None:
    played = scenario(RECEIVES)

    assert choose(played, played.steps[step], waiting, {}) == taken


MESSAGE = {"what": "message", "from": "juliet@gmail.com/balcony", "body": "Hi"}
OTHER = {"what": "message", "from": "eve@gmail.com", "body": "Psst"}
NOISE = {"what": "message", "from": "eve@gmail.com", "body": "noise"}
ROMEO = {"what": "message", "from": "romeo@gmail.com/tomb", "body": "O"}
REFUSAL = {"what": "refusal", "conditions": ["forbidden"]}
ACCEPTED = {"what": "accepted"}


@pytest.mark.parametrize(
    ("step", "waiting", "taken"),
    [
        (0, [ACCEPTED, NOISE, ROMEO, MESSAGE], 3),
        (0, [OTHER, MESSAGE], 0),
        (0, [ACCEPTED], None),
        (0, [REFUSAL], 0),
        (1, [OTHER, ACCEPTED, REFUSAL], 2),
        (1, [OTHER, ACCEPTED], None),
        (2, [OTHER, ACCEPTED], 1),
        (2, [REFUSAL, ACCEPTED], 0),
        (3, [OTHER, ACCEPTED], 1),
        (4, [{"what": "accepted", "id": "one"}, {"what": "accepted", "id": "two"}], 1),
        (4, [{"what": "accepted", "id": "one"}, {"what": "refusal", "id": "two"}], 1),
        (4, [{"what": "refusal", "id": "one"}], None),
    ],
)
def test_a_user_step_passes_over_answers_to_other_questions(
    step: int, waiting: list[Mapping[str, Any]], taken: int | None
) -> None:
    played = scenario(USERS)

    assert choose(played, played.steps[step], waiting, {}) == taken


def test_captures_and_real_names_are_respected() -> None:
    text = "claim: x\nsteps:\n- gmail.com receives: <a/>\n  may also receive: [\"<b to='gmail.com' id='{id}'/>\"]\n"
    played = scenario(text)
    waiting = ["<b to='gmail-1.com' id='7'/>"]

    assert choose(played, played.steps[0], waiting, {"id": "7"}, {"gmail.com": "gmail-1.com"}) is None
    assert choose(played, played.steps[0], waiting, {"id": "8"}, {"gmail.com": "gmail-1.com"}) == 0
    assert choose(played, played.steps[0], waiting, {"id": "7"}) == 0


def test_the_end_of_a_stream_may_be_allowed() -> None:
    assert end_is_allowed(["<a/>", {"ends": "reset"}], "reset")
    assert end_is_allowed([{"ends": "..."}], "conflict")
    assert not end_is_allowed(["<a/>", {"ends": "reset"}], "conflict")
