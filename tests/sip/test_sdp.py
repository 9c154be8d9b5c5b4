"""Descriptions of IM sessions: what real clients offer, what is answered, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.sip.errors import SIPSyntaxError
from simulator.sip.sdp import LONGEST, Description, answer, offer, parse_description

#: as Lync 2013 writes it
LYNC = (
    b"v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=session\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=message 5060 sip null\r\n"
    b"a=accept-types:text/plain multipart/alternative image/gif text/rtf text/html application/ms-imdn+xml \r\n"
)
AUDIO = b"m=audio 49170 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\n"


def only_stream(body: bytes) -> Description:
    return parse_description(b"v=0\r\n" + body)


def test_offer_of_lync_is_read() -> None:
    stream = parse_description(LYNC).chosen

    assert stream is not None
    assert (stream.kind, stream.port, stream.protocol, stream.formats) == ("message", 5060, "sip", "null")
    assert stream.accepts("text/plain")
    assert stream.accepts("application/ms-imdn+xml")
    assert not stream.accepts("application/im-iscomposing+xml")


def test_older_clients_call_it_otherwise() -> None:
    assert only_stream(b"m=x-ms-message 5060 sip sip:alice@contoso.com\n").chosen is not None


@pytest.mark.parametrize(
    "line",
    [
        b"m=message 7394 TCP/MSRP *",
        b"m=message 0 sip null",
        b"m=audio 5060 sip null",
        b"m=audio 49170 RTP/AVP 0",
    ],
)
def test_other_streams_are_not_ours(line: bytes) -> None:
    assert only_stream(line).chosen is None


@pytest.mark.parametrize(
    ("types", "asked", "taken"),
    [
        ("", "text/plain", True),
        ("", "application/im-iscomposing+xml", False),
        ("*", "image/gif", True),
        ("text/*", "text/html", True),
        ("text/*", "image/gif", False),
        ("TEXT/PLAIN", "text/plain", True),
    ],
)
def test_accept_types_say_what_may_be_sent(types: str, asked: str, taken: bool) -> None:
    line = f"a=accept-types:{types}\r\n" if types else ""
    stream = only_stream(f"m=message 5060 sip null\r\n{line}".encode()).chosen

    assert stream is not None
    assert stream.accepts(asked) is taken


def test_accept_types_belong_to_their_stream() -> None:
    description = only_stream(b"a=accept-types:*\nm=message 1 sip null\n" + AUDIO + b"a=accept-types:image/gif\n")

    assert [stream.accepted for stream in description.streams] == [(), ("image/gif",)]


def test_answer_takes_one_stream_and_refuses_the_others() -> None:
    """RFC 3264 §6."""
    offered = parse_description(LYNC.replace(b"m=message", AUDIO + b"m=message", 1) + b"m=message 9 sip null\r\n")
    answered = parse_description(answer(offered, "127.0.0.1", ("text/plain",)))

    assert [(stream.kind, stream.port, stream.protocol) for stream in answered.streams] == [
        ("audio", 0, "RTP/AVP"),
        ("message", 5060, "sip"),
        ("message", 0, "sip"),
    ]
    assert answered.streams[1].accepted == ("text/plain",)


def test_answer_to_no_stream_of_messages_is_refused() -> None:
    with pytest.raises(ValueError, match="no stream"):
        answer(only_stream(AUDIO), "127.0.0.1", ("text/plain",))


def test_offer_is_what_we_would_take() -> None:
    body = offer("::1", ("text/plain", "text/html"))
    stream = parse_description(body).chosen

    assert b"\r\nc=IN IP6 ::1\r\n" in body
    assert stream is not None
    assert stream.accepted == ("text/plain", "text/html")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"m=message 5060 sip null",
        b"v=0\r\nm=message many sip null",
        b"v=0\r\nm=message 70000 sip null",
        b"v=0\r\nm=message",
        b"v=0\r\n\xff",
        b"v=0\r\n" + b"a=x\r\n" * LONGEST,
        b"v=0\r\n" + b"m=message 5060 sip null\r\n" * 33,
    ],
)
def test_what_is_no_description_is_refused(body: bytes) -> None:
    with pytest.raises(SIPSyntaxError):
        parse_description(body)


@given(st.binary(max_size=200))
def test_nothing_else_is_raised(tail: bytes) -> None:
    try:
        description = parse_description(b"v=0\r\nm=" + tail)
    except SIPSyntaxError:
        return

    if description.chosen is not None:
        assert parse_description(answer(description, "127.0.0.1", ("text/plain",))).chosen is not None
