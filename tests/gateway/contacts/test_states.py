"""Every cell of RFC 6121 Appendix A as a partner and a user see it, with a user who is online on two devices."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

import pytest

from simulator.gateway.contacts.notices import Answered, Requested, Withdrawn
from simulator.xmpp.element import parse_element
from simulator.xmpp.subscription import INBOUND, OUTBOUND, SUBSCRIPTION_TYPES, State, is_seen
from tests.gateway.contacts.stage import ALICE, ROMEO, Stage

CELLS = [(state, type_) for state in State for type_ in SUBSCRIPTION_TYPES]
BARE = f"{ALICE} > {ROMEO}"
AVAILABLE = [f"available {ALICE}/desk > {ROMEO}", f"available {ALICE}/phone > {ROMEO}"]
GONE = [f"unavailable {ALICE}/desk > {ROMEO}", f"unavailable {ALICE}/phone > {ROMEO}"]


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.online("desk", "phone")

    return stage


@pytest.mark.parametrize(("state", "type_"), CELLS)
def test_inbound(stage: Stage, state: State, type_: str) -> None:
    stage.set_state(state)
    expected = INBOUND[state, type_]
    stage.home.receive(_element(type_), stage.now)
    sent, told = stage.brief(), stage.told()

    assert stage.state() is expected.state

    match type_:
        case "subscribe":
            assert sent == ([f"subscribed {BARE}", *AVAILABLE] if expected.reply else [])
            assert [type(each) for each in told if not _is_list(each)] == ([Requested] if expected.passes else [])
        case "unsubscribe":
            ended = GONE if is_seen(state) else []
            assert sent == ([*ended, f"unsubscribed {BARE}"] if expected.reply else [])
            assert [type(each) for each in told if not _is_list(each)] == ([Withdrawn] if expected.passes else [])
        case _:
            assert sent == []
            answer = [Answered(ALICE, ROMEO, type_ == "subscribed")] if expected.passes else []
            assert [each for each in told if not _is_list(each)] == answer


@pytest.mark.parametrize(("state", "type_"), CELLS)
def test_outbound(stage: Stage, state: State, type_: str) -> None:
    stage.set_state(state)
    expected = OUTBOUND[state, type_]
    home, now = stage.home, stage.now
    says: dict[str, Callable[[], object]] = {
        "subscribe": lambda: home.add(ALICE, ROMEO, now),
        "subscribed": lambda: home.accept(ALICE, ROMEO, now),
        "unsubscribe": lambda: home.unsubscribe(ALICE, ROMEO, now),
        "unsubscribed": lambda: home.refuse(ALICE, ROMEO, now),
    }
    says[type_]()
    stanza = [f"{type_} {BARE}"] if expected.passes else []
    before = GONE if type_ == "unsubscribed" and is_seen(state) else []
    after = AVAILABLE if type_ == "subscribed" and expected.passes else []

    assert stage.state() is expected.state
    assert stage.brief() == [*before, *stanza, *after]


@pytest.mark.parametrize(("state", "type_"), CELLS)
def test_every_state_is_kept(stage: Stage, state: State, type_: str) -> None:
    stage.set_state(state)
    stage.presence(type_)
    kept = list(stage.store.contacts(ALICE))

    assert [each.state for each in kept] == ([] if not stage.home.contacts(ALICE) else [stage.state()])
    assert kept == stage.home.contacts(ALICE)


def _element(type_: str) -> Element:
    return parse_element(f"<presence from='{ROMEO}' to='{ALICE}' id='p1' type='{type_}'/>")


def _is_list(notice: object) -> bool:
    return type(notice).__name__ in ("Listed", "Unlisted")
