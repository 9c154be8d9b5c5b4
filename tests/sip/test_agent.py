"""A user agent on one connection: two of them back to back in memory, and peers that speak badly."""

from __future__ import annotations

import pytest

from simulator.sip.agent import Agent, Answered, Broken, Incoming
from simulator.sip.message import build_request
from simulator.sip.transaction import TransactionError

HEADERS = [
    ("Via", "SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK1"),
    ("To", "<sip:romeo@example.net>"),
    ("From", "<sip:juliet@example.com>;tag=1"),
    ("Call-ID", "c1"),
    ("CSeq", "1 MESSAGE"),
]
MESSAGE = build_request("MESSAGE", "sip:romeo@example.net", HEADERS, b"Hello")


def agent() -> Agent[str]:
    return Agent(source="127.0.0.1", tag="tag")


def test_request_and_answer_cross_between_two_agents() -> None:
    client, server = agent(), agent()
    client.begin("z9hG4bK1", "MESSAGE", "mine", 0.0)

    [incoming] = server.receive(MESSAGE)
    assert isinstance(incoming, Incoming)
    assert incoming.request.body == b"Hello"
    assert client.receive(incoming.answer(100, tag="t")) == []

    [answered] = client.receive(incoming.answer(486, tag="t"))
    assert isinstance(answered, Answered)
    assert (answered.context, answered.code) == ("mine", 486)
    assert incoming.over


def test_second_final_answer_is_refused() -> None:
    [incoming] = agent().receive(MESSAGE)
    assert isinstance(incoming, Incoming)
    incoming.answer(200, tag="t")

    with pytest.raises(TransactionError):
        incoming.answer(500, tag="t")


def test_keep_alive_is_answered() -> None:
    server = agent()

    assert server.receive(b"\r\n\r\n") == []
    assert server.outgoing == b"\r\n"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"CSeq: 1 MESSAGE", b"CSeq: 1 OPTIONS", b"400"),
        (b"SIP/2.0\r\n", b"SIP/7.0\r\n", b"505"),
        (b"Call-ID: c1", b"Call-ID: c1\r\nbroken line", b"400"),
        (b"Call-ID: c1", b"Call-ID: c1\r\nX: \xff", b"400"),
        (b"To: <sip:romeo@example.net>", b"To: <sip:romeo@example.net>\r\nTo: <sip:b@example.net>", b"400"),
    ],
)
def test_malformed_request_is_answered_and_the_next_one_served(old: bytes, new: bytes, code: bytes) -> None:
    server = agent()

    assert len(server.receive(MESSAGE.replace(old, new, 1) + MESSAGE)) == 1
    assert bytes(server.outgoing).startswith(b"SIP/2.0 " + code)
    assert b"Call-ID: c1\r\n" in server.outgoing


@pytest.mark.parametrize("name", ["Call-ID", "From", "To", "CSeq"])
def test_request_that_lacks_a_header_is_answered_without_it(name: str) -> None:
    """RFC 4475 §3.3.1."""
    server = agent()
    kept = [line for line in MESSAGE.split(b"\r\n") if not line.startswith(name.encode() + b":")]

    assert server.receive(b"\r\n".join(kept)) == []
    response = bytes(server.outgoing)
    assert response.startswith(f"SIP/2.0 400 {name.title()} is missing\r\nVia: ".encode())
    assert {each for each in (b"Call-ID", b"From", b"To", b"CSeq") if b"\r\n" + each + b": " not in response} == {
        name.encode()
    }


def test_request_that_cannot_be_answered_is_dropped() -> None:
    server = agent()
    kept = [line for line in MESSAGE.split(b"\r\n") if not line.startswith(b"Via:")]

    assert server.receive(b"\r\n".join(kept)) == []
    assert server.outgoing == b""


@pytest.mark.parametrize("method", [b"ACK", b"BENOTIFY"])
def test_ack_and_benotify_are_never_answered(method: bytes) -> None:
    server = agent()

    [incoming] = server.receive(MESSAGE.replace(b"MESSAGE", method))
    assert isinstance(incoming, Incoming)
    assert incoming.over

    with pytest.raises(TransactionError):
        incoming.answer(200, tag="t")

    assert server.receive(MESSAGE.replace(b"MESSAGE sip", method + b" sip")) == []
    assert server.outgoing == b""


def test_lost_framing_is_answered_and_ends_the_connection() -> None:
    server = agent()
    events = server.receive(MESSAGE + MESSAGE.replace(b"Content-Length: 5", b"Content-Length: x"))

    assert [type(event) for event in events] == [Incoming, Broken]
    assert bytes(server.outgoing).startswith(b"SIP/2.0 400")
    assert server.receive(MESSAGE) == []


def test_strange_responses_are_ignored() -> None:
    client = agent()

    assert client.receive(b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n" + MESSAGE)[1:] == []


def test_timeout_counts_as_408_and_loss_as_503() -> None:
    client = agent()
    client.begin("a", "MESSAGE", "first", 0.0)
    client.begin("b", "MESSAGE", "second", 5.0)

    assert client.next_deadline == 32.0
    assert client.expire(33.0) == [Answered("first", None, 408)]
    assert client.lost() == [Answered("second", None, 503)]
