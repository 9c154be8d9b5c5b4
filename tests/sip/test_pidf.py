"""Presence documents: vectors of the documents that define them, strangers' mistakes, and the way there and back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.sip.body import NotXML
from simulator.sip.pidf import (
    CHARACTERS,
    NOTES,
    TUPLES,
    NotPresence,
    Presence,
    PresenceTuple,
    parse_presence,
    priority_of,
    resource_of,
    thousandths_of,
    tuple_id,
    write_presence,
)

#: RFC 8048 Example 4, but for its From
RFC8048 = b"""<?xml version='1.0' encoding='UTF-8'?>
<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:romeo@example.net'>
  <tuple id='ID-dr4hcr0st3lup4c'>
    <status>
      <basic>open</basic>
      <show xmlns='jabber:client'>away</show>
    </status>
  </tuple>
</presence>"""

#: RFC 3863 §4.5, cut to what is read here, and RFC 4480's activities
RFC3863 = b"""<?xml version="1.0" encoding="UTF-8"?>
<impp:presence xmlns:impp="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"
   xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="pres:someone@example.com">
 <impp:tuple id="bs35r9">
  <impp:status><impp:basic>open</impp:basic></impp:status>
  <impp:contact priority="0.8">im:someone@mobilecarrier.net</impp:contact>
  <impp:note xml:lang="en">Don't Disturb Please!</impp:note>
  <impp:note xml:lang="fr">Ne derangez pas, s'il vous plait</impp:note>
  <impp:timestamp>2001-10-27T16:49:29Z</impp:timestamp>
 </impp:tuple>
 <impp:tuple id="eg92n8">
  <impp:status><impp:basic>closed</impp:basic></impp:status>
  <impp:contact priority="1.0">mailto:someone@example.com</impp:contact>
 </impp:tuple>
 <impp:note>I'll be in Tokyo next week</impp:note>
 <dm:person id="p1"><rpid:activities><rpid:note>x</rpid:note><rpid:on-the-phone/></rpid:activities></dm:person>
</impp:presence>"""

#: what a Lync 2013 client understands of a stranger's, with Lync's own number beside it
LYNC = b"""<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:ep="urn:ietf:params:xml:ns:pidf:status:rpid-status"
  entity="sip:alice@contoso.com"><tuple id="0"><status><basic>open</basic><ep:activities><ep:activity>busy</ep:activity>
  </ep:activities><availability xmlns="http://schemas.microsoft.com/2006/09/sip/state">6500</availability></status>
  </tuple></presence>"""

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9._\-]*")
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs"], exclude_characters="\ufffe\uffff"), min_size=1)
NOTE_LISTS = st.dictionaries(st.sampled_from(["", "en", "de-AT"]), WORDS, max_size=3).map(
    lambda notes: tuple(notes.items())
)


def test_example_of_the_mapping_is_read() -> None:
    assert parse_presence(RFC8048) == Presence(
        entity="pres:romeo@example.net",
        tuples=(PresenceTuple(id="ID-dr4hcr0st3lup4c", basic="open", show="away"),),
    )


def test_example_of_the_format_is_read() -> None:
    assert parse_presence(RFC3863) == Presence(
        entity="pres:someone@example.com",
        tuples=(
            PresenceTuple(
                id="bs35r9",
                basic="open",
                contact="im:someone@mobilecarrier.net",
                priority=800,
                notes=(("en", "Don't Disturb Please!"), ("fr", "Ne derangez pas, s'il vous plait")),
            ),
            PresenceTuple(id="eg92n8", basic="closed", contact="mailto:someone@example.com", priority=1000),
        ),
        notes=(("", "I'll be in Tokyo next week"),),
        activities=("on-the-phone",),
    )


def test_what_lync_says_is_read() -> None:
    (found,) = parse_presence(LYNC).tuples

    assert (found.activities, found.availability) == (("busy",), 6500)


@pytest.mark.parametrize("basic", ["?", "", "OPEN", "open closed"])
def test_neither_open_nor_closed_is_nothing(basic: str) -> None:
    body = RFC8048.replace(b"<basic>open", f"<basic>{basic}".encode())

    assert parse_presence(body).tuples[0].basic == ""


@pytest.mark.parametrize("priority", ["2", "-1", "0.1234", "1.5", "", "0,5", "x"])
def test_priority_that_is_none_is_not_said(priority: str) -> None:
    body = RFC3863.replace(b'"0.8"', f'"{priority}"'.encode())

    assert parse_presence(body).tuples[0].priority is None


def test_documents_of_another_kind_are_refused() -> None:
    with pytest.raises(NotPresence):
        parse_presence(b"<presence/>")

    with pytest.raises(NotXML):
        parse_presence(b"<presence")


def test_what_is_beyond_the_bounds_is_not_read() -> None:
    notes = "".join(f"<note xml:lang='l{number}'>{'x' * (CHARACTERS + 1)}</note>" for number in range(NOTES + 5))
    one = f"<tuple id='t'><status/>{notes}</tuple>"
    found = parse_presence(f"<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='x'>{one}</presence>".encode())
    many = "<tuple id='t'><status/></tuple>" * (TUPLES + 5)
    crowd = parse_presence(f"<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='x'>{many}</presence>".encode())

    assert len(found.tuples[0].notes) == NOTES
    assert {len(text) for _, text in found.tuples[0].notes} == {CHARACTERS}
    assert len(crowd.tuples) == TUPLES


@given(
    st.builds(
        PresenceTuple,
        id=st.text(min_size=1, max_size=20).map(tuple_id),
        basic=st.sampled_from(["open", "closed", ""]),
        show=st.sampled_from(["", "away", "chat", "dnd", "xa"]),
        activities=st.sampled_from([(), ("away",), ("busy", "on-the-phone")]),
        availability=st.none() | st.integers(0, 20000),
        contact=st.just("sip:a@b;gr=c"),
        priority=st.none() | st.integers(0, 1000),
        notes=NOTE_LISTS,
    ),
    NOTE_LISTS,
)
def test_document_that_is_written_is_read(each: PresenceTuple, notes: tuple[tuple[str, str], ...]) -> None:
    written = Presence(entity="sip:a@b", tuples=(each,), notes=notes, activities=("meeting",))

    assert parse_presence(write_presence(written)) == written


@given(st.text(max_size=40))
def test_resource_comes_back_from_its_id(resource: str) -> None:
    identifier = tuple_id(resource)

    assert IDENTIFIER.fullmatch(identifier)
    assert resource_of(identifier) == resource


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_two_resources_share_an_id(one: str, other: str) -> None:
    assert (tuple_id(one) == tuple_id(other)) == (one == other)


def test_foreign_id_is_a_resource_as_it_is() -> None:
    assert resource_of("bs35r9") == "bs35r9"
    # Looks like an escape, and is none of ours: `tuple_id` leaves an "a" as it is.
    assert resource_of("ID-_61_") == "_61_"


def test_every_priority_has_a_number_of_its_own_and_comes_back() -> None:
    """RFC 8048 §6.2 note 6, with its examples."""
    numbers = [thousandths_of(priority) for priority in range(128)]

    assert [numbers[at] for at in (0, 1, 2, 126, 127)] == [0, 7, 15, 992, 1000]
    assert len(set(numbers)) == 128
    assert [priority_of(number) for number in numbers if number is not None] == list(range(128))
    assert thousandths_of(-1) is None
