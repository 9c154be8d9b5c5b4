"""The two halves together: they come up, find each other, and leave nothing behind."""

import asyncio
import socket
import time
from typing import Any

import msgspec
import pytest

from simulator.gateway.configuration import CertificateFiles, Configuration
from simulator.gateway.gateway import Gateway, LinkNotUp
from simulator.wire.listener import ListenError
from simulator.world.ca import CertificateAuthority

HEADER = (
    b"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
    b" xmlns:db='jabber:server:dialback' from='gmail.com' to='contoso.com' version='1.0'>"
)


def can_connect(place: tuple[str, int]) -> bool:
    try:
        socket.create_connection(place, timeout=1).close()
    except ConnectionError:
        return False

    return True


async def test_everything_listens_when_started(configuration: Configuration) -> None:
    gateway = Gateway(configuration)
    await gateway.start()
    places = gateway.listening

    assert list(places) == ["edge", "link", "sip", "sips"]
    assert all(can_connect(place) for place in places.values())
    assert gateway.frontend.link.up

    await gateway.stop()
    assert not any(can_connect(place) for place in places.values())


async def test_open_streams_end_with_system_shutdown(configuration: Configuration) -> None:
    gateway = Gateway(configuration)
    await gateway.start()
    reader, writer = await asyncio.open_connection(*gateway.listening["edge"])
    writer.write(HEADER)
    await reader.readuntil(b"features>")
    stopping = asyncio.create_task(gateway.stop())
    farewell = await reader.readuntil(b"</stream:stream>")
    writer.close()
    await stopping

    assert b"<system-shutdown" in farewell


async def test_stop_can_be_called_at_any_time(configuration: Configuration) -> None:
    await Gateway(configuration).stop()
    gateway = Gateway(configuration)
    await gateway.start()
    await gateway.stop()
    await gateway.stop()


@pytest.mark.parametrize(
    ("part", "key"),
    [("edge", "port"), ("edge", "link-port"), ("frontend", "sip-tcp-port"), ("frontend", "sip-tls-port")],
)
async def test_taken_port_leaves_nothing_open(words: dict[str, Any], part: str, key: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        words[part][key] = other.getsockname()[1]
        gateway = Gateway(msgspec.convert(words, Configuration))

        with pytest.raises(ListenError, match="the port is taken"):
            await gateway.start()

        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        assert not tasks


async def test_stranger_cannot_be_the_front_end(configuration: Configuration, authority: CertificateAuthority) -> None:
    """Partners may have certificates of the same authority; they must not get onto the link."""
    files = authority.issue("gmail.com")
    stranger = CertificateFiles(certificate=str(files.certificate), key=str(files.key))
    certificates = msgspec.structs.replace(configuration.certificates, internal=stranger)
    edge = msgspec.structs.replace(configuration.edge, connect_timeout=0.2)
    log: list[str] = []
    gateway = Gateway(msgspec.structs.replace(configuration, certificates=certificates, edge=edge), log=log.append)

    with pytest.raises(LinkNotUp, match="cannot reach the edge"):
        await gateway.start()


async def test_link_can_be_cut_and_mended(configuration: Configuration) -> None:
    gateway = Gateway(configuration)
    await gateway.start()
    await gateway.cut_link()
    assert not gateway.frontend.link.up

    await gateway.mend_link()
    assert gateway.frontend.link.up
    await gateway.stop()


async def test_gateway_starts_in_a_moment(configuration: Configuration) -> None:
    durations = []

    for _ in range(5):
        gateway = Gateway(configuration)
        began = time.perf_counter()
        await gateway.start()
        durations.append(time.perf_counter() - began)
        await gateway.stop()

    # Many times what it takes: speed is for the benchmark, this is about waiting for something in vain.
    assert min(durations) < 0.5
