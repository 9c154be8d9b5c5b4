"""RFC 7572: what of a MESSAGE is in the stanza, and back; examples are the RFC's own."""

from __future__ import annotations

import pytest

from simulator.gateway.frontend.translation import UnsupportedMedia, content_of, stanza_of
from simulator.sip.errors import SIPError
from simulator.sip.message import Request, parse_message
from simulator.xmpp.element import parse_element, serialize

HEAD = """MESSAGE sip:juliet@example.com SIP/2.0
Via: SIP/2.0/TCP s2x.example.net;branch=z9hG4bKeskdgs677
Max-Forwards: 70
To: sip:juliet@example.com
From: sip:romeo@example.net;tag=vwxyz
Call-ID: 5A37A65D-304B-470A-B718-3F3E6770ACAF
CSeq: 1 MESSAGE
"""
TEXT = "Nic z obého, má děvo spanilá,\nnenavidíš-li jedno nebo druhé."


def request(body: bytes, *lines: str) -> Request:
    head = (HEAD + "\n".join(lines)).strip().replace("\n", "\r\n")
    message = parse_message(head.encode(), body)
    assert isinstance(message, Request)

    return message


def translated(body: bytes, *lines: str) -> str:
    stanza = stanza_of(request(body, *lines), sender="romeo@example.net", to="juliet@example.com", id="eskdgs677")

    return serialize(stanza).decode()


def test_example_6_becomes_example_7() -> None:
    assert translated(TEXT.encode(), "Content-Type: text/plain", "Content-Language: cs") == (
        "<message from='romeo@example.net' to='juliet@example.com' id='eskdgs677' xml:lang='cs'>"
        f"<body>{TEXT}</body><thread>5A37A65D-304B-470A-B718-3F3E6770ACAF</thread></message>"
    )


def test_subject_crosses() -> None:
    assert "<subject>Ahoj &amp; dobrý den</subject><body>" in translated(
        b"x", "Content-Type: text/plain", "Subject: Ahoj & dobrý den"
    )


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", "ü".encode()),
        ("TEXT/Plain; Charset=UTF-8", "ü".encode()),
        ("text/plain;charset=iso-8859-1", "ü".encode("latin-1")),
        ('text/plain; charset="utf-8"; msgr=WAAtAE0A', "ü".encode()),
    ],
)
def test_charsets_of_plain_text_are_read(content_type: str, body: bytes) -> None:
    assert "<body>ü</body>" in translated(body, f"Content-Type: {content_type}")


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Type: application/im-iscomposing+xml",),
        ("Content-Type: message/cpim",),
        ("Content-Type: text/plain; charset=utf-16",),
        ("Content-Type: text/plain", "Content-Encoding: gzip"),
    ],
)
def test_what_cannot_be_read_is_415(lines: tuple[str, ...]) -> None:
    with pytest.raises(UnsupportedMedia) as caught:
        translated(b"x", *lines)

    assert caught.value.code == 415


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b"\xff", ("Content-Type: text/plain",)),
        (b"a\x00b", ("Content-Type: text/plain",)),
        (b"a\x0bb", ("Content-Type: text/html",)),
        (b"x", ()),
        (b"x", ("Content-Type: nonsense",)),
    ],
)
def test_bodies_that_xml_cannot_say_are_400(body: bytes, lines: tuple[str, ...]) -> None:
    with pytest.raises(SIPError) as caught:
        translated(body, *lines)

    assert caught.value.code == 400


def test_html_becomes_xhtml_beside_plain_text() -> None:
    html = b"<html><head><title>t</title></head><body>Hello <b>bold</b> &amp; <i>it</i><br>line</body></html>"

    assert (
        "<body>Hello bold &amp; it\nline</body>"
        "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>"
        "Hello <strong>bold</strong> &amp; <em>it</em><br/>line</body></html>"
    ) in translated(html, "Content-Type: text/html")


def test_dangerous_html_does_not_cross() -> None:
    html = (
        b"<script>alert(1)</script><a href='javascript:x' onclick='y'>a</a><img src='http://t.example/p'>"
        b"<p style='color: red; background: url(x)'>b<p></i></div>" + b"<ul>" * 500
    )
    crossed = translated(html, "Content-Type: text/html")

    for forbidden in ("script", "alert", "onclick", "img", "url("):
        assert forbidden not in crossed

    assert "<a>a</a>" in crossed
    assert "style='color: red'" in crossed


def test_stanza_becomes_content() -> None:
    content = content_of(
        parse_element("<message xml:lang='cs'><subject>A\nB: c</subject><body>ü</body><thread>t1@h</thread></message>")
    )

    assert content is not None
    assert content.body == "ü".encode()
    assert content.headers == (("Subject", "A B: c"), ("Content-Language", "cs"))
    assert content.call_id == "t1@h"


def test_thread_that_is_no_call_id_is_encoded() -> None:
    content = content_of(parse_element("<message><body>x</body><thread>a b\n100%</thread></message>"))

    assert content is not None
    assert content.call_id == "a%20b%0A100%25"


def test_body_in_the_language_of_the_stanza_is_chosen() -> None:
    content = content_of(
        parse_element("<message xml:lang='de'><body xml:lang='en'>Hi</body><body xml:lang='de'>Hallo</body></message>")
    )

    assert content is not None
    assert content.body == b"Hallo"


def test_stanza_that_says_nothing_has_no_content() -> None:
    chat_state = "<message type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"

    assert content_of(parse_element(chat_state)) is None
