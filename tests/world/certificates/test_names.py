"""The names in each kind of certificate, as `openssl x509` and `openssl asn1parse` read them."""

from __future__ import annotations

import re

import pytest

from simulator.world.ca import CertificateAuthority, Minted
from simulator.world.certificates.catalogue import KINDS
from simulator.world.certificates.naming import RECIPES
from simulator.world.certificates.request import CannotMint
from tests.world.certificates.openssl import domain_for, openssl, text_of

IDN = "xn--mnchen-3ya.far.example"
#: kind -> subject alternative names of its certificate for the domain of `domain_for`, as OpenSSL prints them
PRINTED = {
    "valid": "DNS:im.far.example",
    "wrong-name": "DNS:not-im.far.example",
    "parent-name": "DNS:far.example",
    "child-name": "DNS:child.im.far.example",
    "host-name-only": "DNS:xmpp.im.far.example",
    "cn-beside-other-san": "DNS:not-im.far.example",
    "wildcard": "DNS:*.far.example",
    "wildcard-wrong-level": "DNS:*.example, DNS:*.sub.im.far.example",
    "wildcard-apex": "DNS:*.im.far.example",
    "wildcard-inner-label": "DNS:im.*.example, DNS:*.*.example",
    "wildcard-partial": "DNS:i*.far.example",
    "wildcard-alone": "DNS:*",
    "wildcard-a-label": "DNS:xn--mnchen-3y*.far.example",
    "wildcard-srv-id": "othername: SRVName::_xmpp-server.*.far.example",
    "srv-id-only": "othername: SRVName::_xmpp-server.im.far.example",
    "srv-id-client-only": "othername: SRVName::_xmpp-client.im.far.example",
    "srv-id-case": "othername: SRVName::_XMPP-Server.im.far.example",
    "xmppaddr-only": "othername: XmppAddr::im.far.example",
    "xmppaddr-user": "othername: XmppAddr::user@im.far.example, othername: XmppAddr::im.far.example/resource",
    "xmppaddr-idn": "othername: XmppAddr::münchen.far.example",
    "uri-id-only": "URI:xmpp:im.far.example",
    "ip-address-only": "IP Address:192.0.2.7",
    "mixed-case": "DNS:iM.FaR.ExAmPlE",
    "trailing-dot": "DNS:im.far.example.",
    "leading-space": "DNS: im.far.example",
    "u-label": "DNS:münchen.far.example",
    "idn": f"DNS:{IDN}",
    "two-tenants": "DNS:tenant.example, DNS:im.far.example",
    "zero-length-san": "DNS:",
    "empty-san": "<EMPTY>",
}
#: kind -> names as they are encoded, where printing would hide what matters
ENCODED = {
    # SEQUENCE, [0] otherName, id-on-xmppAddr, [0], IA5String (16)
    "xmppaddr-ia5": bytes.fromhex("301e a01c 06082b06010505070805 a010 160e") + b"im.far.example",
    # SEQUENCE, [2] dNSName of 28 octets
    "nul-in-name": bytes.fromhex("301e 821c") + b"im.far.example\0.evil.example",
}
#: without the extension
NAMELESS = ("name-only-in-cn", "cn-in-ou", "several-cns", "v1")
SUBJECTS = {
    "valid": "O = s2sim, OU = valid",
    "name-only-in-cn": "O = s2sim, OU = name-only-in-cn, CN = im.far.example",
    "cn-beside-other-san": "O = s2sim, OU = cn-beside-other-san, CN = im.far.example",
    "cn-in-ou": 'O = s2sim, OU = "CN=im.far.example,", CN = not-im.far.example',
    "several-cns": "O = s2sim, OU = several-cns, CN = not-im.far.example, CN = im.far.example",
    "empty-subject": "",
}


def encoded_names(minted: Minted) -> bytes:
    """The content of the extension, as OpenSSL finds it by walking through the certificate."""
    walked = openssl("asn1parse", "-in", minted.certificate)
    found = re.search(
        r"X509v3 Subject Alternative Name\s+(?:\d+:.*BOOLEAN.*\s+)?\d+:.*\[HEX DUMP\]:([0-9A-F]*)", walked
    )
    assert found, walked

    return bytes.fromhex(found[1])


@pytest.mark.parametrize("kind", PRINTED)
def test_alternative_names_are_those(authority: CertificateAuthority, kind: str) -> None:
    text = text_of(authority.mint(kind, domain_for(kind)))
    found = re.search(r"X509v3 Subject Alternative Name: ?(?:critical)?\n {16}(.*)\n", text)

    assert found, text
    assert found[1] == PRINTED[kind]


@pytest.mark.parametrize("kind", ENCODED)
def test_alternative_names_are_encoded_so(authority: CertificateAuthority, kind: str) -> None:
    assert encoded_names(authority.mint(kind, domain_for(kind))) == ENCODED[kind]


@pytest.mark.parametrize("kind", NAMELESS)
def test_there_are_no_alternative_names(authority: CertificateAuthority, kind: str) -> None:
    assert "Alternative" not in text_of(authority.mint(kind, domain_for(kind)))


@pytest.mark.parametrize("kind", SUBJECTS)
def test_subject_is_this(authority: CertificateAuthority, kind: str) -> None:
    said = openssl("x509", "-in", authority.mint(kind, domain_for(kind)).certificate, "-noout", "-subject")

    assert said.strip() == f"subject={SUBJECTS[kind]}"


def test_many_names_end_with_the_domain(authority: CertificateAuthority) -> None:
    text = text_of(authority.mint("many-sans", "far.example"))

    assert text.count("DNS:") == 4097
    assert "DNS:n4095.many.example, DNS:far.example\n" in text


def test_every_kind_of_name_is_looked_at() -> None:
    assert RECIPES.keys() <= PRINTED.keys() | ENCODED.keys() | set(NAMELESS) | {"many-sans"}


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind not in RECIPES and kind not in ("v1", "the-ca-itself")]
)
def test_all_other_kinds_name_the_domain(authority: CertificateAuthority, kind: str) -> None:
    assert encoded_names(authority.mint(kind, "far.example")) == bytes.fromhex("300d 820b") + b"far.example"


def test_host_is_named_when_it_is_known(authority: CertificateAuthority) -> None:
    minted = authority.mint("host-name-only", "far.example", host="host7.example")

    assert "DNS:host7.example\n" in text_of(minted)


def test_short_domains_have_wrong_levels_too(authority: CertificateAuthority) -> None:
    assert "DNS:*.sub.far.example\n" in text_of(authority.mint("wildcard-wrong-level", "far.example"))
    assert "DNS:far.*, DNS:*.*\n" in text_of(authority.mint("wildcard-inner-label", "far.example"))


def test_both_spellings_of_a_domain_get_the_same_certificate(authority: CertificateAuthority) -> None:
    assert authority.mint("idn", "MÜNCHEN.far.example") == authority.mint("idn", IDN)


@pytest.mark.parametrize(
    ("kind", "domain", "why"),
    [
        ("idn", "far.example", "needs an internationalized domain"),
        ("u-label", "far.example", "needs an internationalized domain"),
        ("xmppaddr-idn", "far.example", "needs an internationalized domain"),
        ("wildcard-a-label", "far.example", "first label is an A-label"),
        ("ip-address-only", "far.example", "needs an IP address"),
        ("wildcard", "localhost", "two labels or more"),
    ],
)
def test_kind_that_the_domain_cannot_have_is_refused(
    authority: CertificateAuthority, kind: str, domain: str, why: str
) -> None:
    with pytest.raises(CannotMint, match=why):
        authority.mint(kind, domain)
