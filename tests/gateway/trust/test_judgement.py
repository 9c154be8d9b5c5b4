"""A peer's certificate as a whole: what speaks against it, in words, and what a real handshake adds to that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from simulator.gateway.trust.judgement import Role, is_trusted, judge_certificate
from simulator.gateway.trust.path import expiry
from simulator.gateway.trust.rules import TrustRules
from simulator.wire.tls import TLSInfo
from tests.gateway.trust.minting import (
    AN_AUTHORITY,
    DAY,
    NOW,
    Identity,
    a_key,
    dns,
    mint,
    names,
    other_key,
    root,
    seen,
    shaken,
    srv,
    xmpp,
)

RULES = TrustRules()
DOMAIN = "far.example"
BOTH = pytest.mark.parametrize("role", Role)
SERVER_ONLY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False
CLIENT_ONLY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False


def reasons(info: TLSInfo | None, role: Role, domain: str = DOMAIN, rules: TrustRules = RULES) -> tuple[str, ...]:
    judgement = judge_certificate(info, domain, role, rules=rules)

    assert judgement.acceptable is (not judgement.reasons)

    return judgement.reasons


def leaf(*extensions: tuple[x509.ExtensionType, bool], domain: str = DOMAIN, **more: object) -> Identity:
    return mint(dns(domain), *extensions, **{"issuer": root(), **more})  # type: ignore[arg-type]


def below(*constraints: tuple[x509.ExtensionType, bool], **more: object) -> Identity:
    """An authority below the root."""
    given = {"issuer": root(), "common": "between", "key": other_key(2), **more}

    return mint(*AN_AUTHORITY, *constraints, **given)  # type: ignore[arg-type]


@BOTH
@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-2048", "Ed25519"])
def test_good_certificate_is_acceptable(role: Role, kind: str) -> None:
    info = shaken(leaf(key=a_key(kind)), role)

    assert reasons(info, role) == ()
    assert is_trusted(info, RULES)


@BOTH
def test_good_certificate_below_another_authority_is_acceptable(role: Role) -> None:
    between, stranger = below(), mint(dns("stranger.example"))

    # RFC 8446 §4.4.2: "Implementations SHOULD be prepared to handle potentially extraneous certificates and arbitrary
    # orderings".
    info = shaken(leaf(issuer=between), role, stranger, root(), between)

    assert reasons(info, role) == ()
    assert len(info.path) == 3


@BOTH
def test_certificate_proves_each_of_its_names(role: Role) -> None:
    both = mint(dns(DOMAIN, "*.far.example"), issuer=root())
    info = shaken(both, role)

    assert reasons(info, role) == reasons(info, role, "a.far.example") == ()
    assert reasons(info, role, "b.a.far.example") == (
        "the certificate is for 'far.example', '*.far.example', not for b.a.far.example",
    )


@BOTH
@pytest.mark.parametrize("name", [srv("_xmpp-server.far.example"), xmpp(DOMAIN)], ids=["SRV-ID", "XmppAddr"])
def test_certificate_without_a_dns_name_is_acceptable(role: Role, name: x509.OtherName) -> None:
    assert reasons(shaken(mint(names(name), issuer=root()), role), role) == ()


def test_without_tls_or_certificate_nothing_is_proved() -> None:
    info = replace(seen(leaf()), certificate=None, chain=(), path=())

    assert reasons(None, Role.CLIENT) == ("the connection is not encrypted",)
    assert reasons(info, Role.CLIENT) == ("no certificate was shown",)


FIRST = "certificate 0 of the chain: "


@BOTH
@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: leaf(before=NOW - 20 * DAY, after=NOW - 10 * DAY), FIRST + "has expired"),
        (lambda: leaf(before=NOW + DAY, after=NOW + 2 * DAY), FIRST + "is not valid yet"),
        (lambda: leaf(issuer=None), FIRST + "is self-signed"),
        (lambda: leaf(issuer=mint(*AN_AUTHORITY, common="x", key=other_key(3))), FIRST + "its issuer is not known"),
        (lambda: leaf(issuer=below()), FIRST + "its issuer is not known"),
        (lambda: leaf(*AN_AUTHORITY), "the certificate is that of an authority"),
        (lambda: leaf(key=a_key("RSA-1024")), "the certificate has a weak key"),
        (lambda: leaf(sha1=True), "the certificate is signed with a weak algorithm"),
        (lambda: leaf(domain="other.example"), "the certificate is for 'other.example', not for far.example"),
        (lambda: mint(common=DOMAIN, issuer=root()), "the certificate is for nobody, not for far.example"),
        (
            lambda: leaf((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\5\0"), True)),
            "the certificate has a critical extension that is not known",
        ),
        (
            lambda: leaf((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)),
            "the certificate is not meant for a TLS ",
        ),
    ],
    ids=[
        "expired", "not yet", "self-signed", "unknown authority", "missing intermediate", "authority", "RSA-1024",
        "SHA-1", "wrong name", "common name only", "critical extension", "for mail",
    ],
)  # fmt: skip
def test_defect_is_told(role: Role, make: object, expected: str) -> None:
    info = shaken(make(), role)  # type: ignore[operator]
    found = reasons(info, role)

    assert any(reason.startswith(expected) for reason in found), found


@BOTH
@pytest.mark.parametrize(
    ("between", "words"),
    [
        (lambda: below(before=NOW - 20 * DAY, after=NOW - 10 * DAY), "certificate 1 of the chain: has expired"),
        (
            lambda: mint(issuer=root(), common="between", key=other_key(2)),
            "certificate 1 of the chain: is no authority",
        ),
        (lambda: below(key=a_key("RSA-1024")), "certificate 1 of the path has a weak key"),
        (lambda: below(sha1=True), "certificate 1 of the path is signed with a weak algorithm"),
        (
            lambda: below((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)),
            "certificate 1 of the path may not issue certificates for a TLS ",
        ),
    ],
    ids=["expired", "no authority", "weak key", "SHA-1", "for mail"],
)
def test_defect_of_an_authority_is_told(role: Role, between: object, words: str) -> None:
    authority: Identity = between()  # type: ignore[operator]
    found = reasons(shaken(leaf(issuer=authority), role, authority), role)

    assert any(reason.startswith(words) for reason in found), found


def test_certificate_for_servers_only_is_taken_from_a_client() -> None:
    """Public authorities issue no other; OpenSSL alone would refuse it."""
    between = below(SERVER_ONLY)
    info = shaken(leaf(SERVER_ONLY, issuer=between), Role.CLIENT, between)

    assert info.faults
    assert reasons(info, Role.CLIENT) == ()


def test_certificate_for_clients_only_is_refused_of_a_server() -> None:
    assert reasons(shaken(leaf(CLIENT_ONLY), Role.CLIENT), Role.CLIENT) == ()
    assert reasons(shaken(leaf(CLIENT_ONLY), Role.SERVER), Role.SERVER) == (
        "the certificate is not meant for a TLS server",
    )


def constrained(**trees: list[x509.GeneralName]) -> tuple[x509.ExtensionType, bool]:
    given: dict[str, list[x509.GeneralName] | None] = {"permitted_subtrees": None, "excluded_subtrees": None, **trees}

    return x509.NameConstraints(**given), True


@BOTH
@pytest.mark.parametrize(
    ("constraints", "allowed"),
    [
        (constrained(permitted_subtrees=[x509.DNSName("example")]), True),
        (constrained(permitted_subtrees=[x509.DNSName("Far.Example")]), True),
        (constrained(permitted_subtrees=[x509.DNSName("near.example"), x509.DNSName("far.example")]), True),
        (constrained(permitted_subtrees=[x509.DNSName("near.example")]), False),
        (constrained(permitted_subtrees=[x509.DNSName("ar.example")]), False),
        (constrained(excluded_subtrees=[x509.DNSName("near.example")]), True),
        (constrained(excluded_subtrees=[x509.DNSName("example")]), False),
        (constrained(permitted_subtrees=[x509.RFC822Name("near.example")]), True),
    ],
    ids=["parent", "itself", "one of two", "another", "part of a label", "not excluded", "excluded", "mail"],
)
@pytest.mark.parametrize(
    "name",
    [x509.DNSName(DOMAIN), srv("_xmpp-server.far.example"), xmpp(DOMAIN)],
    ids=["DNS-ID", "SRV-ID", "XmppAddr"],
)
def test_name_constraints_bind_whatever_proves_the_domain(
    role: Role, constraints: tuple[x509.ExtensionType, bool], allowed: bool, name: x509.GeneralName
) -> None:
    between = below(constraints)
    found = reasons(shaken(mint(names(name), issuer=between), role, between), role)

    assert (not found) is allowed, found


def test_path_with_a_gap_proves_nothing() -> None:
    between = below()
    info = seen(leaf(issuer=between), between, root())

    assert reasons(info, Role.CLIENT) == ()
    assert reasons(replace(info, path=(info.path[0], info.path[2])), Role.CLIENT) == (
        "no path to an authority could be looked at",
    )
    assert not is_trusted(replace(info, path=()), RULES)


@BOTH
def test_certificate_that_is_an_authority_of_ours_is_acceptable(role: Role) -> None:
    """A partner's own certificate may stand in our file."""
    pinned = leaf(issuer=None)

    assert reasons(shaken(pinned, role, trusted=[pinned]), role) == ()


def test_revocation_speaks_against_a_certificate() -> None:
    judgement = judge_certificate(
        seen(leaf()), DOMAIN, Role.CLIENT, rules=RULES, revoked=("the certificate is revoked",)
    )

    assert str(judgement) == "the certificate is revoked"


def test_reasons_do_not_grow_with_the_names() -> None:
    many = mint(dns(*(f"n{number}.example" for number in range(10_000))), issuer=root())
    (reason,) = reasons(seen(many), Role.CLIENT)

    assert reason.endswith("'n4.example' and 9995 more, not for far.example")


def test_path_expires_with_its_first_certificate() -> None:
    between = below(after=NOW + 5 * DAY)

    assert expiry(seen(leaf(after=NOW + 9 * DAY, issuer=between), between, root())) == NOW + 5 * DAY
    assert expiry(seen(leaf(after=NOW + 2 * DAY, issuer=between), between, root())) == NOW + 2 * DAY
    assert expiry(replace(seen(leaf(after=NOW + DAY)), path=())) == NOW + DAY
    assert expiry(replace(seen(leaf()), certificate=None, path=())) is None
