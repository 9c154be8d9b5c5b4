"""The rules of RFC 7572 and RFC 7573 for what crosses, one by one, each with a message that crosses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.gateway.frontend.markup import to_html, to_xhtml
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.xmpp.element import parse_element, serialize
from tests.gateway.frontend.sessions.device import Device, text_of
from tests.gateway.frontend.sessions.stage import Stage

MODES = ["pager", "session"]


def asks(stage: Stage, device: Device, mode: str, headers: list[tuple[str, str]], body: str = "Hi") -> None:
    """Alice writes to Juliet."""
    if mode == "pager":
        device.asks("MESSAGE", "sip:juliet@gmail.com", headers, body.encode(), call_id="c1")
    else:
        device.within(device.opens(), "MESSAGE", headers, body.encode())

    assert device.last.code == 200


def written(stage: Stage, mode: str, text: str, *more: str) -> Device:
    """Juliet writes to Alice, whose device has the MESSAGE next."""
    device = Device(stage, methods="" if mode == "pager" else "INVITE, MESSAGE")

    if mode == "session":
        device.opens()

    stage.writes(text, *more)

    return device


@pytest.mark.parametrize("mode", MODES)
def test_m1_body_subject_thread_id_and_language_cross(mode: str) -> None:
    stage = Stage()
    device = Device(stage)
    asks(stage, device, mode, [("Content-Type", "text/plain"), ("Subject", "S"), ("Content-Language", "cs")])
    [stanza] = stage.sent()

    assert "<subject>S</subject><body>Hi</body><thread>c1</thread>" in stanza
    assert "xml:lang='cs'" in stanza

    stage = Stage()
    request = written(stage, mode, "Ahoj", "<subject>S</subject><thread>c1</thread>").next("MESSAGE").request
    assert (text_of(request), request.header("subject"), request.call_id) == ("Ahoj", "S", "c1")
    assert request.via.branch.startswith("z9hG4bKm1~")


@pytest.mark.parametrize("mode", MODES)
def test_m2_resource_is_the_gruu(mode: str) -> None:
    stage = Stage()
    device = Device(stage, gr="desk")
    asks(stage, device, mode, [("Content-Type", "text/plain")])
    assert "from='alice@contoso.com/desk'" in stage.sent()[0]

    stage = Stage()
    device = Device(stage, methods="" if mode == "pager" else "INVITE")
    stage.writes("Hi")
    request = device.next("MESSAGE" if mode == "pager" else "INVITE").request
    assert request.sender.uri == "sip:juliet@gmail.com;gr=balcony"


@pytest.mark.parametrize(("mode", "type_"), [("pager", None), ("session", "chat")])
def test_m3_type_says_the_mode(mode: str, type_: str | None) -> None:
    stage = Stage()
    asks(stage, Device(stage), mode, [("Content-Type", "text/plain")])

    assert stage.stanzas[0].get("type") == type_


@pytest.mark.parametrize("mode", MODES)
def test_m4_to_is_the_one_who_is_written_to(mode: str) -> None:
    stage = Stage()
    asks(stage, Device(stage), mode, [("Content-Type", "text/plain")])

    assert stage.stanzas[0].get("to") == "juliet@gmail.com"


@pytest.mark.parametrize(("mode", "refused"), [("pager", True), ("session", False)])
def test_m5_only_pagers_have_a_limit(mode: str, refused: bool) -> None:
    """RFC 7572 §6, RFC 7573 §8."""
    stage = Stage(replace(FrontEndRules(), message_limit=1300))
    device = written(stage, mode, "x" * 1300)

    assert stage.errors() == (["m1 policy-violation"] if refused else [])
    assert device.nothing() is refused


@pytest.mark.parametrize("mode", MODES)
def test_m6_html_becomes_xhtml_im(mode: str) -> None:
    stage = Stage()
    asks(stage, Device(stage), mode, [("Content-Type", "text/html")], "Hi <b>there</b>")

    assert (
        "<body>Hi there</body><html xmlns='http://jabber.org/protocol/xhtml-im'>"
        "<body xmlns='http://www.w3.org/1999/xhtml'>Hi <strong>there</strong></body></html>"
    ) in stage.sent()[0]


@pytest.mark.parametrize("mode", MODES)
def test_m6_rtf_is_refused(mode: str) -> None:
    device = Device(Stage())
    headers = [("Content-Type", "text/rtf")]

    if mode == "pager":
        device.asks("MESSAGE", "sip:juliet@gmail.com", headers, b"{\\rtf1 Hi}")
    else:
        device.within(device.opens(), "MESSAGE", headers, b"{\\rtf1 Hi}")

    assert device.last.code == 415
    assert "text/plain" in device.last.values("accept")


def test_m7_late_error_to_a_pager_is_only_logged() -> None:
    stage = Stage()
    device = Device(stage)
    asks(stage, device, "pager", [("Content-Type", "text/plain")])
    stage.bounces(stage.stanzas[0], "item-not-found")

    assert device.nothing()
    assert any("has no request: item-not-found" in line for line in stage.lines)


@pytest.mark.parametrize("mode", MODES)
def test_m8_final_error_returns_the_message(mode: str) -> None:
    stage = Stage()
    device = written(stage, mode, "Hi")
    device.answers_to(device.next("MESSAGE"), 480)
    [error] = stage.sent()

    assert error.startswith(
        "<message from='alice@contoso.com' to='juliet@gmail.com/balcony' id='m1' type='error'><body>Hi</body><error "
    )


def test_m9_gone_is_bye_and_bye_is_gone() -> None:
    stage = Stage()
    device = Device(stage)
    device.opens()
    stage.writes("", "<gone xmlns='http://jabber.org/protocol/chatstates'/>")
    device.next("BYE")

    device.within(device.opens(), "BYE")
    assert "<gone xmlns='http://jabber.org/protocol/chatstates'/>" in stage.sent()[0]


def test_m10_receipts_have_no_carrier() -> None:
    """RFC 7573 §7 maps them to reports of MSRP, which this dialect does not have."""
    stage = Stage()
    device = written(stage, "session", "Hi", "<request xmlns='urn:xmpp:receipts'/>")
    device.answers_to(device.next("MESSAGE"), 200)

    assert device.nothing()
    assert stage.sent() == []


def test_m11_silence_ends_a_session() -> None:
    stage = Stage()
    device = Device(stage)
    device.opens()
    stage.passes(600)

    device.next("BYE")


# -- markup, both ways


@pytest.mark.parametrize(
    ("markup", "html"),
    [
        ("<p>Hi <strong>there</strong></p>", "<p>Hi <strong>there</strong></p>"),
        ("a<br/>b", "a<br>b"),
        ("<a href='http://x.example/?a=1&amp;b=2'>x</a>", '<a href="http://x.example/?a=1&amp;b=2">x</a>'),
        ("<a href='javascript:alert(1)'>x</a>", "<a>x</a>"),
        ("<span style='color: red; position: absolute' onclick='x()'>r</span>", '<span style="color: red">r</span>'),
        ("<script>alert(1)</script>x", "x"),
        ("<table><tr><td>cell</td></tr></table>", "cell"),
        ("<img src='http://x.example/i.png' alt='a cat'/>", "a cat"),
        ("1 &lt; 2 &amp; 3", "1 &lt; 2 &amp; 3"),
        ("<b>not of the set</b>", "<strong>not of the set</strong>"),
    ],
)
def test_xhtml_im_becomes_html(markup: str, html: str) -> None:
    """XEP-0071 §7."""
    message = (
        "<message><body>x</body><html xmlns='http://jabber.org/protocol/xhtml-im'>"
        f"<body xmlns='http://www.w3.org/1999/xhtml'>{markup}</body></html></message>"
    )

    assert to_html(parse_element(message)) == html


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "<html xmlns='http://jabber.org/protocol/xhtml-im'/>",
        "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'> </body></html>",
        "<html xmlns='http://www.w3.org/1999/xhtml'><body>x</body></html>",
    ],
)
def test_message_without_xhtml_im_has_no_html(inside: str) -> None:
    assert to_html(parse_element(f"<message><body>x</body>{inside}</message>")) is None


def test_image_is_told_by_its_text() -> None:
    plain, markup = to_xhtml("look: <img src='cat.png' alt='a cat'>!")

    assert plain == "look: a cat!"
    assert b">look: a cat!</body>" in serialize(markup)


@given(st.recursive(st.text(max_size=20), lambda inner: st.tuples(st.sampled_from("pbia"), inner), max_leaves=8))
def test_markup_that_went_out_comes_back(content: object) -> None:
    """What passes outwards passes inwards unchanged, and what it says is the same."""

    def text(each: object) -> str:
        if isinstance(each, tuple):
            return f"<{each[0]}>{text(each[1])}</{each[0]}>"

        return "".join(character for character in str(each) if character.isalnum())

    html = text(content)
    plain, markup = to_xhtml(html)
    message = parse_element("<message/>")
    message.append(markup)
    again = to_html(message)

    if plain:
        assert again is not None
        assert serialize(to_xhtml(again)[1]) == serialize(markup)
