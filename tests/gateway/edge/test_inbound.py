"""What a partner may do on a stream to the edge, spoken by hand: headers, dialback requests, stanzas."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulator.gateway.configuration import Negotiation
from simulator.gateway.rules import Rules
from simulator.xmpp.events import (
    DialbackResult,
    DialbackVerify,
    StreamClosed,
    StreamError,
    StreamFeatures,
    StreamHeader,
)

HEADER = "<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'"
TLS_ONLY = {"tls_negotiation": Negotiation.REQUIRED, "sasl_negotiation": Negotiation.OPTIONAL}
NO_DIALBACK = {**TLS_ONLY, "support_dialback_negotiation": False}


@pytest.fixture
async def site(world: Any) -> Any:
    partners = [
        world.partner("gmail.com", additional_domains=("googlemail.com",)),
        world.partner("tls.example", **TLS_ONLY),
        world.partner("mute.example", **NO_DIALBACK),
    ]

    return await world.site("contoso.com", "sub.contoso.com", partners=partners)


async def fails(peer: Any, condition: str) -> None:
    """The next thing is this stream error, then the closing tag, then the end of the connection."""
    error = await peer.expect(StreamError)
    assert error.condition == condition
    await peer.expect(StreamClosed)
    assert await peer.end() == "fin"


def stanza(sender: str, to: str) -> str:
    return f"<message from='{sender}' to='{to}'><body>hello</body></message>"


async def test_a_header_is_answered_with_features(world: Any, site: Any) -> None:
    peer = await world.dial(site)
    peer.send(StreamHeader(sender="gmail.com", to="CONTOSO.com."))
    answer = await peer.expect(StreamHeader)

    assert (answer.sender, answer.to, answer.version, answer.dialback) == ("contoso.com", "gmail.com", "1.0", True)
    assert len(answer.id) >= 16
    (feature,) = (await peer.expect(StreamFeatures)).features
    assert feature.tag == "{urn:xmpp:features:dialback}dialback"
    assert feature[0].tag == "{urn:xmpp:features:dialback}errors"


@pytest.mark.parametrize(
    ("version", "answered", "features"),
    [
        (None, None, False),
        ("0.9", "0.9", False),
        ("abc", None, False),
        ("1.0", "1.0", True),
        ("01.0", "1.0", True),
        ("1.7", "1.0", True),
        ("2.0", "1.0", True),
    ],
)
async def test_the_lower_version_is_answered(
    world: Any, site: Any, version: str | None, answered: str | None, features: bool
) -> None:
    peer = await world.dial(site)
    peer.send(StreamHeader(sender="gmail.com", to="contoso.com", version=version))
    assert (await peer.expect(StreamHeader)).version == answered
    # A question that is always answered shows whether features came before.
    peer.send(DialbackVerify(sender="gmail.com", to="contoso.com", id="x", key="y"))
    assert isinstance(await peer.next(), StreamFeatures if features else DialbackVerify)


@pytest.mark.parametrize(
    ("header", "condition"),
    [
        ({"to": "nowhere.example"}, "host-unknown"),
        ({"to": "other.contoso.com"}, "host-unknown"),
        ({"to": "evilcontoso.com"}, "host-unknown"),
        ({"to": "alice@contoso.com"}, "improper-addressing"),
        ({"sender": "a b"}, "improper-addressing"),
        ({"sender": "contoso.com"}, "invalid-from"),
        ({"sender": "stranger.example"}, "policy-violation"),
        ({"sender": "mail.gmail.com"}, "policy-violation"),
        ({"sender": "evilgmail.com"}, "policy-violation"),
        ({"content_namespace": "jabber:client"}, "invalid-namespace"),
    ],
)
async def test_a_wrong_header_is_refused(world: Any, site: Any, header: dict[str, str], condition: str) -> None:
    peer = await world.dial(site)
    peer.send(StreamHeader(**({"sender": "gmail.com", "to": "contoso.com"} | header)))
    answer = await peer.expect(StreamHeader)

    # RFC 6120 §4.9.1.3: a name that is not served is never echoed.
    assert answer.sender == "contoso.com"
    assert answer.id
    await fails(peer, condition)
    assert site.link.crossed.empty()


@pytest.mark.parametrize("text", ["GET / HTTP/1.1\r\n\r\n", "SSH-2.0-x\r\n", "<notstream/>", "\x16\x03\x01\x02"])
async def test_other_protocols_are_refused_after_a_header(world: Any, site: Any, text: str) -> None:
    peer = await world.dial(site)
    peer.send_text(text)
    await peer.expect(StreamHeader)
    assert isinstance(await peer.next(), StreamError)
    await peer.expect(StreamClosed)
    assert await peer.end() == "fin"


async def test_the_pair_comes_from_the_request_without_addresses_in_the_header(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    peer = await world.dial(site, header=StreamHeader(version=None))
    peer.send(DialbackResult(sender="gmail.com", to="contoso.com", key="abc"))
    await fake.verify()
    assert (await peer.expect(DialbackResult)).type == "valid"
    peer.send_text(stanza("juliet@gmail.com", "alice@contoso.com"))
    assert (await site.link.next()).get("to") == "alice@contoso.com"


async def test_the_key_is_verified_with_our_stream_id(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    peer = await world.dial(site)
    peer.send(StreamHeader(sender="gmail.com", to="contoso.com"))
    ours = await peer.expect(StreamHeader)
    await peer.expect(StreamFeatures)
    peer.send(DialbackResult(sender="gmail.com", to="contoso.com", key="abc"))
    authoritative = await fake.next()
    await authoritative.accept()
    assert await authoritative.expect(DialbackVerify) == DialbackVerify(
        sender="contoso.com", to="gmail.com", id=ours.id, key="abc"
    )


async def test_a_denied_key_ends_the_stream(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="contoso.com"))
    await peer.expect(StreamFeatures)
    peer.send(DialbackResult(sender="gmail.com", to="contoso.com", key="abc"))
    await fake.verify("invalid")
    assert (await peer.expect(DialbackResult)).type == "invalid"
    await peer.expect(StreamClosed)
    peer.send(StreamClosed())
    assert await peer.end() == "fin"


async def test_a_denied_key_leaves_other_pairs_alone(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com", "googlemail.com")
    peer = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    peer.send(DialbackResult(sender="googlemail.com", to="contoso.com", key="abc"))
    await fake.verify("invalid")
    answer = await peer.expect(DialbackResult)
    assert (answer.type, answer.condition) == ("error", "forbidden")
    peer.send_text(stanza("juliet@gmail.com", "alice@contoso.com"))
    assert (await site.link.next()).get("from") == "juliet@gmail.com"


@pytest.mark.parametrize(
    ("sender", "to", "condition"),
    [
        ("gmail.com", "nowhere.example", "item-not-found"),
        ("contoso.com", "contoso.com", "not-acceptable"),
        ("stranger.example", "contoso.com", "policy-violation"),
        ("mail.gmail.com", "contoso.com", "policy-violation"),
        ("tls.example", "contoso.com", "policy-violation"),
    ],
)
async def test_a_request_is_refused_without_dialling(
    world: Any, site: Any, sender: str, to: str, condition: str
) -> None:
    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="contoso.com"))
    await peer.expect(StreamFeatures)
    before = len(world.dns.history)
    peer.send(DialbackResult(sender=sender, to=to, key="abc"))
    answer = await peer.expect(DialbackResult)

    assert (answer.sender, answer.to, answer.type, answer.condition) == (to, sender, "error", condition)
    # XEP-0220 §2.2.1: the stream stays open, so the next request is answered, too.
    peer.send(DialbackResult(sender=sender, to=to, key="abc"))
    assert (await peer.expect(DialbackResult)).condition == condition
    assert len(world.dns.history) == before


async def test_dialback_that_is_switched_off_is_ignored(world: Any, site: Any) -> None:
    peer = await world.dial(site, header=StreamHeader(sender="mute.example", to="contoso.com"))
    assert not (await peer.expect(StreamFeatures)).features
    peer.send(DialbackResult(sender="mute.example", to="contoso.com", key="abc"))
    peer.send(DialbackVerify(sender="mute.example", to="contoso.com", id="x", key="y"))
    assert isinstance(await peer.next(), DialbackVerify)


@pytest.mark.parametrize(
    "request_", ["<db:result from='gmail.com'>k</db:result>", "<db:result to='a' from=''>k</db:result>"]
)
async def test_a_request_without_addresses_is_improper(world: Any, site: Any, request_: str) -> None:
    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="contoso.com"))
    await peer.expect(StreamFeatures)
    peer.send_text(request_)
    await fails(peer, "improper-addressing")


@pytest.mark.parametrize(
    ("how", "condition"),
    [
        ("nxdomain", "remote-server-not-found"),
        ("denied", "remote-server-not-found"),
        ("refused", "remote-connection-failed"),
        ("host-unknown", "remote-server-not-found"),
        ("item-not-found", "remote-server-not-found"),
        ("closed", "remote-server-timeout"),
        ("reset", "remote-server-timeout"),
    ],
)
async def test_a_key_that_cannot_be_verified_is_an_error(world: Any, site: Any, how: str, condition: str) -> None:
    if how == "denied":
        world.dns.publish("_xmpp-server._tcp.gmail.com. 60 IN SRV 0 0 0 .")
    elif how == "refused":
        fake = await world.listen("gmail.com")
        await fake.listener.close()
    elif how != "nxdomain":
        fake = await world.listen("gmail.com")

    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="contoso.com"))
    await peer.expect(StreamFeatures)
    peer.send(DialbackResult(sender="gmail.com", to="contoso.com", key="abc"))

    if how == "item-not-found":
        await fake.verify("error", "item-not-found")
    elif how in ("host-unknown", "closed", "reset"):
        authoritative = await fake.next()
        await authoritative.accept()

        if how == "reset":
            authoritative.connection.abort()
        elif how == "closed":
            authoritative.send(StreamClosed())
        else:
            authoritative.send(StreamError(condition="host-unknown"))

    answer = await peer.expect(DialbackResult)
    assert (answer.type, answer.condition) == ("error", condition)


async def test_wrong_answers_on_the_verifying_stream_are_dropped(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="contoso.com"))
    await peer.expect(StreamFeatures)
    peer.send(DialbackResult(sender="gmail.com", to="contoso.com", key="abc"))
    authoritative = await fake.next()
    await authoritative.accept()
    asked = await authoritative.expect(DialbackVerify)
    right = DialbackVerify(sender="gmail.com", to="contoso.com", id=asked.id, type="valid")

    for wrong in ({"id": "other"}, {"sender": "evil.example"}, {"to": "sub.contoso.com"}, {"type": None}):
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
        ("juliet@gmail.com", "alice@sub.contoso.com", "invalid-from"),
        ("juliet@gmail.com", "@contoso.com", "improper-addressing"),
        ("juliet@gmail.com", "", "improper-addressing"),
        ("", "alice@contoso.com", "improper-addressing"),
    ],
)
async def test_a_stanza_of_another_pair_is_refused(world: Any, site: Any, sender: str, to: str, condition: str) -> None:
    fake = await world.listen("gmail.com")
    peer = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    peer.send_text(stanza(sender, to))
    await fails(peer, condition)
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
    await fails(peer, "invalid-from")


async def test_a_stanza_before_authentication_is_refused(world: Any, site: Any) -> None:
    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="contoso.com"))
    await peer.expect(StreamFeatures)
    peer.send_text(stanza("juliet@gmail.com", "alice@contoso.com"))
    await fails(peer, "not-authorized")
    assert site.link.crossed.empty()


async def test_keys_of_ours_are_confirmed_and_no_others(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.edge.submit(_message("alice@contoso.com", "juliet@gmail.com"))
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


def _message(sender: str, to: str) -> Any:
    from simulator.xmpp.element import parse_element

    return parse_element(stanza(sender, to))
