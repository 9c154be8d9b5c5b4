"""Which names in a certificate prove a domain (RFC 6120 §13.7.1.2, RFC 6125 §6, RFC 9525)."""

from __future__ import annotations

import time

import pytest
from cryptography import x509
from cryptography.hazmat.asn1 import IA5String, decode_der
from hypothesis import given
from hypothesis import strategies as st

from simulator.gateway.trust.identities import (
    Identities,
    identities_match,
    matches,
    presented,
    string,
    wildcard_matches,
)
from tests.gateway.trust.minting import dns, mint, names, raw_names, srv, tlv, xmpp

UTF8_STRING, IA5_STRING = 0x0C, 0x16

# domain asked for | identifiers in the certificate | matches
TABLE = """
far.example          | DNS far.example                  | yes  | exactly
FAR.Example.         | DNS far.example                  | yes  | the domain in another spelling
far.example          | DNS Far.EXAMPLE                  | yes  | the certificate in another case
far.example          | DNS other.example                | no   | another name
far.example          | DNS evil.example DNS far.example | yes  | one of two
sub.far.example      | DNS far.example                  | no   | only the parent
far.example          | DNS sub.far.example              | no   | only the child
far.example          | DNS nofar.example                | no   | the end of another label
far.example          | DNS far.example.                 | no   | a trailing dot
far.example          | DNS far.example\\0.evil.example  | no   | a NUL behind the name
far.example          | DNS evil.example\\0.far.example  | no   | a NUL before the name
far.example          | DNS \\_far.example               | no   | a leading space
far.example          | DNS far.example\\_               | no   | a trailing space
far.example          | DNS far..example                 | no   | an empty label
xn--bcher-kva.example | DNS xn--bcher-kva.example       | yes  | A-label for A-label
bücher.example       | DNS XN--BCHER-KVA.example        | yes  | A-label for U-label
bücher.example       | DNS bücher.example               | no   | a U-label where an IA5String belongs
kin.example          | DNS \u212ain.example             | no   | the Kelvin sign is no k in DNS
a.far.example        | DNS *.far.example                | yes  | wildcard
A.FAR.EXAMPLE        | DNS *.Far.example                | yes  | wildcard in another case
xn--bcher-kva.far.example | DNS *.far.example           | yes  | wildcard for an A-label
a.bücher.example     | DNS *.xn--bcher-kva.example      | yes  | wildcard below an A-label
b.a.far.example      | DNS *.far.example                | no   | wildcard for two labels
far.example          | DNS *.far.example                | no   | wildcard for no label
a.b.far.example      | DNS a.*.far.example              | no   | wildcard in the middle
b.a.far.example      | DNS *.*.far.example              | no   | two wildcards
foo.far.example      | DNS f*.far.example               | no   | wildcard behind letters
foo.far.example      | DNS *o.far.example               | no   | wildcard before letters
foo.far.example      | DNS f*o.far.example              | no   | wildcard among letters
foo.far.example      | DNS **.far.example               | no   | two stars
xn--bcher-kva.far.example | DNS xn--*.far.example       | no   | wildcard inside of an A-label
far.example          | DNS *                            | no   | wildcard alone
far.example          | DNS *.                           | no   | wildcard of the root
far.com              | DNS *.com                        | no   | wildcard of a top level
far.co.uk            | DNS *.co.uk                      | no   | wildcard of a public suffix
a.far.co.uk          | DNS *.far.co.uk                  | yes  | wildcard below a public suffix
far.example          | SRV _xmpp-server.far.example     | yes  | SRV-ID
far.example          | SRV _XMPP-Server.FAR.example     | yes  | SRV-ID in another case
bücher.example       | SRV _xmpp-server.xn--bcher-kva.example | yes | SRV-ID with an A-label
far.example          | SRV _xmpp-client.far.example     | no   | SRV-ID for clients
far.example          | SRV xmpp-server.far.example      | no   | SRV-ID without its underscore
far.example          | SRV _xmpp-server._tcp.far.example | no  | SRV-ID as DNS would have it
far.example          | SRV _xmpp-server                 | no   | SRV-ID without a domain
far.example          | SRV _xmpp-server.                | no   | SRV-ID with an empty domain
far.example          | SRV far.example                  | no   | SRV-ID without a service
far.example          | SRV _xmpp-server.far.example\\0x | no   | SRV-ID with a NUL
a.far.example        | SRV _xmpp-server.*.far.example   | yes  | SRV-ID with a wildcard
far.example          | SRV _xmpp-server.*.far.example   | no   | SRV-ID with a wildcard, for no label
far.example          | XMPP far.example                 | yes  | XmppAddr
far.example          | XMPP FAR.example                 | yes  | XmppAddr in another case
bücher.example       | XMPP bücher.example              | yes  | XmppAddr with a U-label
bücher.example       | XMPP BÜCHER.example              | yes  | XmppAddr with a U-label in another case
bücher.example       | XMPP xn--bcher-kva.example       | yes  | XmppAddr with an A-label
far.example          | XMPP juliet@far.example          | no   | XmppAddr of a user
far.example          | XMPP far.example/server          | no   | XmppAddr with a resource
far.example          | XMPP @far.example                | no   | XmppAddr with an empty user
far.example          | XMPP *.far.example               | no   | XmppAddr with a star
a.far.example        | XMPP *.far.example               | no   | XmppAddr has no wildcards
far.example          | XMPP far.example\\0.evil.example | no   | XmppAddr with a NUL
far.example          | XMPP \\_far.example              | no   | XmppAddr with a space
far.example          | XMPPIA5 far.example              | no   | XmppAddr as an IA5String
far.example          | URI xmpp:far.example             | no   | a URI is no identifier of XMPP
far.example          | URI far.example                  | no   | a URI without a scheme
far.example          | MAIL x@far.example               | no   | nor is a mail address
192.0.2.1            | DNS 192.0.2.1                    | no   | an address is no DNS name
4.192.0.2            | DNS *.192.0.2                    | no   | nor has one wildcards
[2001:db8::1]        | DNS [2001:db8::1]                | no   | nor is one in brackets
far.example          |                                  | no   | no name at all
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]


def identifiers(text: str) -> list[bytes]:
    """General names in DER, from the words of the table."""
    words = text.replace("\\0", "\0").split()
    found = []

    for kind, value in zip(words[::2], words[1::2], strict=True):
        octets = value.replace("\\_", " ").encode()

        if kind in ("DNS", "URI", "MAIL"):
            found.append(tlv({"DNS": 0x82, "URI": 0x86, "MAIL": 0x81}[kind], octets))
        else:
            oid = bytes.fromhex("06082b06010505070807" if kind == "SRV" else "06082b06010505070805")
            tag = UTF8_STRING if kind == "XMPP" else IA5_STRING
            found.append(tlv(0xA0, oid + tlv(0xA0, tlv(tag, octets))))

    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[3])
def test_name_proves_a_domain_or_does_not(row: list[str]) -> None:
    domain, given_names, expected, _ = row
    certificate = mint(raw_names(tlv(0x30, b"".join(identifiers(given_names))))).certificate

    assert matches(certificate, domain) is (expected == "yes")


def test_common_name_is_never_looked_at() -> None:
    """RFC 9525 §2, whether names stand beside it or not."""
    assert not matches(mint(common="far.example").certificate, "far.example")
    assert not matches(mint(dns("other.example"), common="far.example").certificate, "far.example")


def test_subject_that_talks_of_common_names_proves_nothing() -> None:
    certificate = mint(common="x, CN=far.example").certificate

    assert not matches(certificate, "far.example")
    assert presented(certificate).common_names == ("x, CN=far.example",)


def test_every_kind_of_name_is_told_apart() -> None:
    certificate = mint(
        names(
            x509.DNSName("a.example"),
            srv("_xmpp-server.b.example"),
            xmpp("c.example"),
            x509.UniformResourceIdentifier("xmpp:d.example"),
        ),
        common="e.example",
    ).certificate

    assert presented(certificate) == Identities(
        dns_ids=("a.example",),
        srv_ids=("_xmpp-server.b.example",),
        xmpp_addrs=("c.example",),
        uri_ids=("xmpp:d.example",),
        common_names=("e.example",),
    )


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\xff\xff",
        tlv(0x30, tlv(0x87, b"abc") + tlv(0x82, b"far.example")),
        tlv(0x30, tlv(0x82, b"\xff.example") + tlv(0x82, b"far.example")),
        tlv(0x30, tlv(0xA3, b"\x30\x00") + tlv(0x82, b"far.example")),
    ],
    ids=["nothing", "junk", "an address of three octets", "no text", "an X.400 address"],
)
def test_names_that_cannot_be_read_prove_nothing(der: bytes) -> None:
    assert not matches(mint(raw_names(der)).certificate, "far.example")


@pytest.mark.parametrize("last", [7, 5], ids=["SRV-ID", "XmppAddr"])
@given(der=st.binary(max_size=12) | st.builds(tlv, st.sampled_from([0x0C, 0x13, 0x16, 0x1E]), st.binary(max_size=300)))
def test_other_names_of_any_content_are_harmless(last: int, der: bytes) -> None:
    oid = tlv(0x06, bytes.fromhex("2b060105050708") + bytes([last]))
    certificate = mint(raw_names(tlv(0x30, tlv(0xA0, oid + tlv(0xA0, der))))).certificate

    assert matches(certificate, "far.example") is False


@given(der=st.binary(max_size=300) | st.builds(tlv, st.sampled_from([0x0C, 0x16]), st.binary(max_size=300)))
def test_strings_are_read_as_a_strict_reader_does(der: bytes) -> None:
    def strictly(tag: int) -> str | None:
        try:
            return decode_der(str, der) if tag == UTF8_STRING else decode_der(IA5String, der).as_str()
        except ValueError:
            return None

    assert string(UTF8_STRING, der) == strictly(UTF8_STRING)
    assert string(IA5_STRING, der) == strictly(IA5_STRING)


LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,3}[a-z0-9])?", fullmatch=True).filter(lambda text: text[2:4] != "--")
DOMAINS = st.lists(LABELS, min_size=2, max_size=4).map(".".join).filter(lambda name: not name[-1].isdigit())


@given(domain=DOMAINS, others=st.lists(DOMAINS, max_size=6))
def test_no_domain_is_accepted_that_nothing_names(domain: str, others: list[str]) -> None:
    given_names = Identities(
        dns_ids=tuple(others),
        srv_ids=tuple(f"_xmpp-server.{name}" for name in others),
        xmpp_addrs=tuple(others),
        uri_ids=(f"xmpp:{domain}", domain),
        common_names=(domain,),
    )

    assert identities_match(given_names, domain) is (domain in others)


@given(text=st.text(max_size=20), domain=DOMAINS)
def test_arbitrary_text_is_no_name_but_itself(text: str, domain: str) -> None:
    if identities_match(Identities(dns_ids=(text,)), domain):
        assert text.isascii()
        assert text.lower() == domain or (text.startswith("*.") and text[1:].lower() == domain[domain.index(".") :])


@given(
    pattern=st.lists(st.sampled_from(["*", "a", "a*", "*a", "b", "xn--*"]), max_size=4), domain=DOMAINS | st.just("a")
)
def test_wildcard_never_spans_labels(pattern: list[str], domain: str) -> None:
    if wildcard_matches(".".join(pattern), domain):
        assert pattern[0] == "*"
        assert pattern[1:] == domain.split(".")[1:]
        assert len(pattern) == len(domain.split(".")) >= 3


@pytest.mark.parametrize(
    "many",
    [
        [x509.DNSName(f"n{number}.example") for number in range(10_000)],
        [x509.DNSName(f"*.n{number}.example") for number in range(10_000)],
        [srv(f"_xmpp-server.n{number}.example") for number in range(10_000)],
        [xmpp(f"ü{number}.example") for number in range(2_500)],
    ],
    ids=["DNS-ID", "wildcards", "SRV-ID", "XmppAddr"],
)
def test_ten_thousand_names_take_no_time_to_speak_of(many: list[x509.GeneralName]) -> None:
    certificate = mint(names(*many)).certificate
    began = time.process_time()

    assert not matches(certificate, "far.example")
    assert time.process_time() - began < 1.0
