"""Which devices get a message: RFC 6121 §8.5.2.1.1, §8.5.3 and Table 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from simulator.gateway.frontend.recipients import Standing, Target, matches, recipients
from simulator.gateway.frontend.stanzas import fate_of_message

LOW, HIGH, AWAY, BELOW = Standing(priority=1), Standing(priority=5), Standing(priority=None), Standing(priority=-1)
TALKS = Standing(priority=0, talks=True)
SAID = {"D": "deliver", "S": "ignore", "E": "service-unavailable"}

#: `reachable`, target -> what becomes of normal, chat, groupchat, headline; of S/E we choose E
TABLE = {
    (False, Target.BARE): "EEES",
    (False, Target.OTHER): "EEEE",
    (True, Target.BARE): "DDED",
    (True, Target.MATCH): "DDDD",
    (True, Target.OTHER): "EDEE",
}


@pytest.mark.parametrize(
    ("kind", "standings", "expected"),
    [
        ("chat", [], []),
        ("chat", [AWAY, BELOW], []),
        ("headline", [AWAY, BELOW], []),
        ("chat", [AWAY, LOW, BELOW], [1]),
        ("chat", [LOW, HIGH, LOW], [1]),
        ("normal", [LOW, HIGH, LOW], [1]),
        ("chat", [HIGH, LOW, HIGH], [0, 2]),
        ("headline", [LOW, HIGH, AWAY, BELOW], [0, 1]),
        ("chat", [HIGH, TALKS], [1]),
        ("chat", [HIGH, Standing(priority=None, talks=True)], [0]),
        ("headline", [HIGH, TALKS], [0, 1]),
        ("chat", [Standing(), Standing()], [0, 1]),
    ],
)
def test_who_gets_what_names_nobody(kind: str, standings: Sequence[Standing], expected: list[int]) -> None:
    assert recipients(kind, standings) == expected


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("reachable", "target"), TABLE)
def test_fate_is_that_of_the_table(reachable: bool, target: Target, known: bool) -> None:
    kinds = ("normal", "chat", "groupchat", "headline")
    fates = [fate_of_message(kind, target, known=known, reachable=reachable) for kind in kinds]

    assert fates == [SAID[letter] for letter in TABLE[reachable, target]]


def test_unknown_type_counts_as_normal() -> None:
    options: dict[str, Any] = {"known": True, "reachable": True}

    assert fate_of_message("whisper", Target.BARE, **options) == "deliver"
    assert fate_of_message("whisper", Target.OTHER, **options) == "service-unavailable"


def test_resources_have_a_case() -> None:
    assert matches("desk", "desk")
    assert not matches("desk", "Desk")
