"""When a partner's domain counts as lost, and whom the edge has shown to whom."""

from __future__ import annotations

import pytest

from simulator.gateway.edge.failures import Failure, loses_domain
from simulator.gateway.edge.presence_ledger import PresenceLedger
from simulator.gateway.edge.reachability import Reachability
from simulator.xmpp.element import parse_element


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def reachability(told: list[str]) -> Reachability:
    made = Reachability()
    made.on_lost = lambda domain: told.append(f"lost {domain}")
    made.on_back = lambda domain: told.append(f"back {domain}")

    return made


def test_last_stream_that_breaks_loses_the_domain(reachability: Reachability, told: list[str]) -> None:
    reachability.opened("gmail.com")
    reachability.opened("gmail.com")
    reachability.closed("gmail.com", in_order=False)
    assert told == []

    reachability.closed("gmail.com", in_order=False)
    assert told == ["lost gmail.com"]
    assert reachability.lost == {"gmail.com"}


def test_stream_that_is_closed_in_order_loses_nothing(reachability: Reachability, told: list[str]) -> None:
    reachability.opened("gmail.com")
    reachability.closed("gmail.com", in_order=True)

    assert told == []


def test_domain_is_lost_and_back_once(reachability: Reachability, told: list[str]) -> None:
    reachability.failed("gmail.com")
    reachability.failed("gmail.com")
    reachability.opened("gmail.com")
    reachability.opened("gmail.com")

    assert told == ["lost gmail.com", "back gmail.com"]


def test_domain_that_reaches_us_is_not_lost(reachability: Reachability, told: list[str]) -> None:
    reachability.opened("gmail.com")
    reachability.failed("gmail.com")

    assert told == []


@pytest.mark.parametrize("failure", Failure)
def test_failures_of_ours_lose_no_domain(failure: Failure) -> None:
    ours = {"NO_METHOD", "NOT_A_PARTNER", "TOO_MANY_WAIT", "TOO_MANY_STREAMS", "SHUTDOWN"}

    assert loses_domain(failure) == (failure.name not in ours)


def presence(kind: str = "", to: str = "juliet@gmail.com", device: str = "desk") -> str:
    return f"<presence from='alice@contoso.com/{device}' to='{to}'{f' type={kind!r}' if kind else ''}/>"


def test_what_is_shown_is_withdrawn_once() -> None:
    ledger = PresenceLedger(10)

    for text in (
        presence(),
        presence(),
        presence(to="romeo@gmail.com/home"),
        presence(device="phone"),
        presence("unavailable", device="phone"),
        presence("subscribe", to="nurse@gmail.com"),
        "<message from='alice@contoso.com/desk' to='nurse@gmail.com'/>",
    ):
        assert ledger.saw(parse_element(text))

    assert [(each.get("from"), each.get("to"), each.get("type")) for each in ledger.withdraw()] == [
        ("alice@contoso.com/desk", "juliet@gmail.com", "unavailable"),
        ("alice@contoso.com/desk", "romeo@gmail.com/home", "unavailable"),
    ]
    assert ledger.withdraw() == []


def test_ledger_is_bounded() -> None:
    ledger = PresenceLedger(1)
    assert ledger.saw(parse_element(presence()))
    assert not ledger.saw(parse_element(presence(device="phone")))
    assert ledger.saw(parse_element(presence()))
    assert len(ledger) == 1

    assert ledger.saw(parse_element(presence("unavailable")))
    assert ledger.saw(parse_element(presence(device="phone")))
    ledger.clear()
    assert ledger.withdraw() == []
