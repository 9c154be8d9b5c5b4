"""Addresses: which are one and the same, and which are none."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slixmpp.jid import JID, InvalidJID

from simulator.xmpp.address import Address, AddressError, dns_name, domain_of, normalize_domain, parse_address


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Juliet@Im.Example.COM/Balcony", ("juliet", "im.example.com", "Balcony")),
        ("im.example.com", ("", "im.example.com", "")),
        ("example.com/a@b/c", ("", "example.com", "a@b/c")),
        ("a@b./c d", ("a", "b", "c d")),
        ("MÜLLER@münchen.example/Büro", ("müller", "münchen.example", "Büro")),
        ("a@[::0001]", ("a", "[::1]", "")),
        ("o\\27hara@127.0.0.1", ("o\\27hara", "127.0.0.1", "")),
    ],
)
def test_an_address_is_normalised(text: str, parts: tuple[str, str, str]) -> None:
    address = parse_address(text)

    assert (address.local, address.domain, address.resource) == parts
    assert parse_address(str(address)) == address
    assert domain_of(text) == parts[1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@b",
        "a@",
        "b/",
        "a@b/",
        "a@b@c",
        "a b@c",
        'a"b@c',
        "a@b c",
        "a@b..c",
        "a@-b",
        "a@b-",
        "a@b:5269",
        "a@b!",
        "a\x01@b",
        "a@b/\x7f",
        "a@b/\u0001ä",
        "ä ö@b",
        "a@ä ö",
        "a@[::1",
        "a@[1.2.3.4]",
        "a@xn--\u00e4",
        "a@xn--zzzzzzzzzz99999999",
        "a@xn--abc-.example",
        "a" * 1024 + "@b",
        "a@b/" + "ä" * 512,
        "a@" + "b" * 64,
        "a@" + "ü" * 63,
        ".".join(["b" * 50] * 6),
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse_address(text)


@pytest.mark.parametrize("text", ["a@b", "b/c", "ä@ö", "ö/c"])
def test_a_domain_is_no_more_than_a_domain(text: str) -> None:
    with pytest.raises(AddressError, match="where a domain is wanted"):
        normalize_domain(text)


@pytest.mark.parametrize(
    "spelling",
    [
        "xn--mnchen-3ya.example",
        "XN--MNCHEN-3YA.Example.",
        "MÜNCHEN.example",
        "münchen。example",
        "mu\u0308nchen.example",
    ],
)
def test_one_domain_has_many_spellings(spelling: str) -> None:
    # RFC 7622 §3.2: case, the final dot, and A-labels do not count.
    assert normalize_domain(spelling) == "münchen.example"
    assert dns_name(normalize_domain(spelling)) == "xn--mnchen-3ya.example"


def test_a_domain_too_long_for_dns_has_no_dns_name() -> None:
    with pytest.raises(AddressError, match="no form that DNS can carry"):
        dns_name("ü" * 63)


def test_the_bare_address_has_no_resource() -> None:
    assert parse_address("a@b/c").bare == parse_address("a@b") == Address("a", "b")
    assert parse_address("a@b").bare is parse_address("a@b")


# slixmpp refuses "--" in third place, which RFC 5891 §4.2.3.1 forbids in U-labels only; hosts like r3---a exist.
labels = st.text("abcXYZ019-", min_size=1, max_size=8).filter(lambda label: label[2:4] != "--")


@given(
    st.text("aZ0.!-_~'\"& <>:", max_size=6),
    st.lists(labels, min_size=1, max_size=3).map(".".join),
    st.text("aZ @/&'\x7f", max_size=5),
)
def test_ascii_is_judged_as_slixmpp_does(local: str, domain: str, resource: str) -> None:
    """Our short cut for ASCII, checked by a stranger."""
    text = (f"{local}@" if local else "") + domain + (f"/{resource}" if resource else "")

    try:
        theirs = JID(text)
    except InvalidJID:
        with pytest.raises(AddressError):
            parse_address(text)
    else:
        assert parse_address(text) == Address(theirs.user, theirs.domain, theirs.resource)


@given(st.text(max_size=12))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressError:
        return

    assert parse_address(str(address)) == address


def test_ascii_addresses_do_not_load_slixmpp() -> None:
    code = (
        "import sys; from simulator.xmpp.address import parse_address; parse_address('A@b.c/D');"
        "sys.exit('slixmpp' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
