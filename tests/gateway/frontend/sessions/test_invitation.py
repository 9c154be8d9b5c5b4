"""Sessions that a contact's message opens: one device, several, none that takes it (RFC 7573 §4, RFC 3261 §16.7)."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from simulator.gateway.configuration import FrontendSettings, LimitSettings
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.gateway.frontend.sessions.rules import SessionRules
from simulator.sip.sdp import MEDIA_TYPE, parse_description
from simulator.xmpp.address import parse_address
from tests.gateway.frontend.sessions.device import LYNC, Device, text_of
from tests.gateway.frontend.sessions.stage import Stage

GONE = "<gone xmlns='http://jabber.org/protocol/chatstates'/>"
PAGER = "MESSAGE, OPTIONS"


def test_device_is_invited_with_the_text(stage: Stage, device: Device) -> None:
    stage.writes("Hi", "<subject>S</subject><thread>t1</thread>")
    request = device.next("INVITE").request
    header = request.header("ms-text-format") or ""
    stream = parse_description(request.body).chosen

    assert (request.uri, request.call_id, request.cseq) == (device.contact, "t1", (1, "INVITE"))
    assert request.sender.uri == "sip:juliet@gmail.com;gr=balcony"
    assert request.to.uri == "sip:alice@contoso.com"
    assert request.header("contact") == "<sip:127.0.0.1:5060;transport=tcp>"
    assert header == f"text/plain; charset=UTF-8;ms-body={base64.b64encode(b'Hi').decode()}"
    assert request.header("subject") == "S"
    assert stream is not None
    assert stream.accepts("application/im-iscomposing+xml")


def test_text_that_was_read_in_the_invite_is_not_sent_again(stage: Stage, device: Device) -> None:
    stage.writes("Hi")
    device.takes(device.next("INVITE"), reads=True)
    device.next("ACK")
    assert device.nothing()
    assert stage.held == 0

    stage.writes("again", name="m2")
    assert text_of(device.next("MESSAGE").request) == "again"


def test_text_that_was_not_read_in_the_invite_follows(stage: Stage, device: Device) -> None:
    stage.writes("Hi")
    device.takes(device.next("INVITE"))
    device.next("ACK")

    assert text_of(device.next("MESSAGE").request) == "Hi"
    assert device.nothing()


def test_long_text_does_not_ride_in_a_header(stage: Stage, device: Device) -> None:
    stage.writes("x" * 3000)
    invite = device.next("INVITE")
    assert invite.request.header("ms-text-format") is None

    # Whatever the device lists, it has not read the text.
    device.takes(invite, reads=True)
    device.next("ACK")
    assert len(device.next("MESSAGE").request.body) == 3000


def test_messages_wait_for_the_session_in_order(stage: Stage, device: Device) -> None:
    for number in range(3):
        stage.writes(f"{number}", name=f"m{number}")

    invite = device.next("INVITE")
    assert device.nothing()
    device.takes(invite)
    device.next("ACK")

    got = [device.next("MESSAGE") for _ in range(3)]
    assert [text_of(each.request) for each in got] == ["0", "1", "2"]

    for each in got:
        device.answers_to(each, 200)

    assert stage.errors() == []
    assert stage.held == 0


def test_as_many_wait_as_the_settings_allow() -> None:
    stage = Stage(limits=LimitSettings(queued_stanzas=2))
    Device(stage)

    for number in range(3):
        stage.writes("x", name=f"m{number}")

    assert stage.errors() == ["m2 internal-server-error"]


def test_in_the_session_the_user_answers(stage: Stage, device: Device) -> None:
    stage.writes("Hi", "<thread>t1</thread>")
    dialog = device.takes(device.next("INVITE"), reads=True)
    device.next("ACK")
    dialog.target = "sip:127.0.0.1:5060;transport=tcp"
    assert device.says(dialog, "Hello") == 200

    [stanza] = stage.sent()
    assert "from='alice@contoso.com' to='juliet@gmail.com/balcony'" in stanza
    assert "<thread>t1</thread>" in stanza


@pytest.mark.parametrize(
    ("code", "condition"),
    [
        (486, "recipient-unavailable"),
        (480, "recipient-unavailable"),
        (603, "recipient-unavailable"),
        (404, "item-not-found"),
    ],
)
def test_refusal_reaches_every_sender(stage: Stage, device: Device, code: int, condition: str) -> None:
    stage.writes("0", name="m0")
    stage.writes("1", name="m1")
    device.answers_to(device.next("INVITE"), code)

    assert stage.errors() == [f"m0 {condition}", f"m1 {condition}"]
    assert stage.held == 0
    # The refusal was acknowledged, and the next message tries again.
    stage.writes("2", name="m2")
    device.next("INVITE")


@pytest.mark.parametrize("code", [405, 415, 420, 488, 501, 606])
def test_device_without_sessions_is_written_to_as_a_pager(stage: Stage, device: Device, code: int) -> None:
    stage.writes("Hi", "<thread>t1</thread>")
    device.answers_to(device.next("INVITE"), code)
    incoming = device.next("MESSAGE")

    assert incoming.request.to.tag is None
    assert (text_of(incoming.request), incoming.request.call_id) == ("Hi", "t1")
    device.answers_to(incoming, 200)
    assert stage.errors() == []


@pytest.mark.parametrize("methods", ["", PAGER])
def test_device_that_did_not_register_for_invite_is_a_pager(stage: Stage, methods: str) -> None:
    device = Device(stage, methods=methods)
    stage.writes("Hi")

    device.next("MESSAGE")
    assert device.nothing()


def test_open_session_counts_whatever_was_registered(stage: Stage) -> None:
    device = Device(stage, methods=PAGER)
    dialog = device.opens()
    stage.writes("Hi")

    assert device.next("MESSAGE").request.to.tag == dialog.local_tag


@pytest.mark.parametrize("body", [b"", b"v=0\r\nm=audio 1 RTP/AVP 0\r\n", b"v=0\r\nm=message 0 sip null\r\n"])
def test_answer_without_messages_ends_what_it_opened(stage: Stage, device: Device, body: bytes) -> None:
    stage.writes("Hi")
    headers = [("Contact", f"<{device.contact}>"), ("Content-Type", MEDIA_TYPE)]
    device.answers_to(device.next("INVITE"), 200, headers, body)
    device.next("ACK")
    device.next("BYE")

    # Nothing was said, so it may be said another way.
    assert text_of(device.next("MESSAGE").request) == "Hi"


def test_repeated_200_is_acknowledged_again(stage: Stage, device: Device) -> None:
    """RFC 3261 §13.2.2.4."""
    stage.writes("Hi")
    invite = device.next("INVITE")
    headers = [("Contact", f"<{device.contact}>"), ("Content-Type", MEDIA_TYPE)]
    data = invite.answer(200, tag="d", headers=headers, body=b"v=0\r\nm=message 1 sip null\r\n")
    device.wire.on_data(data)
    first = device.next("ACK").request
    device.answers_to(device.next("MESSAGE"), 200)
    device.wire.on_data(data)
    second = device.next("ACK").request

    assert (first.uri, first.cseq) == (second.uri, second.cseq) == (device.contact, (1, "ACK"))
    assert stage.sessions.count() == 1


def test_connection_that_breaks_while_it_rings_is_told(stage: Stage, device: Device) -> None:
    stage.writes("Hi")
    device.vanishes()

    assert stage.errors() == ["m1 recipient-unavailable"]
    assert stage.held == 0


def test_silent_device_is_given_up_after_timer_b(stage: Stage, device: Device) -> None:
    stage.writes("Hi")
    stage.passes(32)

    assert stage.errors() == ["m1 remote-server-timeout"]


def test_device_may_ring_for_three_minutes(stage: Stage, device: Device) -> None:
    stage.writes("Hi")
    invite = device.next("INVITE")
    device.answers_to(invite, 180)
    stage.passes(179)
    assert device.nothing()

    stage.passes(1)
    device.looks()
    assert device.cancelled == [invite]
    device.answers_to(invite, 487)
    assert stage.errors() == ["m1 recipient-unavailable"]


def test_device_that_does_not_even_answer_its_cancel_is_given_up() -> None:
    stage = Stage(frontend=FrontendSettings(invitation_timeout=1.0))
    device = Device(stage)
    stage.writes("Hi")
    device.answers_to(device.next("INVITE"), 180)
    stage.passes(1)
    stage.passes(32)

    assert stage.errors() == ["m1 recipient-unavailable"]


# -- several devices


def test_first_to_take_it_wins_and_the_others_are_cancelled(stage: Stage, device: Device) -> None:
    phone = Device(stage)
    stage.writes("Hi")
    ringing, invite = phone.next("INVITE"), device.next("INVITE")
    phone.answers_to(ringing, 180)
    assert ringing.request.sender.tag != invite.request.sender.tag

    device.takes(invite)
    device.next("ACK")
    device.answers_to(device.next("MESSAGE"), 200)
    phone.looks()
    assert phone.cancelled == [ringing]
    phone.answers_to(ringing, 487)

    assert stage.errors() == []
    assert stage.held == 0
    assert stage.sessions.count() == 1
    # The conversation is with the device that took it.
    stage.writes("again", name="m2")
    device.next("MESSAGE")
    assert phone.nothing()


def test_second_200_is_acknowledged_and_ended(stage: Stage, device: Device) -> None:
    phone = Device(stage)
    stage.writes("Hi")
    late, invite = phone.next("INVITE"), device.next("INVITE")
    device.takes(invite)
    phone.takes(late)
    phone.next("ACK")
    phone.next("BYE")

    assert phone.nothing()
    assert stage.sessions.count() == 1


def test_cancel_waits_for_the_first_response(stage: Stage, device: Device) -> None:
    """RFC 3261 §9.1."""
    phone = Device(stage)
    stage.writes("Hi")
    invite = phone.next("INVITE")
    device.takes(device.next("INVITE"), reads=True)
    phone.looks()
    assert phone.cancelled == []

    phone.answers_to(invite, 100)
    phone.looks()
    assert phone.cancelled == [invite]


def test_decline_of_one_device_counts_for_all(stage: Stage, device: Device) -> None:
    """RFC 3261 §16.7 step 5."""
    phone = Device(stage)
    stage.writes("Hi")
    ringing = phone.next("INVITE")
    phone.answers_to(ringing, 180)
    device.answers_to(device.next("INVITE"), 603)
    phone.looks()
    assert phone.cancelled == [ringing]

    phone.answers_to(ringing, 487)
    assert stage.errors() == ["m1 recipient-unavailable"]


def test_busy_device_leaves_the_others_ringing(stage: Stage, device: Device) -> None:
    phone = Device(stage)
    stage.writes("Hi")
    device.answers_to(device.next("INVITE"), 486)
    phone.takes(phone.next("INVITE"), reads=True)

    assert stage.errors() == []
    assert stage.sessions.count() == 1


def test_pager_beside_it_gets_what_no_session_took(stage: Stage, device: Device) -> None:
    pager = Device(stage, methods=PAGER)
    stage.writes("Hi")
    assert pager.nothing()

    device.answers_to(device.next("INVITE"), 480)
    pager.answers_to(pager.next("MESSAGE"), 200)
    assert device.nothing()
    assert stage.errors() == []


def test_resource_reaches_its_device_only(stage: Stage, device: Device) -> None:
    phone = Device(stage, gr="phone")
    stage.writes("Hi", to="alice@contoso.com/phone")
    phone.takes(phone.next("INVITE"), reads=True)

    assert device.nothing()
    # A session with one device is none with another.
    [desk, _] = stage.registrar.bindings(parse_address("alice@contoso.com"))
    stage.writes("Hi", to=f"alice@contoso.com/{desk.resource}")
    device.next("INVITE")


# -- a session that the device knows no more


def test_message_that_finds_no_dialog_goes_in_another_session(stage: Stage, device: Device) -> None:
    old = device.opens()
    stage.writes("Hi")
    device.answers_to(device.next("MESSAGE"), 481)
    invite = device.next("INVITE")
    assert invite.request.sender.tag != old.remote_tag

    device.takes(invite)
    device.next("ACK")
    incoming = device.next("MESSAGE")
    assert text_of(incoming.request) == "Hi"
    # Once more only.
    device.answers_to(incoming, 481)
    assert stage.errors() == ["m1 item-not-found"]
    assert stage.held == 0


def test_message_that_nobody_answers_ends_the_session(stage: Stage, device: Device) -> None:
    device.opens()
    stage.writes("Hi")
    device.next("MESSAGE")
    stage.passes(32)
    device.next("BYE")

    assert stage.errors() == ["m1 remote-server-timeout"]
    assert stage.sessions.count() == 0


def test_contact_that_left_while_it_rang_ends_the_session(stage: Stage, device: Device) -> None:
    stage.writes("Hi")
    stage.writes("", GONE)
    device.takes(device.next("INVITE"))
    device.next("ACK")

    incoming = device.next("MESSAGE")
    assert text_of(incoming.request) == "Hi"
    device.answers_to(incoming, 200)
    device.next("BYE")


def test_one_session_serves_both_who_call_at_once(stage: Stage, device: Device) -> None:
    stage.writes("Hi")
    invite = device.next("INVITE")
    dialog = device.opens()
    device.takes(invite)
    device.next("ACK")
    assert text_of(device.next("MESSAGE").request) == "Hi"
    assert device.says(dialog, "Hello") == 200

    assert stage.errors() == []
    assert stage.bodies() == []


def test_pager_mode_may_be_the_only_one() -> None:
    stage = Stage(FrontEndRules(sessions=replace(SessionRules(), uses_session=lambda type_, **_: False)))
    device = Device(stage)
    stage.writes("Hi")

    device.next("MESSAGE")


def test_lync_is_invited_like_anybody(stage: Stage, device: Device) -> None:
    stage.writes("Hi")
    device.takes(device.next("INVITE"), accepts=LYNC, reads=True)

    assert stage.sessions.count() == 1
