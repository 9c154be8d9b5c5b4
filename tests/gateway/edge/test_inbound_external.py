"""SASL EXTERNAL on streams that reach the edge, and what certificates do for dialback."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from simulator.gateway.configuration import Negotiation
from simulator.gateway.rules import Rules
from simulator.gateway.settings import EdgeSettings
from simulator.xmpp.events import (
    DialbackResult,
    Nonza,
    StreamClosed,
    StreamError,
    StreamFeatures,
    StreamHeader,
)

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
REQUIRED, OPTIONAL, NEVER = Negotiation.REQUIRED, Negotiation.OPTIONAL, Negotiation.NOT_SUPPORTED
STANZA = "<message from='juliet@{}' to='alice@{}'><body>hello</body></message>"


@pytest.fixture
async def site(world: Any) -> Any:
    return await made(world)


async def made(world: Any, **settings: Any) -> Any:
    partners = [
        world.partner("gmail.com", tls_negotiation=OPTIONAL, sasl_negotiation=OPTIONAL),
        world.partner("strict.example", tls_negotiation=REQUIRED, sasl_negotiation=REQUIRED),
        world.partner(
            "mute.example", tls_negotiation=REQUIRED, sasl_negotiation=REQUIRED, support_dialback_negotiation=False
        ),
        world.partner("dialback.example", tls_negotiation=REQUIRED, sasl_negotiation=NEVER),
    ]

    return await world.secure_site("contoso.com", "fabrikam.com", partners=partners, **settings)


def names(features: StreamFeatures) -> list[str]:
    return [feature.tag.rpartition("}")[2] for feature in features.features]


def auth(text: str = "=", mechanism: str = "EXTERNAL") -> str:
    return f"<auth xmlns='{SASL}' mechanism='{mechanism}'>{text}</auth>"


async def answered(peer: Any, xml: str) -> str:
    """The name of the answer, or of the condition in it."""
    peer.send_xml(xml)
    element = (await peer.expect(Nonza)).element

    return str((element[0] if len(element) else element).tag.rpartition("}")[2])


async def authenticated(world: Any, site: Any, sender: str = "gmail.com", to: str = "contoso.com") -> Any:
    """A stream on which EXTERNAL has succeeded, and which waits for its new header."""
    peer, _ = await world.secured(site, sender, to)
    assert await answered(peer, auth()) == "success"
    peer.stream.restart()

    return peer


@pytest.mark.parametrize(
    ("sender", "kind", "offered"),
    [
        ("gmail.com", "valid", ["mechanisms", "dialback"]),
        ("gmail.com", "self-signed", ["dialback"]),
        ("gmail.com", "wrong-name", ["dialback"]),
        ("gmail.com", "expired", ["dialback"]),
        ("strict.example", "valid", ["mechanisms"]),
        ("strict.example", "unknown-ca", []),
        ("dialback.example", "valid", ["dialback"]),
    ],
)
async def test_settings_and_certificate_say_what_is_offered(
    world: Any, site: Any, sender: str, kind: str, offered: list[str]
) -> None:
    _, features = await world.secured(site, sender, kind=kind)
    assert names(features) == offered
    assert features.features == () or features.features[0].findtext(f"{{{SASL}}}mechanism") in ("EXTERNAL", None)


async def test_the_log_says_why_a_certificate_does_not_count(world: Any, site: Any) -> None:
    await world.secured(site, "gmail.com", kind="expired")
    assert any("does not count for gmail.com: certificate 0 of the chain: has expired" in line for line in site.log)


async def test_nothing_is_offered_to_nobody(world: Any, site: Any) -> None:
    peer = await world.dial(site, header=StreamHeader(to="contoso.com"))
    await peer.expect(StreamFeatures)
    await peer.start_tls(world.client("gmail.com"), "contoso.com")
    assert names(await peer.reopen(StreamHeader(to="contoso.com"))) == ["dialback"]
    assert await answered(peer, auth()) == "not-authorized"


async def test_a_stream_with_nothing_left_is_closed(world: Any, site: Any) -> None:
    peer, features = await world.secured(site, "mute.example", kind="expired")
    assert not features.features
    assert (await peer.expect(StreamError)).condition == "policy-violation"


async def test_a_certificate_is_wanted_where_dialback_is_inoperative(world: Any, site: Any) -> None:
    peer, _ = await world.secured(site, "strict.example", kind="expired")
    peer.send(DialbackResult(sender="strict.example", to="contoso.com", key="abc"))
    answer = await peer.expect(DialbackResult)
    assert (answer.type, answer.condition) == ("error", "not-authorized")


async def test_dialback_is_refused_to_those_who_could_authenticate(world: Any, site: Any) -> None:
    peer, _ = await world.secured(site, "strict.example")
    peer.send(DialbackResult(sender="strict.example", to="contoso.com", key="abc"))
    assert (await peer.expect(DialbackResult)).condition == "not-authorized"
    assert await answered(peer, auth()) == "success"


async def test_the_pair_of_the_header_may_send(world: Any, site: Any) -> None:
    peer = await authenticated(world, site)
    features = await peer.reopen(StreamHeader(sender="gmail.com", to="contoso.com"))
    assert names(features) == ["dialback"]
    peer.send_text(STANZA.format("gmail.com", "contoso.com"))
    assert (await site.link.next()).get("from") == "juliet@gmail.com"
    assert any("gmail.com may send to contoso.com (SASL EXTERNAL over TLS)" in line for line in site.log)


@pytest.mark.parametrize(
    ("sender", "to", "condition"),
    [
        ("mail.gmail.com", "contoso.com", "invalid-from"),
        ("strict.example", "contoso.com", "invalid-from"),
        ("gmail.com", "fabrikam.com", "host-unknown"),
    ],
)
async def test_no_other_pair_may_send(world: Any, site: Any, sender: str, to: str, condition: str) -> None:
    peer = await authenticated(world, site)
    await peer.reopen(StreamHeader(sender="gmail.com", to="contoso.com"))
    peer.send_text(STANZA.format(sender, to))
    assert (await peer.expect(StreamError)).condition == condition
    assert site.link.crossed.empty()


@pytest.mark.parametrize(
    ("header", "condition"),
    [
        ({"sender": "strict.example"}, "invalid-from"),
        ({"to": "fabrikam.com"}, "not-authorized"),
        ({"sender": None}, None),
        ({"to": None}, None),
        ({"sender": "GMAIL.com", "to": "CONTOSO.com."}, None),
    ],
)
async def test_a_restart_keeps_the_identity(
    world: Any, site: Any, header: dict[str, Any], condition: str | None
) -> None:
    peer = await authenticated(world, site)
    peer.send(StreamHeader(**({"sender": "gmail.com", "to": "contoso.com"} | header)))
    await peer.expect(StreamHeader)

    if condition is not None:
        assert (await peer.expect(StreamError)).condition == condition
    else:
        await peer.expect(StreamFeatures)
        peer.send_text(STANZA.format("gmail.com", "contoso.com"))
        await site.link.next()


async def test_each_restart_has_an_id_of_its_own(world: Any, site: Any) -> None:
    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="contoso.com"))
    ids = [peer.stream.peer_header.id]
    await peer.expect(StreamFeatures)
    await peer.start_tls(world.client("gmail.com"), "contoso.com")
    await peer.reopen(StreamHeader(sender="gmail.com", to="contoso.com"))
    ids.append(peer.stream.peer_header.id)
    assert await answered(peer, auth()) == "success"
    peer.stream.restart()
    await peer.reopen(StreamHeader(sender="gmail.com", to="contoso.com"))
    ids.append(peer.stream.peer_header.id)
    assert len(set(ids)) == 3


async def test_nothing_passes_before_the_new_header(world: Any, site: Any) -> None:
    peer = await authenticated(world, site)
    peer.send_text(STANZA.format("gmail.com", "contoso.com"))
    await peer.expect(StreamHeader)
    await peer.expect(StreamError)
    assert site.link.crossed.empty()


@pytest.mark.parametrize("behind", [STANZA.format("gmail.com", "contoso.com"), auth()])
async def test_what_stands_behind_the_auth_that_succeeds_ends_the_stream(world: Any, site: Any, behind: str) -> None:
    peer, _ = await world.secured(site, "gmail.com")
    peer.send_text(auth() + behind)
    assert (await peer.expect(StreamError)).condition == "not-authorized"
    assert site.link.crossed.empty()


async def test_a_gateway_that_carries_data_over_success_can_be_told(world: Any) -> None:
    right = Rules()
    wrong = replace(right, negotiation=replace(right.negotiation, data_before_success_ends=lambda: False))
    site = await made(world, rules=wrong)
    peer, _ = await world.secured(site, "gmail.com")
    peer.send_text(auth() + STANZA.format("gmail.com", "contoso.com"))
    await peer.expect(Nonza)
    peer.stream.restart()
    await peer.reopen(StreamHeader(sender="gmail.com", to="contoso.com"))
    assert (await site.link.next()).get("from") == "juliet@gmail.com"


@pytest.mark.parametrize(
    ("xml", "answer"),
    [
        (auth(base64.b64encode(b"gmail.com").decode()), "success"),
        (auth(base64.b64encode(b"googlemail.com").decode()), "invalid-authzid"),
        (auth(base64.b64encode(b"juliet@gmail.com").decode()), "invalid-authzid"),
        (auth("*"), "incorrect-encoding"),
        (auth(mechanism="PLAIN"), "invalid-mechanism"),
        (f"<abort xmlns='{SASL}'/>", "aborted"),
        (f"<response xmlns='{SASL}'>=</response>", "malformed-request"),
    ],
)
async def test_each_request_has_its_answer(world: Any, site: Any, xml: str, answer: str) -> None:
    peer, _ = await world.secured(site, "gmail.com")
    assert await answered(peer, xml) == answer


async def test_an_auth_without_response_is_challenged(world: Any, site: Any) -> None:
    peer, _ = await world.secured(site, "gmail.com")
    assert await answered(peer, auth("")) == "challenge"
    assert await answered(peer, f"<response xmlns='{SASL}'>=</response>") == "success"


@pytest.mark.parametrize(
    ("sender", "condition"), [("gmail.com", "encryption-required"), ("dialback.example", "encryption-required")]
)
async def test_external_needs_tls(world: Any, site: Any, sender: str, condition: str) -> None:
    peer = await world.dial(site, header=StreamHeader(sender=sender, to="contoso.com"))
    await peer.expect(StreamFeatures)
    assert await answered(peer, auth()) == condition


@pytest.mark.parametrize(
    ("sender", "kind", "condition"),
    [("gmail.com", "expired", "not-authorized"), ("dialback.example", "valid", "invalid-mechanism")],
)
async def test_external_that_was_not_offered_fails(
    world: Any, site: Any, sender: str, kind: str, condition: str
) -> None:
    peer, _ = await world.secured(site, sender, kind=kind)
    assert await answered(peer, auth()) == condition


async def test_dialback_is_left_after_a_failure(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    peer, _ = await world.secured(site, "gmail.com")
    assert await answered(peer, auth("*")) == "incorrect-encoding"
    peer.send(DialbackResult(sender="gmail.com", to="contoso.com", key="abc"))
    await fake.verify()
    assert (await peer.expect(DialbackResult)).type == "valid"


async def test_attempts_come_to_an_end(world: Any, site: Any) -> None:
    peer, _ = await world.secured(site, "gmail.com")

    for _ in range(4):
        assert await answered(peer, auth("*")) == "incorrect-encoding"

    peer.send_xml(auth())
    assert (await peer.expect(StreamError)).condition == "policy-violation"
    await peer.expect(StreamClosed)


async def test_a_second_auth_changes_nothing(world: Any, site: Any) -> None:
    peer = await authenticated(world, site)
    await peer.reopen(StreamHeader(sender="gmail.com", to="contoso.com"))
    assert await answered(peer, auth()) == "not-authorized"
    peer.send_text(STANZA.format("gmail.com", "contoso.com"))
    await site.link.next()


async def test_a_further_pair_comes_by_dialback(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    peer = await authenticated(world, site)
    await peer.reopen(StreamHeader(sender="gmail.com", to="contoso.com"))
    peer.send(DialbackResult(sender="gmail.com", to="fabrikam.com", key="abc"))
    await fake.verify()
    assert (await peer.expect(DialbackResult)).type == "valid"
    peer.send_text(STANZA.format("gmail.com", "fabrikam.com"))
    peer.send_text(STANZA.format("gmail.com", "contoso.com"))
    assert (await site.link.next()).get("to") == "alice@fabrikam.com"
    assert (await site.link.next()).get("to") == "alice@contoso.com"


@pytest.mark.parametrize(("kind", "dialled"), [("valid", False), ("expired", True), ("wrong-name", True)])
async def test_a_certificate_may_answer_a_key(world: Any, kind: str, dialled: bool) -> None:
    site = await made(world, edge=EdgeSettings(host="127.0.0.1", port=0, dialback_without_dialback=True))
    fake = await world.listen("gmail.com")
    peer, _ = await world.secured(site, "gmail.com", kind=kind)
    peer.send(DialbackResult(sender="gmail.com", to="contoso.com", key="abc"))

    if dialled:
        await fake.verify("invalid")
        assert (await peer.expect(DialbackResult)).type == "invalid"
    else:
        assert (await peer.expect(DialbackResult)).type == "valid"
        assert fake.peers.empty()
        peer.send_text(STANZA.format("gmail.com", "contoso.com"))
        await site.link.next()


async def test_no_certificate_answers_a_key_unless_that_is_allowed(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    peer, _ = await world.secured(site, "gmail.com")
    peer.send(DialbackResult(sender="gmail.com", to="contoso.com", key="abc"))
    await fake.verify("invalid")
    assert (await peer.expect(DialbackResult)).type == "invalid"
