"""Signs of life and numbers of presences, expected against seen."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.verdict.liveness import count, white_space


@pytest.mark.parametrize(("found", "fits"), [(0, True), (60, True), (61, False)])
def test_more_presences_than_were_allowed_do_not_fit(found: int, fits: bool) -> None:
    assert (count({"presences": 60}, {"presences": found}, {}) is None) is fits


@pytest.mark.parametrize(
    ("argument", "seen", "fits"),
    [
        (None, {"white_space": True, "after": 0.0}, True),
        ({"after": 0.2}, {"white_space": True, "after": 0.19}, True),
        ({"after": 0.2}, {"white_space": True, "after": 0.1}, False),
        (None, {"ended": {"condition": "connection-timeout"}}, False),
        ("none", {"white_space": False}, True),
        ("none", {"white_space": True}, False),
    ],
)
def test_white_space_is_judged_by_when_it_came(argument: Any, seen: dict[str, Any], fits: bool) -> None:
    assert (white_space(argument, seen, {}) is None) is fits
