"""Which certificates are fit for a server, whatever names they have (RFC 6120 §13.7.1.1, RFC 5280, RFC 9325)."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from simulator.gateway.trust import fitness
from simulator.gateway.trust.fitness import Role
from simulator.gateway.trust.identities import XMPP_ADDR
from tests.gateway.trust.minting import AN_AUTHORITY, Identity, a_key, dns, mint, raw_names, tlv

SERVER_AUTH, CLIENT_AUTH = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
EMAIL, ANY = ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE

# extended key usages, fit for a client, fit for a server
PURPOSES = [
    ([], True, True),
    ([SERVER_AUTH, CLIENT_AUTH], True, True),
    ([SERVER_AUTH], True, True),
    ([CLIENT_AUTH], True, False),
    ([EMAIL], False, False),
    ([EMAIL, ANY], True, True),
    ([ANY], True, True),
    ([XMPP_ADDR], True, True),
    ([EMAIL, SERVER_AUTH], True, True),
]


@pytest.mark.parametrize(("usages", "client", "server"), PURPOSES, ids=lambda value: str(value)[:60])
def test_purpose_fits_a_role(usages: list[x509.ObjectIdentifier], client: bool, server: bool) -> None:
    certificate = mint(*([(x509.ExtendedKeyUsage(usages), False)] if usages else [])).certificate

    assert fitness.purpose_fits(certificate, Role.CLIENT) is client
    assert fitness.purpose_fits(certificate, Role.SERVER) is server


def usage(**bits: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    more = ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")

    return x509.KeyUsage(**{name: bits.get(name, False) for name in (*names, *more)})


@pytest.mark.parametrize(
    ("bits", "fits"),
    [
        (None, True),
        ({"digital_signature": True}, True),
        ({"digital_signature": True, "key_encipherment": True}, True),
        ({"key_encipherment": True}, False),
        ({"key_agreement": True}, False),
        ({"key_cert_sign": True, "crl_sign": True}, False),
    ],
    ids=str,
)
def test_key_must_be_meant_for_signatures(bits: dict[str, bool] | None, fits: bool) -> None:
    certificate = mint(*([(usage(**bits), True)] if bits else [])).certificate

    assert fitness.key_usage_fits(certificate) is fits


@pytest.mark.parametrize(
    ("kind", "strong"),
    [
        ("RSA-1024", False),
        ("RSA-2048", True),
        ("P-192", False),
        ("P-256", True),
        ("P-384", True),
        ("Ed25519", True),
        ("Ed448", True),
    ],
)
def test_key_must_be_strong(kind: str, strong: bool) -> None:
    assert fitness.key_is_strong(mint(key=a_key(kind)).certificate) is strong


def test_key_of_an_unknown_kind_is_not_strong() -> None:
    """A key that nobody here can read, made by another number in the identifier of its algorithm."""
    der = mint().certificate.public_bytes(Encoding.DER)
    ec_public_key, unknown = bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d027f")

    assert ec_public_key in der
    assert not fitness.key_is_strong(x509.load_der_x509_certificate(der.replace(ec_public_key, unknown)))


def test_signature_must_be_strong() -> None:
    rsa = a_key("RSA-2048")

    assert fitness.signature_is_strong(mint().certificate)
    assert fitness.signature_is_strong(mint(key=a_key("Ed25519")).certificate)
    assert fitness.signature_is_strong(mint(key=rsa, pss=True).certificate)
    assert not fitness.signature_is_strong(mint(key=rsa, sha1=True).certificate)


def with_critical(critical: bool) -> Identity:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")

    return mint(dns("far.example"), (unknown, critical))


def test_critical_extension_must_be_known() -> None:
    assert not fitness.extensions_are_known(with_critical(True).certificate)
    assert fitness.extensions_are_known(with_critical(False).certificate)
    assert fitness.extensions_are_known(mint(*AN_AUTHORITY).certificate)


def test_authority_is_told_from_a_leaf() -> None:
    assert fitness.is_authority(mint(*AN_AUTHORITY).certificate)
    assert not fitness.is_authority(mint((x509.BasicConstraints(False, None), True)).certificate)
    assert not fitness.is_authority(mint().certificate)


def test_extensions_that_cannot_be_read_are_noticed() -> None:
    assert fitness.is_readable(mint(dns("far.example")).certificate)
    assert not fitness.is_readable(mint(raw_names(tlv(0x30, tlv(0x87, b"abc")))).certificate)
