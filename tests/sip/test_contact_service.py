"""The contact list on the server, and what a SERVICE asks for: the documents of [MS-SIP], there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.sip.body import NotXML
from simulator.sip.contact_service import (
    AddGroup,
    ContactList,
    DeleteContact,
    DeleteGroup,
    ListedContact,
    ModifyGroup,
    Operation,
    SetACE,
    SetContact,
    parse_contacts,
    parse_operation,
    with_scheme,
    write_answer,
    write_contacts,
    write_operation,
)
from simulator.sip.watchers import Watcher, parse_watchers, write_microsoft_watchers, write_watchers

#: "4.6 AddContact Example" of [MS-SIP]
ADD_CONTACT = b"""<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/">
<SOAP-ENV:Body><m:setContact xmlns:m="http://schemas.microsoft.com/winrtc/2002/11/sip">
<m:displayName>buddy 1</m:displayName><m:groups /><m:subscribed>true</m:subscribed>
<m:URI>sip:user4@server.contoso.com</m:URI><m:externalURI /><m:deltaNum>12</m:deltaNum>
</m:setContact></SOAP-ENV:Body></SOAP-ENV:Envelope>"""

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20).map(
    str.strip
)
NUMBERS = st.integers(0, 10**6)
URIS = st.sampled_from(["sip:juliet@gmail.com", "sip:o'malley@gmail.com", "sip:f%C3%BC@gmail.com"])
OPERATIONS: st.SearchStrategy[Operation] = st.one_of(
    st.builds(SetContact, URIS, NAMES, st.lists(NUMBERS, max_size=3).map(tuple), st.booleans(), NUMBERS),
    st.builds(DeleteContact, URIS, NUMBERS),
    st.builds(SetACE, URIS, st.sampled_from(["AA", "DA", "BD", "PA"]), st.just("USER"), NUMBERS),
    st.builds(AddGroup, NAMES.filter(bool), NUMBERS),
    st.builds(ModifyGroup, NUMBERS, NAMES.filter(bool), NUMBERS),
    st.builds(DeleteGroup, NUMBERS, NUMBERS),
)
CONTACTS = st.builds(
    ListedContact,
    URIS,
    NAMES,
    st.lists(NUMBERS, max_size=3).map(tuple),
    st.booleans(),
    st.sampled_from(["", "none", "both"]),
    st.sampled_from(["", "subscribe"]),
)


def test_example_of_the_document_is_read() -> None:
    assert parse_operation(ADD_CONTACT) == SetContact("sip:user4@server.contoso.com", "buddy 1", (), True, 12)


@given(OPERATIONS)
def test_operation_that_is_written_is_read(operation: Operation) -> None:
    assert parse_operation(write_operation(operation)) == operation


@pytest.mark.parametrize(
    "content",
    [
        "",
        "<setContact/>",
        "<deleteContact><URI/></deleteContact>",
        "<setACE><mask>sip:a@b</mask><rights>A</rights></setACE>",
        "<addGroup/>",
        "<modifyGroup><name>x</name></modifyGroup>",
        "<deleteGroup/>",
        "<directorySearch/>",
    ],
)
def test_operation_that_lacks_something_is_refused(content: str) -> None:
    with pytest.raises(NotXML):
        parse_operation(f"<Envelope><Body>{content}</Body></Envelope>".encode())


@pytest.mark.parametrize(
    "body", [b"<Envelope/>", b"<Body><setContact/></Body>", b"no", b"<Letter><Body><x/></Body></Letter>"]
)
def test_what_is_no_envelope_is_refused(body: bytes) -> None:
    with pytest.raises(NotXML):
        parse_operation(body)


def test_list_is_written_as_lync_reads_it() -> None:
    listed = ContactList(3, ((1, "~"),), (ListedContact("sip:juliet@gmail.com", "J", (1,), True, "to", "subscribe"),))

    assert write_contacts(listed) == (
        b"<?xml version='1.0' encoding='UTF-8'?>"
        b'<contactList deltaNum="3"><group id="1" name="~" externalURI=""/>'
        b'<contact uri="juliet@gmail.com" name="J" groups="1" subscribed="true" externalURI=""'
        b' xmlns:n5="urn:x-s2sim:contact-list" n5:subscription="to"'
        b' xmlns:n6="urn:x-s2sim:contact-list" n6:ask="subscribe"/></contactList>'
    )


@given(NUMBERS, st.lists(CONTACTS, max_size=4))
def test_list_that_is_written_is_read(delta: int, contacts: list[ListedContact]) -> None:
    listed = ContactList(delta, ((1, "~"), (2, "Family")), tuple(contacts))

    assert parse_contacts(write_contacts(listed)) == listed


def test_changes_that_are_written_are_read() -> None:
    contacts = (ListedContact("sip:a@x"), ListedContact("sip:b@x"))
    changes = ContactList(4, (), contacts, ("sip:c@x",), full=False, added=frozenset({"sip:a@x"}))
    written = write_contacts(changes)

    assert parse_contacts(written) == changes
    assert b'<contactDelta deltaNum="4" prevDeltaNum="3"><addedContact uri="a@x"' in written
    assert b'<modifiedContact uri="b@x"' in written
    assert b'<deletedContact uri="c@x"/>' in written


def test_another_document_is_no_list() -> None:
    with pytest.raises(NotXML):
        parse_contacts(b"<presence/>")


def test_answer_holds_what_is_asked_for() -> None:
    assert b"<m:addGroup><m:groupID>2</m:groupID></m:addGroup>" in write_answer("addGroup", [("groupID", "2")])


@pytest.mark.parametrize(
    ("uri", "expected"),
    [("juliet@gmail.com", "sip:juliet@gmail.com"), ("sip:juliet@gmail.com", "sip:juliet@gmail.com"), ("", "")],
)
def test_scheme_is_put_before_what_has_none(uri: str, expected: str) -> None:
    assert with_scheme(uri) == expected


@given(st.lists(st.builds(Watcher, URIS, st.sampled_from(["pending", "active"]), NAMES), max_size=4), NUMBERS)
def test_watchers_that_are_written_are_read(watchers: list[Watcher], version: int) -> None:
    assert parse_watchers(write_watchers("sip:alice@contoso.com", watchers, version)) == watchers


@given(st.lists(st.builds(Watcher, URIS, st.just("pending"), NAMES), max_size=4))
def test_watchers_that_are_written_for_lync_are_read(watchers: list[Watcher]) -> None:
    assert parse_watchers(write_microsoft_watchers(watchers)) == watchers


def test_watchers_of_the_standard_are_read() -> None:
    """RFC 3858 §5, cut."""
    body = b"""<?xml version="1.0"?><watcherinfo xmlns="urn:ietf:params:xml:ns:watcherinfo" version="0" state="full">
    <watcher-list resource="sip:professor@example.net" package="presence"><watcher status="active" id="8ajksjda7s"
    duration-subscribed="509" event="approved">sip:userA@example.net</watcher><watcher status="pending"
    display-name="Mr. Subscriber" event="subscribe">sip:userB@example.org</watcher></watcher-list></watcherinfo>"""

    assert parse_watchers(body) == [
        Watcher("sip:userA@example.net", "active"),
        Watcher("sip:userB@example.org", "pending", "Mr. Subscriber"),
    ]

    with pytest.raises(NotXML):
        parse_watchers(b"<people/>")
