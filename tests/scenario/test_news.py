"""Presence that says nothing new is told from presence that does."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.scenario.news import old_news

ALICE = "alice@contoso.com"
BALCONY, GARDEN = "juliet@gmail.com/balcony", "juliet@gmail.com/garden"


def presence(sender: str = BALCONY, type: str = "available", **fields: Any) -> dict[str, Any]:  # noqa: A002
    return {"what": "presence", "from": sender, "type": type, **fields}


def decision(type: str, sender: str = "juliet@gmail.com") -> dict[str, Any]:  # noqa: A002
    return {"what": "subscription", "from": sender, "type": type}


def listed(subscription: str) -> dict[str, Any]:
    return {"what": "contact", "contact": "juliet@gmail.com", "subscription": subscription}


GONE, AWAY = presence(type="unavailable"), presence(show="away")
NOBODY = presence("juliet@gmail.com", "unavailable")

#: what arrives -> which of it is old, and why
CASES: dict[str, tuple[list[dict[str, Any]], dict[int, str]]] = {
    "the same once more": ([presence(), presence()], {1: "repeated"}),
    "the same but for its id": ([presence(id="a"), presence(id="b")], {1: "repeated"}),
    "another show": ([presence(), AWAY], {}),
    "another note": ([presence(), presence(status="Lunch")], {}),
    "another priority": ([presence(priority=1), presence(priority=2)], {}),
    "back to the first": ([presence(), AWAY, presence()], {}),
    "another device": ([presence(), presence(GARDEN)], {}),
    "another person": ([presence(), presence("romeo@gmail.com/balcony")], {}),
    "gone, and back": ([presence(), GONE, presence()], {}),
    "gone twice": ([presence(), GONE, GONE], {2: "repeated"}),
    "gone, who was never there": ([GONE], {}),
    "nobody there": ([NOBODY], {0: "never there"}),
    "nobody there, twice": ([NOBODY, NOBODY], {0: "never there", 1: "repeated"}),
    "nobody there any more": ([presence(), NOBODY], {}),
    "nobody there, of another person": ([presence("romeo@gmail.com/x"), NOBODY], {1: "never there"}),
    "every device is gone with the person": ([presence(), presence(GARDEN), NOBODY, presence()], {}),
    "an approval between": ([presence(), decision("subscribed"), presence()], {2: "repeated"}),
    "a leak after a cancellation": ([presence(), decision("unsubscribed"), presence()], {}),
    "a leak after the user has unsubscribed": ([AWAY, listed("none"), AWAY], {}),
    "a change of the list while both see each other": ([AWAY, listed("both"), AWAY], {2: "repeated"}),
    "a cancellation of another": (
        [presence(), decision("unsubscribed", "romeo@gmail.com"), presence()],
        {2: "repeated"},
    ),
    "on another device of the user's": ([presence(device="desk"), presence(device="phone")], {}),
    "on the same device of the user's": ([presence(device="desk"), presence(device="desk")], {1: "repeated"}),
    "the user's own": ([presence(f"{ALICE}/desk")], {0: "own"}),
    "a message": ([{"what": "message", "body": "x"}, {"what": "message", "body": "x"}], {}),
    "a request, twice": ([decision("subscribe"), decision("subscribe")], {}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_old_news_is_found(case: tuple[list[dict[str, Any]], dict[int, str]]) -> None:
    arrivals, old = case

    assert old_news(ALICE, enumerate(arrivals)) == old
