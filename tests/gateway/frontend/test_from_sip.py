"""Requests of users inside: registration, messages to partners (RFC 7572 §5) and to each other, refusals."""

from __future__ import annotations

import re
from typing import Any

import pytest

from simulator.gateway.configuration import FrontendSettings, LimitSettings
from simulator.xmpp.errors import StanzaCondition


async def test_message_is_answered_200_when_handed_over(inside: Any, alice: Any) -> None:
    answer = await alice.writes("juliet@gmail.com", "Hi", "Subject: S", "Content-Language: en")

    assert answer.code == 200
    assert re.fullmatch(
        r"<message from='alice@contoso.com' to='juliet@gmail.com' id='w\d+' xml:lang='en'>"
        r"<subject>S</subject><body>Hi</body><thread>call-\d+</thread></message>",
        await inside.next_stanza(),
    )


async def test_message_waits_for_the_edge(inside: Any, alice: Any) -> None:
    inside.hands_over = False
    alice.sends("MESSAGE", "sip:juliet@gmail.com", "Content-Type: text/plain", body=b"first")
    stanza = await inside.next_stanza()

    # A later exchange on the same connection comes back first.
    assert (await alice.asks("OPTIONS", "sip:contoso.com")).cseq[1] == "OPTIONS"

    inside.edge.handed_over([re.search(r"id='(\w+)'", stanza)[1]])  # type: ignore[index]
    assert (await alice.next_response()).code == 200


@pytest.mark.parametrize(
    ("to", "condition", "code"),
    [
        ("juliet@gmail.com", "item-not-found", 604),
        ("juliet@gmail.com;gr=home", "item-not-found", 404),
        ("juliet@gmail.com", "service-unavailable", 403),
        ("juliet@gmail.com", "remote-server-not-found", 404),
        ("juliet@gmail.com", "remote-server-timeout", 408),
        ("juliet@gmail.com", "feature-not-implemented", 501),
        ("juliet@gmail.com;gr=home", "feature-not-implemented", 405),
        ("juliet@gmail.com", "gone", 410),
    ],
)
async def test_bounce_becomes_its_code(inside: Any, alice: Any, to: str, condition: str, code: int) -> None:
    inside.hands_over = False
    alice.sends("MESSAGE", f"sip:{to}", "Content-Type: text/plain", body=b"x")
    name = re.search(r"id='(\w+)'", await inside.next_stanza())[1]  # type: ignore[index]
    jid = to.replace(";gr=", "/")
    inside.sends(
        f"<message type='error' id='{name}' from='{jid}' to='alice@contoso.com'><body>x</body><error type='cancel'>"
        f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>No\nsuch luck</text></error></message>"
    )
    answer = await alice.next_response()

    assert (answer.code, answer.phrase) == (code, "No such luck")


async def test_new_address_of_gone_is_given_on(inside: Any, alice: Any) -> None:
    inside.hands_over = False
    alice.sends("MESSAGE", "sip:juliet@gmail.com", "Content-Type: text/plain", body=b"x")
    name = re.search(r"id='(\w+)'", await inside.next_stanza())[1]  # type: ignore[index]
    inside.sends(
        f"<message type='error' id='{name}' from='juliet@gmail.com' to='alice@contoso.com'><error type='cancel'>"
        "<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:juliet@else.example</gone></error></message>"
    )
    answer = await alice.next_response()

    assert answer.code == 301
    assert answer.header("contact") == "<sip:juliet@else.example>"


async def test_error_of_somebody_else_is_not_believed(inside: Any, alice: Any) -> None:
    inside.hands_over = False
    alice.sends("MESSAGE", "sip:juliet@gmail.com", "Content-Type: text/plain", body=b"x")
    name = re.search(r"id='(\w+)'", await inside.next_stanza())[1]  # type: ignore[index]
    inside.sends(
        f"<message type='error' id='{name}' from='mallory@evil.example' to='alice@contoso.com'><error type='cancel'>"
        "<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )
    inside.edge.handed_over([name])

    assert (await alice.next_response()).code == 200


async def test_silent_edge_is_answered_408_in_time(start: Any, connect: Any) -> None:
    async with start(frontend=FrontendSettings(sip_tcp_port=0, sip_tls_port=None, transaction_timeout=0.2)) as inside:
        inside.hands_over = False

        async with connect(inside.port) as alice:
            await alice.registers()

            assert (await alice.writes("juliet@gmail.com")).code == 408


async def test_link_that_is_down_is_answered_at_once(inside: Any, alice: Any) -> None:
    inside.hands_over = False
    alice.sends("MESSAGE", "sip:juliet@gmail.com", "Content-Type: text/plain", body=b"waits")
    await inside.next_stanza()
    await inside.edge.stop()

    assert (await alice.next_response()).code == 500
    assert (await alice.writes("juliet@gmail.com")).code == 500


@pytest.mark.parametrize(
    ("uri", "headers"),
    [
        ("sips:juliet@gmail.com", {"to": "<sip:juliet@gmail.com>"}),
        ("sip:juliet@gmail.com", {"to": "<sips:juliet@gmail.com>"}),
    ],
)
async def test_sips_never_crosses(inside: Any, alice: Any, uri: str, headers: dict[str, str]) -> None:
    answer = await alice.asks("MESSAGE", uri, "Content-Type: text/plain", body=b"secret", **headers)

    assert answer.code == 416
    assert (await alice.writes("juliet@gmail.com", "control")).code == 200
    assert "control" in await inside.next_stanza()


async def test_device_is_the_resource(inside: Any, alice: Any) -> None:
    await alice.registers("Contact: *", expires=0)
    await alice.registers('Contact: <sip:alice@127.0.0.1;gr=urn:uuid:1>;+sip.instance="<urn:uuid:1>"')
    await alice.writes("juliet@gmail.com")

    assert "from='alice@contoso.com/urn:uuid:1'" in await inside.next_stanza()


async def test_to_counts_where_the_uri_is_our_own_host(inside: Any, alice: Any) -> None:
    await alice.asks("MESSAGE", "sip:127.0.0.1", "Content-Type: text/plain", body=b"x", to="<sip:juliet@gmail.com>")

    assert "to='juliet@gmail.com'" in await inside.next_stanza()


@pytest.mark.parametrize(
    ("method", "uri", "lines", "headers", "code"),
    [
        ("OPTIONS", "sip:contoso.com", (), {}, 200),
        ("REFER", "sip:juliet@gmail.com", (), {}, 405),
        ("CANCEL", "sip:juliet@gmail.com", (), {}, 481),
        ("CANCEL", "sip:juliet@gmail.com", ("Require: 100rel",), {}, 481),
        ("CHAT", "sip:juliet@gmail.com", (), {}, 501),
        ("OPTIONS", "sip:contoso.com", ("Require: 100rel",), {}, 420),
        ("MESSAGE", "sip:juliet@gmail.com", (), {"max_forwards": "0"}, 483),
        ("MESSAGE", "sip:juliet@gmail.com", (), {"max_forwards": "many"}, 400),
        ("MESSAGE", "tel:+15551234", (), {}, 416),
        ("MESSAGE", "sip:@", (), {}, 400),
        ("MESSAGE", "sip:nobody@contoso.com", (), {}, 404),
        ("MESSAGE", "sip:bob@contoso.com", (), {}, 480),
        ("MESSAGE", "sip:juliet@gmail.com", ("Content-Type: image/png",), {}, 415),
        ("MESSAGE", "sip:juliet@gmail.com", (), {"from_": "<sip:bob@contoso.com>;tag=1"}, 403),
        ("MESSAGE", "sip:juliet@gmail.com", (), {"from_": "<sip:juliet@gmail.com>;tag=1"}, 403),
        ("MESSAGE", "sip:juliet@gmail.com", (), {"cseq": "1 OPTIONS"}, 400),
        ("REGISTER", "sip:contoso.com", ("Contact: <sip:x@y>",), {"to": "<sip:bob@contoso.com>"}, 403),
        ("REGISTER", "sip:contoso.com", ("Contact: *",), {"to": "<sip:alice@contoso.com>"}, 400),
    ],
)
async def test_what_is_refused_and_how(
    alice: Any, method: str, uri: str, lines: tuple[str, ...], headers: dict[str, str], code: int
) -> None:
    body = b"x" if method == "MESSAGE" else b""
    answer = await alice.asks(method, uri, *(lines or ("Content-Type: text/plain",)), body=body, **headers)

    assert answer.code == code
    # RFC 3261 §21.4.6, §21.4.13, §8.2.2.3: what these refusals MUST carry.
    assert (answer.header("allow") is not None) == (code in (405, 200))
    assert (answer.header("accept") is not None) == (code in (415, 200))
    assert answer.header("unsupported") == ("100rel" if code == 420 else None)


async def test_nobody_writes_before_registering(inside: Any, connect: Any) -> None:
    async with connect(inside.port) as alice:
        assert (await alice.writes("juliet@gmail.com")).code == 403
        assert (await alice.registers()).code == 200
        assert (await alice.writes("juliet@gmail.com")).code == 200


async def test_registration_counts_for_its_connection_only(inside: Any, alice: Any, connect: Any) -> None:
    async with connect(inside.port) as thief:
        assert (await thief.writes("juliet@gmail.com")).code == 403


async def test_strangers_do_not_register(inside: Any, connect: Any) -> None:
    async with connect(inside.port, "mallory@contoso.com") as mallory:
        assert (await mallory.registers()).code == 404

    async with connect(inside.port, "alice@gmail.com") as mallory:
        assert (await mallory.registers()).code == 404


async def test_registration_is_echoed_and_removed(inside: Any, alice: Any) -> None:
    assert (await alice.registers("Contact: <sip:a@127.0.0.1;x=1>;expires=30")).values("contact") == [
        "<sip:alice@127.0.0.1:1>;expires=60",
        "<sip:a@127.0.0.1;x=1>;expires=30",
    ]
    assert (await alice.registers("Contact: <sip:alice@127.0.0.1:1>", expires=0)).values("contact") == [
        "<sip:a@127.0.0.1;x=1>;expires=30"
    ]
    assert (await alice.registers("Contact: *", expires=0)).values("contact") == []
    assert (await alice.writes("juliet@gmail.com")).code == 403


async def test_same_device_replaces_its_contact(inside: Any, alice: Any) -> None:
    await alice.registers("Contact: *", expires=0)

    for port in (1, 2):
        answer = await alice.registers(f'Contact: <sip:a@127.0.0.1:{port}>;+sip.instance="<urn:uuid:1>"')

    assert answer.values("contact") == ["<sip:a@127.0.0.1:2>;expires=60"]


async def test_message_to_a_colleague_does_not_leave(inside: Any, alice: Any, connect: Any) -> None:
    async with connect(inside.port, "bob@contoso.com") as bob:
        await bob.registers()
        alice.sends("MESSAGE", "sip:bob@contoso.com", "Content-Type: text/x-own", "Subject: S", body=b"\xff\x00")
        request = await bob.next_request()
        bob.answers(request, 486, phrase="Later")
        answer = await alice.next_response()

        assert (request.body, request.header("content-type"), request.header("subject")) == (
            b"\xff\x00",
            "text/x-own",
            "S",
        )
        assert request.sender.uri == "sip:alice@contoso.com"
        assert request.header("max-forwards") == "69"
        assert (answer.code, answer.phrase) == (486, "Later")

    assert inside.stanzas.empty()


async def test_two_messages_with_one_branch_are_two(inside: Any, alice: Any) -> None:
    inside.hands_over = False
    via = "SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bKsame"

    for body in (b"one", b"two"):
        alice.sends("MESSAGE", "sip:juliet@gmail.com", "Content-Type: text/plain", body=body, via=via)

    ids = [re.search(r"id='([^']+)'", await inside.next_stanza())[1] for _ in range(2)]  # type: ignore[index]
    inside.edge.handed_over(reversed(ids))

    assert ids[0] == "same" != ids[1]
    assert [(await alice.next_response()).code for _ in range(2)] == [200, 200]


async def test_large_body_is_refused_and_ends_the_connection(start: Any, connect: Any) -> None:
    async with start(limits=LimitSettings(sip_bytes=100)) as inside, connect(inside.port) as alice:
        await alice.registers()
        answer = await alice.writes("juliet@gmail.com", "x" * 101)

        assert answer.code == 513


async def test_late_error_is_logged(inside: Any, alice: Any) -> None:
    await alice.writes("juliet@gmail.com")
    name = re.search(r"id='(\w+)'", await inside.next_stanza())[1]  # type: ignore[index]
    inside.sends(
        f"<message type='error' id='{name}' from='juliet@gmail.com' to='alice@contoso.com'><error type='cancel'>"
        f"<{StanzaCondition.GONE} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )
    # What comes after on the link proves that the error was taken, and answered with nothing.
    inside.sends("<iq type='get' id='p' from='gmail.com' to='contoso.com'><ping xmlns='urn:xmpp:ping'/></iq>")

    assert "type='result'" in await inside.next_stanza()
    assert any("juliet@gmail.com" in line and "gone" in line for line in inside.lines)
