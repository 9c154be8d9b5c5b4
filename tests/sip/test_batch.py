"""Subscriptions to many: lists in all dialects, and notifications there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.sip.batch import RESOURCES, Batch, Part, parse_batch, parse_parts, write_batch, write_parts
from simulator.sip.body import NotXML
from simulator.sip.errors import SIPSyntaxError

#: RFC 5367 §5, cut
RESOURCE_LISTS = b"""<?xml version="1.0" encoding="UTF-8"?>
<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>
<entry uri="sip:bill@example.com"/><entry uri="sip:joe@example.org"/><entry uri="sip:bill@example.com"/>
</list></resource-lists>"""

#: [MS-SIP], the list of a Live Communications Server 2005 client
ADRL = b"""<adhoclist xmlns="urn:ietf:params:xml:ns:adrl" uri="sip:alice@contoso.com" name="sip:alice@contoso.com">
<create xmlns=""><resource uri="sip:bill@example.com"/></create></adhoclist>"""

#: [MS-PRES], with categories that nobody here has
CATEGORIES = b"""<batchSub xmlns="http://schemas.microsoft.com/2006/01/sip/batch-subscribe" uri="sip:a@b.com" name="">
<action name="unsubscribe" id="63792024"><adhocList>
<resource uri="sip:bill@example.com"><context/></resource></adhocList>
<categoryList xmlns="http://schemas.microsoft.com/2006/09/sip/categorylist"><category name="note"/></categoryList>
</action></batchSub>"""

URIS = st.sampled_from(["sip:a@x", "sip:b@x", "sip:c%20d@y"])


@pytest.mark.parametrize(
    ("body", "batch"),
    [
        (RESOURCE_LISTS, Batch(("sip:bill@example.com", "sip:joe@example.org"))),
        (ADRL, Batch(("sip:bill@example.com",))),
        (CATEGORIES, Batch(("sip:bill@example.com",), subscribe=False)),
    ],
)
def test_every_dialect_is_read(body: bytes, batch: Batch) -> None:
    assert parse_batch(body) == batch


@pytest.mark.parametrize("number", [0, RESOURCES + 1])
def test_list_of_nobody_or_of_too_many_is_refused(number: int) -> None:
    entries = "".join(f"<resource uri='sip:u{each}@x'/>" for each in range(number))

    with pytest.raises(NotXML):
        parse_batch(f"<adhocList>{entries}</adhocList>".encode())


def test_resource_without_an_address_is_refused() -> None:
    with pytest.raises(NotXML):
        parse_batch(b"<adhocList><resource/></adhocList>")


@given(st.lists(URIS, min_size=1, unique=True), st.booleans())
def test_list_that_is_written_is_read(uris: list[str], subscribe: bool) -> None:
    batch = Batch(tuple(uris), subscribe)

    assert parse_batch(write_batch("sip:alice@contoso.com", batch)) == batch


@given(
    st.lists(
        st.builds(
            lambda uri, state, reason, body: Part(uri, state, reason, "application/pidf+xml" if body else "", body),
            URIS,
            st.sampled_from(["active", "pending", "terminated"]),
            st.sampled_from(["", "rejected"]),
            st.binary(max_size=60).filter(lambda body: b"b0undary" not in body),
        ),
        max_size=4,
    ),
    st.booleans(),
)
def test_notification_that_is_written_is_read(parts: list[Part], full: bool) -> None:
    content_type, body = write_parts("sip:alice@contoso.com", parts, version=3, full=full, boundary="b0undary.1")

    assert parse_parts(content_type, body) == parts


def test_notification_names_its_list_and_version() -> None:
    content_type, body = write_parts("sip:a@x", [], version=3, full=False, boundary="b.1")

    assert content_type == 'multipart/related;type="application/rlmi+xml";start="<list.b.1@s2sim>";boundary="b.1"'
    assert b'<list xmlns="urn:ietf:params:xml:ns:rlmi" uri="sip:a@x" version="3" fullState="false"/>' in body


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/pidf+xml", b""),
        ("multipart/related", b"--x\r\n\r\n<list/>\r\n--x--"),
        ('multipart/related;boundary="x"', b""),
        ('multipart/related;boundary="x"', b"--x\r\n\r\n<other/>\r\n--x--"),
        ('multipart/related;boundary="x";start="<nobody>"', b"--x--"),
    ],
)
def test_what_is_no_notification_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(SIPSyntaxError):
        parse_parts(content_type, body)


def test_resource_whose_part_is_missing_has_no_body() -> None:
    listed = b"<list><resource uri='sip:a@x'><instance state='active' cid='no'/></resource></list>"
    body = b"--x\r\nContent-Type: a/b\r\n\r\n" + listed

    assert parse_parts('multipart/related;boundary="x"', body) == [Part("sip:a@x", "active")]
