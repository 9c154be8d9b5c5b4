"""Contents of presence, there and back (RFC 8048 Tables 1 and 2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.gateway.contacts.availability import Availability
from simulator.gateway.frontend.presence.translation import (
    availability_of,
    closed_tuple,
    document_of,
    language_of,
    last_words_of,
    own_tuple,
    resources_of,
)
from simulator.sip.pidf import Presence, PresenceTuple, parse_presence, write_presence
from simulator.xmpp.address import parse_address

JULIET = parse_address("o\\27juliet@gmail.com")
NOTHING = Presence(entity="sip:a@b")

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs"], exclude_characters="\ufffe\uffff"), min_size=1)
AVAILABILITIES = st.builds(
    Availability,
    st.sampled_from(["", "away", "chat", "dnd", "xa"]),
    st.dictionaries(st.sampled_from(["en", "de"]), WORDS, max_size=2).map(lambda notes: tuple(notes.items())),
    st.integers(0, 127),
)
RESOURCES = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=12)


def read(document: Presence) -> dict[str, Availability | None]:
    return {resource: availability_of(each, document, "") for resource, each in resources_of(document, "device")}


@given(st.dictionaries(RESOURCES, AVAILABILITIES, min_size=1, max_size=3))
def test_what_a_contact_shows_comes_back(seen: dict[str, Availability]) -> None:
    """Show, priority and notes of every resource survive a client that knows ``<show/>``."""
    try:
        document = document_of(JULIET, seen, {})
    except ValueError:
        # A resource that is no resource of XMPP never reaches us.
        return

    assert read(parse_presence(write_presence(document))) == seen


def test_document_is_about_the_contact() -> None:
    document = document_of(JULIET, {"7": Availability("dnd", (("", "Busy"),), 1)}, {"home": (("en", "Bye"),)})

    assert document.entity == "sip:o'juliet@gmail.com"
    assert document.tuples == (
        PresenceTuple(
            id="ID-7",
            basic="open",
            show="dnd",
            activities=("busy",),
            availability=6500,
            contact="sip:o'juliet@gmail.com;gr=7",
            priority=7,
            notes=(("", "Busy"),),
        ),
        PresenceTuple(id="ID-home", basic="closed", availability=18500, notes=(("en", "Bye"),)),
    )


def test_person_is_as_available_as_the_most_available_resource() -> None:
    away, busy, here = Availability("away"), Availability("dnd"), Availability()

    assert document_of(JULIET, {"a": away}, {"b": ()}).activities == ("away",)
    assert document_of(JULIET, {"a": busy, "b": Availability("dnd")}, {}).activities == ("busy",)
    assert document_of(JULIET, {"a": away, "b": here}, {}).activities == ()


def test_resource_that_is_back_is_not_gone() -> None:
    document = document_of(JULIET, {"home": Availability()}, {"home": ()})

    assert [each.basic for each in document.tuples] == ["open"]


def test_negative_priority_is_not_mapped() -> None:
    """§6.2 note 6."""
    (found,) = document_of(JULIET, {"x": Availability(priority=-1)}, {}).tuples

    assert found.priority is None


@pytest.mark.parametrize(
    ("each", "show"),
    [
        (PresenceTuple(id="0", basic="open"), ""),
        (PresenceTuple(id="0", basic="open", show="xa", activities=("busy",), availability=3500), "xa"),
        (PresenceTuple(id="0", basic="open", availability=3500), ""),
        (PresenceTuple(id="0", basic="open", availability=4500), "away"),
        (PresenceTuple(id="0", basic="open", availability=6000), "dnd"),
        (PresenceTuple(id="0", basic="open", availability=7500), "dnd"),
        (PresenceTuple(id="0", basic="open", availability=9000), "dnd"),
        (PresenceTuple(id="0", basic="open", availability=12000), "away"),
        (PresenceTuple(id="0", basic="open", availability=15000), "away"),
        (PresenceTuple(id="0", basic="open", availability=3500, activities=("busy",)), "dnd"),
        (PresenceTuple(id="0", basic="open", activities=("away",)), "away"),
        (PresenceTuple(id="0", basic="open", activities=("away", "on-the-phone")), "dnd"),
        (PresenceTuple(id="0", basic="open", activities=("looking-for-work",)), ""),
    ],
)
def test_show_is_the_best_word_for_it(each: PresenceTuple, show: str) -> None:
    found = availability_of(each, NOTHING)

    assert found is not None
    assert found.show == show


@pytest.mark.parametrize(
    "each",
    [
        PresenceTuple(id="0", basic="closed"),
        PresenceTuple(id="0", basic="closed", show="away", availability=3500),
        PresenceTuple(id="0", basic="open", availability=18000),
    ],
)
def test_closed_and_offline_are_unavailable(each: PresenceTuple) -> None:
    assert availability_of(each, NOTHING) is None


def test_neither_open_nor_closed_is_no_news() -> None:
    with pytest.raises(ValueError, match="neither"):
        availability_of(PresenceTuple(id="0", show="away"), NOTHING)


@pytest.mark.parametrize(
    ("each", "document", "language", "notes"),
    [
        (PresenceTuple(id="0", basic="open", notes=(("de", "Tee"),)), NOTHING, "en", (("de", "Tee"),)),
        (PresenceTuple(id="0", basic="open", notes=(("", "Tea"),)), NOTHING, "en, de", (("en", "Tea"),)),
        (
            PresenceTuple(id="0", basic="open"),
            Presence(entity="x", notes=(("", "Tokyo"),)),
            "",
            (("", "Tokyo"),),
        ),
        (
            PresenceTuple(id="0", basic="open", activities=("busy", "on-the-phone", "in-a-meeting")),
            NOTHING,
            "",
            (("en", "on the phone, in a meeting"),),
        ),
        (PresenceTuple(id="0", basic="open", activities=("away",)), NOTHING, "en", ()),
    ],
)
def test_notes_are_the_nearest_words(
    each: PresenceTuple, document: Presence, language: str, notes: tuple[tuple[str, str], ...]
) -> None:
    found = availability_of(each, document, language)

    assert found is not None
    assert found.notes == notes


def test_activity_of_the_person_counts_where_the_tuple_has_none() -> None:
    found = availability_of(PresenceTuple(id="0", basic="open"), Presence(entity="x", activities=("meeting",)))

    assert found == Availability("dnd", (("en", "meeting"),))


def test_last_words_are_those_of_a_closed_tuple() -> None:
    assert last_words_of(closed_tuple("x", (("", "Bye"),)), NOTHING) == Availability(notes=(("", "Bye"),))
    assert last_words_of(closed_tuple("x"), NOTHING) is None


def test_tuples_are_resources() -> None:
    one = PresenceTuple(id="t4109", basic="open")
    other = PresenceTuple(id="ID-home", basic="open")

    # A user agent that knows nothing of resources is the device that it is.
    assert resources_of(Presence(entity="x", tuples=(one,)), "desk") == [("desk", one)]
    assert resources_of(Presence(entity="x", tuples=(other,)), "desk") == [("home", other)]
    assert resources_of(Presence(entity="x", tuples=(one, other)), "desk") == [("t4109", one), ("home", other)]


def test_own_tuple_is_the_open_one() -> None:
    closed, opened = PresenceTuple(id="1", basic="closed"), PresenceTuple(id="2", basic="open")

    assert own_tuple(Presence(entity="x", tuples=(closed, opened))) is opened
    assert own_tuple(Presence(entity="x", tuples=(closed,))) is closed
    assert own_tuple(NOTHING) is None


@pytest.mark.parametrize(
    ("value", "language"), [("en", "en"), ("de-AT, en", "de-AT"), (" fr ", "fr"), ("", ""), ("?", "")]
)
def test_one_language_is_taken(value: str, language: str) -> None:
    assert language_of(value) == language
