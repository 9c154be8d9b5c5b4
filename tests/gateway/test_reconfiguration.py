"""Another configuration for a gateway that runs: who is told, what ends, and what waits for a new start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from simulator.gateway.configuration import AccessEdgeConfiguration, AllowedPartner, Configuration, User
from simulator.gateway.gateway import Gateway
from simulator.gateway.settings import FrontendSettings

HEADER = (
    b"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
    b" xmlns:db='jabber:server:dialback' from='gmail.com' to='contoso.com' version='1.0'>"
)


@pytest.fixture
async def gateway(configuration: Configuration) -> AsyncIterator[Gateway]:
    lines: list[str] = []
    gateway = Gateway(configuration, log=lines.append)
    await gateway.start()
    yield gateway
    await gateway.stop()


def changed(gateway: Gateway, **parts: Any) -> Configuration:
    return msgspec.structs.replace(gateway.configuration, **parts)


class Alice:
    """A user on one connection, who asks and gets one answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._number = 0

    async def __aenter__(self) -> Alice:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def asks(self, method: str, uri: str, *lines: str) -> str:
        self._number += 1
        request = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bK{self._number}",
            f"To: <{'sip:alice@contoso.com' if method == 'REGISTER' else uri}>",
            "From: <sip:alice@contoso.com>;tag=a",
            f"Call-ID: c{self._number}",
            f"CSeq: {self._number} {method}",
            *lines,
            "Content-Length: 0",
            "",
            "",
        ]
        self._writer.write("\r\n".join(request).encode())

        return (await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 5)).decode()

    async def registers(self) -> None:
        answer = await self.asks("REGISTER", "sip:contoso.com", "Contact: <sip:alice@127.0.0.1:1>")
        assert answer.startswith("SIP/2.0 200 ")

    async def writes(self) -> str:
        return await self.asks("MESSAGE", "sip:juliet@gmail.com")


async def test_stream_of_a_partner_that_is_removed_is_closed(gateway: Gateway) -> None:
    reader, writer = await asyncio.open_connection(*gateway.listening["edge"])
    writer.write(HEADER)
    await reader.readuntil(b"</stream:features>")
    assert gateway.reconfigure(changed(gateway, partners=())) == ()

    assert b"<policy-violation" in await asyncio.wait_for(reader.readuntil(b"</stream:stream>"), 5)
    writer.close()


async def test_stream_stays_where_nothing_that_concerns_it_has_changed(gateway: Gateway) -> None:
    reader, writer = await asyncio.open_connection(*gateway.listening["edge"])
    writer.write(HEADER)
    await reader.readuntil(b"</stream:features>")
    partners = (*gateway.configuration.partners, AllowedPartner(identity="far.example"))
    gateway.reconfigure(changed(gateway, partners=partners, access=AccessEdgeConfiguration()))
    writer.write(b"<db:verify from='gmail.com' to='contoso.com' id='1'>key</db:verify>")

    assert b"<db:verify" in await asyncio.wait_for(reader.readuntil(b">"), 5)
    writer.close()


async def test_gates_open_and_close_for_those_who_are_signed_in(gateway: Gateway) -> None:
    port = gateway.frontend.tcp_port
    assert port is not None

    async with Alice(port) as alice:
        await alice.registers()
        gateway.reconfigure(changed(gateway, access=AccessEdgeConfiguration()))
        assert "\r\nms-diagnostics: 1012;" in await alice.writes()
        gateway.reconfigure(changed(gateway, access=AccessEdgeConfiguration(allow_federated_users=True), partners=()))
        assert "\r\nms-diagnostics: 1005;" in await alice.writes()


async def test_user_who_is_removed_is_registered_no_longer(gateway: Gateway) -> None:
    port = gateway.frontend.tcp_port
    assert port is not None

    async with Alice(port) as alice:
        await alice.registers()
        gateway.reconfigure(changed(gateway, users=(User(address="bob@contoso.com"),)))

        assert (await alice.writes()).startswith("SIP/2.0 403 The sender is not registered")


async def test_what_takes_a_new_start_is_named_and_left_alone(gateway: Gateway) -> None:
    frontend = FrontendSettings(sip_tcp_port=1, transaction_timeout=5.0)
    before = gateway.configuration.frontend
    listening = gateway.listening

    assert gateway.reconfigure(changed(gateway, frontend=frontend)) == ("frontend",)
    assert gateway.configuration.frontend == before
    assert gateway.listening == listening
