"""Words and typing within an open session, both ways (RFC 7572, RFC 7573 §6)."""

from __future__ import annotations

import msgspec
import pytest

from simulator.sip.composing import Typing, read_composing, read_keyboard, write_composing
from simulator.sip.imdn import read_disposition
from tests.gateway.frontend.sessions.device import LYNC, PLAIN, Device, text_of
from tests.gateway.frontend.sessions.stage import Stage

STATES = "http://jabber.org/protocol/chatstates"
COMPOSING = "application/im-iscomposing+xml"


def state(name: str) -> str:
    return f"<{name} xmlns='{STATES}'/>"


def test_message_of_the_user_is_a_chat_with_the_call_id_as_thread(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    assert device.says(dialog, "Hi") == 200

    [stanza] = stage.sent()
    assert stanza.startswith("<message from='alice@contoso.com' to='juliet@gmail.com' id='")
    assert stanza.endswith(f" type='chat'><body>Hi</body><thread>c1</thread>{state('active')}</message>")


def test_device_with_a_gruu_is_the_resource(stage: Stage) -> None:
    device = Device(stage, gr="desk")
    device.says(device.opens(), "Hi")

    assert "from='alice@contoso.com/desk'" in stage.sent()[0]


def test_message_is_answered_when_its_fate_is_known(stage: Stage, device: Device) -> None:
    stage.hands_over = False
    dialog = device.opens()
    assert device.says(dialog, "Hi") == 0

    stage.bounces(stage.stanzas[0], "item-not-found")
    device.looks()
    assert device.last.code == 604
    # One message was lost; the session goes on.
    assert stage.sessions.count() == 1


def test_message_of_the_contact_comes_within_the_dialog(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    stage.writes("Art thou not Romeo?", "<subject>S</subject>")
    request = device.next("MESSAGE").request

    assert (request.call_id, request.to.tag, request.sender.tag) == ("c1", dialog.local_tag, dialog.remote_tag)
    assert request.uri == device.contact
    assert (text_of(request), request.header("subject")) == ("Art thou not Romeo?", "S")
    assert request.content_type == ("text/plain", {"charset": "UTF-8"})
    assert request.via.branch.startswith("z9hG4bKm1~")


def test_messages_of_the_contact_keep_their_order(stage: Stage, device: Device) -> None:
    device.opens()

    for number in range(3):
        stage.writes(f"{number}", name=f"m{number}")

    got = [device.next("MESSAGE").request for _ in range(3)]
    assert [text_of(each) for each in got] == ["0", "1", "2"]
    assert [each.cseq[0] for each in got] == [1, 2, 3]


def test_refused_message_comes_back_to_its_sender(stage: Stage, device: Device) -> None:
    device.opens()
    stage.writes("Hi")
    device.answers_to(device.next("MESSAGE"), 486)

    assert stage.errors() == ["m1 recipient-unavailable"]
    assert stage.held == 0


def test_reply_goes_to_the_resource_that_wrote(stage: Stage, device: Device) -> None:
    """RFC 6121 §5.1."""
    dialog = device.opens()
    stage.writes("Hi")
    device.answers_to(device.next("MESSAGE"), 200)
    device.says(dialog, "Hi")

    assert "to='juliet@gmail.com/balcony'" in stage.sent()[0]


def test_headline_is_no_part_of_the_session(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    stage.writes("News", type="headline")

    assert device.next("MESSAGE").request.to.tag != dialog.local_tag


@pytest.mark.parametrize(
    ("media", "body", "code"),
    [
        ("text/html", "<b>Hi</b>", 200),
        ("text/rtf", "{\\rtf1 Hi}", 415),
        ("image/gif", "GIF89a", 415),
        ("multipart/alternative; boundary=x", "--x--", 415),
        (COMPOSING, "active", 400),
        ("text/plain", "\x00", 400),
    ],
)
def test_types_that_cross_and_types_that_do_not(stage: Stage, device: Device, media: str, body: str, code: int) -> None:
    dialog = device.opens()

    assert device.says(dialog, body, media) == code
    accept = "text/plain, text/html, application/im-iscomposing+xml" if code == 415 else None
    assert device.last.header("accept") == accept
    assert len(stage.sent()) == (code == 200)


def test_html_goes_to_devices_that_accept_it(stage: Stage) -> None:
    markup = (
        "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>"
        "<p>Hi <strong>there</strong></p></body></html>"
    )

    for accepts, media in ((LYNC, "text/html"), (PLAIN, "text/plain")):
        device = Device(stage)
        dialog = device.opens(accepts=accepts)
        stage.writes("Hi there", markup, f"<thread>{dialog.call_id}</thread>")
        request = device.next("MESSAGE").request

        assert request.content_type[0] == media
        assert text_of(request) == ("<p>Hi <strong>there</strong></p>" if media == "text/html" else "Hi there")
        device.vanishes()


# -- who types


@pytest.mark.parametrize(("typing", "name"), [(Typing.ACTIVE, "composing"), (Typing.IDLE, "active")])
def test_typing_of_the_user_is_a_chat_state(stage: Stage, device: Device, typing: Typing, name: str) -> None:
    """RFC 7573 Table 3."""
    dialog = device.opens()
    device.within(dialog, "MESSAGE", [("Content-Type", COMPOSING)], write_composing(typing))
    assert device.last.code == 200

    [stanza] = stage.sent()
    assert stanza.endswith(f" type='chat'><thread>c1</thread>{state(name)}</message>")


@pytest.mark.parametrize(
    ("name", "typing"),
    [("composing", "active"), ("active", "idle"), ("inactive", "idle"), ("paused", "idle")],
)
def test_chat_state_of_the_contact_is_typing(stage: Stage, device: Device, name: str, typing: str) -> None:
    """RFC 7573 Table 4."""
    device.opens()
    stage.writes("", state(name))
    request = device.next("MESSAGE").request

    assert request.content_type[0] == COMPOSING
    assert read_composing(request.body).state == typing


def test_lync_hears_of_typing_by_info(stage: Stage, device: Device) -> None:
    dialog = device.opens(accepts=LYNC)
    stage.writes("", state("composing"))
    incoming = device.next("INFO")
    assert read_keyboard(incoming.request.body).state is Typing.ACTIVE
    device.answers_to(incoming, 200)

    body = b"<KeyboardActivity><status status='type'/></KeyboardActivity>"
    device.within(dialog, "INFO", [("Content-Type", "application/xml")], body)
    assert device.last.code == 200
    assert state("composing") in stage.sent()[0]

    device.within(dialog, "INFO", [("Content-Type", "application/json")], b"{}")
    assert device.last.code == 415


def test_device_that_knows_neither_hears_nothing(stage: Stage, device: Device) -> None:
    device.invites(accepts=("text/plain",), allow="INVITE, ACK, BYE")
    assert device.last.code == 200
    stage.writes("", state("composing"))

    assert device.nothing()


def test_typing_that_nobody_refreshes_is_over(stage: Stage, device: Device) -> None:
    """RFC 3994 §3.3."""
    dialog = device.opens()
    device.within(dialog, "MESSAGE", [("Content-Type", COMPOSING)], write_composing(Typing.ACTIVE))
    stage.sent()
    stage.passes(119)
    assert stage.sent() == []

    stage.passes(1)
    assert state("active") in stage.sent()[0]
    stage.passes(200)
    assert stage.sent() == []


def test_words_end_typing(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    device.within(dialog, "MESSAGE", [("Content-Type", COMPOSING)], write_composing(Typing.ACTIVE))
    device.says(dialog, "Hi")
    stage.sent()
    stage.passes(120)

    assert stage.sent() == []


def test_contact_without_chat_states_gets_none(stage: Stage, device: Device) -> None:
    """XEP-0085 §5.1."""
    dialog = device.opens()
    stage.writes("Hi")
    device.answers_to(device.next("MESSAGE"), 200)
    device.says(dialog, "Hi")
    device.within(dialog, "MESSAGE", [("Content-Type", COMPOSING)], write_composing(Typing.ACTIVE))

    [stanza] = stage.sent()
    assert STATES not in stanza

    # Until it writes with one.
    stage.writes("Hi", state("active"))
    device.answers_to(device.next("MESSAGE"), 200)
    device.within(dialog, "MESSAGE", [("Content-Type", COMPOSING)], write_composing(Typing.ACTIVE))
    assert state("composing") in stage.sent()[0]


def test_chat_state_without_a_session_goes_nowhere(stage: Stage, device: Device) -> None:
    stage.writes("", state("composing"))
    stage.writes("", state("gone"))

    assert device.nothing()
    assert stage.sent() == []


# -- gates


def test_gate_that_is_closed_meanwhile_stops_what_follows(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    stage.configuration.adopt(msgspec.structs.replace(stage.configuration, policies=()))

    assert device.says(dialog, "Hi") == 403
    assert device.last.header("ms-diagnostics") is not None
    device.within(dialog, "MESSAGE", [("Content-Type", COMPOSING)], write_composing(Typing.ACTIVE))
    assert device.last.code == 403
    device.within(dialog, "BYE")
    assert device.last.code == 200
    assert stage.sent() == []


def test_session_of_a_user_who_is_registered_no_more_is_mute(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    stage.registrar.forget_flow(device.flow)

    assert device.says(dialog, "Hi") == 403


# -- sequence and strangers


def test_request_out_of_order_is_answered_500(stage: Stage, device: Device) -> None:
    """RFC 3261 §12.2.2."""
    dialog = device.opens()
    assert device.says(dialog, "Hi") == 200
    dialog.local_sequence -= 2
    assert device.says(dialog, "late") == 500

    assert stage.bodies() == ["Hi"]


@pytest.mark.parametrize("method", ["MESSAGE", "BYE", "INFO", "INVITE"])
def test_unknown_dialog_is_answered_481(device: Device, method: str) -> None:
    dialog = device.opens()
    dialog.remote_tag = "strange"
    device.within(dialog, method, [("Content-Type", "text/plain")], b"x")

    assert device.last.code == 481


@pytest.mark.parametrize("method", ["BYE", "INFO"])
def test_bye_outside_of_a_dialog_is_answered_481(device: Device, method: str) -> None:
    device.asks(method, "sip:juliet@gmail.com")

    assert device.last.code == 481


def test_cancel_of_nothing_is_answered_481(device: Device) -> None:
    device.asks("CANCEL", "sip:juliet@gmail.com")

    assert device.last.code == 481


def test_other_methods_within_a_session(device: Device) -> None:
    dialog = device.opens()
    device.within(dialog, "OPTIONS")
    assert device.last.code == 200
    assert COMPOSING in device.last.values("accept")

    device.within(dialog, "REFER")
    assert device.last.code == 405


def test_keep_alive_by_invite_changes_nothing(stage: Stage, device: Device) -> None:
    """RFC 3261 §14.2."""
    dialog = device.opens()
    lines = [("Contact", f"<{device.contact};again=1>"), ("Content-Type", "application/sdp")]
    device.within(dialog, "INVITE", lines, b"v=0\r\nm=message 5060 sip null\r\na=accept-types:text/plain\r\n")
    assert device.last.code == 200
    device.within(dialog, "ACK")
    device.within(dialog, "INVITE", lines[:1])
    assert device.last.code == 200
    device.within(dialog, "ACK")

    # An offer of audio is refused, and the session goes on: to where the last INVITE said.
    device.within(dialog, "INVITE", lines, b"v=0\r\nm=audio 1 RTP/AVP 0\r\n")
    assert device.last.code == 488
    stage.writes("Hi")
    assert device.next("MESSAGE").request.uri == f"{device.contact};again=1"


# -- errors that come late


def test_late_error_is_a_disposition_for_lync(stage: Stage, device: Device) -> None:
    dialog = device.opens(accepts=LYNC)
    assert device.says(dialog, "Hi") == 200
    message_id = device.last.header("message-id")
    stage.bounces(stage.stanzas[0], "recipient-unavailable")
    request = device.next("BENOTIFY").request
    disposition = read_disposition(request.body)

    assert request.content_type[0] == "application/ms-imdn+xml"
    assert disposition.message_id == message_id
    assert (disposition.recipient, disposition.code) == ("sip:juliet@gmail.com", 600)
    assert stage.sessions.count() == 1


def test_late_error_ends_the_session_of_others(stage: Stage, device: Device) -> None:
    dialog = device.opens(accepts=PLAIN)
    assert device.says(dialog, "Hi") == 200
    assert device.last.header("message-id") is None
    stage.bounces(stage.stanzas[0], "item-not-found")

    assert device.next("BYE").request.header("reason") == "SIP ;cause=604"
    assert stage.sessions.count() == 0


def test_late_error_about_a_first_message_ends_the_session(stage: Stage, device: Device) -> None:
    device.invites(headers=[("ms-text-format", "text/plain;ms-body=SGk=")], accepts=LYNC)
    device.joins()
    stage.bounces(stage.stanzas[0], "item-not-found")

    device.next("BYE")


def test_late_error_of_a_stranger_is_not_believed(stage: Stage, device: Device) -> None:
    dialog = device.opens(accepts=LYNC)
    device.says(dialog, "Hi")
    stage.stanzas[0].set("to", "mallory@gmail.com")
    stage.bounces(stage.stanzas[0], "item-not-found")

    assert device.nothing()


def test_late_error_after_the_session_is_logged(stage: Stage, device: Device) -> None:
    dialog = device.opens(accepts=LYNC)
    device.says(dialog, "Hi")
    [stanza] = stage.stanzas
    device.within(dialog, "BYE")
    stage.bounces(stanza, "item-not-found")

    assert device.nothing()
    assert any("failed after its session: 604" in line for line in stage.lines)


def test_error_is_late_for_five_minutes_only(stage: Stage, device: Device) -> None:
    dialog = device.opens(accepts=LYNC)
    device.says(dialog, "Hi")
    stage.passes(301)
    stage.bounces(stage.stanzas[0], "item-not-found")

    assert device.nothing()
