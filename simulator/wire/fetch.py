"""Fetches a file over HTTP, by asking one given name server for its host.

Knows one GET on one connection (RFC 9112), and how much of an answer to take. Does not know what is in it; follows no
redirect, for what is fetched here was named by a stranger's certificate.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from simulator.wire.connection import Connection, open_connection
from simulator.wire.resolve import ResolveError, Resolver


class FetchError(Exception):
    """A file could not be fetched; the text names its URL and says why."""


@dataclass(frozen=True)
class _Place:
    """Where a URL leads."""

    host: str
    port: int
    authority: str
    target: str


async def fetch(url: str, resolver: Resolver, *, timeout: float, at_most: int, local_host: str | None = None) -> bytes:
    """The body of the answer to a GET: within `timeout` seconds in all, of `at_most` bytes.

    Only ``http://`` is spoken, for files that carry their own signature: with ``https://`` the certificate of the place
    would have to be verified first, perhaps by the very list that is fetched (RFC 5280 §8). Raises FetchError.
    """
    place = _place(url)
    connection: Connection | None = None

    try:
        async with asyncio.timeout(timeout):
            connection = await _connected(place, resolver, timeout, local_host)

            return await _exchange(connection, place, at_most)
    except TimeoutError:
        raise FetchError(f"{url}: no answer within {timeout:g} s") from None
    except (OSError, ResolveError, h11.RemoteProtocolError, _Unwanted) as error:
        raise FetchError(f"{url}: {error}") from None
    finally:
        if connection is not None:
            connection.abort()


class _Unwanted(Exception):  # noqa: N818 - never leaves this file
    """The answer is HTTP, but not what was asked for."""


def _place(url: str) -> _Place:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        (parts.netloc + parts.path + parts.query).encode("ascii")
    except ValueError as error:
        raise FetchError(f"{url!r}: is no URL: {error}") from None

    if parts.scheme != "http" or not host or "@" in parts.netloc:
        raise FetchError(f"{url!r}: only http:// and a host can be fetched from")

    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    if any(character <= " " or character == "\x7f" for character in parts.netloc + target):
        raise FetchError(f"{url!r}: is no URL: white space in it")

    return _Place(host, 80 if port is None else port, parts.netloc, target)


async def _connected(place: _Place, resolver: Resolver, timeout: float, local_host: str | None) -> Connection:
    failure: OSError | None = None

    async with aclosing(resolver.addresses(place.host)) as addresses:
        async for address in addresses:
            source = local_host if ":" not in address else None

            try:
                return await open_connection(address, place.port, timeout=timeout, local_host=source)
            except OSError as error:
                failure = error

    raise failure or OSError(f"{place.host} has no address")


async def _exchange(connection: Connection, place: _Place, at_most: int) -> bytes:
    arrived: asyncio.Queue[bytes | Exception] = asyncio.Queue()
    connection.on_data = arrived.put_nowait
    connection.on_closed = lambda how, error: arrived.put_nowait(error or b"")
    http = h11.Connection(h11.CLIENT)
    headers = [("Host", place.authority), ("Accept", "*/*"), ("Connection", "close")]
    request = h11.Request(method="GET", target=place.target, headers=headers)
    connection.write((http.send(request) or b"") + (http.send(h11.EndOfMessage()) or b""))
    body = bytearray()

    while True:
        event = http.next_event()

        if event is h11.NEED_DATA:
            data = await arrived.get()

            if isinstance(data, Exception):
                raise data

            if not data and http.their_state is h11.SEND_RESPONSE:
                raise _Unwanted("the server ended the connection before an answer")

            http.receive_data(data)
        elif isinstance(event, h11.Response) and event.status_code != 200:
            raise _Unwanted(f"the server answered {event.status_code} {event.reason.decode('latin-1')}".rstrip())
        elif isinstance(event, h11.Data):
            body += event.data

            if len(body) > at_most:
                raise _Unwanted(f"the answer is larger than {at_most} bytes")
        elif isinstance(event, h11.EndOfMessage):
            return bytes(body)
