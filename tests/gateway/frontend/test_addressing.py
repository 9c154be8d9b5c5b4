"""Address mapping: the examples of RFC 7247 §6, and a mapping that never mixes two persons up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.gateway.frontend.addressing import address_of, uri_of
from simulator.sip.errors import SIPError
from simulator.xmpp.address import AddressError


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        # the three examples of §6.4
        ("sip:f%C3%BC@sip.example", "fü@sip.example"),
        ("sip:o'malley@sip.example", "o\\27malley@sip.example"),
        ("sip:foo@sip.example;gr=bar", "foo@sip.example/bar"),
        # step 5
        ("sip:m&m@x.example", "m\\26m@x.example"),
        ("sip:a/b@x.example", "a\\2fb@x.example"),
        # §6.3: a temporary GRUU is not mapped
        ("sip:tgruu.7hs@x.example;gr", "tgruu.7hs@x.example"),
        # A9: what Table 1 forbids in XMPP is escaped, too
        ("sip:a%40b@x.example", "a\\40b@x.example"),
        ("sip:a%20b@x.example", "a\\20b@x.example"),
        ("sip:a%3Ab@x.example", "a\\3ab@x.example"),
        ("sip:a%22%3C%3E@x.example", "a\\22\\3c\\3e@x.example"),
        # a backslash is escaped only where it would be mistaken (XEP-0106 §4.2)
        ("sip:a%5C40b@x.example", "a\\5c40b@x.example"),
        ("sip:a%5Cb@x.example", "a\\b@x.example"),
        ("im:juliet@gmail.com", "juliet@gmail.com"),
        ("sip:Alice@CONTOSO.com:5061;transport=tls", "alice@contoso.com"),
    ],
)
def test_sip_becomes_xmpp(uri: str, address: str) -> None:
    assert str(address_of(uri)) == address


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        # the three examples of §6.5
        ("m\\26m@xmpp.example", "sip:m&m@xmpp.example"),
        ("tschüss@xmpp.example", "sip:tsch%C3%BCss@xmpp.example"),
        ("baz@xmpp.example/qux", "sip:baz@xmpp.example;gr=qux"),
        # step 5: the set #%[\]^`{|}
        ("a#%[]^`{|}@x.example", "sip:a%23%25%5B%5D%5E%60%7B%7C%7D@x.example"),
        ("a\\40b@x.example", "sip:a%40b@x.example"),
        ("a\\5c40b@x.example", "sip:a%5C40b@x.example"),
        ("baz@x.example/ü; q", "sip:baz@x.example;gr=%C3%BC%3B%20q"),
        ("x.example", "sip:x.example"),
        # §6.1: "IDNs are not allowed in the SIP address format"
        ("a@bücher.example", "sip:a@xn--bcher-kva.example"),
    ],
)
def test_xmpp_becomes_sip(address: str, uri: str) -> None:
    assert uri_of(address) == uri


def test_two_spellings_of_one_name_are_not_mixed_up() -> None:
    assert uri_of("a\\b@x.example") == "sip:a%5Cb@x.example"

    with pytest.raises(AddressError):
        uri_of("a\\5cb@x.example")


@pytest.mark.parametrize("uri", ["sip:%20a@x.example", "sip:a%00b@x.example", "tel:+1555", "sip:a@", "alice"])
def test_what_has_no_address_is_refused(uri: str) -> None:
    with pytest.raises(SIPError):
        address_of(uri)


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=30))
def test_every_sip_user_comes_back(user: str) -> None:
    escaped = "".join(f"%{byte:02X}" for byte in user.lower().encode())

    if user != user.strip(" "):
        with pytest.raises(SIPError):
            address_of(f"sip:{escaped}@x.example")
    else:
        back = uri_of(str(address_of(f"sip:{escaped}@x.example")))

        assert address_of(back) == address_of(f"sip:{escaped}@x.example")
        assert bytes.fromhex(escaped.replace("%", "")).decode() == _decoded(back)


@given(
    st.text(st.sampled_from("az09.-_!#$%()*+,;=?[]\\^`{|}~é\u4e2d"), min_size=1, max_size=20),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x17F, exclude_categories=["Cc"]), max_size=20),
)
def test_every_xmpp_address_comes_back_or_is_refused(local: str, resource: str) -> None:
    address = f"{local}@x.example/{resource}" if resource else f"{local}@x.example"

    try:
        uri = uri_of(address)
    except AddressError:
        # Not normal, or not as XEP-0106 would have written it.
        return

    assert uri.isascii()
    assert uri_of(str(address_of(uri))) == uri


def _decoded(uri: str) -> str:
    from urllib.parse import unquote

    return unquote(uri.removeprefix("sip:").partition("@")[0])
