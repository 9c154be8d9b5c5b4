"""How sessions end: by either side, by silence, and by what breaks (RFC 7573 §4, §6.1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.gateway.configuration import FrontendSettings
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.gateway.frontend.sessions.rules import SessionRules
from tests.gateway.frontend.sessions.device import Device, text_of
from tests.gateway.frontend.sessions.stage import Stage

GONE = "<gone xmlns='http://jabber.org/protocol/chatstates'/>"


def test_bye_of_the_user_is_gone(stage: Stage, device: Device) -> None:
    """RFC 7573 examples 21 and 22."""
    dialog = device.opens()
    device.within(dialog, "BYE")
    assert device.last.code == 200

    [stanza] = stage.sent()
    assert stanza.startswith("<message from='alice@contoso.com' to='juliet@gmail.com' id='")
    assert stanza.endswith(f" type='chat'><thread>c1</thread>{GONE}</message>")
    assert stage.sessions.count() == 0

    device.within(dialog, "MESSAGE", [("Content-Type", "text/plain")], b"late")
    assert device.last.code == 481


def test_gone_of_the_contact_is_bye(stage: Stage, device: Device) -> None:
    """RFC 7573 examples 19 and 20."""
    dialog = device.opens()
    stage.writes("", GONE)
    request = device.next("BYE").request

    assert (request.call_id, request.to.tag) == (dialog.call_id, dialog.local_tag)
    assert stage.sessions.count() == 0
    # Who left needs not be told that the other did.
    assert stage.sent() == []


def test_last_words_come_before_the_bye(stage: Stage, device: Device) -> None:
    device.opens()
    stage.writes("Bye", GONE)

    incoming = device.next("MESSAGE")
    assert text_of(incoming.request) == "Bye"
    assert device.nothing()
    device.answers_to(incoming, 200)
    device.next("BYE")


def test_message_after_the_end_opens_another_session(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    device.within(dialog, "BYE")
    stage.writes("Hi", f"<thread>{dialog.call_id}</thread>")
    request = device.next("INVITE").request

    assert request.call_id == dialog.call_id
    assert request.sender.tag != dialog.remote_tag


def test_answer_to_a_message_may_come_after_the_bye(stage: Stage, device: Device) -> None:
    stage.hands_over = False
    dialog = device.opens()
    device.says(dialog, "Hi")
    device.within(dialog, "BYE")
    stage.outbox.handed_over([stage.stanzas[0].get("id", "")])
    device.looks()

    assert (device.last.code, device.last.cseq[1]) == (200, "MESSAGE")


def test_idle_session_is_ended(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    stage.passes(599)
    device.says(dialog, "Hi")
    stage.passes(599)
    stage.writes("Hi")
    device.answers_to(device.next("MESSAGE"), 200)
    stage.passes(599)
    assert device.nothing()

    stage.passes(1)
    device.next("BYE")
    assert stage.sessions.count() == 0


def test_typing_keeps_no_session_open(stage: Stage, device: Device) -> None:
    device.opens()
    stage.passes(599)
    stage.writes("", "<composing xmlns='http://jabber.org/protocol/chatstates'/>")
    device.answers_to(device.next("MESSAGE"), 200)
    stage.passes(1)

    device.next("BYE")


def test_idle_time_is_a_setting() -> None:
    stage = Stage(frontend=FrontendSettings(session_idle_timeout=0.25))
    device = Device(stage)
    device.opens()
    stage.passes(0.25)

    device.next("BYE")


def test_sessions_may_last_for_ever() -> None:
    stage = Stage(FrontEndRules(sessions=replace(SessionRules(), idle_timeout=lambda settings: None)))
    device = Device(stage)
    device.opens()
    stage.passes(100_000)

    assert device.nothing()


def test_session_survives_the_link_and_each_message_is_told(stage: Stage, device: Device) -> None:
    stage.hands_over = False
    dialog = device.opens()
    device.says(dialog, "0")
    device.says(dialog, "1")
    stage.lose_link()
    device.looks()
    assert [response.code for _, response in device.answers[-2:]] == [500, 500]
    assert device.says(dialog, "2") == 500

    stage.link_up = stage.hands_over = True
    assert device.says(dialog, "3") == 200
    assert stage.bodies() == ["0", "1", "3"]


def test_typing_over_a_link_that_is_down_is_lost_alone(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    stage.lose_link()
    device.within(dialog, "INFO", [("Content-Type", "application/xml")], b"<KeyboardActivity/>")

    assert device.last.code == 200
    assert stage.sessions.count() == 1


def test_connection_that_is_lost_takes_its_sessions_along(stage: Stage, device: Device) -> None:
    device.opens()
    stage.writes("Hi", "<active xmlns='http://jabber.org/protocol/chatstates'/>")
    device.vanishes()

    sent = stage.sent()
    assert [GONE in each for each in sent] == [True, False]
    assert "<recipient-unavailable " in sent[1]
    assert stage.sessions.count() == 0
    assert stage.held == 0


def test_session_outlives_a_registration(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    address = "<sip:alice@contoso.com>"
    device.asks("REGISTER", "sip:contoso.com", [("Contact", f"<{device.contact}>"), ("Expires", "60")], to=address)

    assert device.says(dialog, "Hi") == 200


@pytest.mark.parametrize("code", [408, 481])
def test_typing_that_finds_no_dialog_ends_the_session(stage: Stage, device: Device, code: int) -> None:
    device.opens()
    stage.writes("", "<composing xmlns='http://jabber.org/protocol/chatstates'/>")
    device.answers_to(device.next("MESSAGE"), code)

    assert stage.sessions.count() == 0
    assert device.nothing() is (code == 481)


def test_refused_typing_ends_nothing(stage: Stage, device: Device) -> None:
    device.opens()
    stage.writes("", "<composing xmlns='http://jabber.org/protocol/chatstates'/>")
    device.answers_to(device.next("MESSAGE"), 415)

    assert stage.sessions.count() == 1
    assert stage.errors() == []


def test_forgetful_device_without_sessions_is_a_pager_again(stage: Stage) -> None:
    device = Device(stage, methods="MESSAGE")
    device.opens()
    stage.writes("Hi")
    device.answers_to(device.next("MESSAGE"), 481)
    incoming = device.next("MESSAGE")

    assert incoming.request.to.tag is None
    device.answers_to(incoming, 200)
    assert stage.errors() == []
    assert stage.held == 0


def test_forgetful_device_that_left_is_told_as_it_is(stage: Stage, device: Device) -> None:
    device.opens()
    stage.writes("Hi")
    incoming = device.next("MESSAGE")
    stage.registrar.forget_flow(device.flow)
    device.answers_to(incoming, 481)

    assert stage.errors() == ["m1 item-not-found"]


def test_method_that_others_serve_is_none_of_a_session(stage: Stage, device: Device) -> None:
    stage.dispatcher.serve("NOTIFY", lambda flow, incoming: None)
    dialog = device.opens()
    device.within(dialog, "NOTIFY")

    assert device.last.code == 405
    assert "MESSAGE" in device.last.values("allow")


def test_receipt_alone_goes_nowhere(stage: Stage, device: Device) -> None:
    device.opens()
    stage.writes("", "<received xmlns='urn:xmpp:receipts' id='1'/>")

    assert device.nothing()


def test_link_that_is_down_may_answer_nothing() -> None:
    stage = Stage(FrontEndRules(answers_when_link_is_down=False))
    device = Device(stage)
    dialog = device.opens()
    stage.lose_link()

    assert device.says(dialog, "Hi") == 0


def test_answer_may_not_wait_for_the_edge() -> None:
    stage = Stage(FrontEndRules(waits_for_edge=False))
    stage.hands_over = False
    device = Device(stage)

    assert device.says(device.opens(), "Hi") == 200
