"""Each rule of sessions decides something that can be seen from outside: replaced, it shows in what is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from simulator.gateway.frontend.refusal import Refused
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.gateway.frontend.sessions.rules import Notice, SessionRules
from simulator.sip.composing import ChatState, Typing, write_composing
from simulator.sip.first_message import write_first_message
from tests.gateway.frontend.sessions.device import LYNC, PLAIN, Device
from tests.gateway.frontend.sessions.stage import Stage

STATES = "http://jabber.org/protocol/chatstates"
MARKUP = (
    "<html xmlns='http://jabber.org/protocol/xhtml-im'>"
    "<body xmlns='http://www.w3.org/1999/xhtml'><p>Hi</p></body></html>"
)
FIRST = [("ms-text-format", write_first_message("text/plain", b"Hi"))]

DEFECTS: dict[str, Any] = {
    "refusal_of_offer": lambda offered: Refused(488, ""),
    "offered": ("text/plain",),
    "reads_first_message": False,
    "lists_first_message": lambda delivered: not delivered,
    "waits_for_edge": False,
    "most_sessions": 0,
    "repeats_2xx": False,
    "cancelled_code": 603,
    "message_type": "normal",
    "thread_of": lambda call_id: "another",
    "checks_sequence": False,
    "to_chat_state": {Typing.ACTIVE: ChatState.PAUSED, Typing.IDLE: ChatState.PAUSED},
    "composing_ends": False,
    "states_are_sent": lambda knows: False,
    "bye_is_gone": False,
    "follows_resource": lambda current, sender: current,
    "notice_of_failure": lambda stream: Notice.BYE,
    "uses_session": lambda type_, **_: False,
    "session_for": lambda threads, thread: 0,
    "puts_first_message": lambda body: False,
    "counts_as_delivered": lambda response: False,
    "stops_others": lambda code: False,
    "falls_back": lambda code: False,
    "sends_html": lambda stream: False,
    "to_typing": dict.fromkeys(ChatState, Typing.ACTIVE),
    "typing_carrier": lambda stream, allowed: None,
    "gone_is_bye": False,
    "hears_last_words_out": False,
    "ends_session": lambda code: False,
    "may_go_again": lambda code: False,
    "idle_timeout": lambda settings: None,
}


def hears(device: Device) -> list[str]:
    """What a device was asked, in a few words each; it answers 200 to what is said within a session."""
    device.looks()
    got, device.got = device.got, []

    for each in got:
        if each.request.method in ("MESSAGE", "INFO", "BYE"):
            device.answers_to(each, 200)

    return [
        f"{each.request.method} {each.request.content_type[0]} {each.request.header('ms-text-format')} "
        f"{each.request.body.decode()[-300:]}"
        for each in got
    ]


def told(device: Device) -> list[str]:
    """What a device was answered."""
    return [
        f"{each.code} {each.cseq[1]} {each.header('supported')} {each.body.decode()}" for _, each in device.answers[1:]
    ]


def a_user_talks(stage: Stage) -> list[str]:
    device = Device(stage)
    device.invites(headers=FIRST, accepts=LYNC)
    device.looks()
    stage.passes(1)
    device.looks()

    if device.last.code != 200:
        return told(device)

    dialog = device.joins()
    device.says(dialog, "Hi")
    [*_, stanza] = stage.stanzas
    stage.writes("Hi", MARKUP, f"<active xmlns='{STATES}'/>")
    heard = hears(device)
    device.says(dialog, "Hello")
    stage.bounces(stanza, "item-not-found")
    device.within(
        dialog, "MESSAGE", [("Content-Type", "application/im-iscomposing+xml")], write_composing(Typing.ACTIVE)
    )
    stage.passes(120)
    dialog.local_sequence -= 2
    device.says(dialog, "late")
    dialog.local_sequence += 5
    device.within(dialog, "BYE")

    return [*stage.sent(), *told(device), *heard, *hears(device), str(device.repeated)]


def a_user_takes_it_back(stage: Stage) -> list[str]:
    stage.hands_over = False
    device = Device(stage)
    device.cancels(device.invites(headers=FIRST))

    return told(device)


def with_a_session(stage: Stage) -> Device:
    """A device that has begun one, where it was let."""
    device = Device(stage)
    device.invites()

    if device.last.code == 200:
        device.joins()

    return device


def a_device_is_quiet(stage: Stage) -> list[str]:
    device = with_a_session(stage)
    stage.writes("", f"<paused xmlns='{STATES}'/>")
    heard = hears(device)
    stage.passes(600)

    return [*told(device), *heard, *hears(device)]


def a_contact_leaves(stage: Stage) -> list[str]:
    device = with_a_session(stage)
    stage.writes("", f"<gone xmlns='{STATES}'/>")

    return hears(device)


def a_contact_has_last_words(stage: Stage) -> list[str]:
    device = with_a_session(stage)
    stage.writes("Bye", f"<gone xmlns='{STATES}'/>")

    return [*hears(device), "answered", *hears(device)]


def a_contact_goes_on_with_one_of_two(stage: Stage) -> list[str]:
    device = Device(stage)

    for call_id in ("one", "other"):
        device.invites(call_id=call_id)

        if device.last.code == 200:
            device.joins()

    stage.writes("Hi", "<thread>other</thread>")
    device.looks()

    return [each.request.call_id for each in device.got]


def a_contact_calls(stage: Stage, *codes: int) -> list[str]:
    devices = [Device(stage), Device(stage)]
    stage.writes("Hi")
    heard = []

    for device, code in zip(devices, codes, strict=False):
        device.looks()

        if device.got and device.got[0].request.method == "INVITE":
            incoming = device.got.pop(0)

            if code == 200:
                device.takes(incoming, reads=True, accepts=PLAIN)
            else:
                device.answers_to(incoming, code)

    for device in devices:
        heard += [*hears(device), f"cancelled {len(device.cancelled)}"]

    return [*heard, *stage.errors()]


def a_device_forgets(stage: Stage) -> list[str]:
    device = with_a_session(stage)
    for code in (481, 408):
        stage.writes("Hi")
        device.looks()

        if device.got and device.got[0].request.method == "MESSAGE":
            device.answers_to(device.got.pop(0), code)

    return [*hears(device), *stage.errors(), str(stage.sessions.count())]


CONVERSATIONS: list[Callable[[Stage], list[str]]] = [
    a_user_talks,
    a_user_takes_it_back,
    a_device_is_quiet,
    a_contact_leaves,
    a_contact_has_last_words,
    a_contact_goes_on_with_one_of_two,
    lambda stage: a_contact_calls(stage, 200, 180),
    lambda stage: a_contact_calls(stage, 180, 603),
    lambda stage: a_contact_calls(stage, 488, 488),
    a_device_forgets,
]


def transcript(**changes: Any) -> list[list[str]]:
    rules = FrontEndRules(sessions=replace(SessionRules(), **changes))

    return [conversation(Stage(rules)) for conversation in CONVERSATIONS]


def test_conversations_repeat() -> None:
    assert transcript() == transcript()


def test_every_rule_has_a_defect() -> None:
    assert set(DEFECTS) == {each.name for each in fields(SessionRules)}


@pytest.mark.parametrize("name", DEFECTS)
def test_defect_shows(name: str) -> None:
    assert transcript(**{name: DEFECTS[name]}) != transcript()
