"""Our TLS and the `openssl` program, each dialling the other on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulator.wire.connection import Connection, open_connection
from simulator.wire.listener import listen
from simulator.wire.tls import TLSContext, TLSError, TLSInfo, TLSOptions, client_context, server_context
from tests.wire.authority import Authority

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl program is not installed")


@pytest.fixture
def files(authority: Authority, tmp_path: Path) -> Path:
    """A folder with a certificate of contoso.com for the program, its key and the authority."""
    ours = authority.issue("contoso.com")
    (tmp_path / "certificate.pem").write_bytes(ours.certificate)
    (tmp_path / "key.pem").write_bytes(ours.key)
    (tmp_path / "authority.pem").write_bytes(authority.pem)

    return tmp_path


@contextlib.asynccontextmanager
async def openssl(*words: str | Path | int) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        "openssl", *(str(word) for word in words), stdin=PIPE, stdout=PIPE, stderr=STDOUT
    )

    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()

        await process.communicate()


async def says(process: Process, text: str) -> str:
    """What the program has written when `text` comes."""
    assert process.stdout is not None
    said = ""

    async with asyncio.timeout(20):
        while text not in said:
            data = await process.stdout.read(65536)
            assert data, f"it ended before it said {text!r}:\n{said}"
            said += data.decode("utf-8", "replace")

    return said


class Met:
    """The first connection that a listener accepts, and all that becomes of it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.secured: asyncio.Future[TLSInfo] = loop.create_future()
        self.closed: asyncio.Future[tuple[str, Exception | None]] = loop.create_future()
        self.data: asyncio.Queue[bytes] = asyncio.Queue()
        self.connection: Connection | None = None

    def accept(self, connection: Connection) -> None:
        if self.connection is None:
            self.take(connection)
            assert connection.tls is not None
            self.secured.set_result(connection.tls)

    def take(self, connection: Connection) -> None:
        self.connection = connection
        connection.on_data = self.data.put_nowait
        connection.on_closed = lambda how, error: self.closed.set_result((how, error))


def our_server(authority: Authority, options: TLSOptions = TLSOptions()) -> TLSContext:  # noqa: B008 - frozen
    theirs = authority.issue("gmail.com")

    return server_context(theirs.certificate, theirs.key, authority.pem, options=options)


def our_client(authority: Authority, options: TLSOptions = TLSOptions()) -> TLSContext:  # noqa: B008 - frozen
    ours = authority.issue("gmail.com")

    return client_context(ours.certificate, ours.key, authority.pem, options=options)


@pytest.mark.parametrize("version", ["1_2", "1_3"])
async def test_s_client_shows_its_certificate_and_is_heard(authority: Authority, files: Path, version: str) -> None:
    met = Met()
    options = TLSOptions(application=("xmpp-server",))
    listener = await listen("127.0.0.1", 0, met.accept, our_server(authority, options))
    words = f"s_client -connect 127.0.0.1:{listener.port} -tls{version} -servername gmail.com -alpn xmpp-server -quiet"
    words += f" -cert {files}/certificate.pem -key {files}/key.pem -CAfile {files}/authority.pem -verify_return_error"

    async with openssl(*words.split()) as process:
        async with asyncio.timeout(20):
            seen = await met.secured

        assert (seen.version, seen.server_name, seen.application) == (
            f"TLSv{version.replace('_', '.')}",
            "gmail.com",
            "xmpp-server",
        )
        assert seen.trusted
        assert seen.names == {"contoso.com"}
        assert process.stdin is not None
        process.stdin.write(b"hello\n")
        assert await met.data.get() == b"hello\n"
        assert met.connection is not None
        met.connection.close()
        assert (await met.closed)[0] == "local"
        assert await process.wait() == 0

    await listener.close()


async def test_s_client_cannot_renegotiate(authority: Authority) -> None:
    met = Met()
    listener = await listen("127.0.0.1", 0, met.accept, our_server(authority))

    async with openssl("s_client", "-connect", f"127.0.0.1:{listener.port}", "-tls1_2") as process:
        assert process.stdin is not None
        await says(process, "Extended master secret")
        process.stdin.write(b"R\n")

        async with asyncio.timeout(20):
            how, error = await met.closed

    assert how == "local"
    assert isinstance(error, TLSError)
    assert "renegotiation" in str(error)
    assert met.data.empty()
    await listener.close()


@pytest.mark.parametrize("version", ["1_2", "1_3"])
@pytest.mark.parametrize(("sessions", "word"), [(True, "Reused, "), (False, "New, ")])
async def test_s_client_resumes_a_session_where_that_is_allowed(
    authority: Authority, files: Path, version: str, sessions: bool, word: str
) -> None:
    greeted: list[Connection] = []

    def greet(connection: Connection) -> None:
        greeted.append(connection)
        connection.on_data, connection.on_closed = lambda data: None, lambda how, error: None
        # A client of TLS 1.3 reads its tickets when it reads what stands behind them.
        connection.write(b"welcome")

    options = TLSOptions(sessions=sessions)
    listener = await listen("127.0.0.1", 0, greet, our_server(authority, options))
    words = f"s_client -connect 127.0.0.1:{listener.port} -tls{version} -sess_out {files}/session -brief".split()

    async with openssl(*words) as process:
        await says(process, "welcome")
        assert process.stdin is not None
        process.stdin.write(b"Q\n")
        await process.wait()

    words = f"s_client -connect 127.0.0.1:{listener.port} -tls{version}".split()
    offered = ["-sess_in", str(files / "session")] if (files / "session").exists() else []

    async with openssl(*words, *offered) as process:
        said = await says(process, "Verify return code")

    assert offered or not sessions
    assert word in said
    assert greeted[-1].tls is not None
    assert greeted[-1].tls.resumed is sessions

    if sessions and version == "1_3":
        # RFC 8446 §4.2.10: a ticket that says so is what allows early data.
        async with openssl("sess_id", "-in", files / "session", "-text", "-noout") as process:
            assert "Max Early Data: 0" in await says(process, "Max Early Data")

    for connection in greeted:
        connection.abort()

    await listener.close()


@pytest.mark.parametrize("version", ["1_2", "1_3"])
async def test_s_server_sees_our_certificate(authority: Authority, files: Path, version: str) -> None:
    words = f"s_server -accept 127.0.0.1:0 -tls{version} -alpn xmpp-server -Verify 5 -verify_return_error"
    words += f" -cert {files}/certificate.pem -key {files}/key.pem -CAfile {files}/authority.pem"

    async with openssl(*words.split()) as process:
        port = int((await says(process, "ACCEPT")).split("ACCEPT")[1].split(":")[-1])
        met = Met()
        context = our_client(authority, TLSOptions(application=("xmpp-server",)))
        connection = await open_connection("127.0.0.1", port, timeout=20, tls=context, server_name="contoso.com")
        met.take(connection)
        assert connection.tls is not None
        assert connection.tls.trusted
        assert connection.tls.application == "xmpp-server"
        connection.write(b"how are you?\n")
        said = await says(process, "how are you?")
        assert "verify return:1" in said
        assert process.stdin is not None

        if version == "1_2":
            # s_server asks for another handshake when a line begins with r.
            process.stdin.write(b"r\n")
        else:
            process.stdin.write(b"Q\n")

        async with asyncio.timeout(20):
            how, error = await met.closed

    if version == "1_2":
        assert how == "local"
        assert "renegotiation" in str(error)
    else:
        assert (how, error) == ("fin", None)


async def test_s_server_resumes_our_session(authority: Authority, files: Path) -> None:
    words = f"s_server -accept 127.0.0.1:0 -cert {files}/certificate.pem -key {files}/key.pem -www"
    context = our_client(authority, TLSOptions(sessions=True))

    async with openssl(*words.split()) as process:
        port = int((await says(process, "ACCEPT")).split("ACCEPT")[1].split(":")[-1])
        first = await open_connection("127.0.0.1", port, timeout=20, tls=context, server_name="contoso.com")
        met = Met()
        met.take(first)
        first.write(b"GET / HTTP/1.0\r\n\r\n")
        await met.data.get()
        session = first.tls_session
        first.close()
        second, again = await open_connection("127.0.0.1", port, timeout=20), Met()
        again.take(second)
        second.on_secured = again.secured.set_result
        second.start_tls(context, "contoso.com", resume=session)

        async with asyncio.timeout(20):
            seen = await again.secured

        assert seen.resumed
        assert not seen.trusted
        second.abort()
