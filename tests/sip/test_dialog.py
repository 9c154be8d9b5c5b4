"""Dialogs of both roles (RFC 3261 §12): two of them back to back, and each rule alone."""

from __future__ import annotations

import pytest

from simulator.sip.dialog import Dialog, OutOfOrder
from simulator.sip.message import Request, Response, build_request, build_response, parse_message

CALL = {"call_id": "c1", "local_tag": "l", "local_uri": "sip:a@x", "remote_uri": "sip:b@y", "target": "sip:b@10.0.0.2"}


def parsed(data: bytes) -> Request | Response:
    head, _, body = data.partition(b"\r\n\r\n")

    return parse_message(head, body)


def asks(dialog: Dialog, method: str, *headers: tuple[str, str]) -> Request:
    uri, lines = dialog.request(method, headers)
    request = parsed(build_request(method, uri, [("Via", "SIP/2.0/TCP h;branch=z9hG4bK1"), *lines]))
    assert isinstance(request, Request)

    return request


def answers(request: Request, tag: str, *headers: tuple[str, str]) -> Response:
    response = parsed(build_response(request, 200, tag=tag, headers=headers))
    assert isinstance(response, Response)

    return response


def pair() -> tuple[Dialog, Dialog]:
    """Who asked, and who answered."""
    asking = Dialog.outgoing(**CALL)
    request = asks(asking, "SUBSCRIBE", ("Contact", "<sip:a@10.0.0.1>"))
    answering = Dialog.incoming(request, "r")
    asking.confirm(answers(request, "r", ("Contact", "<sip:b@10.0.0.3>")))

    return asking, answering


def test_both_ends_know_the_same_dialog() -> None:
    asking, answering = pair()

    assert asking.key == ("c1", "l", "r")
    assert answering.key == ("c1", "r", "l")
    assert (asking.target, answering.target) == ("sip:b@10.0.0.3", "sip:a@10.0.0.1")


def test_requests_of_both_ends_are_recognised_and_counted_apart() -> None:
    asking, answering = pair()
    notify = asks(answering, "NOTIFY")
    refresh = asks(asking, "SUBSCRIBE")

    assert asking.matches(notify)
    assert answering.matches(refresh)
    assert (notify.header("cseq"), refresh.header("cseq")) == ("1 NOTIFY", "2 SUBSCRIBE")
    assert (notify.uri, refresh.uri) == ("sip:a@10.0.0.1", "sip:b@10.0.0.3")
    assert not asking.matches(refresh)


def test_lower_number_is_out_of_order() -> None:
    asking, answering = pair()
    first, second = asks(asking, "SUBSCRIBE"), asks(asking, "SUBSCRIBE")
    answering.receive(second)

    with pytest.raises(OutOfOrder) as caught:
        answering.receive(first)

    assert caught.value.code == 500
    # A gap is none of its business: "It is possible for the CSeq to be higher by more than one".
    asking.local_sequence += 5
    answering.receive(asks(asking, "SUBSCRIBE"))


def test_ack_and_cancel_take_the_number_of_what_they_are_about() -> None:
    asking, _ = pair()
    invite, ack = asks(asking, "INVITE"), asks(asking, "ACK")

    assert (invite.header("cseq"), ack.header("cseq")) == ("2 INVITE", "2 ACK")


def test_contact_moves_the_target_of_methods_that_may() -> None:
    asking, answering = pair()
    answering.receive(asks(asking, "MESSAGE", ("Contact", "<sip:elsewhere@10.0.0.9>")))
    assert answering.target == "sip:a@10.0.0.1"

    answering.receive(asks(asking, "SUBSCRIBE", ("Contact", "<sip:elsewhere@10.0.0.9>")))
    assert answering.target == "sip:elsewhere@10.0.0.9"


def test_notify_that_overtakes_the_answer_makes_the_dialog() -> None:
    asking = Dialog.outgoing(**CALL)
    answering = Dialog.incoming(asks(asking, "SUBSCRIBE", ("Contact", "<sip:a@10.0.0.1>")), "r")
    notify = asks(answering, "NOTIFY", ("Contact", "<sip:b@10.0.0.3>"))

    assert not asking.established
    assert asking.matches(notify)
    asking.confirm_by(notify)
    assert asking.established
    assert asking.key == ("c1", "l", "r")
    assert asking.target == "sip:b@10.0.0.3"


def test_route_is_taken_in_the_order_of_the_role() -> None:
    asking = Dialog.outgoing(**CALL)
    records = ("Record-Route", "<sip:p1.example.com;lr>, <sip:p2.example.com;lr>")
    request = asks(asking, "SUBSCRIBE", ("Contact", "<sip:a@10.0.0.1>"), records)
    answering = Dialog.incoming(request, "r")
    asking.confirm(answers(request, "r", ("Contact", "<sip:b@10.0.0.3>")))

    assert asks(answering, "NOTIFY").values("route") == ["<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"]
    assert asks(asking, "SUBSCRIBE").values("route") == ["<sip:p2.example.com;lr>", "<sip:p1.example.com;lr>"]


def test_strict_router_is_asked_by_its_own_uri() -> None:
    asking, _ = pair()
    asking.route = ("<sip:p1.example.com>", "<sip:p2.example.com;lr>")
    request = asks(asking, "SUBSCRIBE")

    assert request.uri == "sip:p1.example.com"
    assert request.values("route") == ["<sip:p2.example.com;lr>", "<sip:b@10.0.0.3>"]
