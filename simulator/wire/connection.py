"""One TCP connection, TLS or not, and how to open one. asyncio begins here; accepting is `listener`.

Knows bytes, how a connection begins and how it ends. Does not know what the bytes mean.

The owner sets `on_data` and `on_closed`; what came earlier is kept until then. Writes are collected and leave in one
piece per turn of the event loop. Nothing is called after `on_closed`.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
from collections.abc import Callable
from typing import Literal, cast

from simulator.wire.acknowledged import Sent
from simulator.wire.source import closed_on_error, socket_from
from simulator.wire.tls import ResumableSession, TLSContext, TLSError, TLSInfo, TLSSession

#: fin: the peer ended it in order; reset: it broke; local: we ended it; timeout: the peer no longer answers
How = Literal["fin", "reset", "local", "timeout"]
OnData = Callable[[bytes], None]
OnClosed = Callable[[str, Exception | None], None]

Address = tuple[str, int]

#: how long we wait for the peer's FIN after ours, in seconds
LINGER = 2.0


class Connection(asyncio.Protocol):
    """One TCP byte connection. Made by `open_connection` and `listener.listen`, never by hand."""

    def __init__(self, on_made: Callable[[Connection], None] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_made = on_made
        self._on_data: OnData | None = None
        self._on_closed: OnClosed | None = None
        self.on_secured: Callable[[TLSInfo], None] | None = None
        """Called when a handshake begun by `start_tls` is over."""
        self.tls: TLSInfo | None = None
        self.local: Address = ("", 0)
        self.remote: Address = ("", 0)
        self._transport: asyncio.Transport | None = None
        self._session: TLSSession | None = None
        self._early: list[bytes] = []
        self._pending: list[bytes] = []
        self._pending_size = 0
        self.sent = Sent()
        """How much was sent and acknowledged, in bytes: those of TLS, where there is TLS."""
        self._closing = False
        self._how: How | None = None
        self._error: Exception | None = None
        self._over = False
        self._linger: asyncio.TimerHandle | None = None
        self._resumed = asyncio.Event()
        self._resumed.set()

    # -- what the owner uses

    @property
    def on_data(self) -> OnData | None:
        """Gets what the peer sends (after TLS)."""
        return self._on_data

    @on_data.setter
    def on_data(self, callback: OnData) -> None:
        self._on_data = callback

        if self._early:
            self._loop.call_soon(self._deliver_early)

    @property
    def on_closed(self) -> OnClosed | None:
        """Gets how the connection ended (see `How`), and the error if there was one; called once."""
        return self._on_closed

    @on_closed.setter
    def on_closed(self, callback: OnClosed) -> None:
        self._on_closed = callback

        if self._over:
            self._loop.call_soon(self._report)

    @property
    def closed(self) -> bool:
        """It is over, or on its way: nothing that is written now will leave."""
        return self._closing or self._over

    @property
    def paused(self) -> bool:
        """The peer does not read as fast as we write: see `drain`."""
        return not self._resumed.is_set()

    @property
    def unsent(self) -> int:
        """Bytes written and not yet taken by the operating system."""
        return self._pending_size + (self._transport.get_write_buffer_size() if self._transport else 0)

    def write(self, data: bytes) -> None:
        """Send `data` at the end of this turn of the loop; dropped when the connection is over."""
        if self._closing or not data:
            return

        if not self._pending:
            self._loop.call_soon(self._flush)

        self._pending.append(data)
        self._pending_size += len(data)

    async def drain(self) -> None:
        """Wait until the peer has read enough, or the connection is over."""
        await self._resumed.wait()

    def close(self) -> None:
        """Send what is written, close_notify and FIN; then wait for the peer's FIN, but not for ever."""
        if self.closed:
            return

        self._flush()
        self._closing = True
        self._how = self._how or "local"
        transport = self._transport

        if transport is None:
            return

        if self._session is not None:
            # A session that broke has nothing more to say.
            with contextlib.suppress(TLSError):
                self._session.close()

            self._send_raw(self._session.outgoing())

        # Closing a socket that holds unread bytes makes the kernel send RST, and RST may destroy what we have just
        # sent. So only our half is shut; the rest of what the peer says is read and thrown away.
        if transport.is_closing():
            return

        # The peer may be gone already, which the loop has not told us yet; what it said before is still to be read.
        with contextlib.suppress(OSError):
            transport.write_eof()
            self.sent.fin = True

        transport.resume_reading()
        self._linger = self._loop.call_later(LINGER, transport.abort)

    def abort(self) -> None:
        """Throw the connection away with RST; what was not sent is lost."""
        if self._over or self._transport is None:
            return

        self._closing = True
        self._how = self._how or "local"
        self._pending.clear()
        self._pending_size = 0
        sock = self._transport.get_extra_info("socket")
        # SO_LINGER with a time of zero is what makes the kernel send RST instead of FIN.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def start_tls(
        self, context: TLSContext, server_name: str | None = None, *, resume: ResumableSession | None = None
    ) -> None:
        """Encrypt from here on: what is written already still leaves as it is. Then `on_secured`, or `on_closed`
        with a TLSError. What the owner writes before `on_secured` waits for the handshake.

        A client may offer with `resume` the `tls_session` of another connection.
        """
        self._flush()
        self._session = TLSSession(context, server_name, resume=resume)
        # What the owner has not been given yet came behind the plaintext that he knows: it is the peer's handshake.
        early, self._early = b"".join(self._early), []

        if self._guarded(self._session.start) and early:
            self._receive_encrypted(early)

    @property
    def tls_session(self) -> ResumableSession | None:
        """The session of a client for `start_tls` of another connection, after the server has sent something."""
        return self._session.resumable if self._session is not None else None

    def pause_reading(self) -> None:
        """Let the peer wait: nothing more is read until `resume_reading`."""
        if self._transport is not None and not self.closed:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        if self._transport is not None and not self.closed:
            self._transport.resume_reading()

    # -- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.local = transport.get_extra_info("sockname")[:2]
        self.remote = transport.get_extra_info("peername")[:2]

        if self._on_made is not None:
            self._on_made(self)

    def data_received(self, data: bytes) -> None:
        if self._session is not None:
            self._receive_encrypted(data)
        elif not self._closing:
            self._deliver(data)

    def eof_received(self) -> bool:
        self._how = self._how or "fin"
        self._flush()
        self._closing = True

        if self._linger is None and self._transport is not None:
            self._linger = self._loop.call_later(LINGER, self._transport.abort)

        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._linger is not None:
            self._linger.cancel()

        if self._how is None:
            self._how = "timeout" if isinstance(exc, TimeoutError) else "reset"

        self._error = self._error or (exc if self._how in ("reset", "timeout") else None)
        self._over = self._closing = True
        self._resumed.set()
        self._report()

    def pause_writing(self) -> None:
        self._resumed.clear()

    def resume_writing(self) -> None:
        self._resumed.set()

    # -- inside

    def _report(self) -> None:
        callback, self._on_closed = self._on_closed, None

        if callback is not None and self._how is not None:
            self._deliver_early()
            self._on_data = None
            callback(self._how, self._error)

    def _deliver(self, data: bytes) -> None:
        if self._on_data is None or self._early:
            self._early.append(data)
        else:
            self._on_data(data)

    def _deliver_early(self) -> None:
        if self._on_data is not None and self._early:
            data, self._early = b"".join(self._early), []
            self._on_data(data)

    def _flush(self) -> None:
        if not self._pending or self._transport is None or self._transport.is_closing():
            return

        if self._session is None:
            self._send_raw(self._take_pending())
        elif self._session.info is not None:
            self._session.send(self._take_pending())
            self._send_raw(self._session.outgoing())

    def _take_pending(self) -> bytes:
        data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
        self._pending.clear()
        self._pending_size = 0

        return data

    def _receive_encrypted(self, data: bytes) -> None:
        session = cast("TLSSession", self._session)
        plaintext: list[bytes] = []

        if not self._guarded(lambda: plaintext.append(session.receive(data))):
            return

        if plaintext[0] and not self._closing:
            self._deliver(plaintext[0])

        if self._guarded(session.check) and session.ended and not self._closing:
            # RFC 6120 §4.4: close_notify is answered with close_notify, then the connection is closed.
            self._how = "fin"
            self.close()

    def _guarded(self, step: Callable[[], None]) -> bool:
        """Let the session work, send what it has to say, and end the connection when it failed."""
        session = cast("TLSSession", self._session)

        try:
            step()
        except TLSError as error:
            self._error = self._error or error
            self._send_raw(session.outgoing())
            self._session, self._pending, self._pending_size = None, [], 0
            self.close()

            return False

        self._send_raw(session.outgoing())

        if self.tls is not session.info and session.info is not None:
            self.tls = session.info
            self._flush()

            if self.on_secured is not None:
                self.on_secured(session.info)

        return True

    def _send_raw(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            self.sent.wrote(len(data), self._transport)


async def open_connection(
    host: str,
    port: int,
    *,
    timeout: float,
    local_host: str | None = None,
    tls: TLSContext | None = None,
    server_name: str | None = None,
    bound: Callable[[float], contextlib.AbstractAsyncContextManager[object]] = asyncio.timeout,
) -> Connection:
    """Connect to an address, from `local_host` if given, within `timeout` seconds (handshake included, by `bound`).

    Raises OSError: ConnectionRefusedError, TimeoutError, TLSError and their like.
    """
    connection: Connection | None = None

    try:
        async with bound(timeout):
            connection = await _connected(host, port, local_host)

            if tls is not None:
                await _secure(connection, tls, server_name)
    except BaseException as error:
        if connection is not None:
            connection.abort()

        if not isinstance(error, TimeoutError):
            raise

        raise TimeoutError(errno.ETIMEDOUT, f"{host}:{port} did not answer within {timeout:g} s") from None

    return connection


async def _connected(host: str, port: int, local_host: str | None) -> Connection:
    loop = asyncio.get_running_loop()

    try:
        if local_host is None:
            return (await loop.create_connection(Connection, host, port))[1]

        with closed_on_error(socket_from(local_host, host)) as sock:
            await loop.sock_connect(sock, (host, port))

            return (await loop.create_connection(Connection, sock=sock))[1]
    except ConnectionResetError as error:
        # The peer took the connection and broke it before we looked. A moment later the same would have been a
        # connection that ends with RST, and it is to be told in one way only.
        connection = Connection()
        connection.local, connection.remote = (local_host or "", 0), (host, port)
        connection.connection_lost(error)

        return connection


async def _secure(connection: Connection, context: TLSContext, server_name: str | None) -> None:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def failed(how: str, error: Exception | None) -> None:
        if not done.done():
            done.set_exception(error or TLSError(f"the connection ended ({how}) during the TLS handshake"))

    def secured(_: TLSInfo) -> None:
        if not done.done():
            done.set_result(None)

    connection.on_closed, connection.on_secured = failed, secured
    connection.start_tls(context, server_name)
    await done
    connection.on_secured = None
