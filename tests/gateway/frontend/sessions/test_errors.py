"""Both error tables of RFC 7247, code by code, each with a message that really fails: within a session and without."""

from __future__ import annotations

import pytest

from tests.gateway.frontend.sessions.device import Device
from tests.gateway.frontend.sessions.stage import Stage

#: Table 2, by hand: condition, code about a full address, code about a bare one
TABLE_2 = [
    ("bad-request", 400, 400),
    ("conflict", 400, 400),
    ("feature-not-implemented", 405, 501),
    ("forbidden", 403, 603),
    ("gone", 410, 410),
    ("internal-server-error", 500, 500),
    ("item-not-found", 404, 604),
    ("jid-malformed", 400, 400),
    ("not-acceptable", 406, 606),
    ("not-allowed", 403, 403),
    ("not-authorized", 401, 401),
    ("policy-violation", 403, 403),
    ("recipient-unavailable", 480, 600),
    ("redirect", 302, 302),
    ("registration-required", 407, 407),
    ("remote-server-not-found", 404, 404),
    ("remote-server-timeout", 408, 408),
    ("resource-constraint", 500, 500),
    ("service-unavailable", 403, 403),
    ("subscription-required", 400, 400),
    ("undefined-condition", 400, 400),
    ("unexpected-request", 400, 400),
]

#: Table 3, by hand
TABLE_3 = [
    (300, "redirect"), (301, "redirect"), (302, "redirect"), (305, "redirect"), (380, "not-acceptable"),
    (400, "bad-request"), (401, "not-authorized"), (402, "bad-request"), (403, "forbidden"), (404, "item-not-found"),
    (405, "feature-not-implemented"), (406, "not-acceptable"), (407, "registration-required"),
    (408, "remote-server-timeout"), (410, "gone"), (413, "policy-violation"), (414, "policy-violation"),
    (415, "not-acceptable"), (416, "not-acceptable"), (420, "feature-not-implemented"), (421, "not-acceptable"),
    (423, "resource-constraint"), (430, "recipient-unavailable"), (439, "feature-not-implemented"),
    (440, "policy-violation"), (480, "recipient-unavailable"), (481, "item-not-found"), (482, "not-acceptable"),
    (483, "not-acceptable"), (484, "item-not-found"), (485, "item-not-found"), (486, "recipient-unavailable"),
    (487, "recipient-unavailable"), (488, "not-acceptable"), (489, "policy-violation"), (491, "unexpected-request"),
    (493, "bad-request"), (500, "internal-server-error"), (501, "feature-not-implemented"),
    (502, "remote-server-not-found"), (503, "internal-server-error"), (504, "remote-server-timeout"),
    (505, "not-acceptable"), (513, "policy-violation"), (600, "recipient-unavailable"), (603, "recipient-unavailable"),
    (604, "item-not-found"), (606, "not-acceptable"),
    # What is not listed goes by its class.
    (399, "redirect"), (499, "bad-request"), (599, "internal-server-error"), (699, "recipient-unavailable"),
]  # fmt: skip

#: refusals of an INVITE that are about the device and not about its user: a MESSAGE without a session follows
WITHOUT_SESSIONS = {405, 415, 420, 421, 488, 501, 505, 606}


@pytest.mark.parametrize("to", ["juliet@gmail.com", "juliet@gmail.com;gr=home"])
@pytest.mark.parametrize(("condition", "full", "bare"), TABLE_2)
@pytest.mark.parametrize("mode", ["session", "first message", "pager"])
def test_condition_becomes_its_code(mode: str, condition: str, full: int, bare: int, to: str) -> None:
    stage = Stage()
    stage.hands_over = False
    device = Device(stage)

    if mode == "session":
        device.says(device.opens(to), "Hi")
    elif mode == "first message":
        device.invites(to, [("ms-text-format", "text/plain;ms-body=SGk=")])
    else:
        device.asks("MESSAGE", f"sip:{to}", [("Content-Type", "text/plain")], b"Hi")

    stage.bounces(stage.stanzas[0], condition)
    device.looks()

    assert device.last.code == (full if "gr=" in to else bare)
    assert device.last.cseq[1] == ("INVITE" if mode == "first message" else "MESSAGE")


@pytest.mark.parametrize(("code", "condition"), TABLE_3)
@pytest.mark.parametrize("mode", ["session", "invitation", "pager"])
def test_code_becomes_its_condition(mode: str, code: int, condition: str) -> None:
    stage = Stage()
    device = Device(stage, methods="" if mode == "pager" else "INVITE, MESSAGE")

    if mode == "session":
        device.opens()

    stage.writes("Hi")
    device.answers_to(device.next("INVITE" if mode == "invitation" else "MESSAGE"), code)

    if mode == "invitation" and code in WITHOUT_SESSIONS:
        device.answers_to(device.next("MESSAGE"), code)

    if mode == "session" and code == 481:
        # The device knows the session no more, which says nothing about the message.
        device.answers_to(device.next("INVITE"), code)

    assert stage.errors() == [f"m1 {condition}"]
    assert stage.held == 0


@pytest.mark.parametrize("mode", ["session", "invitation", "pager"])
def test_301_that_names_an_address_is_gone(mode: str) -> None:
    """RFC 7247 Table 3 note 1."""
    stage = Stage()
    device = Device(stage, methods="" if mode == "pager" else "INVITE, MESSAGE")

    if mode == "session":
        device.opens()

    stage.writes("Hi")
    incoming = device.next("INVITE" if mode == "invitation" else "MESSAGE")
    device.answers_to(incoming, 301, [("Contact", "<sip:romeo@else.example>")])

    assert "stanzas'>sip:romeo@else.example</gone>" in stage.sent()[0]
