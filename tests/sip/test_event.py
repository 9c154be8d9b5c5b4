"""Subscriptions (RFC 6665): the header, and every cell of both tables."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.sip.errors import SIPSyntaxError
from simulator.sip.event import (
    NOTIFIER,
    SUBSCRIBER,
    BadEvent,
    Decided,
    Heard,
    Life,
    Reason,
    State,
    SubscriptionError,
    SubscriptionState,
    duration_of,
    event_of,
    heard_of,
    next_as_notifier,
    next_as_subscriber,
    parse_subscription_state,
    shown,
)
from simulator.sip.message import Message


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("active;expires=499", SubscriptionState("active", 499)),
        ("Active ; Expires = 499", SubscriptionState("active", 499)),
        ("pending", SubscriptionState("pending")),
        ("terminated;reason=rejected", SubscriptionState("terminated", reason="rejected")),
        ("terminated;reason=giveup;retry-after=60", SubscriptionState("terminated", None, "giveup", 60)),
        # "subscribers MUST ignore any such parameter, if present".
        ("terminated;expires=5;reason=timeout", SubscriptionState("terminated", reason="timeout")),
        ("waiting;foo=bar;expires=x;retry-after=-1", SubscriptionState("waiting")),
        ("active;expires=99999999999", SubscriptionState("active")),
    ],
)
def test_header_is_read(value: str, expected: SubscriptionState) -> None:
    assert parse_subscription_state(value) == expected


@pytest.mark.parametrize("value", ["", ";expires=1", "a b", "<active>"])
def test_header_without_a_state_is_refused(value: str) -> None:
    with pytest.raises(SIPSyntaxError):
        parse_subscription_state(value)


@given(
    st.sampled_from(State),
    st.none() | st.integers(0, 2**31),
    st.sampled_from(["", *Reason]),
    st.none() | st.integers(0, 2**31),
)
def test_header_that_is_written_is_read(state: str, expires: int | None, reason: str, after: int | None) -> None:
    written = SubscriptionState(state, None if state == State.TERMINATED else expires, reason, after)

    assert parse_subscription_state(str(written)) == written


def test_terminated_never_says_when_it_ends() -> None:
    assert str(SubscriptionState("terminated", 5, "timeout")) == "terminated;reason=timeout"


#: the only pair that neither figure has: whoever was let in is not put back among those who wait
NOT_IN_FIGURE = {(Life.ACTIVE, Decided.UNDECIDED)}


@pytest.mark.parametrize(("life", "heard"), list(itertools.product(Life, Heard)))
def test_subscriber_moves_as_in_its_figure(life: Life, heard: Heard) -> None:
    if life is Life.TERMINATED:
        with pytest.raises(SubscriptionError):
            next_as_subscriber(life, heard)
        return

    expected = {Heard.NOTIFY_PENDING: Life.PENDING, Heard.NOTIFY_ACTIVE: Life.ACTIVE}

    assert next_as_subscriber(life, heard) is SUBSCRIBER[life][heard] is expected.get(heard, Life.TERMINATED)


@pytest.mark.parametrize(("life", "decided"), list(itertools.product(Life, Decided)))
def test_notifier_moves_as_in_its_figure(life: Life, decided: Decided) -> None:
    if life is Life.TERMINATED or (life, decided) in NOT_IN_FIGURE:
        with pytest.raises(SubscriptionError):
            next_as_notifier(life, decided)
        return

    expected = {Decided.UNDECIDED: Life.PENDING, Decided.GRANTED: Life.ACTIVE}

    assert next_as_notifier(life, decided) is NOTIFIER[life][decided] is expected.get(decided, Life.TERMINATED)


def test_what_a_notify_says_is_heard() -> None:
    heard = [heard_of(SubscriptionState(state)) for state in ("active", "pending", "terminated", "waiting")]

    # An unknown state grants nothing.
    assert heard == [Heard.NOTIFY_ACTIVE, Heard.NOTIFY_PENDING, Heard.NOTIFY_TERMINATED, Heard.NOTIFY_PENDING]
    assert [shown(life) for life in (Life.PENDING, Life.ACTIVE, Life.TERMINATED)] == list(State)


def test_event_is_package_and_id() -> None:
    assert event_of(Message({"event": ["presence"]}, b"")) == ("presence", "")
    assert event_of(Message({"event": ["presence.wpending; id=7;x=y"]}, b"")) == ("presence.wpending", "7")

    with pytest.raises(BadEvent) as caught:
        event_of(Message({}, b""))

    assert caught.value.code == 489


def test_duration_without_a_header_is_an_hour() -> None:
    assert duration_of(Message({}, b"")) == 3600
    assert duration_of(Message({"expires": ["0"]}, b"")) == 0

    with pytest.raises(SIPSyntaxError):
        duration_of(Message({"expires": ["soon"]}, b""))
