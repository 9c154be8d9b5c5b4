"""Many contacts in one subscription, and a user's own lists: of contacts, and of those who ask to be let in."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.sip.batch import LIST_TYPES, Batch, Part, parse_parts, write_batch
from simulator.sip.contact_service import (
    AddGroup,
    ContactList,
    DeleteContact,
    DeleteGroup,
    ListedContact,
    ModifyGroup,
    SetACE,
    SetContact,
    parse_contacts,
)
from simulator.sip.message import Request
from simulator.sip.pidf import parse_presence
from simulator.sip.watchers import Watcher, parse_watchers
from tests.gateway.frontend.presence.phone import Phone, Watch, has_taken, of_juliet, state

ALICE, JULIET, ROMEO = "sip:alice@contoso.com", "sip:juliet@gmail.com", "sip:romeo@gmail.com"
LIST = "Content-Type: application/msrtc-adrl-categorylist+xml"
#: what Lync's clients say with a list
LYNC_LIST = (
    "Require: adhoclist, categoryList",
    "Supported: eventlist",
    "Accept: application/rlmi+xml, multipart/related, text/xml+msrtc.pidf, application/pidf+xml",
    LIST,
)


async def lists(phone: Phone, *uris: str) -> Watch:
    return await phone.subscribes(ALICE, *LYNC_LIST, body=write_batch(ALICE, Batch(uris)))


async def watches_contacts(phone: Phone) -> tuple[Watch, ContactList]:
    accept = "Accept: application/vnd-microsoft-roaming-contacts+xml"
    watch = await phone.subscribes(ALICE, accept, event="vnd-microsoft-roaming-contacts")
    notify = await phone.next_notify()
    assert state(notify).state == "active"

    return watch, parse_contacts(notify.body)


async def watches_pending(phone: Phone, accept: str = "application/watcherinfo+xml") -> tuple[Watch, list[Watcher]]:
    watch = await phone.subscribes(ALICE, f"Accept: {accept}", event="presence.wpending")

    return watch, parse_watchers((await phone.next_notify()).body)


def parts(notify: Request) -> list[Part]:
    return parse_parts(notify.needed("content-type"), notify.body)


async def test_list_is_answered_for_everybody_at_once(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    await lists(phone, JULIET, ROMEO)
    notify = await phone.next_notify()

    assert state(notify).state == "active"
    assert notify.header("require") == "eventlist"
    assert [(each.uri, each.state, each.body) for each in parts(notify)] == [
        (JULIET, "active", b""),
        (ROMEO, "pending", b""),
    ]
    assert b'version="0" fullState="true"' in notify.body
    # Of the two only romeo was not asked before.
    stanza = await inside.next_stanza()
    assert "to='romeo@gmail.com'" in stanza
    assert "type='subscribe'" in stanza


async def test_change_tells_of_one_contact(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    await lists(phone, JULIET, ROMEO)
    await phone.next_notify()
    inside.sends(of_juliet(resource="home", content="<show>dnd</show>"))
    notify = await phone.next_notify()
    (part,) = parts(notify)

    assert b'version="1" fullState="false"' in notify.body
    assert (part.uri, part.state, part.media_type) == (JULIET, "active", "application/pidf+xml")
    assert parse_presence(part.body).tuples[0].activities == ("busy",)


async def test_refusal_of_one_leaves_the_others(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    watch = await lists(phone, JULIET, ROMEO)
    await phone.next_notify()
    inside.sends(of_juliet("unsubscribed").replace("juliet", "romeo"))
    (part,) = parts(await phone.next_notify())

    assert (part.uri, part.state, part.reason) == (ROMEO, "terminated", "rejected")
    assert (await watch.refreshes()).code == 200
    assert [each.state for each in parts(await phone.next_notify())] == ["active", "terminated"]


async def test_refused_contact_is_not_asked_at_every_sign_in(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    inside.sends(of_juliet("unsubscribed"))
    await has_taken(inside)
    await lists(phone, JULIET)

    assert [each.state for each in parts(await phone.next_notify())] == ["terminated"]
    assert inside.stanzas.empty()


async def test_list_can_grow_and_shrink(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    watch = await lists(phone, JULIET)
    await phone.next_notify()
    kind = ("Content-Type", LIST.partition(": ")[2])
    assert (await watch.refreshes(kind, body=write_batch(ALICE, Batch((ROMEO,))))).code == 200
    assert [each.uri for each in parts(await phone.next_notify())] == [ROMEO]
    assert "to='romeo@gmail.com'" in await inside.next_stanza()
    await watch.refreshes(kind, body=write_batch(ALICE, Batch((JULIET,), subscribe=False)))
    assert parts(await phone.next_notify()) == []
    inside.sends(of_juliet(resource="home"))
    await phone.hears_nothing()
    await watch.refreshes()

    assert [each.uri for each in parts(await phone.next_notify())] == [ROMEO]


async def test_what_is_nobody_is_left_out_of_a_list(friends: tuple[Any, Phone]) -> None:
    _, phone = friends
    await lists(phone, "sip:bob@contoso.com", "tel:+1555", "sips:juliet@gmail.com", JULIET)

    assert [each.uri for each in parts(await phone.next_notify())] == [JULIET]


async def test_list_ends_with_its_subscription(friends: tuple[Any, Phone]) -> None:
    _, phone = friends
    watch = await lists(phone, JULIET)
    await phone.next_notify()
    await watch.refreshes(expires=0)

    assert str(state(await phone.next_notify())) == "terminated;reason=timeout"


@pytest.mark.parametrize(
    ("kind", "body", "code"), [("text/plain", b"x", 415), (min(LIST_TYPES), b"x", 400), ("", b"x", 415)]
)
async def test_list_that_cannot_be_read_is_refused(here: tuple[Any, Phone], kind: str, body: bytes, code: int) -> None:
    lines = ("Event: presence", *([f"Content-Type: {kind}"] if kind else []))
    answer = await here[1].wire.asks("SUBSCRIBE", ALICE, *lines, body=body)

    assert answer.code == code
    assert (answer.header("accept") is not None) == (code == 415)


async def test_contact_list_is_told_and_kept_up_to_date(here: tuple[Any, Phone]) -> None:
    inside, phone = here
    _, listed = await watches_contacts(phone)
    assert (listed.full, listed.delta, listed.groups, listed.contacts) == (True, 1, ((1, "~"),), ())

    phone.asks_service(SetContact(JULIET, "Juliet", (1,)))
    changes = parse_contacts((await phone.next_notify()).body)
    assert (await phone.wire.next_response()).code == 200
    assert "type='subscribe'" in await inside.next_stanza()
    assert (changes.full, changes.delta) == (False, 2)
    assert changes.contacts == (ListedContact(JULIET, "Juliet", (1,), True, "none", "subscribe"),)

    inside.sends(of_juliet("subscribed"))
    changes = parse_contacts((await phone.next_notify()).body)
    assert changes.contacts == (ListedContact(JULIET, "Juliet", (1,), True, "to", ""),)

    phone.asks_service(DeleteContact(JULIET))
    changes = parse_contacts((await phone.next_notify()).body)
    assert (await phone.wire.next_response()).code == 200
    assert (changes.contacts, changes.deleted) == ((), (JULIET,))


async def test_name_is_changed_without_asking_again(here: tuple[Any, Phone]) -> None:
    inside, phone = here
    await phone.serves(SetContact(JULIET, "Juliet"))
    await inside.next_stanza()
    await phone.serves(SetContact(JULIET, "Capulet"))
    _, listed = await watches_contacts(phone)

    assert [each.name for each in listed.contacts] == ["Capulet"]
    assert inside.stanzas.empty()


async def test_contact_who_is_added_again_is_asked_again(here: tuple[Any, Phone]) -> None:
    inside, phone = here

    for _ in range(2):
        await phone.serves(SetContact(JULIET, "Juliet"))
        assert "type='subscribe'" in await inside.next_stanza()


async def test_contact_whose_presence_is_not_wanted_is_unsubscribed(here: tuple[Any, Phone]) -> None:
    inside, phone = here
    await phone.serves(SetContact(JULIET, "Juliet"))
    await inside.next_stanza()

    for _ in range(2):
        await phone.serves(SetContact(JULIET, "Juliet", (), subscribed=False))
        assert "type='unsubscribe'" in await inside.next_stanza()

    assert [each.subscribed for each in (await watches_contacts(phone))[1].contacts] == [False]


async def test_groups_are_made_renamed_and_removed(here: tuple[Any, Phone]) -> None:
    inside, phone = here
    answer = await phone.serves(AddGroup("Family"))
    assert b"<m:groupID>2</m:groupID>" in answer.body
    await phone.serves(SetContact(JULIET, "", (2,)))
    await inside.next_stanza()
    _, listed = await watches_contacts(phone)
    assert (listed.groups, listed.contacts[0].groups) == (((1, "~"), (2, "Family")), (2,))

    phone.asks_service(ModifyGroup(2, "Foes"))
    changes = parse_contacts((await phone.next_notify()).body)
    whole = parse_contacts((await phone.next_notify()).body)
    assert (await phone.wire.next_response()).code == 200
    assert changes.contacts[0].groups == whole.contacts[0].groups == (2,)
    assert whole.groups == ((1, "~"), (2, "Foes"))

    phone.asks_service(DeleteGroup(2))
    await phone.next_notify()
    whole = parse_contacts((await phone.next_notify()).body)
    assert (await phone.wire.next_response()).code == 200
    assert (whole.groups, whole.contacts[0].groups) == (((1, "~"),), (1,))

    assert (await phone.serves(DeleteGroup(9))).code == 404


async def test_who_asks_is_shown_and_let_in(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    _, waiting = await watches_pending(phone)
    assert waiting == []
    inside.sends(of_juliet("subscribe"))
    assert parse_watchers((await phone.next_notify()).body) == [Watcher(JULIET)]
    phone.asks_service(SetACE(JULIET, "AA"))
    notify, answer = await phone.next_notify(), await phone.wire.next_response()

    assert (answer.code, parse_watchers(notify.body)) == (200, [])
    assert "type='subscribed'" in await inside.next_stanza()
    assert "from='alice@contoso.com/desk'" in await inside.next_stanza()


@pytest.mark.parametrize("rights", ["DA", "BD"])
async def test_who_asks_is_turned_away(friends: tuple[Any, Phone], rights: str) -> None:
    inside, phone = friends
    await watches_pending(phone)
    inside.sends(of_juliet("subscribe"))
    await phone.next_notify()
    phone.asks_service(SetACE(JULIET, rights))
    notify, answer = await phone.next_notify(), await phone.wire.next_response()

    assert (answer.code, parse_watchers(notify.body)) == (200, [])

    if rights == "DA":
        assert "type='unsubscribed'" in await inside.next_stanza()

    # Who is blocked is not told.
    await has_taken(inside)


async def test_who_is_let_in_before_asking_is_let_in(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    assert (await phone.serves(SetACE(JULIET, "AA"))).code == 200
    inside.sends(of_juliet("subscribe"))

    assert "type='subscribed'" in await inside.next_stanza()


async def test_who_was_let_in_can_be_shut_out(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    await phone.serves(SetACE(JULIET, "AA"))
    inside.sends(of_juliet("subscribe"))
    await inside.next_stanza()
    await inside.next_stanza()
    assert (await phone.serves(SetACE(JULIET, "DA"))).code == 200

    stanzas = [await inside.next_stanza() for _ in range(2)]
    assert any("type='unsubscribed'" in each for each in stanzas)
    assert any("type='unavailable'" in each for each in stanzas)


async def test_who_withdraws_is_no_longer_shown(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    await watches_pending(phone)
    inside.sends(of_juliet("subscribe"))
    await phone.next_notify()
    inside.sends(of_juliet("unsubscribe"))

    assert parse_watchers((await phone.next_notify()).body) == []


async def test_who_waited_before_sign_in_is_shown(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    inside.sends(of_juliet("subscribe"))
    await has_taken(inside)
    _, waiting = await watches_pending(phone, "text/xml+msrtc.wpending")

    assert waiting == [Watcher(JULIET)]


async def test_pending_and_contacts_can_be_polled(here: tuple[Any, Phone]) -> None:
    _, phone = here

    for event in ("presence.wpending", "vnd-microsoft-roaming-contacts"):
        await phone.subscribes(ALICE, "Expires: 0", event=event)
        notify = await phone.next_notify()

        assert str(state(notify)) == "terminated;reason=timeout"
        assert notify.body


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("text/plain", b"x", 415),
        ("application/SOAP+xml", b"x", 400),
        ("application/SOAP+xml", b"<Envelope><Body><directorySearch/></Body></Envelope>", 400),
    ],
)
async def test_service_that_is_not_understood_is_refused(
    here: tuple[Any, Phone], kind: str, body: bytes, code: int
) -> None:
    assert (await here[1].wire.asks("SERVICE", ALICE, f"Content-Type: {kind}", body=body)).code == code


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("sip:bob@contoso.com", 404),
        ("tel:+1555", 416),
        ("sips:juliet@gmail.com", 416),
        ("sip:x@elsewhere.example", 403),
    ],
)
async def test_contact_who_cannot_be_one_is_refused(here: tuple[Any, Phone], uri: str, code: int) -> None:
    inside, phone = here

    assert (await phone.serves(SetContact(uri))).code == code
    assert (await watches_contacts(phone))[1].contacts == ()
    assert inside.stanzas.empty()


async def test_who_has_no_uri_is_not_shown_to_anybody(friends: tuple[Any, Phone]) -> None:
    inside, phone = friends
    await watches_pending(phone)
    # An escape that XEP-0106 would not have written: its URI would be somebody else's.
    inside.sends(of_juliet("subscribe").replace("juliet", "jul\\5ciet"))
    await has_taken(inside)

    await phone.hears_nothing()
    assert any("jul" in line and "dropped" in line for line in inside.lines)
