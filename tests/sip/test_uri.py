"""URIs and name-addr forms; what sipmessage would refuse or rewrite is read and kept."""

from __future__ import annotations

import pytest

from simulator.sip.errors import SIPSyntaxError, UnsupportedScheme
from simulator.sip.uri import parse_name_address, parse_uri, split_list


def test_uri_is_kept_as_it_was_written() -> None:
    # Built anew, the colon would come out as %3A, which RFC 3261 §19.1.4 does not treat as equal.
    raw = "sip:alice@contoso.com;opaque=user:epid:Xy-z;gruu"

    assert parse_uri(raw).raw == raw
    assert parse_uri(raw).parameters["opaque"] == "user:epid:Xy-z"
    assert parse_uri(raw).parameters["gruu"] is None


@pytest.mark.parametrize(
    ("raw", "scheme", "user", "host", "port"),
    [
        ("sip:alice@contoso.com", "sip", "alice", "contoso.com", None),
        ("SIPS:alice@contoso.com:5061", "sips", "alice", "contoso.com", 5061),
        ("sip:contoso.com", "sip", "", "contoso.com", None),
        ("sip:f%C3%BC@sip.example", "sip", "fü", "sip.example", None),
        ("sip:a%40b@c.example", "sip", "a@b", "c.example", None),
        ("sip:alice:secret@contoso.com", "sip", "alice", "contoso.com", None),
        ("sip:+1-555;ext=2?x/y@contoso.com", "sip", "+1-555;ext=2?x/y", "contoso.com", None),
        ("sip:alice@contoso.com?subject=x&body=y", "sip", "alice", "contoso.com", None),
        ("sip:[::1]:5060", "sip", "", "[::1]", 5060),
        ("im:juliet@gmail.com", "im", "juliet", "gmail.com", None),
        ("pres:juliet@gmail.com", "pres", "juliet", "gmail.com", None),
    ],
)
def test_parts_of_uris(raw: str, scheme: str, user: str, host: str, port: int | None) -> None:
    uri = parse_uri(raw)

    assert (uri.scheme, uri.user, uri.host, uri.port) == (scheme, user, host, port)


@pytest.mark.parametrize(
    "raw",
    ["", "alice", "sip:", "sip:@x", "sip:a b@x.example", "sip:a@x.example;p;p", "sip:a%zz@x", "sip:%ff@x.example"],
)
def test_broken_uris_are_refused(raw: str) -> None:
    with pytest.raises(SIPSyntaxError):
        parse_uri(raw)


@pytest.mark.parametrize("raw", ["tel:+15551234", "http://x.example", "mailto:a@x.example"])
def test_foreign_schemes_are_answered_416(raw: str) -> None:
    with pytest.raises(UnsupportedScheme) as caught:
        parse_uri(raw)

    assert caught.value.code == 416


def test_parameters_without_brackets_belong_to_the_header() -> None:
    address = parse_name_address("sip:romeo@example.net;tag=vwxyz")

    assert (address.uri, address.tag) == ("sip:romeo@example.net", "vwxyz")


def test_parameters_inside_brackets_belong_to_the_uri() -> None:
    address = parse_name_address('"A, <B>" <sip:a@b;gr=c>;+sip.instance="<urn:uuid:1>";expires=60')

    assert (address.name, address.uri, address.tag) == ("A, <B>", "sip:a@b;gr=c", None)
    assert address.parameter("expires") == "60"
    assert address.parameter("+sip.instance") == "<urn:uuid:1>"


@pytest.mark.parametrize("value", ["", "<sip:a@b", "sip:a@b>", "Alice sip:a@b", "<sip:a@b> trailing"])
def test_broken_addresses_are_refused(value: str) -> None:
    with pytest.raises(SIPSyntaxError):
        parse_name_address(value)


def test_commas_in_quotes_and_brackets_do_not_split() -> None:
    assert split_list('"x, y" <sip:a@b?h=1,2>;q=1, <sip:c@d>') == ['"x, y" <sip:a@b?h=1,2>;q=1', "<sip:c@d>"]
