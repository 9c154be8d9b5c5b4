"""What concerns the home as a whole: its beginning and end, devices that only listen, values that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.gateway.contacts.availability import Availability, presence_stanza, read_availability
from simulator.gateway.contacts.context import MOST_SENT
from simulator.gateway.contacts.notices import Failed, Requested, Seen
from simulator.gateway.contacts.store import ContactStore, StoreError
from simulator.xmpp.element import ElementError, parse_element, serialize
from simulator.xmpp.subscription import State
from tests.gateway.contacts.stage import ALICE, HERE, JULIET, ROMEO, Stage


def test_a_home_that_is_closed_has_told_everybody_and_goes_on_when_it_is_opened(tmp_path: Path) -> None:
    store = ContactStore(tmp_path / "contacts.sqlite")
    store.open()
    stage = Stage(store=store)
    stage.set_state(State.FROM)
    stage.online("desk", "phone")
    stage.home.close(stage.now)

    assert stage.brief() == [
        "unavailable alice@contoso.com/desk > romeo@far.example",
        "unavailable alice@contoso.com/phone > romeo@far.example",
    ]

    with pytest.raises(StoreError, match="is not open"):
        stage.home.add(ALICE, JULIET, stage.now)

    stage.home.open()

    assert stage.state() is State.FROM
    assert stage.store.online() == set()

    stage.home.close(stage.now)


def test_a_change_that_cannot_be_kept_is_not_sent() -> None:
    """A subscription that is granted and forgotten would be granted to nobody."""
    stage = Stage()
    stage.set_state(State.NPI)
    stage.store._database.close()

    with pytest.raises(StoreError):
        stage.home.accept(ALICE, ROMEO, stage.now)

    assert stage.sent() == []
    assert stage.state() is State.NPI


def test_a_store_that_fails_keeps_nobody_from_being_online() -> None:
    stage = Stage()
    stage.set_state(State.BOTH)
    stage.store._database.close()
    stage.home.available(ALICE, "desk", HERE, stage.now)
    stage.presence("unsubscribe")
    stage.presence("subscribe", "juliet@far.example")
    stage.home.expire(stage.now)
    stage.home.domain_back("far.example", stage.now)

    assert stage.state() is State.BOTH
    assert stage.home.contact(ALICE, JULIET).state is State.NONE
    assert "contacts: the file of contacts in memory cannot be used" in stage.log[0]

    stage.home.unavailable(ALICE, "desk", None, stage.now)

    assert [each.split()[0] for each in stage.brief()][-1] == "unavailable"


def test_a_device_that_listens_sees_and_is_not_seen() -> None:
    stage = Stage()
    stage.set_state(State.BOTH)
    stage.presence("subscribe", "juliet@far.example")
    stage.home.listen(ALICE, "desk", stage.now)

    assert stage.brief() == ["probe alice@contoso.com > romeo@far.example"]
    assert [each.device for each in stage.told() if isinstance(each, Requested)] == ["desk"]

    stage.presence(sender="romeo@far.example/orchard", to="alice@contoso.com/desk")

    assert [type(each) for each in stage.told()] == [Seen]
    assert "type='unavailable'" in stage.presence("probe")[0]

    stage.home.available(ALICE, "desk", HERE, stage.now)
    stage.home.unavailable(ALICE, "desk", None, stage.now)
    stage.home.available(ALICE, "desk", HERE, stage.now)
    stage.clear()
    stage.home.unavailable(ALICE, "desk", None, stage.now)

    assert stage.home.is_online(ALICE)

    stage.home.listen(ALICE, "desk", stage.now, listens=False)

    assert not stage.home.is_online(ALICE)
    assert stage.brief() == ["unavailable alice@contoso.com/desk > romeo@far.example"]


def test_the_clock_is_told_in_seconds_since_1970() -> None:
    stage = Stage()
    stage.home.epoch = 86400.0
    stage.home.add(ALICE, ROMEO, stage.now)

    assert stage.home.epoch == 86400.0
    assert stage.home.contact(ALICE, ROMEO).asked_at == stage.now + 86400.0


def test_only_so_many_stanzas_are_remembered_for_their_errors() -> None:
    stage = Stage()
    stage.home.add(ALICE, ROMEO, stage.now, id="first")

    for _ in range(MOST_SENT):
        stage.home.direct(ALICE, "desk", ROMEO, HERE, stage.now)

    stage.clear()
    error = f"<presence from='{ROMEO}' to='{ALICE}' id='first' type='error'/>"
    stage.receive(error)

    assert stage.told() == []

    stage.home.add(ALICE, ROMEO, stage.now, id="last")
    stage.clear()
    stage.receive(error.replace("first", "last"))

    assert stage.told()[-1] == Failed(ALICE, ROMEO, "subscribe", "undefined-condition")


@pytest.mark.parametrize(
    ("show", "priority", "what"),
    [("busy", 0, "'busy' is no show; those are away, chat, dnd, xa"), ("", 128, "128"), ("", -129, "-129")],
)
def test_an_availability_that_xmpp_does_not_have_is_refused(show: str, priority: int, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Availability(show, priority=priority)


def test_a_note_that_xml_does_not_have_is_refused() -> None:
    with pytest.raises(ElementError, match=r"U\+0000"):
        Availability(notes=(("", "a\0b"),))


def test_an_availability_comes_back_from_its_stanza() -> None:
    before = Availability("xa", (("", "Away"), ("cs", "Pry\u010d")), -7)
    stanza = presence_stanza("a@b/c", "d@e", before, id="p")

    assert read_availability(parse_element(serialize(stanza))) == before
    assert (before.note, HERE.note) == ("Away", "")


def test_a_presence_in_one_language_says_so_for_its_notes() -> None:
    presence = parse_element(
        "<presence xml:lang='en'><status>Away</status><status xml:lang='cs'>Pry\u010d</status></presence>"
    )

    assert read_availability(presence).notes == (("en", "Away"), ("cs", "Pry\u010d"))
