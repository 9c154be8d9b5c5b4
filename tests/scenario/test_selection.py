"""A selector means what it says, and one that means nothing is an error."""

from __future__ import annotations

import pytest

from simulator.scenario.model import Scenario
from simulator.scenario.selection import NothingSelected, select

ALL = [
    Scenario(id="dialback/wrong-key", claim="", covers=("DBK-032",)),
    Scenario(id="dns/order[low]", claim="", covers=("DNS-003",)),
    Scenario(id="dns/order[high]", claim="", covers=("DNS-004", "DBK-032")),
    Scenario(id="dnssec", claim=""),
]


@pytest.mark.parametrize(
    ("selectors", "chosen"),
    [
        ([], [0, 1, 2, 3]),
        (["dialback/wrong-key"], [0]),
        (["dns/order[low]"], [1]),
        (["dns/order"], [1, 2]),
        (["dns"], [1, 2]),
        (["dns/"], [1, 2]),
        (["scenarios/dns"], [1, 2]),
        (["scenarios/dns/order.yaml"], [1, 2]),
        (["./scenarios/dialback"], [0]),
        (["scenarios/"], [0, 1, 2, 3]),
        (["*key"], [0]),
        (["dns/*[high]"], [2]),
        (["dns*"], [1, 2, 3]),
        (["covers:DBK-032"], [0, 2]),
        (["covers:DNS-*"], [1, 2]),
        (["dnssec", "dialback"], [0, 3]),
    ],
)
def test_selectors_choose_in_the_order_of_scenarios(selectors: list[str], chosen: list[int]) -> None:
    assert select(ALL, selectors) == [ALL[number] for number in chosen]


@pytest.mark.parametrize(
    ("selector", "hint"),
    [("dialback/wrong-kee", "dialback/wrong-key"), ("covers:DBK-033", "DBK-032"), ("xyzzy", "'xyzzy'")],
)
def test_a_selector_that_fits_nothing_is_an_error(selector: str, hint: str) -> None:
    with pytest.raises(NothingSelected, match=hint):
        select(ALL, ["dns", selector])
