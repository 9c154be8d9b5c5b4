"""Cutting a byte stream into SIP messages (RFC 3261 §18.3, §7.5; RFC 5626 §3.5.1)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.sip.framing import Frame, FramingError, KeepAlive, MessageReader

MESSAGE = b"MESSAGE sip:a@b SIP/2.0\r\nCSeq: 1 MESSAGE\r\nContent-Length: 5\r\n\r\nHello"
HEAD, BODY = MESSAGE.split(b"\r\n\r\n")


def message_with(*lines: bytes) -> bytes:
    return b"\r\n".join([b"MESSAGE sip:a@b SIP/2.0", *lines, b"", b""])


def test_messages_in_one_piece_are_told_apart() -> None:
    assert MessageReader().receive(MESSAGE + MESSAGE) == [Frame(HEAD, BODY)] * 2


@given(st.lists(st.integers(0, 3 * len(MESSAGE) + 6), max_size=12))
def test_any_cut_gives_the_same_messages(cuts: list[int]) -> None:
    stream = MESSAGE + b"\r\n\r\n" + MESSAGE + b"\r\n" + MESSAGE
    reader, found = MessageReader(), []
    edges = [0, *sorted(cuts), len(stream)]

    for begin, end in pairwise(edges):
        found += reader.receive(stream[begin:end])

    assert found == [Frame(HEAD, BODY), KeepAlive(), Frame(HEAD, BODY), Frame(HEAD, BODY)]


def test_body_may_look_like_a_message() -> None:
    inner = message_with(b"Content-Length: 0")
    outer = message_with(b"Content-Length: %d" % len(inner)) + inner

    [frame] = MessageReader().receive(outer)

    assert isinstance(frame, Frame)
    assert frame.body == inner


@pytest.mark.parametrize(
    "line",
    [b"Content-Length: 0", b"content-length:0", b"CONTENT-LENGTH : 0", b"l: 0", b"L\t:\t0", b"Content-Length:\r\n 0"],
)
def test_content_length_is_found_in_every_legal_form(line: bytes) -> None:
    assert len(MessageReader().receive(message_with(line))) == 1


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (b"Content-Length: -1",),
        (b"Content-Length: five",),
        (b"Content-Length:",),
        (b"Content-Length: 3", b"l: 4"),
        (b"Content-Length: 99999999999999999999",),
        (b"X-Content-Length: 0",),
    ],
)
def test_length_in_doubt_is_refused(lines: tuple[bytes, ...]) -> None:
    with pytest.raises(FramingError) as caught:
        MessageReader().receive(message_with(*lines))

    assert caught.value.code == 400


def test_large_body_is_refused_before_it_arrives() -> None:
    with pytest.raises(FramingError) as caught:
        MessageReader(body_bytes=10).receive(message_with(b"Content-Length: 11"))

    assert caught.value.code == 513


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"])
def test_endless_header_is_refused(end: bytes) -> None:
    with pytest.raises(FramingError) as caught:
        MessageReader(head_bytes=100).receive(b"MESSAGE sip:a@b SIP/2.0\r\nX: " + b"x" * 100 + end)

    assert caught.value.code == 513


def test_messages_before_the_fault_are_kept() -> None:
    with pytest.raises(FramingError) as caught:
        MessageReader().receive(MESSAGE + message_with())

    assert caught.value.frames == (Frame(HEAD, BODY),)
