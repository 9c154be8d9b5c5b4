"""TLS sessions over memory: two real ends back to back, and on a connection."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from simulator.wire.connection import Connection, open_connection
from simulator.wire.listener import listen
from simulator.wire.rough import heard_close_notify
from simulator.wire.tls import CertificateError, TLSError, TLSInfo, TLSSession, client_context, server_context
from tests.wire.authority import Authority, shake


def test_both_ends_agree_and_know_each_other(authority: Authority) -> None:
    ours, theirs = authority.issue("contoso.com"), authority.issue("gmail.com")
    server = TLSSession(server_context(theirs.certificate, theirs.key, authority.pem))
    client = TLSSession(client_context(ours.certificate, ours.key, authority.pem), "gmail.com")
    shake(client, server)

    assert client.info is not None
    assert server.info is not None
    assert client.info.version == "TLSv1.3"
    assert client.info.names == {"gmail.com"}
    assert server.info.names == {"contoso.com"}
    assert server.info.server_name == "gmail.com"
    assert client.info.trusted
    assert server.info.trusted
    client.send(b"x" * 100_000)
    assert server.receive(client.outgoing()) == b"x" * 100_000
    server.close()
    client.receive(server.outgoing())
    assert client.ended


def test_a_client_without_certificate_is_refused(authority: Authority) -> None:
    theirs = authority.issue("gmail.com")
    server = TLSSession(server_context(theirs.certificate, theirs.key, authority.pem, require_peer=True))
    client = TLSSession(client_context(authority=authority.pem), "gmail.com")

    with pytest.raises(TLSError, match="did not return a certificate"):
        shake(client, server)


def test_a_client_of_another_authority_is_refused(authority: Authority, stranger: Authority) -> None:
    theirs, foreign = authority.issue("gmail.com"), stranger.issue("contoso.com")
    server = TLSSession(server_context(theirs.certificate, theirs.key, authority.pem, require_peer=True))
    client = TLSSession(client_context(foreign.certificate, foreign.key, authority.pem), "gmail.com")

    with pytest.raises(TLSError, match="certificate verify failed"):
        shake(client, server)


def test_an_optional_certificate_is_taken_as_it_is(authority: Authority, stranger: Authority) -> None:
    theirs, foreign = authority.issue("gmail.com"), stranger.issue("contoso.com")
    server = TLSSession(server_context(theirs.certificate, theirs.key, authority.pem))
    client = TLSSession(client_context(foreign.certificate, foreign.key, authority.pem), "gmail.com")
    shake(client, server)

    assert server.info is not None
    assert server.info.names == {"contoso.com"}
    assert not server.info.trusted
    assert server.info.faults


def test_a_server_of_another_name_is_refused(authority: Authority) -> None:
    theirs = authority.issue("evil.example")
    server = TLSSession(server_context(theirs.certificate, theirs.key))
    client = TLSSession(client_context(authority=authority.pem), "gmail.com")

    with pytest.raises(TLSError, match=r"is for evil\.example, not for gmail\.com"):
        shake(client, server)


def test_an_unusable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match=r"missing\.pem: cannot be read: No such file"):
        server_context(tmp_path / "missing.pem", tmp_path / "missing.pem")

    (tmp_path / "junk.pem").write_text("junk")

    with pytest.raises(CertificateError, match=r"junk\.pem: holds no certificate in PEM"):
        server_context(tmp_path / "junk.pem", tmp_path / "junk.pem")


def test_a_key_of_another_certificate_is_refused(authority: Authority) -> None:
    one, other = authority.issue("one.example"), authority.issue("other.example")

    with pytest.raises(CertificateError, match="is not the key"):
        server_context(one.certificate, other.key)


async def test_a_connection_is_encrypted_from_the_start(authority: Authority) -> None:
    theirs, ours = authority.issue("gmail.com"), authority.issue("contoso.com")
    accepted: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
    context = server_context(theirs.certificate, theirs.key, authority.pem, require_peer=True)
    listener = await listen("127.0.0.1", 0, accepted.set_result, context)
    client = client_context(ours.certificate, ours.key, authority.pem)
    connection = await open_connection("127.0.0.1", listener.port, timeout=5, tls=client, server_name="gmail.com")
    server = await accepted
    got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server.on_data, server.on_closed = got.set_result, lambda how, error: over.set_result(how)
    connection.write(b"secret")

    assert await got == b"secret"
    assert server.tls is not None
    assert server.tls.names == {"contoso.com"}
    connection.close()
    assert await over == "fin"
    await listener.close()


async def test_tls_can_begin_on_a_running_connection(authority: Authority) -> None:
    theirs = authority.issue("gmail.com")
    accepted: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
    listener = await listen("127.0.0.1", 0, accepted.set_result)
    client = await open_connection("127.0.0.1", listener.port, timeout=5)
    server = await accepted
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server.on_data, server.on_closed = lines.put_nowait, lambda how, error: over.set_result(how)
    client.on_data, client.on_closed = lines.put_nowait, lambda how, error: None

    client.write(b"may I?")
    assert await lines.get() == b"may I?"
    server.write(b"proceed")
    server.start_tls(server_context(theirs.certificate, theirs.key))
    assert await lines.get() == b"proceed"
    client.start_tls(client_context(authority=authority.pem), "gmail.com")
    client.write(b"written before the handshake is over")
    assert await lines.get() == b"written before the handshake is over"
    assert client.tls is not None
    assert client.tls.trusted
    client.close()
    assert await over == "fin"
    await listener.close()


async def test_a_listener_refuses_strangers_in_the_handshake(authority: Authority) -> None:
    theirs = authority.issue("gmail.com")
    met: list[Connection] = []
    context = server_context(theirs.certificate, theirs.key, authority.pem, require_peer=True)
    listener = await listen("127.0.0.1", 0, met.append, context)
    over: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    # In TLS 1.3 the client is through before the server has seen its certificate, so the refusal comes afterwards.
    client = await open_connection(
        "127.0.0.1", listener.port, timeout=5, tls=client_context(authority=authority.pem), server_name="gmail.com"
    )
    client.on_closed = lambda how, error: over.set_result(error)
    client.on_data = lambda data: None

    assert "certificate required" in str(await over)
    assert not met
    await listener.close()


async def test_plain_bytes_on_a_tls_port_end_in_an_error(authority: Authority) -> None:
    theirs = authority.issue("gmail.com")
    met: list[Connection] = []
    listener = await listen("127.0.0.1", 0, met.append, server_context(theirs.certificate, theirs.key))
    connection = await open_connection("127.0.0.1", listener.port, timeout=5)
    over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    connection.on_data, connection.on_closed = lambda data: None, lambda how, error: over.set_result(how)
    connection.write(b"<?xml version='1.0'?><stream:stream")

    assert await over in ("fin", "reset")
    assert not met
    await listener.close()


async def test_plaintext_in_place_of_a_handshake_is_never_delivered(authority: Authority) -> None:
    theirs = authority.issue("gmail.com")
    accepted: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
    listener = await listen("127.0.0.1", 0, accepted.set_result)
    client = await open_connection("127.0.0.1", listener.port, timeout=5)
    server = await accepted
    over: asyncio.Future[tuple[str, Exception | None]] = asyncio.get_running_loop().create_future()
    delivered: list[bytes] = []
    server.on_data, server.on_closed = delivered.append, lambda how, error: over.set_result((how, error))
    server.start_tls(server_context(theirs.certificate, theirs.key))
    client.write(b"<stream:stream xmlns='jabber:server'><message/>")
    how, error = await over

    assert how == "local"
    assert isinstance(error, TLSError)
    assert not delivered
    assert server.tls is None
    assert server.unsent == 0
    client.abort()
    await listener.close()


async def test_what_the_owner_was_not_given_yet_belongs_to_the_handshake(authority: Authority) -> None:
    theirs = authority.issue("gmail.com")
    accepted: asyncio.Queue[Connection] = asyncio.Queue()
    listener = await listen("127.0.0.1", 0, accepted.put_nowait)
    client = await open_connection("127.0.0.1", listener.port, timeout=5)
    server = await accepted.get()
    secured: asyncio.Future[TLSInfo] = asyncio.get_running_loop().create_future()
    client.on_secured = secured.set_result
    client.start_tls(client_context(authority=authority.pem), "gmail.com")

    # What comes over another connection afterwards shows that the ClientHello is there.
    other = await open_connection("127.0.0.1", listener.port, timeout=5)
    witness: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    (await accepted.get()).on_data = witness.set_result
    other.write(b"later")
    await witness
    server.start_tls(server_context(theirs.certificate, theirs.key))

    assert (await secured).names == {"gmail.com"}

    for connection in (client, server, other):
        connection.abort()

    await listener.close()


async def test_the_end_of_tls_is_heard_of_a_peer_that_is_gone_when_we_close(authority: Authority) -> None:
    issued = authority.issue("contoso.com")
    session = TLSSession(server_context(issued.certificate, issued.key))
    loop, closed = asyncio.get_running_loop(), asyncio.Event()

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        connection = await open_connection(*server.getsockname(), timeout=5)
        peer, _ = await loop.sock_accept(server)

    with peer:
        connection.on_closed = lambda how, error: closed.set()
        connection.start_tls(client_context(authority=authority.pem), "contoso.com")

        while session.info is None or connection.tls is None:
            session.receive(await loop.sock_recv(peer, 65536) if session.info is None else b"")
            await loop.sock_sendall(peer, session.outgoing())
            await asyncio.sleep(0)

        session.close()
        peer.send(session.outgoing())

    # The peer's socket is closed, and the loop has not yet looked at ours.
    connection.close()
    await closed.wait()

    assert heard_close_notify(connection)
