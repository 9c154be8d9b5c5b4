"""Non-INVITE transactions over TCP and TLS: every (state, event) pair, and Timer F without a clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.sip.message import Response, parse_message
from simulator.sip.transaction import (
    CLIENT,
    SERVER,
    TIMER_F,
    ClientTransactions,
    State,
    Transaction,
    TransactionError,
    TransactionEvent,
    Waiting,
    event_of,
)


def response(code: int, branch: str, method: str = "MESSAGE") -> Response:
    head = f"SIP/2.0 {code} Text\r\nVia: SIP/2.0/TCP h;branch={branch}\r\nCSeq: 1 {method}\r\nl: 0"
    message = parse_message(head.encode(), b"")
    assert isinstance(message, Response)

    return message


@pytest.mark.parametrize("table", [CLIENT, SERVER])
@given(st.lists(st.sampled_from(TransactionEvent)))
def test_a_transaction_ends_once_and_for_all(
    table: dict[State, dict[TransactionEvent, State]], events: list[TransactionEvent]
) -> None:
    transaction = Transaction(table)

    for event in events:
        before = transaction.state

        try:
            after = transaction.handle(event)
        except TransactionError:
            assert event not in table[before]
            assert transaction.state is before
        else:
            # RFC 3261 figures 6 and 8 with timers J and K at zero: only a 1xx does not end it.
            assert after is (State.PROCEEDING if event is TransactionEvent.PROVISIONAL else State.TERMINATED)
            assert before is not State.TERMINATED


def test_a_server_has_no_timer_f() -> None:
    with pytest.raises(TransactionError):
        Transaction(SERVER).handle(TransactionEvent.TIMEOUT)


def test_codes_below_200_are_provisional() -> None:
    assert [event_of(code) for code in (100, 199, 200, 699)] == [
        TransactionEvent.PROVISIONAL,
        TransactionEvent.PROVISIONAL,
        TransactionEvent.FINAL,
        TransactionEvent.FINAL,
    ]


def test_final_answer_finds_its_request_once() -> None:
    clients: ClientTransactions[str] = ClientTransactions()
    clients.begin("z9hG4bK1", "MESSAGE", "first", 0.0)

    assert clients.answered(response(100, "z9hG4bK1")) is None
    assert clients.answered(response(200, "z9hG4bK2")) is None
    assert clients.answered(response(200, "z9hG4bK1", "OPTIONS")) is None
    assert clients.answered(response(200, "z9hG4bK1")) == "first"
    assert clients.answered(response(200, "z9hG4bK1")) is None


def test_timer_f_fires_after_32_seconds() -> None:
    clients: ClientTransactions[str] = ClientTransactions()
    clients.begin("z9hG4bK1", "MESSAGE", "first", 100.0)
    clients.begin("z9hG4bK2", "MESSAGE", "second", 101.0)
    # RFC 3261 §17.1.2.2: a provisional response does not stop Timer F.
    clients.answered(response(100, "z9hG4bK1"))

    assert TIMER_F == 32.0
    assert clients.next_deadline == 132.0
    assert clients.expired(131.9) == []
    assert clients.expired(132.0) == ["first"]
    assert clients.expired(140.0) == ["second"]
    assert clients.next_deadline is None


def test_lost_connection_fails_every_request() -> None:
    clients: ClientTransactions[int] = ClientTransactions()

    for number in range(3):
        clients.begin(f"z9hG4bK{number}", "MESSAGE", number, 0.0)

    assert clients.lost() == [0, 1, 2]
    assert len(clients) == 0


def test_a_key_waits_only_once() -> None:
    waiting: Waiting[str, int] = Waiting(1.0)
    waiting.add("key", 1, 0.0)

    with pytest.raises(KeyError):
        waiting.add("key", 2, 0.0)

    assert "key" in waiting
    assert waiting.take("key") == 1
    assert waiting.take("key") is None
