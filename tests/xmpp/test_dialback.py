"""Keys of XEP-0185, and the three tables of a pair."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.xmpp.dialback import (
    ANSWERS,
    BOUNCE_FOR,
    ERROR_FOR,
    INITIATING,
    RECEIVING,
    VERIFICATION,
    Obstacle,
    Pair,
    PairEvent,
    PairState,
    Table,
    dialback_key,
    key_is_valid,
)
from simulator.xmpp.errors import LocalProtocolError

TABLES = {"initiating": INITIATING, "receiving": RECEIVING, "verification": VERIFICATION}
ALL = [
    pytest.param(table, state, event, id=f"{name}-{state}-{event}")
    for (name, table), state, event in itertools.product(TABLES.items(), PairState, PairEvent)
]


@pytest.mark.parametrize(
    ("secret", "receiving", "originating", "stream_id", "key"),
    [
        pytest.param(
            "s3cr3tf0rd14lb4ck",
            "xmpp.example.com",
            "example.org",
            "D60000229F",
            "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643",
            id="xep-0185-section-3",
        ),
        pytest.param(
            "s3cr3tf0rd14lb4ck",
            "montague.example",
            "capulet.example",
            "D60000229F",
            "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3",
            id="xep-0220-section-2.1.1",
        ),
        pytest.param(
            "d14lb4ck43v3r",
            "capulet.example",
            "montague.example",
            "417GAF25",
            "225cc5aa6a071133249d25fef42ae516fc7a86c523aa1c6980a7f73e784c972d",
            id="xep-0220-section-2.2.2",
        ),
    ],
)
def test_keys_are_those_of_the_specifications(
    secret: str, receiving: str, originating: str, stream_id: str, key: str
) -> None:
    assert dialback_key(secret, receiving, originating, stream_id) == key
    assert key_is_valid(key, secret, receiving, originating, stream_id)


@pytest.mark.parametrize(
    "change",
    [("x", "b", "c", "d"), ("a", "x", "c", "d"), ("a", "b", "x", "d"), ("a", "b", "c", "x"), ("a", "c", "b", "d")],
)
def test_a_key_is_bound_to_all_four(change: tuple[str, str, str, str]) -> None:
    assert not key_is_valid(dialback_key("a", "b", "c", "d"), *change)


@pytest.mark.parametrize(
    "change", [str.upper, lambda key: f" {key}", lambda key: key[:-1], lambda _: "", lambda _: "\ud800é"]
)
def test_only_the_exact_key_is_valid(change: type[str]) -> None:
    assert not key_is_valid(change(dialback_key("a", "b", "c", "1")), "a", "b", "c", "1")


def test_an_initiating_pair_becomes_valid_and_ends() -> None:
    pair = Pair(INITIATING)

    states = [
        (pair.handle(event), pair.state) for event in (PairEvent.KEY_SENT, ANSWERS["valid"], PairEvent.STREAM_ENDED)
    ]

    assert states == [(True, PairState.PENDING), (True, PairState.VALID), (True, PairState.ENDED)]


def test_a_failed_pair_may_be_tried_again() -> None:
    # XEP-0220 §2.5: "Dialback errors are to be considered non-fatal for the XML stream".
    pair = Pair(INITIATING)

    for event in (PairEvent.KEY_SENT, PairEvent.ERROR, PairEvent.KEY_SENT, PairEvent.VALID):
        assert pair.handle(event)

    assert pair.state is PairState.VALID


@pytest.mark.parametrize("answer", [PairEvent.VALID, PairEvent.INVALID, PairEvent.ERROR])
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_unsolicited_answers_are_ignored(table: Table, answer: PairEvent) -> None:
    # XEP-0220 §3.1.
    pair = Pair(table)

    assert not pair.handle(answer)
    assert pair.state is PairState.UNKNOWN


@pytest.mark.parametrize("first", [PairEvent.VALID, PairEvent.INVALID, PairEvent.ERROR, PairEvent.TIMED_OUT])
@pytest.mark.parametrize("second", [PairEvent.VALID, PairEvent.INVALID, PairEvent.ERROR])
def test_the_first_verification_counts(first: PairEvent, second: PairEvent) -> None:
    pair = Pair(VERIFICATION)
    pair.handle(PairEvent.KEY_SENT)
    pair.handle(first)
    state = pair.state

    assert not pair.handle(second)
    assert pair.state is state


def test_a_verified_pair_stays_valid_when_asked_again() -> None:
    pair = Pair(RECEIVING)

    for event in (PairEvent.KEY_RECEIVED, PairEvent.VALID, PairEvent.KEY_RECEIVED):
        assert pair.handle(event)

    assert pair.state is PairState.VALID


def test_a_verdict_after_the_stream_is_dropped() -> None:
    # XEP-0220 §2.1.2: "If no inbound connection is found […] SHOULD be dropped silently".
    pair = Pair(RECEIVING)
    pair.handle(PairEvent.KEY_RECEIVED)
    pair.handle(PairEvent.STREAM_ENDED)

    assert not pair.handle(PairEvent.VALID)
    assert pair.state is PairState.ENDED


@pytest.mark.parametrize(("table", "state", "event"), ALL)
def test_every_pair_of_state_and_event_is_decided(table: Table, state: PairState, event: PairEvent) -> None:
    pair = Pair(table)
    pair.state = state
    wanted = table.get((state, event))

    if wanted is not None:
        assert pair.handle(event)
        assert pair.state is wanted
    elif event is PairEvent.KEY_SENT:
        with pytest.raises(LocalProtocolError, match="key sent"):
            pair.handle(event)

        assert pair.state is state
    else:
        assert not pair.handle(event)
        assert pair.state is state


@given(st.sampled_from(sorted(TABLES)), st.lists(st.sampled_from(PairEvent), max_size=12))
def test_no_pair_becomes_valid_unasked(name: str, events: list[PairEvent]) -> None:
    """Whatever comes in whatever order: VALID needs a key, and after it an answer that says valid."""
    pair = Pair(TABLES[name])
    asked = False
    before = pair.state

    for event in events:
        try:
            changed = pair.handle(event)
        except LocalProtocolError:
            continue

        if event in (PairEvent.KEY_SENT, PairEvent.KEY_RECEIVED) and changed:
            asked = True

        if pair.state is PairState.VALID and before is not PairState.VALID:
            assert asked
            assert event is PairEvent.VALID

        if before is PairState.ENDED:
            assert pair.state is PairState.ENDED

        if pair.state in (PairState.INVALID, PairState.FAILED):
            asked = False

        before = pair.state


def test_each_obstacle_has_its_error() -> None:
    # XEP-0220 §2.5, the table.
    assert {obstacle: str(ERROR_FOR[obstacle]) for obstacle in Obstacle} == {
        Obstacle.DOMAIN_NOT_HOSTED: "item-not-found",
        Obstacle.NO_CONNECTION: "remote-connection-failed",
        Obstacle.NO_SUCH_DOMAIN: "remote-server-not-found",
        Obstacle.HOST_UNKNOWN: "remote-server-not-found",
        Obstacle.ERROR_ANSWERED: "remote-server-not-found",
        Obstacle.STREAM_ENDED: "remote-server-timeout",
        Obstacle.NO_ANSWER: "remote-server-timeout",
        Obstacle.TLS_REQUIRED: "policy-violation",
        Obstacle.PROOF_REQUIRED: "not-authorized",
        Obstacle.KEY_DENIED: "forbidden",
        Obstacle.NOT_ESTABLISHED: "not-acceptable",
        Obstacle.NO_RESOURCES: "resource-constraint",
    }


def test_stanzas_come_back_with_the_right_condition() -> None:
    # XEP-0220 §2.1.1: invalid -> internal-server-error, error -> remote-server-timeout.
    assert BOUNCE_FOR[PairState.INVALID] == "internal-server-error"
    assert BOUNCE_FOR[PairState.FAILED] == "remote-server-timeout"


@pytest.mark.parametrize("type_", [None, "VALID", "foo", ""])
def test_other_types_are_no_answer(type_: str | None) -> None:
    assert type_ not in ANSWERS
