"""INVITEs of users: what is taken, what is refused, and the text that rides in the header (RFC 7573 §5)."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from simulator.gateway.configuration import FrontendSettings
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.gateway.frontend.sessions.rules import SessionRules
from simulator.sip.sdp import offer, parse_description
from tests.gateway.frontend.sessions.device import LYNC, Device
from tests.gateway.frontend.sessions.stage import Stage

AUDIO = b"v=0\r\nm=audio 49170 RTP/AVP 0\r\n"
MSRP = b"v=0\r\nm=message 7394 TCP/MSRP *\r\na=accept-types:text/plain\r\n"
RTF_ONLY = offer("127.0.0.1", ("text/rtf",))


def first(text: str, media: str = "text/plain") -> tuple[str, str]:
    encoded = base64.b64encode(text.encode()).decode()

    return ("ms-text-format", f"{media}; charset=UTF-8;msgr=WAAtAE0ADQAKAA0ACgA;ms-body={encoded}")


def test_invite_is_taken_in_the_name_of_the_contact(device: Device) -> None:
    device.invites(accepts=LYNC)
    answer = device.last
    stream = parse_description(answer.body).chosen

    assert answer.code == 200
    assert answer.header("contact") == "<sip:127.0.0.1:5060;transport=tcp>"
    assert answer.content_type[0] == "application/sdp"
    assert stream is not None
    assert stream.accepted == ("text/plain", "text/html", "application/im-iscomposing+xml")
    assert "INVITE" in answer.values("allow")
    # Nothing was delivered, so nothing must be counted as delivered.
    assert answer.header("supported") is None


def test_taking_an_invite_tells_the_contact_nothing(stage: Stage, device: Device) -> None:
    device.opens()

    assert stage.sent() == []


def test_first_message_is_delivered_once(stage: Stage, device: Device) -> None:
    device.invites(headers=[first("Hi"), ("Subject", "S"), ("Content-Language", "en")])

    assert device.last.header("supported") == "ms-text-format"
    [stanza] = stage.sent()
    assert stanza.endswith(
        "xml:lang='en' type='chat'><subject>S</subject><body>Hi</body><thread>c1</thread>"
        "<active xmlns='http://jabber.org/protocol/chatstates'/></message>"
    )

    dialog = device.joins()
    assert device.says(dialog, "again") == 200
    assert stage.bodies() == ["again"]


def test_answer_waits_for_the_fate_of_the_first_message(stage: Stage, device: Device) -> None:
    stage.hands_over = False
    device.invites(headers=[first("Hi")])
    [stanza] = stage.stanzas
    assert device.last.cseq[1] == "REGISTER"

    stage.outbox.handed_over([stanza.get("id", "")])
    device.looks()
    assert (device.last.code, device.last.header("supported")) == (200, "ms-text-format")


@pytest.mark.parametrize(("condition", "code"), [("item-not-found", 604), ("remote-server-not-found", 404)])
def test_lost_first_message_refuses_the_invite(stage: Stage, device: Device, condition: str, code: int) -> None:
    stage.hands_over = False
    device.invites(headers=[first("Hi")])
    stage.bounces(stage.stanzas[0], condition)
    device.looks()

    assert device.last.code == code
    assert stage.sessions.count() == 0
    # The refusal was acknowledged: the transaction is over on both sides.
    assert device.nothing()


def test_first_message_over_a_link_that_is_down_refuses_the_invite(stage: Stage, device: Device) -> None:
    stage.lose_link()
    device.invites(headers=[first("Hi")])

    assert device.last.code == 500


def test_first_message_whose_fate_nobody_tells_is_answered_408(device: Device, stage: Stage) -> None:
    stage.hands_over = False
    device.invites(headers=[first("Hi")])
    stage.passes(29)
    device.looks()

    assert device.last.code == 408


@pytest.mark.parametrize(
    "header",
    [
        first("{\\rtf1 Hi}", "text/rtf"),
        ("ms-text-format", "text/plain;ms-body=!!"),
        ("ms-text-format", "text/plain; charset=UTF-8"),
        first(""),
    ],
)
def test_first_message_that_does_not_cross_is_left_to_its_sender(
    stage: Stage, device: Device, header: tuple[str, str]
) -> None:
    device.invites(headers=[header])

    assert device.last.code == 200
    assert device.last.header("supported") is None
    assert stage.sent() == []


def test_first_message_in_html_crosses(stage: Stage, device: Device) -> None:
    device.invites(headers=[first("<b>Hi</b>", "text/html")])

    assert "<body>Hi</body><html xmlns='http://jabber.org/protocol/xhtml-im'>" in stage.sent()[0]


def test_first_message_that_xml_cannot_carry_is_refused(stage: Stage, device: Device) -> None:
    device.invites(headers=[first("\x01")])
    assert device.last.code == 400

    # And the same Call-ID may try again.
    device.invites(headers=[first("Hi")])
    assert device.last.code == 200


@pytest.mark.parametrize(
    ("body", "code", "warning"),
    [
        (AUDIO, 488, "304"),
        (MSRP, 488, "302"),
        (RTF_ONLY, 488, "305"),
        (b"v=0\r\nm=message 0 sip null\r\n", 488, "304"),
        (b"no description", 400, None),
    ],
)
def test_offer_without_us_is_refused(device: Device, body: bytes, code: int, warning: str | None) -> None:
    device.invites(body=body)

    assert device.last.code == code
    assert (device.last.header("warning") or "").split(" ")[0] == (warning or "")


def test_audio_beside_messages_is_left_out(device: Device) -> None:
    device.invites(body=AUDIO + b"m=message 5060 sip null\r\na=accept-types:text/plain\r\n")

    assert device.last.code == 200
    assert [stream.port for stream in parse_description(device.last.body).streams] == [0, 5060]


def test_body_that_is_no_offer_is_415(device: Device) -> None:
    lines = [("Contact", f"<{device.contact}>"), ("Content-Type", "application/xml")]
    device.asks("INVITE", "sip:juliet@gmail.com", lines, b"<x/>")

    assert (device.last.code, device.last.header("accept")) == (415, "application/sdp")


def test_invite_without_offer_gets_ours_and_answers_in_its_ack(stage: Stage, device: Device) -> None:
    """RFC 3261 §13.2.1."""
    device.invites(body=b"")
    assert device.last.code == 200
    assert parse_description(device.last.body).chosen is not None

    dialog = device.joins()
    stage.passes(0.5)
    device.within(dialog, "ACK", [("Content-Type", "application/sdp")], AUDIO)
    device.next("BYE")


@pytest.mark.parametrize(
    ("contact", "code"),
    [("bob@contoso.com", 488), ("juliet@else.example", 403), ("@", 400)],
)
def test_who_may_not_be_invited(device: Device, contact: str, code: int) -> None:
    device.invites(contact)

    assert device.last.code == code


def test_answer_in_the_ack_says_what_the_device_accepts(stage: Stage, device: Device) -> None:
    device.invites(body=b"")
    dialog = device.joins()
    device.within(dialog, "ACK", [("Content-Type", "application/sdp")], offer("127.0.0.1", LYNC))
    device.says(dialog, "Hi")

    assert device.last.header("message-id") is not None


def test_forwarded_too_often(device: Device) -> None:
    lines = [("Max-Forwards", "0"), *(pair for pair in _invite_like(device))]
    device.sends("INVITE", "sip:juliet@gmail.com", lines, offer("127.0.0.1", ("text/plain",)))

    assert device.last.code == 483


def test_sips_does_not_cross(device: Device) -> None:
    lines = [("Contact", f"<{device.contact}>"), ("Content-Type", "application/sdp")]
    device.asks("INVITE", "sips:juliet@gmail.com", lines, offer("127.0.0.1", ("text/plain",)))

    assert device.last.code == 416


def test_nobody_invites_before_registering(stage: Stage, device: Device) -> None:
    stage.registrar.forget_flow(device.flow)
    device.invites()

    assert device.last.code == 403


def test_same_invite_by_another_path_is_a_loop(stage: Stage, device: Device) -> None:
    """RFC 3261 §8.2.2.2: same From tag, Call-ID and CSeq, another branch."""
    stage.hands_over = False
    device.invites(headers=[first("Hi")])
    invite = _invite_like(device)
    device.sends("INVITE", "sip:juliet@gmail.com", invite, offer("127.0.0.1", ("text/plain",)))
    device.sends("INVITE", "sip:juliet@gmail.com", invite, offer("127.0.0.1", ("text/plain",)))

    assert device.last.code == 482
    assert stage.bodies() == ["Hi", "Hi"]


def _invite_like(device: Device) -> list[tuple[str, str]]:
    return [
        ("To", "<sip:juliet@gmail.com>"),
        ("From", "<sip:alice@contoso.com>;tag=same"),
        ("Call-ID", "c2"),
        ("CSeq", "1 INVITE"),
        ("Contact", f"<{device.contact}>"),
        ("Content-Type", "application/sdp"),
        first("Hi"),
    ]


def test_invite_without_a_tag_is_refused(device: Device) -> None:
    lines = [(name, "<sip:alice@contoso.com>" if name == "From" else value) for name, value in _invite_like(device)]
    device.sends("INVITE", "sip:juliet@gmail.com", lines, offer("127.0.0.1", ("text/plain",)))

    assert device.last.code == 400


def test_cancelled_invite_is_answered_487(stage: Stage, device: Device) -> None:
    stage.hands_over = False
    branch = device.invites(headers=[first("Hi")])
    device.cancels(branch)
    assert device.last.code == 487

    # The text is on its way; what becomes of it opens no session.
    stage.outbox.handed_over([stage.stanzas[0].get("id", "")])
    device.looks()
    assert device.last.code == 487
    assert stage.sessions.count() == 0


def test_sessions_of_one_connection_are_counted() -> None:
    stage = Stage(FrontEndRules(sessions=replace(SessionRules(), most_sessions=1)))
    device = Device(stage)
    device.opens()
    device.invites(call_id="c2")

    assert device.last.code == 486


def test_second_invite_to_the_same_contact_opens_a_second_session(stage: Stage, device: Device) -> None:
    old = device.opens()
    device.invites(call_id="c2")
    new = device.joins()
    assert stage.sessions.count() == 2

    # Each thread keeps to its session; without one the newest counts.
    stage.writes("old", "<thread>c1</thread>")
    assert device.next("MESSAGE").request.call_id == old.call_id
    stage.writes("new")
    assert device.next("MESSAGE").request.call_id == new.call_id

    device.within(new, "BYE")
    stage.writes("old again")
    assert device.next("MESSAGE").request.call_id == old.call_id


def test_200_is_repeated_until_its_ack(stage: Stage, device: Device) -> None:
    """RFC 3261 §13.3.1.4: after T1, then doubling up to T2."""
    device.invites()

    for pause in (0.5, 1, 2, 4, 4):
        stage.passes(pause - 0.1)
        device.looks()
        before = device.repeated
        stage.passes(0.1)
        device.looks()
        assert device.repeated == before + 1

    device.joins()
    stage.passes(4)
    device.looks()
    assert device.repeated == 5


def test_ack_counts_whatever_it_requires(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    device.within(dialog, "INVITE", [("Content-Type", "application/sdp")], offer("127.0.0.1", LYNC))
    device.within(dialog, "ACK", [("Require", "100rel")])
    stage.passes(4)
    device.looks()

    assert device.repeated == 0


def test_200_without_ack_ends_the_session(stage: Stage, device: Device) -> None:
    device.invites()
    stage.passes(32)
    device.next("BYE")

    assert stage.sessions.count() == 0


def test_timers_follow_the_settings() -> None:
    stage = Stage(frontend=FrontendSettings(transaction_timeout=0.32))
    device = Device(stage)
    device.invites()
    stage.passes(0.005)
    device.looks()

    assert device.repeated == 1


def test_connection_that_goes_before_the_answer_leaves_no_session(stage: Stage, device: Device) -> None:
    stage.hands_over = False
    device.invites(headers=[first("Hi")])
    device.vanishes()
    stage.outbox.handed_over([stage.stanzas[0].get("id", "")])

    assert stage.sessions.count() == 0
