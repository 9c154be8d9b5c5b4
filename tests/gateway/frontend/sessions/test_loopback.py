"""Sessions over real connections, with the front end's own clock and link."""

from __future__ import annotations

import re
from typing import Any

from simulator.gateway.configuration import FrontendSettings
from simulator.sip.message import Response, build_response
from simulator.sip.sdp import offer

SDP = offer("127.0.0.1", ("text/plain", "application/im-iscomposing+xml"))
LINES = ("Contact: <sip:alice@127.0.0.1:1>", "Content-Type: application/sdp")


def settings(**changes: Any) -> FrontendSettings:
    return FrontendSettings(sip_tcp_port=0, sip_tls_port=None, **changes)


async def opened(alice: Any) -> dict[str, str]:
    """Alice opens a session and acknowledges it; gives the headers of requests within it."""
    response = await invited(alice)
    headers = within(response)
    alice.sends("ACK", "sip:x", **headers, cseq="1 ACK")

    return headers


async def invited(alice: Any) -> Response:
    from_ = "<sip:alice@contoso.com>;tag=a"
    answer: Response = await alice.asks(
        "INVITE", "sip:juliet@gmail.com", *LINES, body=SDP, from_=from_, cseq="1 INVITE"
    )
    assert answer.code == 200

    return answer


def within(response: Response) -> dict[str, str]:
    return {"to": response.needed("to"), "from_": response.needed("from"), "call_id": response.call_id}


async def test_session_survives_the_loss_of_the_edge(start: Any, connect: Any) -> None:
    async with start() as inside, connect(inside.port) as alice:
        await alice.registers()
        headers = await opened(alice)
        inside.hands_over = False
        alice.sends("MESSAGE", "sip:x", "Content-Type: text/plain", body=b"waits", **headers, cseq="2 MESSAGE")
        assert "waits" in await inside.next_stanza()
        await inside.frontend.link.stop()
        assert (await alice.next_response()).code == 500

        lost = await alice.asks("MESSAGE", "sip:x", "Content-Type: text/plain", body=b"x", **headers, cseq="3 MESSAGE")
        assert lost.code == 500

        # The session itself is still there: what is wrong with a request is told as ever.
        late = await alice.asks("MESSAGE", "sip:x", "Content-Type: text/plain", body=b"x", **headers, cseq="1 MESSAGE")
        assert late.code == 500
        assert late.phrase == "the sequence number is lower than the last one"


async def test_200_is_repeated_and_then_the_session_ended(start: Any, connect: Any) -> None:
    async with start(frontend=settings(transaction_timeout=0.4)) as inside, connect(inside.port) as alice:
        await alice.registers()
        answer = await invited(alice)
        again = await alice.next()

        while isinstance(again, Response):
            assert (again.code, again.body) == (200, answer.body)
            again = await alice.next()

        assert again.method == "BYE"
        assert again.to.tag == "a"


async def test_idle_session_is_ended_in_time(start: Any, connect: Any) -> None:
    frontend = settings(session_idle_timeout=0.2, transaction_timeout=1.0)

    async with start(frontend=frontend) as inside, connect(inside.port) as alice:
        await alice.registers()
        await opened(alice)

        assert (await alice.next_request()).method == "BYE"


async def test_connection_that_breaks_is_gone_to_the_contact(inside: Any, connect: Any) -> None:
    async with connect(inside.port) as alice:
        await alice.registers()
        headers = await opened(alice)
        await alice.asks("MESSAGE", "sip:x", "Content-Type: text/plain", body=b"x", **headers, cseq="2 MESSAGE")
        await inside.next_stanza()

    stanza = await inside.next_stanza()
    assert re.search(r"to='juliet@gmail.com' .*<gone xmlns='http://jabber.org/protocol/chatstates'/>", stanza)


async def test_first_200_wins_on_the_wire(inside: Any, connect: Any) -> None:
    async with connect(inside.port) as desk, connect(inside.port) as phone:
        for port, user in enumerate((desk, phone), 1):
            await user.registers(f'Contact: <sip:alice@127.0.0.1:{port}>;methods="INVITE, MESSAGE"')

        inside.sends(
            "<message from='juliet@gmail.com/b' to='alice@contoso.com' type='chat' id='m'><body>Hi</body></message>"
        )
        first, second = await desk.next_request(), await phone.next_request()
        phone.answers(second, 180)
        lines = [("Contact", "<sip:alice@127.0.0.1:1>"), ("Content-Type", "application/sdp")]
        desk.says(build_response(first, 200, tag="w", headers=lines, body=SDP))

        assert (await desk.next_request()).method == "ACK"
        assert (await desk.next_request()).body == b"Hi"
        cancel = await phone.next_request()
        assert (cancel.method, cancel.via.branch) == ("CANCEL", second.via.branch)
