"""Dialogs and the connections that their requests come over.

RFC 3261 §12 names a dialog by Call-ID and tags; here its user must be registered on the connection, too.
"""

from __future__ import annotations

from typing import Any

import pytest

from simulator.sip.sdp import MEDIA_TYPE, offer
from tests.gateway.frontend.sessions.device import PLAIN, Device
from tests.gateway.frontend.sessions.stage import Stage

TEXT = [("Content-Type", "text/plain")]


def test_request_over_another_connection_is_of_the_dialog(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    other = Device(stage)

    assert other.says(dialog, "Hi") == 200
    assert stage.bodies() == ["Hi"]
    # The number counts on, whichever connection a request takes.
    dialog.local_sequence -= 2
    assert device.says(dialog, "late") == 500


def test_bye_over_another_connection_ends_the_session(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    other = Device(stage)
    other.within(dialog, "BYE")

    assert other.last.code == 200
    assert stage.sessions.count() == 0
    assert device.says(dialog, "late") == 481


def test_invite_again_is_answered_where_it_came_from(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    other = Device(stage)
    other.within(dialog, "INVITE", [("Content-Type", MEDIA_TYPE)], offer("127.0.0.1", PLAIN))
    assert other.last.code == 200

    # The 200 is repeated there as well, until the ACK comes.
    stage.passes(1)
    other.looks()
    device.looks()
    assert (other.repeated, device.repeated) == (1, 0)
    other.within(dialog, "ACK")
    stage.passes(1)
    other.looks()
    assert other.repeated == 1


def test_connection_that_is_lost_leaves_dialogs_of_another(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    other = Device(stage)
    assert other.says(dialog, "Hi") == 200
    other.vanishes()

    assert device.says(dialog, "still here") == 200


@pytest.mark.parametrize("method", ["MESSAGE", "BYE", "INFO", "INVITE"])
def test_dialog_of_another_user_is_unknown(stage: Stage, device: Device, method: str) -> None:
    dialog = device.opens()
    other = Device(stage, user="bob")
    other.within(dialog, method, TEXT, b"x")

    assert other.last.code == 481
    assert stage.sent() == []
    assert stage.sessions.count() == 1


def test_dialog_is_unknown_where_its_user_is_registered_no_more(stage: Stage, device: Device) -> None:
    dialog = device.opens()
    other = Device(stage)
    stage.registrar.forget_flow(other.flow)
    other.within(dialog, "MESSAGE", TEXT, b"x")

    assert other.last.code == 481
    assert stage.sent() == []


async def test_dialog_spans_connections_on_the_wire(inside: Any, connect: Any) -> None:
    lines = ("Contact: <sip:alice@127.0.0.1:1>", f"Content-Type: {MEDIA_TYPE}")

    async with connect(inside.port) as first, connect(inside.port) as second:
        for port, wire in enumerate((first, second), 1):
            await wire.registers(f"Contact: <sip:alice@127.0.0.1:{port}>")

        sdp = offer("127.0.0.1", PLAIN)
        response = await first.asks("INVITE", "sip:juliet@gmail.com", *lines, body=sdp, cseq="1 INVITE")
        assert response.code == 200
        named = {"to": response.needed("to"), "from_": response.needed("from"), "call_id": response.call_id}
        second.sends("ACK", "sip:x", **named, cseq="1 ACK")

        said = await second.asks("MESSAGE", "sip:x", "Content-Type: text/plain", body=b"Hi", **named, cseq="2 MESSAGE")
        assert said.code == 200
        assert "<body>Hi</body>" in await inside.next_stanza()
        assert (await second.asks("BYE", "sip:x", **named, cseq="3 BYE")).code == 200
        assert (await first.asks("BYE", "sip:x", **named, cseq="4 BYE")).code == 481
