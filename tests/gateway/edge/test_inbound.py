"""What a partner may do on a stream to the edge, spoken by hand: headers and dialback requests."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.gateway.configuration import Negotiation
from simulator.xmpp.events import (
    DialbackResult,
    DialbackVerify,
    StreamClosed,
    StreamError,
    StreamFeatures,
    StreamHeader,
)

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
async def test_a_wrong_header_is_refused(world: Any, site: Any, header: dict[str, Any], condition: str) -> None:
    peer = await world.dial(site)
    peer.send(StreamHeader(**({"sender": "gmail.com", "to": "contoso.com"} | header)))
    answer = await peer.expect(StreamHeader)

    # RFC 6120 §4.9.1.3: a name that is not served is never echoed.
    assert answer.sender == "contoso.com"
    assert answer.id
    await peer.fails(condition)
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
    await peer.fails("improper-addressing")


@pytest.mark.parametrize(
    ("how", "condition"),
    [
        ("nxdomain", "remote-server-not-found"),
        ("denied", "remote-server-not-found"),
        ("refused", "remote-connection-failed"),
        ("host-unknown", "remote-server-not-found"),
        ("item-not-found", "remote-server-not-found"),
        ("internal-server-error", "remote-server-not-found"),
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

    if how in ("item-not-found", "internal-server-error"):
        await fake.verify("error", how)
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
