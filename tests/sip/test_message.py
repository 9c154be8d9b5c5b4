"""Requests and responses: every legal spelling is read, nothing illegal is written (RFC 3261 §7)."""

from __future__ import annotations

import pytest
import sipmessage
from hypothesis import given
from hypothesis import strategies as st

from simulator.sip.errors import SIPError, SIPSyntaxError
from simulator.sip.message import Request, Response, build_request, build_response, parse_message

# RFC 7572 example 2, byte for byte (its To without angle brackets is legal).
EXAMPLE_2 = b"""MESSAGE sip:romeo@example.net SIP/2.0
Via: SIP/2.0/TCP x2s.example.com;branch=z9hG4bK776sgdkse
Max-Forwards: 70
To: sip:romeo@example.net
From: <sip:juliet@example.com;gr=yn0cl4bnw0yr3vym>;tag=12345
Call-ID: D9AA95FD-2BD5-46E2-AF0F-6CFAA96BDDFA
CSeq: 1 MESSAGE
Content-Type: text/plain
Content-Length: 35""".replace(b"\n", b"\r\n")

# RFC 3261 and RFC 4475 §3.1.1.1 ("a short tortuous INVITE"), the spellings that concern us.
TORTUOUS = (
    b"MESSAGE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
    b"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
    b'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n'
    b"MaX-fOrWaRdS: 0068\r\n"
    b"i: test.ab3.1a\r\n"
    b"CSeq: 0009\r\n  MESSAGE\r\n"
    b"v  : SIP  / 2.0  / TCP     spindle.example.com;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
    b" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
    b"s :\r\n"
    b"c: text/plain ; charset=utf-8\r\n"
    b"l: 0"
)


def request(head: bytes, body: bytes = b"") -> Request:
    message = parse_message(head, body)
    assert isinstance(message, Request)

    return message


def changed(**lines: str | None) -> bytes:
    """Example 2 with some of its headers replaced, or removed by None."""
    kept = []

    for line in EXAMPLE_2.decode().split("\r\n"):
        name = line.partition(":")[0].lower().replace("-", "_")
        value = lines.pop(name, line)

        if value is not None:
            kept.append(value)

    return "\r\n".join([*kept, *filter(None, lines.values())]).encode()


def test_example_of_rfc_7572_is_read() -> None:
    message = request(EXAMPLE_2, b"Art thou not Romeo, and a Montague?")
    message.check()

    assert (message.method, message.uri) == ("MESSAGE", "sip:romeo@example.net")
    assert message.to.uri == "sip:romeo@example.net"
    assert message.sender.uri == "sip:juliet@example.com;gr=yn0cl4bnw0yr3vym"
    assert message.sender.tag == "12345"
    assert message.via.branch == "z9hG4bK776sgdkse"
    assert message.cseq == (1, "MESSAGE")
    assert message.content_type == ("text/plain", {})


def test_folded_compact_and_spaced_headers_are_read() -> None:
    message = request(TORTUOUS)
    message.check()

    assert message.to.uri == "sip:vivekg@chair-dnrc.example.com"
    assert message.to.tag == "1918181833n"
    assert message.sender.name == 'J Rosenberg \\"'
    assert message.sender.tag == "98asjd8"
    assert message.integer("max-forwards") == 68
    assert message.via.branch == "z9hG4bK9ikj8"
    assert message.call_id == "test.ab3.1a"
    assert message.header("subject") == ""
    assert message.content_type == ("text/plain", {"charset": "utf-8"})


@pytest.mark.parametrize(
    "head",
    [
        b"MESSAGE sip:a@b",
        b"MESSAGE  sip:a@b SIP/2.0",
        b"MESSAGE sip:a@b c SIP/2.0",
        b"ME(SSAGE sip:a@b SIP/2.0",
        b"SIP/2.0 20 OK",
        b"SIP/2.0 abc OK",
        b"",
        b"MESSAGE sip:a@b SIP/2.0\r\nno colon",
        b"MESSAGE sip:a@b SIP/2.0\r\nbad name: x",
        b"MESSAGE sip:a@b SIP/2.0\r\nX: a\nY: b",
        b"MESSAGE sip:a@b SIP/2.0\r\nX: a\rb",
        b"MESSAGE sip:a@b SIP/2.0\r\nX: \xff",
    ],
)
def test_broken_messages_are_refused(head: bytes) -> None:
    with pytest.raises(SIPSyntaxError):
        parse_message(head, b"")


@pytest.mark.parametrize(
    "lines",
    [
        {"via": None},
        {"to": None},
        {"from": None},
        {"call_id": None},
        {"cseq": None},
        {"cseq": "CSeq: 1 OPTIONS"},
        {"cseq": "CSeq: 2147483648 MESSAGE"},
        {"cseq": "CSeq: one MESSAGE"},
        {"via": "Via: SIP/2.0/TCP x2s.example.com"},
        {"via": "Via: nonsense"},
        {"to": "To: <sip:romeo@example.net"},
        {"from_again": "From: <sip:other@example.com>;tag=2"},
        {"to_again": "t: <sip:other@example.com>"},
    ],
)
def test_requests_without_what_they_need_are_refused(lines: dict[str, str | None]) -> None:
    with pytest.raises(SIPSyntaxError):
        request(changed(**lines)).check()


def test_another_version_is_answered_505() -> None:
    with pytest.raises(SIPError) as caught:
        parse_message(b"MESSAGE sip:a@b SIP/3.0", b"")

    assert caught.value.code == 505


def test_response_echoes_what_rfc_3261_names() -> None:
    answer = build_response(request(TORTUOUS), 200, tag="unused", source="192.0.2.1")
    parsed = sipmessage.Message.parse(answer)

    assert isinstance(parsed, sipmessage.Response)
    assert (parsed.code, parsed.phrase) == (200, "OK")
    assert parsed.call_id == "test.ab3.1a"
    assert [via.host for via in parsed.via] == ["spindle.example.com", "192.168.255.111"]
    assert parsed.via[0].parameters["received"] == "192.0.2.1"
    assert parsed.to_address.parameters["tag"] == "1918181833n"
    assert parsed.content_length == 0


def test_response_adds_a_tag_to_to() -> None:
    parsed = sipmessage.Message.parse(build_response(request(EXAMPLE_2), 404, tag="vwxyz"))

    assert parsed.to_address.parameters["tag"] == "vwxyz"
    assert parsed.headers["From"] == "<sip:juliet@example.com;gr=yn0cl4bnw0yr3vym>;tag=12345"


@pytest.mark.parametrize(
    ("method", "code", "copied"),
    [
        ("INVITE", 180, True),
        ("INVITE", 200, True),
        ("SUBSCRIBE", 200, True),
        ("NOTIFY", 200, True),
        ("INVITE", 100, False),
        ("SUBSCRIBE", 423, False),
        ("MESSAGE", 200, False),
        ("REGISTER", 200, False),
    ],
)
def test_response_that_makes_a_dialog_has_the_route(method: str, code: int, copied: bool) -> None:
    """RFC 3261 §12.1.1: "all Record-Route header field values", in their order."""
    records = (
        b"Record-Route: <sip:p2.example.com;lr>\r\nRecord-Route: <sip:p1.example.com;lr>, <sip:p0.example.com;lr>\r\n"
    )
    asked = request(EXAMPLE_2.replace(b"MESSAGE", method.encode()).replace(b"Max-Forwards", records + b"Max-Forwards"))
    answer = parse_message(build_response(asked, code, tag="t").partition(b"\r\n\r\n")[0], b"")
    hosts = [value.partition(":")[2].partition(";")[0] for value in answer.values("record-route")]

    assert hosts == (["p2.example.com", "p1.example.com", "p0.example.com"] if copied else [])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_no_header_value_becomes_a_line_of_its_own(value: str) -> None:
    try:
        data = build_request("MESSAGE", "sip:a@b", [("Subject", value), ("CSeq", "1 MESSAGE")], b"x")
    except ValueError:
        assert set(value) & set("\r\n\0")
        return

    head, _, body = data.partition(b"\r\n\r\n")

    assert len(head.split(b"\r\n")) == 4
    assert body == b"x"


@given(st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"])), st.binary(max_size=50))
def test_what_is_built_is_what_is_read(subject: str, body: bytes) -> None:
    head, _, _ = build_request("MESSAGE", "sip:a@b", [("Subject", subject)], body).partition(b"\r\n\r\n")
    message = request(head, body)

    assert message.header("subject") == subject.strip(" \t")
    assert message.integer("content-length") == len(body)


def test_responses_are_read() -> None:
    message = parse_message(b"SIP/2.0 480 Temporarily not available\r\nl: 0", b"")

    assert isinstance(message, Response)
    assert (message.code, message.phrase) == (480, "Temporarily not available")
