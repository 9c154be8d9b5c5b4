"""Sessions of a user agent against a scripted server: what an invitation, an answer and a notice amount to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from simulator.sip import imdn, sdp
from simulator.sip.first_message import HEADER, OPTION, read_first_message, write_first_message
from simulator.sip.message import HeaderList
from simulator.wire.listener import listen
from simulator.world.users.habits import Habits
from simulator.world.users.sip.sip_user import SIPUser
from simulator.world.users.user import ACCEPTED, COMPOSING, MESSAGE, REFUSAL
from tests.world.users.arrivals import arrived
from tests.world.users.sip_server import Server

ALICE, JULIET = "alice@contoso.com", "juliet@gmail.com"
COMPOSING_ACTIVE = b"<isComposing xmlns='urn:ietf:params:xml:ns:im-iscomposing'><state>active</state></isComposing>"


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def alice(server: Server) -> AsyncIterator[SIPUser]:
    listener = await listen("127.0.0.1", 0, server.accepted)
    user = SIPUser(ALICE, "127.0.0.1", listener.port, server.journal, habits=Habits(sessions=True))
    await user.sign_in()
    yield user
    await user.sign_out()
    await listener.close()


def take(server: Server, *, headers: HeaderList = ()) -> bytes:
    """Answer the INVITE of the user agent with 200."""
    offered = sdp.parse_description(server.invited.request.body)
    body = sdp.answer(offered, "127.0.0.1", ["text/plain"])
    typed = [("Contact", "<sip:gateway@127.0.0.1>"), ("Content-Type", sdp.MEDIA_TYPE), *headers]
    data = server.invited.answer(200, tag="server", headers=typed, body=body)
    server.write(data)

    return data


def invite(server: Server, *, headers: HeaderList = (), protocol: str = "sip") -> str:
    body = sdp.offer("127.0.0.1", ["text/plain"]).replace(b" sip ", f" {protocol} ".encode())

    return server.send("INVITE", f"sip:{ALICE}", dialog("INVITE", 1, *headers, ("Content-Type", sdp.MEDIA_TYPE)), body)


def dialog(method: str, number: int, *headers: tuple[str, str], tag: str = "") -> HeaderList:
    return [
        ("To", f"<sip:{ALICE}>{f';tag={tag}' if tag else ''}"),
        ("From", f"<sip:{JULIET}>;tag=juliet"),
        ("Call-ID", "chat"),
        ("CSeq", f"{number} {method}"),
        ("Contact", "<sip:gateway@127.0.0.1>"),
        *headers,
    ]


async def test_what_rides_in_the_invitation_is_not_said_twice(server: Server, alice: SIPUser) -> None:
    await alice.send_message(JULIET, "Hello", id="m1")
    invited = await server.next("INVITE")
    take(server, headers=[("Supported", OPTION)])
    taken = await arrived(alice, ACCEPTED)
    await alice.send_message(JULIET, "Again", id="m2")
    said = await server.next("MESSAGE")
    first = read_first_message(invited.needed(HEADER))

    assert first is not None
    assert first.body == b"Hello"
    assert taken["id"] == "m1"
    assert (said.body, said.call_id, said.to.tag) == (b"Again", invited.call_id, "server")


async def test_what_was_not_read_in_the_invitation_is_said_again(server: Server, alice: SIPUser) -> None:
    await alice.send_message(JULIET, "Hello", id="m1")
    await alice.send_message(JULIET, "Again", id="m2")
    await server.next("INVITE")
    take(server)
    said = [(await server.next("MESSAGE")).body for _ in range(2)]
    taken = [(await arrived(alice, ACCEPTED))["id"] for _ in range(2)]

    assert said == [b"Hello", b"Again"]
    assert taken == ["m1", "m2"]


async def test_every_2xx_is_acknowledged(server: Server, alice: SIPUser) -> None:
    await alice.send_message(JULIET, "Hello", id="m1")
    invited = await server.next("INVITE")
    answer = take(server, headers=[("Supported", OPTION)])
    first = await server.next("ACK")
    server.write(answer)
    second = await server.next("ACK")

    # RFC 3261 §13.2.2.4: the ACK has the number of the INVITE, and goes where its answer says.
    assert {(ack.cseq, ack.uri) for ack in (first, second)} == {((invited.cseq[0], "ACK"), "sip:gateway@127.0.0.1")}


async def test_a_refused_invitation_refuses_everything_that_waited(server: Server, alice: SIPUser) -> None:
    await alice.send_message(JULIET, "Hello", id="m1")
    await alice.send_message(JULIET, "Again", id="m2")
    await server.next("INVITE")
    server.write(server.invited.answer(603, tag="server", headers=[("ms-diagnostics", "12101")]))
    refused = [await arrived(alice, REFUSAL) for _ in range(2)]
    await alice.send_message(JULIET, "Once more", id="m3")

    assert [(each["id"], each["code"], each["diagnostics"]) for each in refused] == [
        ("m1", 603, "12101"),
        ("m2", 603, "12101"),
    ]
    assert (await server.next("INVITE")).call_id


async def test_an_invitation_is_taken_with_what_it_carries(server: Server, alice: SIPUser) -> None:
    invite(server, headers=[(HEADER, write_first_message("text/plain", b"Hi"))])
    heard = await arrived(alice, MESSAGE)
    response = await server.answers.get()

    assert response is not None
    assert (response.code, response.header("supported")) == (200, OPTION)
    assert sdp.parse_description(response.body).chosen is not None
    assert (heard["body"], heard["from"], heard["type"], heard["thread"]) == ("Hi", JULIET, "chat", "chat")


async def test_an_invitation_to_something_else_is_not_taken(server: Server, alice: SIPUser) -> None:
    invite(server, protocol="TCP/MSRP")

    assert await server.answered() == 488


async def test_an_invitation_rings_until_it_is_taken_back(server: Server, alice: SIPUser) -> None:
    alice.answer_messages(0)
    branch = invite(server)
    # RFC 3261 §9.1: a CANCEL waits for a provisional response.
    server.cancel(branch)

    assert await server.answered() == 487
    assert not alice.inbox.arrivals


async def test_a_message_that_waits_is_answered_487_when_the_session_ends(server: Server, alice: SIPUser) -> None:
    invite(server)
    response = await server.answers.get()
    assert response is not None
    tag = response.to.tag or ""
    alice.answer_messages(0)
    server.send("MESSAGE", f"sip:{ALICE}", dialog("MESSAGE", 2, ("Content-Type", "text/plain"), tag=tag), b"Farewell")
    server.send("BYE", f"sip:{ALICE}", dialog("BYE", 3, tag=tag))

    # RFC 3261 §15.1.2.
    assert [await server.answered(), await server.answered()] == [200, 487]


async def test_what_is_said_within_the_session_is_heard(server: Server, alice: SIPUser) -> None:
    invite(server)
    response = await server.answers.get()
    assert response is not None
    tag = response.to.tag or ""
    plain, typing = ("Content-Type", "text/plain"), ("Content-Type", "application/im-iscomposing+xml")
    server.send("MESSAGE", f"sip:{ALICE}", dialog("MESSAGE", 2, plain, tag=tag), b"Hi")
    heard = await arrived(alice, MESSAGE)
    server.send("MESSAGE", f"sip:{ALICE}", dialog("MESSAGE", 3, typing, tag=tag), COMPOSING_ACTIVE)
    types = await arrived(alice, COMPOSING)
    server.send("BYE", f"sip:{ALICE}", dialog("BYE", 4, tag=tag))
    left = await arrived(alice, COMPOSING)
    server.send("MESSAGE", f"sip:{ALICE}", dialog("MESSAGE", 5, plain, tag=tag), b"Anybody?")

    assert (heard["body"], heard["type"]) == ("Hi", "chat")
    assert (types["state"], left["state"]) == ("composing", "gone")
    assert [await server.answered() for _ in range(4)] == [200, 200, 200, 481]


async def test_a_late_notice_refuses_what_was_accepted(server: Server, alice: SIPUser) -> None:
    server.headers["MESSAGE"] = [(imdn.MESSAGE_ID, "seven")]
    await alice.send_message(JULIET, "Hello", id="m1")
    invited = await server.next("INVITE")
    take(server)
    await arrived(alice, ACCEPTED)
    body = imdn.write_disposition(imdn.Disposition("seven", f"sip:{JULIET}", 480))
    headers = [
        ("To", invited.needed("from")),
        ("From", f"<sip:{JULIET}>;tag=server"),
        ("Call-ID", invited.call_id),
        ("CSeq", "1 BENOTIFY"),
        ("Content-Type", imdn.MEDIA_TYPE),
    ]
    server.send("BENOTIFY", f"sip:{ALICE}", headers, body, waits=False)
    refused = await arrived(alice, REFUSAL)

    assert (refused["id"], refused["code"]) == ("m1", 480)


async def test_words_for_a_session_that_is_gone_are_refused(server: Server, alice: SIPUser) -> None:
    await alice.send_message(JULIET, "Hello", id="m1")
    await server.next("INVITE")
    take(server, headers=[("Supported", OPTION)])
    await arrived(alice, ACCEPTED)
    server.codes["MESSAGE"] = [481]
    await alice.send_message(JULIET, "Again", id="m2")
    refused = await arrived(alice, REFUSAL)
    await alice.send_message(JULIET, "Anew", id="m3")

    assert (refused["id"], refused["code"]) == ("m2", 481)
    assert (await server.next("INVITE")).body
