"""A person who speaks SIP: the user agent against a scripted registrar, so that each can be caught lying."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from simulator.journal import Journal
from simulator.sip.agent import Agent, Answered, Incoming
from simulator.sip.message import build_request
from simulator.wire.connection import Connection
from simulator.wire.listener import Listener, listen
from simulator.wire.tls import client_context, server_context
from simulator.world.ca import CertificateAuthority
from simulator.world.users.sip.sip_user import SIPUser
from simulator.world.users.user import User


class Host:
    """Whatever a user registers at: answers REGISTER with `code` and keeps the rest for the test."""

    def __init__(self) -> None:
        self.code = 200
        self.requests: asyncio.Queue[Incoming] = asyncio.Queue()
        self.answers: asyncio.Queue[Answered[str]] = asyncio.Queue()
        self.contact = ""
        self.expires: list[str] = []
        self.journal = Journal(time.monotonic)

    def accepted(self, connection: Connection) -> None:
        self.connection = connection
        self.agent: Agent[str] = Agent(source="127.0.0.1", tag="host")
        connection.on_data = self.received
        connection.on_closed = self.closed

    def received(self, data: bytes) -> None:
        for event in self.agent.receive(data):
            if isinstance(event, Answered):
                self.answers.put_nowait(event)
            elif isinstance(event, Incoming) and event.request.method == "REGISTER":
                self.contact = event.request.values("contact")[0].strip("<>")
                self.expires.append(event.request.header("expires") or "")
                self.connection.write(event.answer(self.code, tag="host"))
            elif isinstance(event, Incoming):
                self.requests.put_nowait(event)

    def closed(self, how: str, error: Exception | None) -> None:
        for answered in self.agent.lost():
            self.answers.put_nowait(answered)

    def answer(self, incoming: Incoming, code: int) -> None:
        self.connection.write(incoming.answer(code, tag="host"))

    def message(self, branch: str = "z9hG4bKm1~x.1", method: str = "MESSAGE") -> None:
        self.agent.begin(branch, method, branch, 0.0)
        headers = [
            ("Via", f"SIP/2.0/TCP 127.0.0.1:5060;branch={branch}"),
            ("To", "<sip:alice@contoso.com>"),
            ("From", "<sip:o'malley@gmail.com;gr=home>;tag=1"),
            ("Call-ID", "thread-1"),
            ("CSeq", f"1 {method}"),
            ("Subject", "S"),
            ("Content-Language", "ga"),
            ("Content-Type", "text/plain;charset=UTF-8"),
        ]
        self.connection.write(build_request(method, self.contact, headers, "Dia dhuit é".encode()))

    async def answered(self) -> int:
        return (await asyncio.wait_for(self.answers.get(), 5)).code

    def delivered(self) -> list[dict[str, object]]:
        return [entry.data for entry in self.journal if entry.kind == "delivered"]


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
async def listener(host: Host) -> AsyncIterator[Listener]:
    made = await listen("127.0.0.1", 0, host.accepted)
    yield made
    await made.close()


@pytest.fixture
async def alice(host: Host, listener: Listener) -> AsyncIterator[SIPUser]:
    user = SIPUser("alice@contoso.com", "127.0.0.1", listener.port, host.journal)
    await user.sign_in()
    yield user
    await user.sign_out()


async def test_user_is_what_a_step_expects(alice: SIPUser) -> None:
    user: User = alice

    assert user.address == "alice@contoso.com"


async def test_signing_in_registers_and_out_removes(host: Host, alice: SIPUser) -> None:
    await alice.sign_out()

    assert host.expires == ["3600", "0"]


async def test_refused_registration_is_a_connection_error(host: Host, listener: Listener) -> None:
    host.code = 403

    with pytest.raises(ConnectionError, match="REGISTER got 403"):
        await SIPUser("alice@contoso.com", "127.0.0.1", listener.port, host.journal).sign_in()


async def test_nobody_listening_is_a_connection_error(host: Host, listener: Listener) -> None:
    await listener.close()

    with pytest.raises(ConnectionError, match="cannot sign in"):
        await SIPUser("alice@contoso.com", "127.0.0.1", listener.port, host.journal).sign_in()


async def test_users_stay_on_loopback(host: Host) -> None:
    with pytest.raises(PermissionError):
        SIPUser("alice@contoso.com", "192.0.2.1", 5060, host.journal)


async def test_message_is_written_down_and_answered(host: Host, alice: SIPUser) -> None:
    host.message()

    assert await host.answered() == 200
    assert host.delivered() == [
        {
            "what": "message",
            "id": "m1",
            "subject": "S",
            "thread": "thread-1",
            "xml:lang": "ga",
            "body": "Dia dhuit é",
            "type": "normal",
            "content-type": "text/plain;charset=UTF-8",
            "from": "o\\27malley@gmail.com/home",
            "from-uri": "sip:o'malley@gmail.com;gr=home",
            "to": "alice@contoso.com",
            "to-uri": "sip:alice@contoso.com",
        }
    ]


async def test_user_answers_what_he_is_told_to(host: Host, alice: SIPUser) -> None:
    alice.answer_messages(486)
    host.message()

    assert await host.answered() == 486
    assert host.delivered() == []


async def test_one_device_answers_otherwise_until_all_are_told(host: Host, alice: SIPUser) -> None:
    alice.answer_messages(486, device="another")
    host.message()
    assert await host.answered() == 200

    alice.answer_messages(603)
    host.message("z9hG4bKsecond")
    assert await host.answered() == 603


async def test_silent_user_answers_nothing(host: Host, alice: SIPUser) -> None:
    alice.answer_messages(0)
    host.message()
    host.message("z9hG4bKother", "OPTIONS")

    assert await host.answered() == 405
    assert host.answers.empty()


async def test_message_leaves_with_all_its_parts(host: Host, alice: SIPUser) -> None:
    await alice.send_message("b\\40c@gmail.com/x", "Hi é", id="m 7", subject="S", thread="t", language="en")
    request = (await asyncio.wait_for(host.requests.get(), 5)).request

    assert (request.method, request.uri) == ("MESSAGE", "sip:b%40c@gmail.com;gr=x")
    assert request.via.branch.startswith("z9hG4bKm%207~")
    assert request.sender.uri == "sip:alice@contoso.com"
    assert (request.header("subject"), request.call_id, request.header("content-language")) == ("S", "t", "en")
    assert request.body == "Hi é".encode()


async def test_uri_is_used_as_it_is(host: Host, alice: SIPUser) -> None:
    await alice.send_message("sips:juliet@gmail.com", "x", id="1", sender="sip:bob@contoso.com", content_type="a/b")
    request = (await asyncio.wait_for(host.requests.get(), 5)).request

    assert request.uri == "sips:juliet@gmail.com"
    assert request.sender.uri == "sip:bob@contoso.com"
    assert request.content_type == ("a/b", {})


@pytest.mark.parametrize(
    ("code", "arrival"),
    [
        (200, {"what": "accepted", "id": "m1", "code": 200}),
        (202, {"what": "accepted", "id": "m1", "code": 202}),
        (
            604,
            {
                "what": "refusal",
                "id": "m1",
                "code": 604,
                "conditions": ["item-not-found"],
                "text": "Does Not Exist Anywhere",
            },
        ),
    ],
)
async def test_answer_reaches_the_inbox(host: Host, alice: SIPUser, code: int, arrival: dict[str, object]) -> None:
    await alice.send_message("juliet@gmail.com", "x", id="m1")
    host.answer(await asyncio.wait_for(host.requests.get(), 5), code)
    await asyncio.wait_for(alice.inbox.next(), 5)

    assert host.delivered() == [arrival]


async def test_no_answer_in_time_counts_as_408(host: Host, listener: Listener) -> None:
    user = SIPUser("alice@contoso.com", "127.0.0.1", listener.port, host.journal, timeout=0.05)
    await user.sign_in()
    await user.send_message("juliet@gmail.com", "x", id="m1")
    arrival = await asyncio.wait_for(user.inbox.next(), 5)
    await user.sign_out()

    assert arrival.fields["code"] == 408
    assert "remote-server-timeout" in arrival.fields["conditions"]


async def test_lost_connection_refuses_what_was_sent(host: Host, alice: SIPUser) -> None:
    await alice.send_message("juliet@gmail.com", "x", id="m1")
    await asyncio.wait_for(host.requests.get(), 5)
    host.connection.abort()

    assert (await asyncio.wait_for(alice.inbox.next(), 5)).fields["code"] == 503

    with pytest.raises(ConnectionError, match="not signed in"):
        await alice.send_message("juliet@gmail.com", "x", id="m2")


@pytest.mark.parametrize(
    ("data", "violation"),
    [
        (b"MESSAGE sip:alice@contoso.com SIP/2.0\r\nContent-Length: 0\r\n\r\n", "via"),
        (b"SIP/2.0 200 OK\r\nCSeq: \xff\r\nContent-Length: 0\r\n\r\n", "UTF-8"),
        (b"SIP/2.0 200 OK\r\nContent-Length: many\r\n\r\n", "Content-Length"),
    ],
)
async def test_bad_sip_is_the_sender_s_fault(host: Host, alice: SIPUser, data: bytes, violation: str) -> None:
    host.connection.write(data)
    host.message()

    # What comes after it is taken if the stream can still be followed; else the user hangs up.
    assert await host.answered() in (200, 503)
    [entry] = [entry for entry in host.journal if entry.kind == "element"]
    assert (entry.actor, entry.data["protocol"]) == ("alice@contoso.com", "SIP")
    assert violation.lower() in entry.data["violation"].lower()
    assert not [entry for entry in host.journal if entry.kind == "problem"]


async def test_user_speaks_tls(host: Host) -> None:
    with CertificateAuthority() as authority:
        files = authority.issue("contoso.com")
        listener = await listen("127.0.0.1", 0, host.accepted, server_context(files.certificate, files.key))
        user = SIPUser(
            "alice@contoso.com",
            "127.0.0.1",
            listener.port,
            host.journal,
            tls=client_context(authority=authority.authority),
            server_name="contoso.com",
        )
        await user.sign_in()
        assert host.contact.endswith(";transport=tls")
        await user.sign_out()
        await listener.close()
