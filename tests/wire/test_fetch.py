"""Files over HTTP, from a server whose every byte the test chooses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from simulator.wire.connection import Connection
from simulator.wire.fetch import FetchError, fetch
from simulator.wire.listener import listen
from simulator.wire.resolve import Resolver
from simulator.world.dns import NameServer


class Site:
    """Answers each connection with the same bytes and remembers what was asked."""

    def __init__(self, answer: bytes, keeps_open: bool) -> None:
        self._answer, self._keeps_open = answer, keeps_open
        self.asked: list[bytes] = []
        self.port = 0

    def met(self, connection: Connection) -> None:
        def asked(data: bytes) -> None:
            self.asked.append(data)
            connection.write(self._answer)

            if not self._keeps_open:
                connection.close()

        connection.on_data, connection.on_closed = asked, lambda how, error: None


@pytest.fixture
async def resolver() -> AsyncIterator[Resolver]:
    server = NameServer()
    await server.start()
    server.publish("lists.example. 60 IN A 127.0.0.1\n")
    yield Resolver(server.host, server.port, 0.4)
    await server.stop()


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[Site]]]:
    listeners = []

    async def begin(answer: bytes, *, keeps_open: bool = False) -> Site:
        site = Site(answer, keeps_open)
        listener = await listen("127.0.0.1", 0, site.met)
        listeners.append(listener)
        site.port = listener.port

        return site

    yield begin

    for listener in listeners:
        await listener.close()


async def test_the_body_of_a_good_answer_is_fetched(resolver: Resolver, serve: Callable[..., Awaitable[Site]]) -> None:
    site = await serve(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n0\x03\x02\x01\x01", keeps_open=True)
    url = f"http://lists.example:{site.port}/ca.crl?now"

    assert await fetch(url, resolver, timeout=5, at_most=5) == b"0\x03\x02\x01\x01"
    assert site.asked[0].startswith(b"GET /ca.crl?now HTTP/1.1\r\n")
    assert f"Host: lists.example:{site.port}\r\n".encode() in site.asked[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nabcde",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
    ],
)
async def test_each_framing_of_http_is_understood(
    resolver: Resolver, serve: Callable[..., Awaitable[Site]], answer: bytes
) -> None:
    site = await serve(answer)

    assert await fetch(f"http://127.0.0.1:{site.port}", resolver, timeout=5, at_most=100) == b"abcde"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answered 404 Not Found"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://other.example/\r\n\r\n", "answered 302 Found"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsix...", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + b"x" * 101, "larger than 100 bytes"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "illegal status line"),
        (b"HTTP/1.1 200 O", "ended the connection before an answer"),
        (b"", "ended the connection before an answer"),
    ],
)
async def test_a_bad_answer_is_an_error_that_names_the_url(
    resolver: Resolver, serve: Callable[..., Awaitable[Site]], answer: bytes, why: str
) -> None:
    site = await serve(answer)

    with pytest.raises(FetchError, match=rf"(?s)http://lists\.example:{site.port}/: .*{why}"):
        await fetch(f"http://lists.example:{site.port}/", resolver, timeout=5, at_most=100)


async def test_silence_has_an_end(resolver: Resolver, serve: Callable[..., Awaitable[Site]]) -> None:
    site = await serve(b"HTTP/1.1 200 OK\r\n", keeps_open=True)

    with pytest.raises(FetchError, match=r"no answer within 0\.2 s"):
        await fetch(f"http://lists.example:{site.port}/", resolver, timeout=0.2, at_most=100)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://nobody.example/", "no address"),
        ("https://lists.example/", "only http://"),
        ("ldap:///CN=ca", "only http://"),
        ("http://user@lists.example/", "only http://"),
        ("http://lists.example:port/", "is no URL"),
        ("http://[::1/", "is no URL"),
        ("http://lists.example/a b", "white space"),
        ("http://lists.example/é", "is no URL"),
        ("", "only http://"),
    ],
)
async def test_what_cannot_be_asked_for_is_an_error(resolver: Resolver, url: str, why: str) -> None:
    with pytest.raises(FetchError, match=why):
        await fetch(url, resolver, timeout=5, at_most=100)


async def test_a_port_where_nobody_listens_is_an_error(resolver: Resolver) -> None:
    listener = await listen("127.0.0.1", 0, lambda connection: None)
    await listener.close()

    with pytest.raises(FetchError, match=r"refused|Connect call failed"):
        await fetch(f"http://lists.example:{listener.port}/", resolver, timeout=5, at_most=100)


async def test_fetching_can_be_cancelled(resolver: Resolver, serve: Callable[..., Awaitable[Site]]) -> None:
    site = await serve(b"", keeps_open=True)
    task = asyncio.create_task(fetch(f"http://lists.example:{site.port}/", resolver, timeout=60, at_most=100))

    while not site.asked:  # noqa: ASYNC110 - the request is on its way over a real socket
        await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
