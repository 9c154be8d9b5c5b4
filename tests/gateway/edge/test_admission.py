"""What is believed and what is let through on a stream to the edge, and how such a stream ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulator.gateway.rules import Rules
from simulator.xmpp.element import parse_element
from simulator.xmpp.events import (
    DialbackResult,
    DialbackVerify,
    StreamClosed,
    StreamError,
    StreamFeatures,
    StreamHeader,
)


@pytest.fixture
async def site(world: Any) -> Any:
    partners = [world.partner("gmail.com", additional_domains=("googlemail.com",))]

    return await world.site("contoso.com", "sub.contoso.com", partners=partners)


def stanza(sender: str, to: str) -> str:
    return f"<message from='{sender}' to='{to}'><body>hello</body></message>"


async def test_wrong_answers_on_the_verifying_stream_are_dropped(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="contoso.com"))
    await peer.expect(StreamFeatures)
    peer.send(DialbackResult(sender="gmail.com", to="contoso.com", key="abc"))
    authoritative = await fake.next()
    await authoritative.accept()
    asked = await authoritative.expect(DialbackVerify)
    right = DialbackVerify(sender="gmail.com", to="contoso.com", id=asked.id, type="valid")

    for wrong in (
        {"id": "other"},
        {"sender": "evil.example"},
        {"to": "sub.contoso.com"},
        {"type": None},
        {"type": "VALID"},
    ):
        authoritative.send(replace(right, **wrong))

    authoritative.send(replace(right, type="invalid"))
    assert (await peer.expect(DialbackResult)).type == "invalid"


async def test_an_answer_on_another_stream_is_not_believed(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    peer = await world.dial(site)
    peer.send(StreamHeader(sender="gmail.com", to="contoso.com"))
    ours = await peer.expect(StreamHeader)
    await peer.expect(StreamFeatures)
    peer.send(DialbackResult(sender="gmail.com", to="contoso.com", key="abc"))
    authoritative = await fake.next()
    await authoritative.accept()
    await authoritative.expect(DialbackVerify)
    # The attacker's own inbound stream is where the id is known (DBK-053, DBK-054).
    peer.send(DialbackVerify(sender="gmail.com", to="contoso.com", id=ours.id, type="valid"))
    peer.send(DialbackResult(sender="gmail.com", to="contoso.com", type="valid"))
    peer.send(DialbackVerify(sender="gmail.com", to="contoso.com", id="barrier", key="y"))
    assert (await peer.expect(DialbackVerify)).id == "barrier"


async def test_a_repeated_request_is_verified_once(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="contoso.com"))
    await peer.expect(StreamFeatures)

    for _ in range(5):
        peer.send(DialbackResult(sender="gmail.com", to="contoso.com", key="abc"))

    await fake.verify()
    assert (await peer.expect(DialbackResult)).type == "valid"
    peer.send(DialbackVerify(sender="gmail.com", to="contoso.com", id="barrier", key="y"))
    assert isinstance(await peer.next(), DialbackVerify)
    assert fake.peers.empty()


@pytest.mark.parametrize(
    ("sender", "to", "condition"),
    [
        ("juliet@googlemail.com", "alice@contoso.com", "invalid-from"),
        ("juliet@mail.gmail.com", "alice@contoso.com", "invalid-from"),
        ("juliet@evilgmail.com", "alice@contoso.com", "invalid-from"),
        ("alice@contoso.com", "alice@contoso.com", "invalid-from"),
        ("juliet@gmail.com", "alice@nowhere.example", "host-unknown"),
        ("juliet@gmail.com", "alice@sub.contoso.com", "host-unknown"),
        ("juliet@gmail.com", "@contoso.com", "improper-addressing"),
        ("juliet@gmail.com", "", "improper-addressing"),
        ("", "alice@contoso.com", "improper-addressing"),
    ],
)
async def test_a_stanza_of_another_pair_is_refused(world: Any, site: Any, sender: str, to: str, condition: str) -> None:
    fake = await world.listen("gmail.com")
    peer = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    peer.send_text(stanza(sender, to))
    await peer.fails(condition)
    assert site.link.crossed.empty()


async def test_valid_pairs_do_not_make_a_cross_product(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com", "googlemail.com")
    peer = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    peer.send(DialbackResult(sender="googlemail.com", to="sub.contoso.com", key="abc"))
    await fake.verify()
    assert (await peer.expect(DialbackResult)).type == "valid"
    peer.send_text(stanza("a@googlemail.com", "bob@sub.contoso.com"))
    assert (await site.link.next()).get("to") == "bob@sub.contoso.com"
    peer.send_text(stanza("a@gmail.com", "bob@sub.contoso.com"))
    await peer.fails("invalid-from")


async def test_a_stanza_before_authentication_is_refused(world: Any, site: Any) -> None:
    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="contoso.com"))
    await peer.expect(StreamFeatures)
    peer.send_text(stanza("juliet@gmail.com", "alice@contoso.com"))
    await peer.fails("not-authorized")
    assert site.link.crossed.empty()


async def test_keys_of_ours_are_confirmed_and_no_others(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(parse_element(stanza("alice@contoso.com", "juliet@gmail.com")))
    outbound = await fake.next()
    await outbound.accept(id="their id")
    key = (await outbound.expect(DialbackResult)).key
    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="contoso.com"))
    await peer.expect(StreamFeatures)

    right = DialbackVerify(sender="gmail.com", to="contoso.com", id="their id", key=key)
    wrong = [
        {"id": "other"},
        {"key": "0" * 64},
        {"key": key.upper()},
        {"sender": "evil.example"},
        {"to": "sub.contoso.com"},
    ]

    for change in ({}, *wrong):
        request = replace(right, **change)
        peer.send(request)
        answer = await peer.expect(DialbackVerify)
        assert (answer.sender, answer.to, answer.id) == (request.to, request.sender, request.id)
        assert answer.type == ("invalid" if change else "valid"), change

    peer.send(replace(right, to="nowhere.example"))
    answer = await peer.expect(DialbackVerify)
    assert (answer.type, answer.condition) == ("error", "item-not-found")


async def test_starttls_that_is_not_offered_fails(world: Any, site: Any) -> None:
    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="contoso.com"))
    await peer.expect(StreamFeatures)
    peer.send_text("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    assert (await peer.next()).element.tag == "{urn:ietf:params:xml:ns:xmpp-tls}failure"
    await peer.expect(StreamClosed)
    peer.send(StreamClosed())
    assert await peer.end() == "fin"


async def test_a_closing_tag_is_answered_with_one(world: Any, site: Any) -> None:
    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="contoso.com"))
    await peer.expect(StreamFeatures)
    peer.send(StreamClosed())
    await peer.expect(StreamClosed)
    assert await peer.end() == "fin"


async def test_a_stream_error_is_not_answered_with_one(world: Any, site: Any) -> None:
    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="contoso.com"))
    await peer.expect(StreamFeatures)
    peer.send(StreamError(condition="undefined-condition"))
    await peer.expect(StreamClosed)
    assert await peer.end() == "fin"


async def test_a_replaced_rule_is_a_defect(world: Any) -> None:
    careless = replace(Rules(), key_is_valid=lambda *_: True)
    site = await world.site("contoso.com", partners=[world.partner("gmail.com")], rules=careless)
    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="contoso.com"))
    await peer.expect(StreamFeatures)
    peer.send(DialbackVerify(sender="gmail.com", to="contoso.com", id="x", key="anything"))
    assert (await peer.expect(DialbackVerify)).type == "valid"
