"""When a subscription of ours to a device is refreshed, and when it is over; time is an argument."""

from __future__ import annotations

import pytest

from simulator.gateway.frontend.presence.inquiry import TIMER_N, Inquiry
from simulator.sip.dialog import Dialog
from simulator.xmpp.address import parse_address
from tests.gateway.frontend.sessions.stage import Stage

USER, CONTACT = "sip:alice@contoso.com", "sip:juliet@gmail.com"


@pytest.fixture
def inquiry() -> Inquiry:
    _, flow = Stage().attach()

    return Inquiry(
        flow=flow,
        user=parse_address("alice@contoso.com"),
        contact=parse_address("juliet@gmail.com"),
        device="desk",
        dialog=Dialog.outgoing(call_id="c", local_tag="l", local_uri=CONTACT, remote_uri=USER, target=USER),
    )


def test_refresh_comes_once_and_in_advance(inquiry: Inquiry) -> None:
    inquiry.lasts(100, 0, 0.9)

    assert [inquiry.takes_refresh(now) for now in (89, 90, 91, 100)] == [False, True, False, False]
    assert inquiry.ends_at == 100


def test_refresh_is_not_forgotten_where_the_end_was_passed(inquiry: Inquiry) -> None:
    """The clock is looked at now and then; between two looks both may have passed."""
    inquiry.lasts(1, 0, 0.9)

    assert inquiry.takes_refresh(1.5)


def test_inquiry_waits_for_the_answer_to_its_refresh(inquiry: Inquiry) -> None:
    inquiry.lasts(1, 0, 0.9)
    inquiry.waits()
    assert inquiry.ends_at > 1000
    inquiry.lasts(60, 10, 0.9)

    assert (inquiry.refresh_at, inquiry.ends_at) == (64, 70)


def test_refused_refresh_leaves_what_was_granted(inquiry: Inquiry) -> None:
    """RFC 6665 §4.1.2.2."""
    inquiry.lasts(100, 0, 0.9)
    assert inquiry.takes_refresh(90)
    inquiry.waits()

    assert not inquiry.outlives(404)
    assert inquiry.outlives(500)
    assert inquiry.ends_at == 100
    assert not inquiry.takes_refresh(99)
    # Nothing is on its way any more.
    assert not inquiry.outlives(500)


def test_refused_beginning_leaves_nothing(inquiry: Inquiry) -> None:
    assert not inquiry.outlives(500)


def test_nothing_granted_is_not_refreshed(inquiry: Inquiry) -> None:
    inquiry.lasts(0, 0, 0.9)

    assert inquiry.ends_at == TIMER_N
    assert not inquiry.takes_refresh(TIMER_N)


def test_what_was_taken_back_is_not_refreshed(inquiry: Inquiry) -> None:
    inquiry.lasts(10, 0, 0.9)
    inquiry.takes_back()
    assert not inquiry.takes_refresh(10)

    inquiry.lasts(10, 10, 0.9)
    assert not inquiry.takes_refresh(20)
