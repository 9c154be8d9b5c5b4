"""INVITE transactions over TCP and TLS: the tables, and two agents back to back who take, refuse and take back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.sip.agent import Agent, Answered, Cancelled, Incoming, IncomingInvite, Progress, Repeated
from simulator.sip.invite import INVITE_CLIENT, INVITE_SERVER, InviteEvent, InviteState, InviteTransaction
from simulator.sip.message import Request, build_request, parse_message
from simulator.sip.transaction import TransactionError

INVITE = build_request(
    "INVITE",
    "sip:romeo@example.net",
    [
        ("Via", "SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK1"),
        ("Route", "<sip:proxy.example.net;lr>"),
        ("To", "<sip:romeo@example.net>"),
        ("From", "<sip:juliet@example.com>;tag=1"),
        ("Call-ID", "c1"),
        ("CSeq", "7 INVITE"),
    ],
    b"v=0\r\n",
)


def request_in(data: bytes) -> Request:
    head, _, body = data.partition(b"\r\n\r\n")
    message = parse_message(head, body)
    assert isinstance(message, Request)

    return message


class Two:
    """A client that has sent its INVITE at 0, and a server that got it."""

    def __init__(self) -> None:
        self.client: Agent[str] = Agent(source="127.0.0.1", tag="client")
        self.server: Agent[str] = Agent(source="127.0.0.1", tag="server")
        self.client.begin_invite(INVITE, "mine", 0.0)
        [incoming] = self.server.receive(INVITE)
        assert isinstance(incoming, IncomingInvite)
        self.incoming = incoming

    def client_says(self) -> bytes:
        said = bytes(self.client.outgoing)
        self.client.outgoing.clear()

        return said


@pytest.mark.parametrize("table", [INVITE_CLIENT, INVITE_SERVER])
@given(st.lists(st.sampled_from(InviteEvent)))
def test_only_the_tables_move_a_transaction(
    table: dict[InviteState, dict[InviteEvent, InviteState]], events: list[InviteEvent]
) -> None:
    transaction = InviteTransaction(table)

    for event in events:
        before = transaction.state

        if transaction.allows(event):
            assert transaction.handle(event) is table[before][event]
        else:
            with pytest.raises(TransactionError):
                transaction.handle(event)

            assert transaction.state is before


def test_a_refusal_is_acknowledged_by_the_transaction() -> None:
    """RFC 3261 §17.1.1.3."""
    two = Two()
    [answered] = two.client.receive(two.incoming.answer(486, tag="r"))
    said = two.client_says()
    ack = request_in(said)

    assert isinstance(answered, Answered)
    assert (answered.context, answered.code) == ("mine", 486)
    assert (ack.method, ack.uri, ack.cseq) == ("ACK", "sip:romeo@example.net", (7, "ACK"))
    assert ack.needed("via") == "SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK1"
    assert ack.needed("route") == "<sip:proxy.example.net;lr>"
    assert ack.needed("to") == "<sip:romeo@example.net>;tag=r"

    # And it ends with the transaction on the other side, too.
    assert two.server.receive(said) == []
    assert two.server.outgoing == b""


def test_a_2xx_is_acknowledged_by_the_owner_each_time() -> None:
    two = Two()
    data = two.incoming.answer(200, tag="r")
    [answered, repeated] = two.client.receive(data + data)

    assert isinstance(answered, Answered)
    assert repeated == Repeated("mine", repeated.response if isinstance(repeated, Repeated) else None)  # type: ignore[arg-type]
    assert two.client_says() == b""

    # The ACK of a 2xx is a request of its own, with its own branch.
    ack = INVITE.replace(b"INVITE", b"ACK").replace(b"z9hG4bK1", b"z9hG4bK2")
    [incoming] = two.server.receive(ack)
    assert isinstance(incoming, Incoming)
    assert incoming.request.method == "ACK"


def test_a_2xx_comes_again_for_64_times_t1_only() -> None:
    """RFC 6026 §7.2, Timer M."""
    two = Two()
    data = two.incoming.answer(200, tag="r")
    two.client.receive(data)

    assert two.client.expire(1.0) == []
    assert len(two.client.receive(data)) == 1
    assert two.client.expire(33.0) == []
    assert two.client.receive(data) == []


def test_the_first_response_is_awaited_for_timer_b_and_the_final_one_for_ever() -> None:
    two = Two()
    assert two.client.next_deadline == 32.0
    [progress] = two.client.receive(two.incoming.answer(180, tag="r"))

    assert isinstance(progress, Progress)
    assert two.client.next_deadline is None
    assert two.client.expire(10_000.0) == []

    silent = Two()
    assert silent.client.expire(31.9) == []
    assert silent.client.expire(32.0) == [Answered("mine", None, 408)]


def test_cancel_leaves_after_the_first_provisional_response() -> None:
    """RFC 3261 §9.1."""
    two = Two()
    two.client.cancel("z9hG4bK1", 1.0)
    assert two.client_says() == b""

    two.client.receive(two.incoming.answer(100, tag="r"))
    cancel = two.client_says()
    assert request_in(cancel).cseq == (7, "CANCEL")
    assert request_in(cancel).needed("via") == request_in(INVITE).needed("via")

    # Once is enough.
    two.client.cancel("z9hG4bK1", 2.0)
    assert two.client_says() == b""

    [cancelled] = two.server.receive(cancel)
    assert cancelled == Cancelled(two.incoming)
    assert bytes(two.server.outgoing).startswith(b"SIP/2.0 200 ")

    answers = two.client.receive(bytes(two.server.outgoing) + two.incoming.answer(487, tag="r"))
    assert [each.code for each in answers if isinstance(each, Answered)] == [487]
    assert request_in(two.client_says()).method == "ACK"


def test_cancel_leaves_at_once_when_there_was_a_response() -> None:
    two = Two()
    two.client.receive(two.incoming.answer(180, tag="r"))
    two.client.cancel("z9hG4bK1", 1.0)

    assert request_in(two.client_says()).method == "CANCEL"
    # Nobody answers the INVITE any more: after 64*T1 it counts as cancelled.
    assert two.client.expire(32.9) == []
    assert two.client.expire(33.0) == [Answered("mine", None, 487)]


def test_cancel_comes_too_late_for_what_is_answered() -> None:
    two = Two()
    two.client.receive(two.incoming.answer(180, tag="r"))
    two.client.cancel("z9hG4bK1", 1.0)
    data = two.incoming.answer(200, tag="r")

    assert two.server.receive(two.client_says()) == []
    assert bytes(two.server.outgoing).startswith(b"SIP/2.0 200 ")
    [answered] = two.client.receive(data)
    assert isinstance(answered, Answered)
    two.client.cancel("z9hG4bK1", 2.0)
    assert two.client_says() == b""


def test_cancel_of_nothing_is_for_the_owner_to_refuse() -> None:
    two = Two()
    cancel = INVITE.replace(b"INVITE", b"CANCEL").replace(b"z9hG4bK1", b"z9hG4bK2")
    [incoming] = two.server.receive(cancel)

    assert isinstance(incoming, Incoming)
    assert incoming.request.method == "CANCEL"


def test_same_invite_is_not_two() -> None:
    two = Two()

    assert two.server.receive(INVITE) == []


def test_invite_is_answered_finally_once() -> None:
    two = Two()
    two.incoming.answer(200, tag="r")

    with pytest.raises(TransactionError):
        two.incoming.answer(200, tag="r")


def test_answered_invites_are_forgotten_in_time() -> None:
    two = Two()
    two.incoming.answer(486, tag="r")
    two.server.expire(0.0)
    two.server.expire(32.0)
    ack = INVITE.replace(b"INVITE", b"ACK")

    # Timer H is over: an ACK that comes now belongs to nothing that is known here.
    assert len(two.server.receive(ack)) == 1


def test_lost_connection_ends_what_is_open() -> None:
    two = Two()
    assert two.client.lost() == [Answered("mine", None, 503)]

    taken = Two()
    taken.client.receive(taken.incoming.answer(200, tag="r"))
    assert taken.client.lost() == []

    two.incoming.lost()
    assert two.incoming.over


def test_late_and_strange_responses_are_ignored() -> None:
    two = Two()
    provisional, final = two.incoming.answer(180, tag="r"), two.incoming.answer(200, tag="r")
    two.client.receive(final)

    assert two.client.receive(provisional) == []
    assert two.client.receive(final.replace(b"z9hG4bK1", b"z9hG4bK9")) == []
