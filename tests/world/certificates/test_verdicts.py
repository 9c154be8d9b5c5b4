"""What OpenSSL makes of each kind: of its path, dates, purposes and strength, of its name, and in a handshake.

Faults are ``number@depth``: X509_V_ERR_… of <openssl/x509_vfy.h>, and how far above the leaf (0).
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from OpenSSL import SSL

from simulator.world.ca import CertificateAuthority
from simulator.world.certificates.catalogue import KINDS
from tests.world.certificates.openssl import domain_for, faults, shake_hands

NAME, NOT_FOR_THIS = "62@0", "26@0"
#: security level of RFC 9325: 112 bits, no SHA-1
STRICTLY = ("-x509_strict", "-auth_level", "2")


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Faults of a kind; nothing: OpenSSL is content."""

    path: str = ""
    """`openssl verify -x509_strict -auth_level 2`, for no purpose in particular."""
    client: str = ""
    """Seen by a TLS client to which a server shows it."""
    server: str = ""
    """Seen by a TLS server to which a client shows it."""
    name: bool = True
    """The domain is its name, as HTTPS sees it."""


def _same(path: str, handshake: str = "") -> Expected:
    return Expected(path=path, client=handshake or path, server=handshake or path)


#: kind -> what OpenSSL has against it
AGAINST = {
    "self-signed": _same("18@0"),
    "unknown-ca": _same("20@0", "20@0 21@0"),
    "unknown-ca-along": _same("19@1"),
    "impostor-ca": _same("19@1"),
    "missing-intermediate": _same("20@0", "20@0 21@0"),
    "intermediate-expired": _same("10@1"),
    "intermediate-not-ca": _same("79@1 82@1", "79@1 26@1"),
    "intermediate-no-basic-constraints": _same("79@1 82@1", "79@1"),
    "intermediate-may-not-sign": _same("79@1 32@1", "79@1 26@1 32@1"),
    "path-too-long": _same("25@2"),
    "leaf-signed-by-leaf": _same("79@1 32@1", "79@1 26@1 32@1"),
    "name-constrained": _same("48@0"),
    "bad-signature": _same("7@0"),
    "unknown-critical-extension": _same("34@0"),
    "expired": _same("10@0"),
    "just-expired": _same("10@0"),
    "expired-years-ago": _same("10@0"),
    "not-yet-valid": _same("9@0"),
    "backwards": _same("9@0", "9@0 10@0"),
    "no-client-auth": Expected(server=NOT_FOR_THIS),
    "server-auth-only": Expected(server=NOT_FOR_THIS),
    "client-auth-only": Expected(client=NOT_FOR_THIS),
    "email-protection-only": Expected(client=NOT_FOR_THIS, server=NOT_FOR_THIS),
    # OpenSSL makes nothing of anyExtendedKeyUsage.
    "any-eku": Expected(client=NOT_FOR_THIS, server=NOT_FOR_THIS),
    "xmppaddr-eku": Expected(client=NOT_FOR_THIS, server=NOT_FOR_THIS),
    "wrong-key-usage": Expected(client=NOT_FOR_THIS, server=NOT_FOR_THIS),
    # Both sides of the handshake are told to mind no strength.
    "weak-key": Expected(path="66@0"),
    "p192": Expected(path="66@0"),
    "sha1": Expected(path="68@0"),
    "rsa-sha1": Expected(path="68@0"),
    "md5": Expected(path="68@0"),
    "empty-san": Expected(path="87@0", name=False),
}
#: OpenSSL finds no fault with their paths, and does not find the domain in them.
OTHER_NAMES = """\
wrong-name parent-name child-name host-name-only cn-beside-other-san cn-in-ou wildcard-wrong-level wildcard-apex
wildcard-inner-label wildcard-alone wildcard-a-label wildcard-srv-id srv-id-only srv-id-client-only srv-id-case
xmppaddr-only xmppaddr-user xmppaddr-ia5 xmppaddr-idn uri-id-only ip-address-only trailing-dot nul-in-name leading-space
u-label zero-length-san the-ca-itself v1
"""
#: OpenSSL takes them, and a federated domain may not show them: see the other tests for what is wrong.
UNSEEN = {"ca-as-leaf", "revoked", "revoked-http"}

EXPECTED = {kind: Expected() for kind in KINDS} | {kind: Expected(name=False) for kind in OTHER_NAMES.split()} | AGAINST


def test_every_expectation_is_of_a_kind() -> None:
    assert EXPECTED.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_openssl_verifies_path_and_strength(authority: CertificateAuthority, kind: str) -> None:
    minted = authority.mint(kind, domain_for(kind))

    assert faults(authority, minted, *STRICTLY) == set(EXPECTED[kind].path.split())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if NAME not in EXPECTED[kind].path])
def test_openssl_finds_the_domain_or_not(authority: CertificateAuthority, kind: str) -> None:
    domain = domain_for(kind)
    found = faults(authority, authority.mint(kind, domain), "-verify_hostname", domain)

    # It looks at names when nothing else is wrong.
    if not found - {NAME}:
        assert (NAME not in found) == EXPECTED[kind].name
    else:
        assert found <= set(EXPECTED[kind].path.split())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "p192"])
def test_openssl_sees_it_in_a_handshake(authority: CertificateAuthority, kind: str) -> None:
    seen = shake_hands(authority, authority.mint(kind, domain_for(kind)))

    assert seen.version == "TLSv1.3"
    assert " ".join(seen.seen_by_client) == EXPECTED[kind].client
    assert " ".join(seen.seen_by_server) == EXPECTED[kind].server


def test_no_handshake_shows_a_key_on_p192(authority: CertificateAuthority) -> None:
    with pytest.raises(SSL.Error):
        shake_hands(authority, authority.mint("p192", "far.example"))


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.acceptable_as_server])
def test_openssl_has_nothing_against_what_a_server_may_show(kind: str) -> None:
    assert (EXPECTED[kind].path, EXPECTED[kind].client) == ("", "")


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.acceptable_as_client])
def test_openssl_has_nothing_against_what_a_client_may_show(kind: str) -> None:
    assert (EXPECTED[kind].path, EXPECTED[kind].server) == ("", "")


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.acceptable_as_server is False])
def test_something_is_wrong_with_what_no_server_may_show(kind: str) -> None:
    expected = EXPECTED[kind]

    assert expected.path or expected.client or not expected.name or kind in UNSEEN


def test_wildcard_is_the_first_label_for_openssl_too(authority: CertificateAuthority) -> None:
    minted = authority.mint("wildcard", "im.far.example")

    assert faults(authority, minted, "-verify_hostname", "other.far.example") == set()
    assert faults(authority, minted, "-verify_hostname", "a.im.far.example") == {NAME}


def test_expiry_comes_soon(authority: CertificateAuthority) -> None:
    minted = authority.mint("expires-soon", "far.example")

    assert faults(authority, minted) == set()
    assert faults(authority, minted, "-attime", int(minted.certificate.stat().st_mtime) + 7) == {"10@0"}
    assert authority.mint("expires-soon", "far.example") != minted
