"""Which of the waiting arrivals a step about presence takes, and which it leaves for others."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.document import parse_document
from simulator.scenario.loader import read_scenarios
from simulator.scenario.take import choose

BALCONY = "juliet@gmail.com/balcony"
USERS = "users: {alice@contoso.com: {devices: [desk, phone]}}"


def presence(sender: str = BALCONY, type: str = "available", **fields: Any) -> dict[str, Any]:  # noqa: A002
    return {"what": "presence", "from": sender, "type": type, "xml": "<presence/>", **fields}


MESSAGE = {"what": "message", "from": BALCONY, "body": "Hi", "xml": "<message/>"}
AWAY, PLAIN, GONE = presence(show="away"), presence(), presence(type="unavailable")
ASKS = {"what": "subscription", "from": "juliet@gmail.com", "type": "subscribe", "xml": "<presence type='subscribe'/>"}
GRANTED = {"what": "subscription", "from": "juliet@gmail.com", "type": "subscribed"}
ROMEO = presence("romeo@gmail.com/orchard", show="away")
LIST = {"what": "contact", "contact": "juliet@gmail.com", "subscription": "to"}
COMPOSING = {"what": "composing", "from": BALCONY, "state": "composing"}
ACCEPTED = {"what": "accepted", "id": "1"}
PHONE = presence(show="away", device="phone")

#: step, arrivals, which of them it takes
CASES: dict[str, tuple[str, list[dict[str, Any]], int | None]] = {
    "messages and lists are passed over": (
        "sees juliet@gmail.com: away",
        [MESSAGE, LIST, COMPOSING, ACCEPTED, AWAY],
        4,
    ),
    "what another person shows is passed over": ("sees juliet@gmail.com: away", [ROMEO, AWAY], 1),
    "what is not wanted is taken, to be judged": ("sees juliet@gmail.com: away", [GONE, AWAY], 0),
    "an approval stands in the way": ("sees juliet@gmail.com: dnd", [GRANTED, AWAY], 0),
    "presence stands in the way of a decision": ("is told by juliet@gmail.com: unsubscribed", [GONE, GRANTED], 0),
    "a device is told from another": (
        "sees juliet@gmail.com/garden: away",
        [AWAY, presence("juliet@gmail.com/garden")],
        1,
    ),
    "nobody there is about every device": (
        "sees juliet@gmail.com/garden: unavailable",
        [AWAY, presence("juliet@gmail.com", "unavailable")],
        1,
    ),
    "nothing of the contact is there": ("sees juliet@gmail.com", [ROMEO, MESSAGE], None),
    "a request is a decision, too": ("is asked by juliet@gmail.com", [MESSAGE, ASKS], 1),
    "a message passes presence over": ("receives a message: Hi", [AWAY, ASKS, LIST, COMPOSING, MESSAGE], 4),
    "XML of a message passes presence over": ("receives: <message/>", [AWAY, LIST, MESSAGE], 2),
    "XML of presence does not": ("receives: <presence type='subscribe'/>", [LIST, ASKS, MESSAGE], 1),
    "a chat state passes presence over": ("sees a chat state of juliet@gmail.com: composing", [AWAY, COMPOSING], 1),
    "an answer passes presence over": ("is accepted", [AWAY, LIST, ACCEPTED], 2),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_step_takes_what_concerns_it(case: tuple[str, list[dict[str, Any]], int | None]) -> None:
    sentence, waiting, taken = case
    scenario = read_scenarios(
        parse_document(f"claim: x\nsteps:\n- alice@contoso.com {sentence}\n- romeo@gmail.com has received nothing\n"),
        "x",
    )[0]

    assert choose(scenario, scenario.steps[0], waiting, {}) == taken


def test_old_news_is_taken_only_where_it_is_wanted() -> None:
    scenario = read_scenarios(
        parse_document("claim: x\nsteps: [{alice@contoso.com sees juliet@gmail.com: dnd}]\n"), "x"
    )[0]
    step = scenario.steps[0]

    assert choose(scenario, step, [AWAY, presence(show="dnd")], {}) == 0
    assert choose(scenario, step, [AWAY, presence(show="dnd")], {}, old={0}) == 1
    assert choose(scenario, step, [AWAY, PLAIN], {}) == 0
    assert choose(scenario, step, [AWAY, PLAIN], {}, old={0}) == 1
    assert choose(scenario, step, [presence(show="dnd")], {}, old={0}) == 0


def test_a_device_takes_what_reached_it() -> None:
    text = f"claim: x\n{USERS}\nsteps: [{{alice@contoso.com/phone sees juliet@gmail.com: away}}]\n"
    scenario = read_scenarios(parse_document(text), "x")[0]

    assert choose(scenario, scenario.steps[0], [{**AWAY, "device": "desk"}, AWAY, PHONE], {}) == 2
    assert choose(scenario, scenario.steps[0], [{**AWAY, "device": "desk"}], {}) is None
