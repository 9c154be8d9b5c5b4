"""Presence of a user agent against a scripted server, which does what a good one would not, or not yet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from simulator.sip import batch, pidf
from simulator.sip.message import Request
from simulator.sip.pidf import Presence, PresenceTuple, parse_presence, write_presence
from simulator.wire.listener import listen
from simulator.world.users.habits import Habits
from simulator.world.users.sip.sip_user import SIPUser
from simulator.world.users.user import PRESENCE, REFUSAL, SUBSCRIPTION, Unable
from tests.world.users.arrivals import arrived
from tests.world.users.sip_server import Server

ALICE, JULIET = "alice@contoso.com", "juliet@gmail.com"
LYNC, PLAIN = Habits(uses_presence=True), Habits(uses_presence=True, dialect="rfc8048")

Make = Callable[[Habits], Awaitable[SIPUser]]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def make(server: Server) -> AsyncIterator[Make]:
    listener = await listen("127.0.0.1", 0, server.accepted)
    users = []

    async def user(habits: Habits) -> SIPUser:
        one = SIPUser(ALICE, "127.0.0.1", listener.port, server.journal, habits=habits)
        users.append(one)
        await one.sign_in()

        return one

    yield user

    for one in users:
        await one.sign_out()

    await listener.close()


def document(resource: str, basic: str = "open", entity: str = f"sip:{JULIET}", **parts: Any) -> bytes:
    return write_presence(Presence(entity=entity, tuples=(PresenceTuple(id=f"ID-{resource}", basic=basic, **parts),)))


async def asked(user: SIPUser, server: Server) -> Request:
    """Alice adds Juliet in the plain dialect; the SUBSCRIBE that asks for it."""
    await user.add_contact(JULIET)

    return await server.next("SUBSCRIBE")


# -- as a subscriber


async def test_a_notification_may_overtake_the_answer(server: Server, make: Make) -> None:
    server.overtakes = True
    alice = await make(LYNC)

    assert await alice.contact_list() == {}
    assert not server.violations()


async def test_a_server_without_lists_is_signed_in_at_all_the_same(server: Server, make: Make) -> None:
    server.codes["SUBSCRIBE"] = [489, 489]
    alice = await make(LYNC)

    with pytest.raises(Unable, match="contact-lists"):
        await alice.contact_list()


async def test_pending_shows_nothing_and_active_everything(server: Server, make: Make) -> None:
    alice = await make(PLAIN)
    subscribe = await asked(alice, server)
    server.notify(subscribe, "pending;expires=60")
    assert await server.answered() == 200
    nothing = list(alice.inbox.arrivals)
    server.notify(subscribe, "active;expires=60", content_type=pidf.MEDIA_TYPE, body=document("balcony", show="chat"))
    told, seen = await arrived(alice, SUBSCRIPTION), await arrived(alice, PRESENCE)

    assert not nothing
    assert (told["from"], told["type"]) == (JULIET, "subscribed")
    assert (seen["from"], seen["show"]) == (f"{JULIET}/balcony", "chat")


async def test_what_is_told_twice_arrives_once(server: Server, make: Make) -> None:
    alice = await make(PLAIN)
    subscribe = await asked(alice, server)

    for show in ("away", "away", "dnd"):
        body = document("balcony", show=show)
        server.notify(subscribe, "active;expires=60", content_type=pidf.MEDIA_TYPE, body=body)
        assert await server.answered() == 200

    shows = [arrival.fields["show"] for arrival in alice.inbox.arrivals if arrival.what == PRESENCE]

    assert shows == ["away", "dnd"]


async def test_a_resource_that_is_mentioned_no_more_is_gone(server: Server, make: Make) -> None:
    alice = await make(PLAIN)
    subscribe = await asked(alice, server)

    for resource in ("balcony", "chamber"):
        body = document(resource)
        server.notify(subscribe, "active;expires=60", content_type=pidf.MEDIA_TYPE, body=body)
        assert await server.answered() == 200

    seen = [(arrival.fields["from"], arrival.fields["type"]) for arrival in alice.inbox.arrivals][1:]

    assert seen == [
        (f"{JULIET}/balcony", "available"),
        (f"{JULIET}/chamber", "available"),
        (f"{JULIET}/balcony", "unavailable"),
    ]


async def test_presence_of_somebody_else_is_the_server_s_fault(server: Server, make: Make) -> None:
    alice = await make(PLAIN)
    subscribe = await asked(alice, server)
    body = document("balcony", entity="sip:romeo@gmail.com")
    server.notify(subscribe, "active;expires=60", content_type=pidf.MEDIA_TYPE, body=body)
    await server.answered()

    assert "romeo" in server.violations()[0]
    assert not [arrival for arrival in alice.inbox.arrivals if arrival.what == PRESENCE]


@pytest.mark.parametrize("change", [{"call_id": "strange"}, {"tag": "strange"}])
async def test_a_strange_notification_gets_481(server: Server, make: Make, change: dict[str, Any]) -> None:
    alice = await make(PLAIN)
    subscribe = await asked(alice, server)
    server.notify(subscribe, "active;expires=60", **change)

    assert await server.answered() == 481


async def test_a_refused_subscription_is_told_with_its_diagnostics(server: Server, make: Make) -> None:
    server.codes["SUBSCRIBE"] = [403]
    server.headers["SUBSCRIBE"] = [("ms-diagnostics", '12101;reason="closed"')]
    alice = await make(PLAIN)
    await alice.add_contact(JULIET)
    refused = await arrived(alice, REFUSAL)

    assert (refused["from"], refused["code"]) == (JULIET, 403)
    assert refused["diagnostics"] == '12101;reason="closed"'


@pytest.mark.parametrize(
    ("reason", "what", "said"),
    [
        ("rejected", SUBSCRIPTION, "unsubscribed"),
        ("noresource", REFUSAL, "item-not-found"),
        ("giveup", REFUSAL, "remote-server-timeout"),
    ],
)
async def test_the_end_says_why(server: Server, make: Make, reason: str, what: str, said: str) -> None:
    alice = await make(PLAIN)
    subscribe = await asked(alice, server)
    server.notify(subscribe, f"terminated;reason={reason}")
    told = await arrived(alice, what)

    assert said in (told.get("type"), *told.get("conditions", ()))


async def test_a_subscription_is_refreshed_before_it_ends(server: Server, make: Make) -> None:
    server.headers["SUBSCRIBE"] = [("Expires", "1")]
    alice = await make(PLAIN)
    first = await asked(alice, server)
    again = await server.next("SUBSCRIBE")

    assert again.call_id == first.call_id
    assert again.to.tag is not None
    assert again.cseq[0] == first.cseq[0] + 1


async def test_what_a_notification_says_of_its_duration_counts(server: Server, make: Make) -> None:
    """RFC 6665 §4.1.3."""
    alice = await make(PLAIN)
    first = await asked(alice, server)
    server.notify(first, "active;expires=1")

    assert (await server.next("SUBSCRIBE")).call_id == first.call_id


@pytest.mark.parametrize(("refusal", "code"), [(500, 200), (403, 200), (408, 200), (404, 481), (481, 481), (604, 481)])
async def test_a_refused_refresh_ends_a_subscription_only_with_some_codes(
    server: Server, make: Make, refusal: int, code: int
) -> None:
    """RFC 6665 §4.1.2.2."""
    alice = await make(LYNC)
    listed = await server.next("SUBSCRIBE")
    # Who is on the list, and who waits for an answer.
    assert [await server.answered() for _ in range(2)] == [200, 200]
    server.codes["SUBSCRIBE"] = [refusal]

    with pytest.raises(ConnectionError, match=f"is not told: {refusal}"):
        await alice.contact_list()

    server.notify(listed, "active")
    assert await server.answered() == code


async def test_a_refused_refresh_leaves_what_was_granted_and_no_more(server: Server, make: Make) -> None:
    server.headers["SUBSCRIBE"] = [("Expires", "1")]
    alice = await make(PLAIN)
    first = await asked(alice, server)
    server.codes["SUBSCRIBE"] = [500]
    await server.next("SUBSCRIBE")
    code = 200

    while code == 200:
        server.notify(first, "active")
        code = await server.answered()

    assert code == 481
    # Nobody asks for more of what is over.
    assert server.requests.empty()


@pytest.mark.parametrize(("refusal", "code"), [(500, 200), (481, 481)])
async def test_a_refused_end_is_refused_like_a_refresh(server: Server, make: Make, refusal: int, code: int) -> None:
    """RFC 6665 §4.1.2.3: "Unsubscribing is handled in the same way as refreshing of a subscription"."""
    alice = await make(PLAIN)
    first = await asked(alice, server)
    server.codes["SUBSCRIBE"] = [refusal]
    await alice.remove_contact(JULIET)
    server.notify(first, "active")

    assert await server.answered() == code


async def test_a_list_is_told_in_one_notification(server: Server, make: Make) -> None:
    alice = await make(LYNC)
    await alice.add_contact(JULIET)

    while (subscribe := await server.next("SUBSCRIBE")).header("event") != "presence":
        pass

    parts = [batch.Part(f"sip:{JULIET}", "active", "", pidf.MEDIA_TYPE, document("balcony"))]
    kind, body = batch.write_parts("sip:list", parts, version=0, full=True, boundary="b")
    server.notify(subscribe, "active;expires=60", content_type=kind, body=body, method="BENOTIFY")
    told, seen = await arrived(alice, SUBSCRIPTION), await arrived(alice, PRESENCE)

    assert batch.parse_batch(subscribe.body).uris == (f"sip:{JULIET}",)
    assert told["type"] == "subscribed"
    assert seen["from"] == f"{JULIET}/balcony"
    # A BENOTIFY has no answer: those that came are to the notifications of the two lists.
    assert server.answers.qsize() == 2


# -- what is published


async def test_a_publication_replaces_the_one_before(server: Server, make: Make) -> None:
    server.headers["PUBLISH"] = [("SIP-ETag", "one"), ("Expires", "60")]
    alice = await make(LYNC)
    first = await server.next("PUBLISH")
    server.codes["PUBLISH"] = [412]
    await alice.set_presence(show="away", note={"en": "Out", "de": "Fort"})
    second, third = await server.next("PUBLISH"), await server.next("PUBLISH")
    shown = parse_presence(third.body).tuples[0]

    assert first.header("sip-if-match") is None
    assert second.header("sip-if-match") == "one"
    assert third.header("sip-if-match") is None
    assert (shown.basic, shown.show, shown.activities, shown.availability) == ("open", "away", ("away",), 15000)
    assert shown.notes == (("en", "Out"), ("de", "Fort"))


# -- as a notifier (RFC 8048 §5.2)


def subscribe_to(server: Server, contact: str, *, expires: int = 60, event: str = "presence", tag: str = "") -> None:
    headers = [
        ("To", f"<sip:{ALICE}>{f';tag={tag}' if tag else ''}"),
        ("From", f"<sip:{contact}>;tag=juliet"),
        ("Call-ID", "watch" if tag or expires else "poll"),
        ("CSeq", f"{100 if tag else 1} SUBSCRIBE"),
        ("Contact", "<sip:gateway@127.0.0.1>"),
        ("Event", event),
        ("Expires", str(expires)),
    ]
    server.send("SUBSCRIBE", f"sip:{ALICE}", headers)


async def notified(server: Server) -> tuple[str, bytes]:
    request = await server.next("NOTIFY")

    return request.needed("subscription-state"), request.body


async def test_who_asks_waits_until_the_person_decides(server: Server, make: Make) -> None:
    alice = await make(PLAIN)
    subscribe_to(server, JULIET)
    assert await server.answered() == 200
    waiting = await notified(server)
    told = await arrived(alice, SUBSCRIPTION)
    await alice.accept(JULIET)
    granted = await notified(server)
    await alice.set_presence(show="dnd")
    _, changed = await notified(server)
    await alice.cancel(JULIET)
    ended = await notified(server)

    assert waiting == ("pending;expires=60", b"")
    assert (told["from"], told["type"]) == (JULIET, "subscribe")
    assert granted[0] == "active;expires=60"
    assert parse_presence(granted[1]).tuples[0].basic == "open"
    assert parse_presence(changed).tuples[0].show == "dnd"
    assert ended == ("terminated;reason=rejected", b"")


async def test_who_was_let_in_and_looks_away_is_let_go(server: Server, make: Make) -> None:
    alice = await make(PLAIN)
    subscribe_to(server, JULIET)
    waiting = await server.next("NOTIFY")
    await arrived(alice, SUBSCRIPTION)
    await alice.accept(JULIET)
    await notified(server)
    subscribe_to(server, JULIET, expires=0, tag=waiting.sender.tag or "")
    ended, told = await notified(server), await arrived(alice, SUBSCRIPTION)

    assert ended == ("terminated;reason=timeout", b"")
    assert told["type"] == "unsubscribe"


async def test_a_poll_tells_only_those_who_may_see(server: Server, make: Make) -> None:
    alice = await make(PLAIN)
    subscribe_to(server, JULIET, expires=0)
    stranger = await notified(server)
    await alice.accept(JULIET)
    subscribe_to(server, JULIET, expires=0)
    friend = await notified(server)

    assert stranger == ("terminated;reason=timeout", b"")
    assert parse_presence(friend[1]).tuples[0].basic == "open"
    assert not alice.inbox.arrivals


async def test_what_is_not_presence_or_not_wanted_is_refused(server: Server, make: Make) -> None:
    alice = await make(PLAIN)
    subscribe_to(server, JULIET, event="dialog")
    package = await server.answered()
    subscribe_to(server, JULIET, tag="unknown")
    dialog = await server.answered()
    await alice.block(JULIET)
    subscribe_to(server, JULIET)

    assert (package, dialog, await server.answered()) == (489, 481, 603)
    assert not alice.inbox.arrivals
