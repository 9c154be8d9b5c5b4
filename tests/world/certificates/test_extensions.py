"""Purposes, keys, signatures, dates and structure of the kinds, as OpenSSL prints them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulator.world.ca import CertificateAuthority
from tests.world.certificates.openssl import openssl, text_of

DAY, YEAR = timedelta(days=1), timedelta(days=365)
BOTH = "TLS Web Server Authentication, TLS Web Client Authentication"

#: kind -> lines of `openssl x509 -text` that must be there, and some that must not (after "!")
LINES = {
    "valid": ("CA:FALSE", BOTH, "Digital Signature", "Version: 3 (0x2)", "Public-Key: (256 bit)", "NIST CURVE: P-256"),
    "ca-as-leaf": ("CA:TRUE", "Digital Signature, Certificate Sign"),
    "the-ca-itself": (r"CA:TRUE, pathlen:32", "!TLS Web"),
    "no-client-auth": ("TLS Web Server Authentication, E-mail Protection",),
    "server-auth-only": ("TLS Web Server Authentication", "!Client"),
    "client-auth-only": ("TLS Web Client Authentication", "!Server Auth"),
    "email-protection-only": ("E-mail Protection",),
    "any-eku": ("Any Extended Key Usage",),
    "xmppaddr-eku": ("XmppAddr",),
    "no-eku": ("Digital Signature", "!Extended Key Usage"),
    "no-key-usage": (BOTH, "!Digital Signature"),
    "wrong-key-usage": ("Non Repudiation", "!Digital Signature"),
    "unknown-critical-extension": ("2.25.71432: critical",),
    "unknown-extension": ("2.25.71432:", "!2.25.71432: critical"),
    "must-staple": ("status_request",),
    "ecdsa": ("NIST CURVE: P-256", "Signature Algorithm: ecdsa-with-SHA256"),
    "ecdsa-p384": ("NIST CURVE: P-384",),
    "ed25519": ("Public Key Algorithm: ED25519",),
    "rsa": ("Public-Key: (2048 bit)", "Digital Signature, Key Encipherment", "Signature Algorithm: ecdsa-with-SHA256"),
    "rsa-pss": ("Public Key Algorithm: rsaEncryption", "Signature Algorithm: rsassaPss", "Hash Algorithm: sha256"),
    "weak-key": ("Public-Key: (1024 bit)",),
    "p192": ("NIST CURVE: P-192",),
    "sha1": ("Signature Algorithm: ecdsa-with-SHA1",),
    "rsa-sha1": ("Signature Algorithm: sha1WithRSAEncryption",),
    "md5": ("Signature Algorithm: md5WithRSAEncryption",),
    "v1": ("Version: 1 (0x0)", "!X509v3"),
    "negative-serial": (r"\(Negative\)[0-9a-f:]+",),
    "zero-serial": ("Serial Number: 0 (0x0)",),
    "long-serial": (r"[ ]{12}([0-9a-f]{2}:){39}[0-9a-f]{2}",),
    "empty-subject": (r"Subject:[ ]*", "X509v3 Subject Alternative Name: critical"),
    "distribution-point": ("URI:http://crl.s2sim.example/far.example/current.crl",),
    "revoked-http": ("URI:http://crl.s2sim.example/far.example/current.crl",),
    "crl-stale": ("URI:http://crl.s2sim.example/far.example/stale.crl",),
    "crl-forged": ("URI:http://crl.s2sim.example/far.example/forged.crl",),
    "crl-silent": ("URI:http://crl.s2sim.example/far.example/silent.crl",),
    "crl-unreachable": ("URI:http://gone.s2sim.example/far.example/current.crl",),
    "revoked": ("!Distribution",),
}
#: kind -> how far from now it is good, from and until
GOOD = {
    "valid": (-timedelta(hours=1), YEAR),
    "expired": (-YEAR, -DAY),
    "just-expired": (-DAY, -timedelta(seconds=1)),
    "expired-years-ago": (-10 * YEAR, -9 * YEAR),
    "not-yet-valid": (DAY, YEAR),
    "backwards": (DAY, -DAY),
}
#: kind -> how many certificates are shown
SHOWN = {
    "valid": 1,
    "unknown-ca": 1,
    "unknown-ca-along": 2,
    "impostor-ca": 2,
    "intermediate": 2,
    "missing-intermediate": 1,
    "intermediate-unordered": 3,
    "intermediate-with-root": 3,
    "intermediate-with-others": 4,
    "path-too-long": 3,
    "leaf-signed-by-leaf": 2,
    "long-chain": 21,
}


@pytest.mark.parametrize("kind", LINES)
def test_openssl_prints_what_the_kind_says(authority: CertificateAuthority, kind: str) -> None:
    text = text_of(authority.mint(kind, "far.example"))

    for wanted in LINES[kind]:
        if wanted.startswith("!"):
            assert wanted[1:] not in text
        else:
            pattern = wanted if "[" in wanted else re.escape(wanted)
            assert re.search(rf"^\s*(.*\s)?{pattern}\s*$", text, re.MULTILINE), f"{wanted}\n{text}"


@pytest.mark.parametrize("kind", GOOD)
def test_dates_are_those(authority: CertificateAuthority, kind: str) -> None:
    now = datetime.now(UTC)
    said = openssl("x509", "-in", authority.mint(kind, "dates.example").certificate, "-noout", "-dates")
    dates = [datetime.strptime(date, "%b %d %H:%M:%S %Y %Z") for date in re.findall(r"=(.*)", said)]
    expected = [now + offset for offset in GOOD[kind]]

    assert len(dates) == 2
    assert all(
        abs(one.replace(tzinfo=UTC) - other) < timedelta(seconds=30) for one, other in zip(dates, expected, strict=True)
    )


@pytest.mark.parametrize("kind", SHOWN)
def test_so_many_certificates_are_shown(authority: CertificateAuthority, kind: str) -> None:
    minted = authority.mint(kind, "far.example")

    assert minted.certificate.read_text().count("BEGIN CERTIFICATE") == SHOWN[kind]


def subjects(file: Path) -> list[str]:
    """Of every certificate in a file, in the order of the file."""
    listed = openssl("storeutl", "-noout", "-text", "-certs", file)

    return [subject.replace(" = ", "=") for subject in re.findall(r"Subject: (.*)", listed)]


def test_unordered_chain_has_the_upper_one_first(authority: CertificateAuthority) -> None:
    minted = authority.mint("intermediate-unordered", "far.example")

    assert [subject.rpartition(", ")[2] for subject in subjects(minted.certificate)] == [
        "OU=intermediate-unordered",
        "CN=Intermediate 1 of far.example",
        "CN=Intermediate 2 of far.example",
    ]


def test_impostor_has_the_name_of_the_authority(authority: CertificateAuthority) -> None:
    minted = authority.mint("impostor-ca", "far.example")

    assert subjects(minted.certificate)[1:] == subjects(authority.authority)


def test_twenty_octets_of_serial_at_most(authority: CertificateAuthority) -> None:
    # RFC 5280 §4.1.2.2, for every kind that is not about it.
    said = openssl("x509", "-in", authority.mint("valid", "far.example").certificate, "-noout", "-serial")

    assert re.fullmatch(r"serial=[0-9A-F]{1,40}\n", said)


def test_encoding_is_ber_where_der_belongs(authority: CertificateAuthority) -> None:
    minted = authority.mint("not-der", "far.example")

    assert re.search(r"X509v3 Basic Constraints\n.*BOOLEAN +:1\n", openssl("asn1parse", "-in", minted.certificate))


def test_key_belongs_to_its_certificate(authority: CertificateAuthority) -> None:
    for kind in ("valid", "rsa", "ed25519", "weak-key", "p192", "the-ca-itself"):
        minted = authority.mint(kind, "far.example")
        public = openssl("x509", "-in", minted.certificate, "-noout", "-pubkey")

        assert public == openssl("pkey", "-in", minted.key, "-pubout")
        assert "BEGIN PUBLIC KEY" in public
