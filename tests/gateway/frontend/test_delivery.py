"""Which of several devices' answers counts: RFC 3261 §16.7 step 6."""

from __future__ import annotations

import pytest

from simulator.gateway.frontend.bounce import may_report
from simulator.gateway.frontend.delivery import best_answer
from simulator.xmpp.address import parse_address


@pytest.mark.parametrize(
    ("codes", "counts"),
    [
        ([408, 200], 200),
        ([200, 603], 200),
        ([302, 603, 408], 603),
        ([408, 302], 302),
        ([500, 486], 486),
        ([486], 486),
    ],
)
def test_best_answer_counts_in_any_order(codes: list[int], counts: int) -> None:
    assert codes[best_answer(codes)] == counts
    assert codes[::-1][best_answer(codes[::-1])] == counts


@pytest.mark.parametrize(
    ("sender", "believed"),
    [
        ("juliet@gmail.com", True),
        ("juliet@gmail.com/orchard", True),
        ("tybalt@gmail.com/balcony", False),
        ("gmail.com", False),
    ],
)
def test_error_is_believed_from_whom_a_message_was_for(sender: str, believed: bool) -> None:
    assert may_report(parse_address(sender), parse_address("juliet@gmail.com/balcony")) is believed


def test_error_from_nobody_is_not_believed() -> None:
    assert not may_report(None, parse_address("juliet@gmail.com"))
