"""What a side of TLS may choose: versions, ciphers, names, protocols, sessions, strength; two ends back to back."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from simulator.wire.tls import (
    CertificateError,
    TLSContext,
    TLSError,
    TLSOptions,
    TLSSession,
    client_context,
    server_context,
)
from simulator.wire.tls_context import Version
from tests.wire.authority import Authority, Issuer, shake

LEGACY: tuple[Version, ...] = ("TLSv1", "TLSv1.1")


def server(authority: Authority, options: TLSOptions, name: str = "gmail.com") -> TLSContext:
    theirs = authority.issue(name)

    return server_context(theirs.certificate, theirs.key, authority.pem, options=options)


def client(authority: Authority, options: TLSOptions, name: str = "contoso.com") -> TLSContext:
    ours = authority.issue(name)

    return client_context(ours.certificate, ours.key, authority.pem, require_peer=False, options=options)


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_each_current_version_can_be_the_only_one(authority: Authority, version: Version) -> None:
    only = client(authority, TLSOptions(least=version, most=version))
    seen, _ = shake(TLSSession(only), TLSSession(server(authority, TLSOptions())))

    assert seen.version == version


@pytest.mark.parametrize("version", LEGACY)
def test_a_version_that_is_forbidden_is_refused_and_a_fake_can_speak_it(authority: Authority, version: Version) -> None:
    legacy = TLSOptions(least=version, most=version, ciphers="ALL", check_strength=False)

    with pytest.raises(TLSError, match="unsupported protocol"):
        shake(TLSSession(client(authority, legacy)), TLSSession(server(authority, TLSOptions())))

    seen, _ = shake(TLSSession(client(authority, legacy)), TLSSession(server(authority, legacy)))
    assert seen.version == version


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "NULL", "aNULL"])
def test_a_cipher_that_is_not_recommended_is_refused(authority: Authority, cipher: str) -> None:
    poor = TLSOptions(most="TLSv1.2", ciphers=cipher, check_strength=False)

    with pytest.raises(TLSError, match="no shared cipher"):
        shake(TLSSession(client(authority, poor)), TLSSession(server(authority, TLSOptions())))

    seen, _ = shake(TLSSession(client(authority, poor)), TLSSession(server(authority, poor)))
    assert seen.cipher


def test_the_name_that_is_asked_for_chooses_the_certificate(authority: Authority, stranger: Authority) -> None:
    theirs, other = authority.issue("gmail.com"), authority.issue("other.example")
    options = TLSOptions(application=("xmpp-server",))
    context = server_context(
        theirs.certificate,
        theirs.key,
        authority.pem,
        by_name={"other.example": (other.certificate, other.key)},
        options=options,
    )
    ours = client(authority, options)
    foreign = client(stranger, options)

    for asked, names in {
        "gmail.com": {"gmail.com"},
        "other.example": {"other.example"},
        "OTHER.example": {"other.example"},
        "unknown.example": {"gmail.com"},
        "127.0.0.1": {"gmail.com"},
        None: {"gmail.com"},
    }.items():
        seen, met = shake(TLSSession(ours, asked), TLSSession(context))
        assert seen.names == names
        assert seen.application == "xmpp-server"
        # Whichever certificate was chosen, the client's is looked at with the same authorities.
        assert met.trusted
        assert met.server_name == (asked if asked != "127.0.0.1" else None)
        assert not shake(TLSSession(foreign, asked), TLSSession(context))[1].trusted


@pytest.mark.parametrize(
    ("offered", "accepted", "chosen"),
    [
        (("xmpp-server",), ("xmpp-server",), "xmpp-server"),
        (("xmpp-client", "xmpp-server"), ("xmpp-server",), "xmpp-server"),
        (("one", "two"), ("two", "one"), "two"),
        ((), ("xmpp-server",), ""),
        (("xmpp-server",), (), ""),
    ],
)
def test_the_server_chooses_the_application_protocol(
    authority: Authority, offered: tuple[str, ...], accepted: tuple[str, ...], chosen: str
) -> None:
    seen, met = shake(
        TLSSession(client(authority, TLSOptions(application=offered))),
        TLSSession(server(authority, TLSOptions(application=accepted))),
    )

    assert seen.application == met.application == chosen


def test_without_a_common_application_protocol_there_is_no_tls(authority: Authority) -> None:
    ours = TLSSession(client(authority, TLSOptions(application=("h2", "http/1.1"))))
    theirs = TLSSession(server(authority, TLSOptions(application=("xmpp-server",))))
    ours.start()

    with pytest.raises(
        TLSError, match=r"no application protocol in common with the client, which offers h2, http/1\.1"
    ):
        theirs.receive(ours.outgoing())

    with pytest.raises(TLSError, match="no application protocol"):
        ours.receive(theirs.outgoing())


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_session_goes_on_where_both_allow_it_and_is_never_trusted(authority: Authority, version: Version) -> None:
    options = TLSOptions(least=version, most=version, sessions=True)
    context, ours = server(authority, options), client(authority, options)
    first = TLSSession(ours, "gmail.com")
    shake(first, TLSSession(context))
    seen, met = shake(TLSSession(ours, "gmail.com", resume=first.resumable), TLSSession(context))

    assert seen.resumed
    assert met.resumed
    assert met.names == {"contoso.com"}
    assert not met.trusted
    assert [fault.text for fault in met.faults] == ["certificate 0 of the chain: cannot be looked at"]


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_session_of_one_name_can_be_offered_as_another(authority: Authority, version: Version) -> None:
    options = TLSOptions(least=version, most=version, sessions=True)
    context = server(authority, options)
    first = TLSSession(client(authority, options, "contoso.com"), "gmail.com")
    shake(first, TLSSession(context))
    thief = client(authority, options, "evil.example")
    _, met = shake(TLSSession(thief, "gmail.com", resume=first.resumable), TLSSession(context))

    assert met.resumed
    assert met.names == {"contoso.com"}


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_server_that_keeps_no_sessions_looks_at_the_certificate_each_time(
    authority: Authority, version: Version
) -> None:
    context = server(authority, TLSOptions(least=version, most=version))
    ours = client(authority, TLSOptions(sessions=True))
    first = TLSSession(ours)
    shake(first, TLSSession(context))
    seen, met = shake(TLSSession(ours, resume=first.resumable), TLSSession(context))

    assert not seen.resumed
    assert met.trusted


def test_a_server_need_not_ask_for_a_certificate(authority: Authority) -> None:
    _, met = shake(
        TLSSession(client(authority, TLSOptions())),
        TLSSession(server(authority, TLSOptions(asks_for_certificate=False))),
    )

    assert met.certificate is None
    assert met.chain == met.path == met.faults == ()
    assert not met.trusted


def test_our_own_weak_certificate_is_used_on_purpose_only() -> None:
    issuer = Issuer("weak authority")
    weak = issuer.issue("weak.example", key=rsa.generate_private_key(65537, 1024))

    with pytest.raises(CertificateError, match="the given PEM: cannot be used: ee key too small"):
        server_context(weak.certificate, weak.key)

    context = server_context(weak.certificate, weak.key, options=TLSOptions(check_strength=False))
    seen, _ = shake(TLSSession(client_context(authority=issuer.pem, require_peer=False)), TLSSession(context))

    assert [fault.text for fault in seen.faults] == ["certificate 0 of the chain: has a key that is too weak"]


def test_secrets_are_logged_where_the_environment_says(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    logged, other = server(authority, TLSOptions()), authority.issue("other.example")
    by_name = {"other.example": (other.certificate, other.key)}
    chosen = server_context(other.certificate, other.key, by_name=by_name)
    monkeypatch.delenv("SSLKEYLOGFILE")
    silent = client(authority, TLSOptions())
    shake(TLSSession(silent), TLSSession(logged))
    once = (tmp_path / "keys").read_text().splitlines()
    shake(TLSSession(silent, "other.example"), TLSSession(chosen))
    twice = (tmp_path / "keys").read_text().splitlines()

    assert {line.split()[0] for line in once} >= {"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}
    assert all(len(line.split()) == 3 for line in twice)
    assert len(twice) == 2 * len(once)


def test_a_key_log_that_cannot_be_written_is_told_at_once(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "no such folder" / "keys"))

    with pytest.raises(OSError, match="No such file"):
        client(authority, TLSOptions())


def test_what_was_encrypted_before_a_fault_is_given_before_the_error(authority: Authority) -> None:
    ours, theirs = TLSSession(client(authority, TLSOptions())), TLSSession(server(authority, TLSOptions()))
    shake(ours, theirs)
    ours.send(b"in order")

    assert theirs.receive(ours.outgoing() + b"\x17\x03\x03\x00\x20" + bytes(32)) == b"in order"

    with pytest.raises(TLSError, match="bad record mac"):
        theirs.check()

    with pytest.raises(TLSError, match="bad record mac"):
        theirs.receive(b"")


@given(st.binary(max_size=300))
def test_any_bytes_instead_of_a_hello_end_in_an_error_or_in_waiting(authority: Authority, data: bytes) -> None:
    for session in (TLSSession(client(authority, TLSOptions())), TLSSession(server(authority, TLSOptions()))):
        session.start()
        session.outgoing()

        try:
            assert session.receive(data) == b""
        except TLSError as error:
            assert str(error)  # noqa: PT017 - only this kind may come


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_handshake_with_any_byte_changed_ends_in_an_error_or_well(authority: Authority, version: Version) -> None:
    options = TLSOptions(least=version, most=version)
    ours, theirs = client(authority, options), server(authority, options)

    for position in range(0, 2500, 17):
        sessions = TLSSession(ours, "gmail.com"), TLSSession(theirs)
        sessions[0].start()
        passed = 0

        try:
            for turn in range(8):
                data = bytearray(sessions[turn % 2].outgoing())

                if passed <= position < passed + len(data):
                    data[position - passed] ^= 1 << turn % 8

                passed += len(data)
                sessions[1 - turn % 2].receive(bytes(data))
        except TLSError as error:
            assert str(error)  # noqa: PT017 - only this kind may come
