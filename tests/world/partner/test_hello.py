"""ClientHellos by hand, given to OpenSSL, and what is made of its answers."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from simulator.wire.tls import TLSError, TLSOptions, TLSSession, server_context
from simulator.world.ca import CertificateAuthority
from simulator.world.partner.answer import Answer
from simulator.world.partner.hello import SUITES, client_hello

RANDOM = bytes(range(1, 65))
ECDSA = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"


@pytest.fixture(scope="module")
def authority() -> Iterator[CertificateAuthority]:
    with CertificateAuthority() as made:
        yield made


def said(authority: CertificateAuthority, data: bytes, **options: Any) -> bytes:
    """What a server of OpenSSL answers."""
    minted = authority.mint("ecdsa", "contoso.com")
    session = TLSSession(server_context(minted.certificate, minted.key, options=TLSOptions(**options)))

    with suppress(TLSError):
        session.receive(data)

    return session.outgoing()


def seen(data: bytes) -> dict[str, Any]:
    answer = Answer()
    answer(data)

    return answer.seen()


@pytest.mark.parametrize(
    ("given", "version", "suite"),
    [
        ({}, "TLSv1.3", "TLS_AES_128_GCM_SHA256"),
        ({"grease": True}, "TLSv1.3", "TLS_AES_128_GCM_SHA256"),
        ({"size": 16000}, "TLSv1.3", "TLS_AES_128_GCM_SHA256"),
        ({"size": 40000}, "TLSv1.3", "TLS_AES_128_GCM_SHA256"),
        ({"sni": "contoso.com", "alpn": ["h2"]}, "TLSv1.3", "TLS_AES_128_GCM_SHA256"),
        ({"early": True}, "TLSv1.3", "TLS_AES_128_GCM_SHA256"),
        ({"offers": ["0305", "TLSv1.2"]}, "TLSv1.2", ECDSA),
        ({"offers": None}, "TLSv1.2", ECDSA),
        ({"offers": None, "compression": [1, 0]}, "TLSv1.2", ECDSA),
        ({"version": "0304", "offers": None}, "TLSv1.2", ECDSA),
        ({"offers": None, "suites": ["c02b"]}, "TLSv1.2", ECDSA),
    ],
)
def test_openssl_answers_with_a_hello(
    authority: CertificateAuthority, given: dict[str, Any], version: str, suite: str
) -> None:
    answer = seen(said(authority, client_hello(given, RANDOM)))

    assert answer == {"kind": "hello", "version": version, "suite": suite, "compression": "0"}


@pytest.mark.parametrize(
    ("given", "alert"),
    [
        ({"version": "SSLv3"}, "protocol_version"),
        ({"version": "TLSv1", "offers": None}, "protocol_version"),
        ({"version": "TLSv1.1", "offers": None}, "protocol_version"),
        ({"offers": ["TLSv1.1"]}, "protocol_version"),
        ({"offers": None, "suites": ["TLS_RSA_WITH_RC4_128_SHA"]}, "handshake_failure"),
        ({"offers": None, "suites": list(SUITES)[:10]}, "handshake_failure"),
        ({"compression": []}, "decode_error"),
    ],
)
def test_openssl_answers_with_an_alert(authority: CertificateAuthority, given: dict[str, Any], alert: str) -> None:
    assert seen(said(authority, client_hello(given, RANDOM))) == {"kind": "alert", "alert": alert}


def test_openssl_knows_no_version_2(authority: CertificateAuthority) -> None:
    hello = client_hello({"version": "SSLv2"}, RANDOM)

    # RFC 5246 §E.2: the length with the highest bit, then the message and the version.
    assert hello[0] & 0x80
    assert int.from_bytes(hello[:2]) & 0x7FFF == len(hello) - 2
    assert hello[2:5] == b"\x01\x00\x02"
    assert seen(said(authority, hello))["kind"] in ("alert", "none")


def test_an_unknown_application_is_refused_where_one_is_known(authority: CertificateAuthority) -> None:
    data = said(authority, client_hello({"alpn": ["h2"]}, RANDOM), application=("xmpp-server",))

    assert seen(data) == {"kind": "alert", "alert": "no_application_protocol"}


@pytest.mark.parametrize("size", [0, 2000, 16000, 16384, 50000])
def test_it_is_as_large_as_it_should_be(size: int) -> None:
    data = client_hello({"size": size}, RANDOM)
    records = -(-(len(data)) // (16384 + 5))

    assert max(size, 100) <= len(data) - 5 * records <= max(size, 250)


def test_early_data_stands_behind_the_hello() -> None:
    hello, whole = client_hello({}, RANDOM), client_hello({"early": True}, RANDOM)

    assert len(whole) > len(hello) + 64
    assert whole[-133:-128] == b"\x17\x03\x03\x00\x80"


@pytest.mark.parametrize("given", [{"version": "SSLv4"}, {"offers": ["tomorrow"]}, {"suites": ["the best"]}])
def test_words_that_are_none_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        client_hello(given, RANDOM)


def test_an_answer_may_come_byte_by_byte(authority: CertificateAuthority) -> None:
    data = said(authority, client_hello({}, RANDOM))
    answer = Answer()

    for at in range(len(data)):
        assert answer.hello.is_set() == (answer.seen()["kind"] == "hello")
        answer(data[at : at + 1])

    assert answer.seen() == seen(data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", {"kind": "none"}),
        (b"\x16\x03\x03\x00\x05half", {"kind": "none"}),
        # A warning refuses nothing.
        (b"\x15\x03\x03\x00\x02\x01\x00", {"kind": "none"}),
        (b"\x15\x03\x03\x00\x02\x02\x28", {"kind": "alert", "alert": "handshake_failure"}),
        (b"\x15\x03\x03\x00\x02\x02\xc8", {"kind": "alert", "alert": "200"}),
        (b"</stream:stream>", {"kind": "plaintext", "text": "</stream:stream>"}),
        (b"\x15\x03\x03\x00\x02\x02\x28</stream:stream>", {"kind": "plaintext", "text": "</stream:stream>"}),
    ],
)
def test_records_are_told_from_text(data: bytes, expected: dict[str, str]) -> None:
    assert seen(data) == expected
