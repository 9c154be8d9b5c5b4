"""Certificates for these tests, right but for what a test asks for, and what a real handshake makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from simulator.gateway.trust.fitness import Role
from simulator.gateway.trust.identities import SRV_NAME, XMPP_ADDR
from simulator.wire.tls import TLSInfo, TLSOptions, TLSSession, client_context, server_context

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
Extension = tuple[x509.ExtensionType, bool]

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
SIGNS_ALL = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
AN_AUTHORITY: tuple[Extension, ...] = ((x509.BasicConstraints(True, None), True), (SIGNS_ALL, True))


@dataclass(frozen=True)
class Identity:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def a_key(kind: str = "P-256") -> Key:
    """A key of this kind, the same each time."""
    if kind.startswith("RSA-"):
        return rsa.generate_private_key(65537, int(kind.removeprefix("RSA-")))

    curves: dict[str, ec.EllipticCurve] = {"P-192": ec.SECP192R1(), "P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}

    if kind in curves:
        return ec.generate_private_key(curves[kind])

    return ed25519.Ed25519PrivateKey.generate() if kind == "Ed25519" else ed448.Ed448PrivateKey.generate()


@cache
def other_key(number: int = 0) -> ec.EllipticCurvePrivateKey:
    """A key that nobody else has."""
    return ec.generate_private_key(ec.SECP256R1())


def a_name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def mint(
    *extensions: Extension,
    issuer: Identity | None = None,
    common: str = "somebody",
    key: Key | None = None,
    before: datetime = NOW - DAY,
    after: datetime = NOW + 30 * DAY,
    serial: int = 0,
    pss: bool = False,
    sha1: bool = False,
) -> Identity:
    """A certificate with exactly these extensions; self-signed without an issuer."""
    key = key or a_key()
    signer = issuer.key if issuer is not None else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(a_name(common))
        .issuer_name(issuer.certificate.subject if issuer is not None else a_name(common))
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(before)
        .not_valid_after(after)
    )

    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)

    own_hash = isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    padding = PSS(MGF1(hashes.SHA256()), 32) if pss else None
    certificate = builder.sign(signer, None if own_hash else hashes.SHA256(), rsa_padding=padding)

    return Identity(_signed_with_sha1(certificate, signer) if sha1 else certificate, key)


def _signed_with_sha1(certificate: x509.Certificate, signer: Key) -> x509.Certificate:
    """The same certificate with a signature that the builder will not make; the signer's key is RSA."""
    assert isinstance(signer, rsa.RSAPrivateKey)
    sha256, sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    inner = certificate.tbs_certificate_bytes.replace(sha256, sha1)
    whole = certificate.public_bytes(Encoding.DER).replace(sha256, sha1).removesuffix(certificate.signature)

    return x509.load_der_x509_certificate(whole + signer.sign(inner, PKCS1v15(), hashes.SHA1()))


@cache
def root() -> Identity:
    """The authority that is trusted."""
    return mint(*AN_AUTHORITY, common="root", key=a_key("RSA-3072"))


def names(*general: x509.GeneralName) -> Extension:
    return x509.SubjectAlternativeName(general), False


def dns(*domains: str) -> Extension:
    return names(*map(x509.DNSName, domains))


def raw_names(der: bytes) -> Extension:
    """The extension of names with any content."""
    return x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, der), False


def tlv(tag: int, content: bytes) -> bytes:
    length = len(content)

    if length < 0x80:
        return bytes([tag, length]) + content

    return bytes([tag, 0x82]) + length.to_bytes(2, "big") + content


def srv(name: str) -> x509.OtherName:
    return x509.OtherName(SRV_NAME, tlv(0x16, name.encode()))


def xmpp(address: str, tag: int = 0x0C) -> x509.OtherName:
    return x509.OtherName(XMPP_ADDR, tlv(tag, address.encode()))


def seen(leaf: Identity, *authorities: Identity) -> TLSInfo:
    """What a handshake shows in which OpenSSL found no fault, at once."""
    path = tuple(one.certificate for one in (leaf, *(authorities or (root(),))))

    return TLSInfo(
        version="TLSv1.3",
        cipher="TLS_AES_256_GCM_SHA384",
        server_name=None,
        application="",
        certificate=leaf.certificate,
        chain=path[:-1],
        path=path,
    )


def shaken(leaf: Identity, role: Role, *chain: Identity, trusted: Sequence[Identity] = ()) -> TLSInfo:
    """What the other side sees in a real handshake in which `leaf` is shown, with `chain`, in this role."""
    shown = b"".join(one.pem for one in (leaf, *chain))
    authority = b"".join(one.pem for one in (trusted or (root(),)))
    weak = TLSOptions(check_strength=False)
    own = mint(dns("us.example"), issuer=root())

    if role is Role.CLIENT:
        judging = TLSSession(server_context(own.pem, own.key_pem, authority))
        showing = TLSSession(client_context(shown, leaf.key_pem, require_peer=False, options=weak))
    else:
        judging = TLSSession(client_context(own.pem, own.key_pem, authority, require_peer=False))
        showing = TLSSession(server_context(shown, leaf.key_pem, options=weak))

    for side in (judging, showing):
        side.start()

    for _ in range(8):
        showing.receive(judging.outgoing())
        judging.receive(showing.outgoing())

    assert judging.info is not None

    return judging.info
