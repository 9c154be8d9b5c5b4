"""A certificate before it is signed: everything that it says, true or not, allowed or not.

Knows the structure of RFC 5280 §4.1. Does not know which values are right: that is what the kinds differ in.
The builder of `cryptography` refuses most of what is wrong, so the outer structure is put together here; the
extensions, names, keys and signatures are its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from simulator.world.certificates import der
from simulator.world.certificates.keys import Algorithm, PrivateKey, public_der, usual_algorithm

CLIENT_AUTH, SERVER_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
#: Clocks differ a little, and certificates are shown at once.
BACKDATED = timedelta(hours=1)
LIFETIME = timedelta(days=365)
#: longer than that of any certificate below
AUTHORITY_LIFETIME = timedelta(days=3660)


@dataclass(frozen=True, kw_only=True)
class Extension:
    """The value in DER, and whether whoever does not know it must refuse the certificate."""

    value: bytes
    critical: bool = False
    true: bytes = der.TRUE
    """How `critical` is said: X.690 §11.1 leaves DER one way only, BER many."""


Extensions = Mapping[x509.ObjectIdentifier, Extension]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a certificate will say; values for `replace`."""

    subject: x509.Name
    key: PrivateKey
    """Its public half goes in."""
    not_before: datetime
    not_after: datetime
    extensions: Extensions
    serial: int = field(default_factory=x509.random_serial_number)
    version: int = 3
    """1 has no extensions."""

    def saying(self, *values: x509.ExtensionType, critical: bool = False) -> Draft:
        """With these extensions, instead of those of the same type."""
        given = {value.oid: Extension(value=value.public_bytes(), critical=critical) for value in values}

        return replace(self, extensions={**self.extensions, **given})

    def saying_raw(self, oid: x509.ObjectIdentifier, extension: Extension) -> Draft:
        """With an extension that `cryptography` would not make."""
        return replace(self, extensions={**self.extensions, oid: extension})

    def silent_on(self, *oids: x509.ObjectIdentifier) -> Draft:
        """Without these extensions."""
        return replace(self, extensions={oid: one for oid, one in self.extensions.items() if oid not in oids})

    def named(self, *names: bytes) -> Draft:
        """With these subject alternative names (see `names`) and no other."""
        return self.saying_raw(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, Extension(value=der.sequence(*names)))


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """Who signs: a name, a key, and the certificate that holds both."""

    name: x509.Name
    key: PrivateKey
    certificate: bytes
    """DER."""

    def sign(self, draft: Draft, algorithm: Algorithm | None = None) -> bytes:
        """The certificate, DER."""
        return signed(draft, self.name, self.key, algorithm)


def subject(unit: str = "", *common_names: str) -> x509.Name:
    """A distinguished name: organization, unit and common names, as far as given."""
    given = [
        (NameOID.ORGANIZATION_NAME, "s2sim"),
        *([(NameOID.ORGANIZATIONAL_UNIT_NAME, unit)] if unit else []),
        *((NameOID.COMMON_NAME, name) for name in common_names),
    ]

    return x509.Name([x509.NameAttribute(oid, value) for oid, value in given])


def leaf(name: x509.Name, key: PrivateKey, now: datetime, lifetime: timedelta = LIFETIME) -> Draft:
    """A certificate of a server as it should be, but for its names."""
    # RFC 5280 §4.2.1.3: TLS 1.3 and every ECDHE suite need digitalSignature, the old RSA suites keyEncipherment.
    usage = key_usage(digital_signature=True, key_encipherment=not _signs_only(key))

    return (
        Draft(subject=name, key=key, not_before=now - BACKDATED, not_after=now + lifetime, extensions={})
        .saying(x509.BasicConstraints(ca=False, path_length=None), usage, critical=True)
        .saying(x509.ExtendedKeyUsage([SERVER_AUTH, CLIENT_AUTH]), x509.SubjectKeyIdentifier(identifier(key)))
    )


def authority(name: x509.Name, key: PrivateKey, now: datetime, path_length: int | None = None) -> Draft:
    """A certificate of an authority as it should be."""
    return (
        Draft(subject=name, key=key, not_before=now - BACKDATED, not_after=now + AUTHORITY_LIFETIME, extensions={})
        .saying(
            x509.BasicConstraints(ca=True, path_length=path_length),
            # RFC 6120 §13.7.1.1: an authority's "MUST contain a keyUsage extension with the digitalSignature bit set".
            key_usage(digital_signature=True, key_cert_sign=True, crl_sign=True),
            critical=True,
        )
        .saying(x509.SubjectKeyIdentifier(identifier(key)))
    )


def self_signed(draft: Draft) -> Issuer:
    """The draft's own holder as its issuer."""
    return Issuer(name=draft.subject, key=draft.key, certificate=signed(draft, draft.subject, draft.key))


def below(issuer: Issuer, draft: Draft, algorithm: Algorithm | None = None) -> Issuer:
    """The draft's holder as an issuer, signed by another."""
    return Issuer(name=draft.subject, key=draft.key, certificate=issuer.sign(draft, algorithm))


def signed(draft: Draft, issuer: x509.Name, key: PrivateKey, algorithm: Algorithm | None = None) -> bytes:
    """The certificate, DER (RFC 5280 §4.1)."""
    algorithm = algorithm or usual_algorithm(key)
    authority_key = x509.AuthorityKeyIdentifier(identifier(key), None, None)
    complete = draft.saying(authority_key).extensions
    # "version [0] EXPLICIT Version DEFAULT v1": in DER a default is left out; v3 is the number 2.
    modern = draft.version > 1
    to_be_signed = der.sequence(
        der.explicit(0, der.integer(draft.version - 1)) if modern else b"",
        der.integer(draft.serial),
        algorithm.identifier,
        der.name(issuer),
        der.sequence(der.time(draft.not_before), der.time(draft.not_after)),
        der.name(draft.subject),
        public_der(draft.key),
        der.explicit(3, der.sequence(*_extensions(complete))) if modern else b"",
    )

    return der.sequence(to_be_signed, algorithm.identifier, der.bit_string(algorithm.sign(key, to_be_signed)))


def identifier(key: PrivateKey) -> bytes:
    """The key identifier of RFC 5280 §4.2.1.2 (1): SHA-1 of the key's bits."""
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest


def key_usage(**bits: bool) -> x509.KeyUsage:
    """A key usage of these bits only."""
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    more = ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")

    return x509.KeyUsage(**(dict.fromkeys((*names, *more), False) | bits))


def _extensions(given: Extensions) -> list[bytes]:
    return [
        der.sequence(
            der.oid(oid.dotted_string),
            one.true if one.critical else b"",
            der.element(der.OCTET_STRING, one.value),
        )
        for oid, one in given.items()
    ]


def _signs_only(key: PrivateKey) -> bool:
    return not hasattr(key, "decrypt")
