"""A user on an XMPP server, against real Prosody where it is installed."""

from __future__ import annotations

import asyncio
import socket

import pytest

from simulator.journal import Journal
from simulator.world.users.user import ACCEPTED, MESSAGE, REFUSAL
from simulator.world.users.xmpp import XMPPUser
from tests.world.users.arrivals import arrived


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_user(name: str, port: int, password: str = "secret") -> XMPPUser:
    journal = Journal(asyncio.get_running_loop().time)
    return XMPPUser(f"{name}@inside.example", password, "127.0.0.1", port, journal)


async def test_messages_travel_between_two_clients(port: int) -> None:
    alice, bob = make_user("alice", port), make_user("bob", port)
    await alice.sign_in()
    await bob.sign_in()
    await alice.send_message(bob.address, "a < b & c", id="m-1", subject="Signs", thread="t-1")
    fields = await arrived(bob, MESSAGE)
    await arrived(alice, ACCEPTED)
    await alice.sign_out()
    await bob.sign_out()

    assert fields["body"] == "a < b & c"
    assert fields["subject"] == "Signs"
    assert fields["thread"] == "t-1"
    assert fields["type"] == "chat"
    assert fields["from"] == "alice@inside.example/simulator"


async def test_an_error_is_a_refusal(port: int) -> None:
    alice = make_user("alice", port)
    await alice.sign_in()
    await alice.send_message("nobody@inside.example", "Hello", id="m-2")
    fields = await arrived(alice, REFUSAL)
    await alice.sign_out()

    assert fields["conditions"] == ["service-unavailable"]
    assert fields["id"] == "m-2"
    assert fields["type"] == "cancel"


async def test_no_task_outlives_a_client(port: int) -> None:
    before = asyncio.all_tasks()
    alice = make_user("alice", port)
    await alice.sign_in()
    await alice.send_message("bob@inside.example", "Hello", id="m-3")
    await alice.sign_out()
    await asyncio.sleep(0)

    assert asyncio.all_tasks() == before


async def test_a_wrong_password_is_said(port: int) -> None:
    alice = make_user("alice", port, password="wrong")

    with pytest.raises(ConnectionError, match="cannot sign in"):
        await alice.sign_in()


async def test_a_closed_port_is_said() -> None:
    alice = make_user("alice", free_port())

    with pytest.raises(ConnectionError, match="no connection"):
        await alice.sign_in()


async def test_users_stay_on_loopback() -> None:
    with pytest.raises(PermissionError):
        XMPPUser("alice@inside.example", "", "192.0.2.1", 5222, Journal(lambda: 0.0))


async def test_server_that_hangs_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.world.users.xmpp.PATIENCE", 0.2)

    # It listens, so the connection comes about; nobody ever reads.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        user = XMPPUser("alice@inside.example", "secret", host, port, Journal(lambda: 0.0))

        with pytest.raises(ConnectionError, match=r"no answer within 0\.2 s"):
            await user.sign_in()
