"""What is wrong with a chain is noted by number and depth, and never ends TLS unless that was asked for."""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from simulator.wire.tls import ChainFault, TLSError, TLSInfo, TLSSession, client_context, server_context
from tests.wire.authority import CLIENT_ONLY, DAY, NOW, SERVER_ONLY, Identity, Issuer, key_pem, new_key, shake

ROOT = Issuer("root")
MIDDLE = Issuer("middle", ROOT, length=0)
LOWER = Issuer("lower", MIDDLE)
NO_AUTHORITY = Issuer("no authority", ROOT, ca=False)
UNKNOWN = Issuer("unknown")

ODD = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


def self_signed(name: str) -> Identity:
    own = Issuer(name, ca=False)

    return Identity(own.pem, key_pem(own.key))


GOOD = ROOT.issue("a.example")
#: what is shown, what a server that looks at it notes, what a client that looks at it notes, how long the path is
CASES = {
    "good": (GOOD, [], [], 2),
    "with intermediate": (MIDDLE.issue("a.example", chain=(MIDDLE,)), [], [], 3),
    "with the root": (MIDDLE.issue("a.example", chain=(MIDDLE, ROOT)), [], [], 3),
    "in the wrong order": (MIDDLE.issue("a.example", chain=(ROOT, MIDDLE)), [], [], 3),
    "missing intermediate": (MIDDLE.issue("a.example"), [(20, 0), (21, 0)], [(20, 0), (21, 0)], 0),
    "unknown authority": (UNKNOWN.issue("a.example"), [(20, 0), (21, 0)], [(20, 0), (21, 0)], 0),
    "unknown authority, shown": (UNKNOWN.issue("a.example", chain=(UNKNOWN,)), [(19, 1)], [(19, 1)], 0),
    "self-signed": (self_signed("a.example"), [(18, 0)], [(18, 0)], 0),
    "expired": (ROOT.issue("a.example", since=NOW - 2 * DAY, until=NOW - DAY), [(10, 0)], [(10, 0)], 2),
    "not yet valid": (ROOT.issue("a.example", since=NOW + DAY, until=NOW + 2 * DAY), [(9, 0)], [(9, 0)], 2),
    "below a leaf": (NO_AUTHORITY.issue("a.example", chain=(NO_AUTHORITY,)), [(79, 1)], [(79, 1)], 3),
    "too deep": (LOWER.issue("a.example", chain=(LOWER, MIDDLE)), [(25, 2)], [(25, 2)], 4),
    "critical extension": (ROOT.issue("a.example", ODD), [(34, 0)], [(34, 0)], 2),
    "for servers only": (ROOT.issue("a.example", SERVER_ONLY), [(26, 0)], [], 2),
    "for clients only": (ROOT.issue("a.example", CLIENT_ONLY), [], [(26, 0)], 2),
}


def as_client(identity: Identity, *, require_peer: bool = False) -> TLSInfo:
    """What a server sees of it."""
    ours = client_context(identity.certificate, identity.key, require_peer=False)
    theirs = server_context(GOOD.certificate, GOOD.key, ROOT.pem, require_peer=require_peer)

    return shake(TLSSession(ours), TLSSession(theirs))[1]


def as_server(identity: Identity, *, require_peer: bool = False) -> TLSInfo:
    """What a client sees of it."""
    theirs = server_context(identity.certificate, identity.key)
    ours = client_context(authority=ROOT.pem, require_peer=require_peer)

    return shake(TLSSession(ours), TLSSession(theirs))[0]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("look", [as_client, as_server])
def test_faults_are_noted_and_tls_goes_on(case: str, look: object) -> None:
    shown, at_server, at_client, length = CASES[case]
    seen, expected = (as_client(shown), at_server) if look is as_client else (as_server(shown), at_client)
    certificates = x509.load_pem_x509_certificates(shown.certificate)

    assert [(fault.number, fault.depth) for fault in seen.faults] == expected
    assert seen.trusted is (not expected)
    assert seen.certificate == certificates[0]
    assert list(seen.chain) == certificates
    assert len(seen.path) == length
    assert seen.path[-1:] in ((), (ROOT.certificate,))
    assert not seen.resumed


@pytest.mark.parametrize("case", CASES)
def test_who_insists_refuses_all_faults_but_the_purpose(case: str) -> None:
    shown, at_server, at_client, _ = CASES[case]

    for expected, look in ((at_server, as_client), (at_client, as_server)):
        if expected in ([], [(26, 0)]):
            assert look(shown, require_peer=True).certificate
        else:
            with pytest.raises(TLSError, match=f"certificate verify failed: {ChainFault(*expected[0]).text}"):
                look(shown, require_peer=True)


def test_the_purpose_of_an_intermediate_is_not_asked_for() -> None:
    """Public authorities issue from intermediates for servers only, and their certificates serve both ways."""
    middle = Issuer("for servers", ROOT)
    limited = ROOT.certify("for servers", middle.key, x509.BasicConstraints(ca=True, path_length=None), SERVER_ONLY)
    leaf = middle.issue("a.example", SERVER_ONLY)
    seen = as_client(Identity(leaf.certificate + limited.public_bytes(Encoding.PEM), leaf.key))

    assert seen.faults == (ChainFault(26, 0),)
    assert len(seen.path) == 3


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()])
def test_other_keys_serve_as_well(key: ec.EllipticCurvePrivateKey) -> None:
    assert as_client(ROOT.issue("a.example", key=key)).trusted
    assert as_server(ROOT.issue("a.example", key=key)).trusted


def test_a_fault_says_in_words_what_it_is() -> None:
    assert ChainFault(10, 1).text == "certificate 1 of the chain: has expired"
    assert ChainFault(999, 0).text == "certificate 0 of the chain: X509 error 999"


class Loose:
    """Python's own TLS as the server: it shows a certificate that `cryptography` would not even load for us."""

    def __init__(self, certificate: bytes, key: bytes, folder: Path) -> None:
        (folder / "certificate.pem").write_bytes(certificate)
        (folder / "key.pem").write_bytes(key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._server = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def answer(self, data: bytes) -> bytes:
        self._incoming.write(data)

        with contextlib.suppress(ssl.SSLError):
            self._server.do_handshake()

        return self._outgoing.read()


def meet(certificate: bytes, key: bytes, folder: Path) -> TLSInfo | None:
    """What a client sees of this certificate; None when there was no handshake. Raises nothing but TLSError."""
    client = TLSSession(client_context(authority=ROOT.pem, require_peer=False))
    server = Loose(certificate, key, folder)
    client.start()
    client.receive(server.answer(client.outgoing()))
    client.receive(server.answer(client.outgoing()))

    return client.info


def test_a_certificate_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    key = new_key()
    good = ROOT.certify("a.example", key, SERVER_ONLY)
    der = good.public_bytes(Encoding.DER)
    # version [0] INTEGER 2 (which is X.509 version 3) becomes 9
    odd = der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09", 1)

    with pytest.raises(x509.InvalidVersion):
        x509.load_der_x509_certificate(odd)

    seen = meet(ssl.DER_cert_to_PEM_cert(odd).encode(), key_pem(key), tmp_path)
    assert seen is not None
    assert seen.certificate is None
    assert ChainFault(1, 0) in seen.faults
    assert not seen.trusted
    assert seen.names == frozenset()


def test_a_certificate_with_any_byte_changed_ends_in_a_fault_or_an_error(tmp_path: Path) -> None:
    key = new_key()
    names = x509.SubjectAlternativeName([x509.DNSName("a.example"), x509.DNSName("b.example")])
    der = ROOT.certify("a.example", key, names, SERVER_ONLY).public_bytes(Encoding.DER)
    met = 0

    for position in range(4, len(der) - 80):
        changed = bytearray(der)
        changed[position] ^= 1 << position % 8

        try:
            seen = meet(ssl.DER_cert_to_PEM_cert(bytes(changed)).encode(), key_pem(key), tmp_path)
        except (ssl.SSLError, TLSError):
            continue

        if seen is not None:
            met += 1
            assert not seen.trusted
            assert isinstance(seen.names, frozenset)

    # Most of them are certificates still.
    assert met > 100


def test_a_very_large_certificate_is_refused_and_a_large_one_is_not() -> None:
    ours = client_context(authority=ROOT.pem, require_peer=False)
    key = new_key()

    for count in (2000, 10000):
        names = x509.SubjectAlternativeName([x509.DNSName(f"host{number}.a.example") for number in range(count)])
        many = ROOT.certify("a.example", key, names)
        theirs = server_context(many.public_bytes(Encoding.PEM), key_pem(key))

        if count == 2000:
            assert len(shake(TLSSession(ours), TLSSession(theirs))[0].names) == count
        else:
            # SSL_MAX_CERT_LIST_DEFAULT: OpenSSL takes chains of 100 kB.
            with pytest.raises(TLSError, match="excessive message size"):
                shake(TLSSession(ours), TLSSession(theirs))
