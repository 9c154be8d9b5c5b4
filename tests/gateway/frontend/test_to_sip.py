"""Stanzas of partners: messages to SIP users (RFC 7572 §4) and their errors, iq, presence."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.gateway.configuration import FrontendSettings
from simulator.gateway.frontend.rules import FrontEndRules

MESSAGE = (
    "<message from='juliet@gmail.com/balcony' to='alice@contoso.com' id='m1' type='chat' xml:lang='en'>"
    "<subject>S</subject><body>Art thou not Romeo?</body><thread>t1</thread></message>"
)
PING = "<iq type='get' id='p' from='gmail.com' to='contoso.com'><ping xmlns='urn:xmpp:ping'/></iq>"
PONG = "<iq from='contoso.com' to='gmail.com' id='p' type='result'/>"


def error(condition: str, kind: str, text: str = "") -> str:
    """The error that answers MESSAGE, in full."""
    said = f"<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>{text}</text>" if text else ""

    return (
        "<message from='alice@contoso.com' to='juliet@gmail.com/balcony' id='m1' type='error'>"
        "<subject>S</subject><body>Art thou not Romeo?</body><thread>t1</thread>"
        f"<error type='{kind}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>{said}</error></message>"
    )


async def test_message_arrives_as_rfc_7572_maps_it(inside: Any, alice: Any) -> None:
    inside.sends(MESSAGE)
    request = await alice.next_request()
    alice.answers(request, 200)

    assert (request.method, request.uri) == ("MESSAGE", "sip:alice@127.0.0.1:1")
    assert request.to.uri == "sip:alice@contoso.com"
    assert request.sender.uri == "sip:juliet@gmail.com;gr=balcony"
    assert request.via.branch.startswith("z9hG4bKm1~")
    assert request.call_id == "t1"
    assert request.header("subject") == "S"
    assert request.header("content-language") == "en"
    assert request.content_type == ("text/plain", {"charset": "UTF-8"})
    assert request.body == b"Art thou not Romeo?"
    # RFC 3428 §4: no Contact in a MESSAGE.
    assert request.header("contact") is None

    inside.sends(PING)
    assert await inside.next_stanza() == PONG


@pytest.mark.parametrize(
    ("code", "condition", "kind"),
    [
        (480, "recipient-unavailable", "wait"),
        (415, "not-acceptable", "modify"),
        (404, "item-not-found", "cancel"),
        (302, "redirect", "modify"),
        (301, "redirect", "modify"),
        (410, "gone", "cancel"),
        (599, "internal-server-error", "cancel"),
        (603, "recipient-unavailable", "wait"),
    ],
)
async def test_final_error_comes_back_with_the_message(
    inside: Any, alice: Any, code: int, condition: str, kind: str
) -> None:
    inside.sends(MESSAGE)
    alice.answers(await alice.next_request(), code, phrase="Not <now>")

    assert await inside.next_stanza() == error(condition, kind, f"{code} Not &lt;now&gt;")


async def test_new_address_of_301_is_given_on(inside: Any, alice: Any) -> None:
    inside.sends(MESSAGE)
    alice.answers(await alice.next_request(), 301, ("Contact", "<sip:romeo@else.example>"))

    assert "stanzas'>sip:romeo@else.example</gone>" in await inside.next_stanza()


async def test_silent_device_is_a_remote_server_timeout(start: Any, connect: Any) -> None:
    settings = FrontendSettings(sip_tcp_port=0, sip_tls_port=None, transaction_timeout=0.2)

    async with start(frontend=settings) as inside, connect(inside.port) as alice:
        await alice.registers()
        inside.sends(MESSAGE)
        await alice.next_request()

        assert await inside.next_stanza() == error("remote-server-timeout", "wait")


async def test_device_that_vanishes_is_unavailable(inside: Any, connect: Any) -> None:
    async with connect(inside.port) as alice:
        await alice.registers()
        inside.sends(MESSAGE)
        await alice.next_request()

    assert await inside.next_stanza() == error("recipient-unavailable", "wait")

    # And with the connection went the registration (RFC 5626).
    inside.sends(MESSAGE)
    assert await inside.next_stanza() == error("service-unavailable", "cancel")


async def test_one_message_at_a_time_to_one_device(inside: Any, alice: Any) -> None:
    for number in range(3):
        inside.sends(MESSAGE.replace("m1", f"m{number}"))

    first = await alice.next_request()
    # RFC 3428 §8: while that one is pending nothing else comes, not even behind a later exchange.
    assert (await alice.asks("OPTIONS", "sip:contoso.com")).code == 200
    alice.answers(first, 200)
    second = await alice.next_request()
    alice.answers(second, 200)
    third = await alice.next_request()

    assert [each.via.branch[:9] for each in (first, second, third)] == ["z9hG4bKm0", "z9hG4bKm1", "z9hG4bKm2"]


async def test_all_devices_get_it_and_one_answer_counts(inside: Any, alice: Any, connect: Any) -> None:
    async with connect(inside.port) as phone:
        await phone.registers("Contact: <sip:alice@127.0.0.1:2>")
        inside.sends(MESSAGE)
        alice.answers(await alice.next_request(), 486)
        phone.answers(await phone.next_request(), 603)

        assert "603 Decline" in await inside.next_stanza()

        inside.sends(MESSAGE)
        alice.answers(await alice.next_request(), 486)
        phone.answers(await phone.next_request(), 200)
        inside.sends(PING)

        assert await inside.next_stanza() == PONG


async def test_a_resource_reaches_its_device_only(inside: Any, alice: Any, connect: Any) -> None:
    async with connect(inside.port) as phone:
        await phone.registers("Contact: <sip:alice@127.0.0.1:2;gr=phone>")
        inside.sends(MESSAGE.replace("to='alice@contoso.com'", "to='alice@contoso.com/phone'"))
        request = await phone.next_request()
        phone.answers(request, 200)

        assert request.to.uri == "sip:alice@contoso.com"
        assert (await alice.asks("OPTIONS", "sip:contoso.com")).code == 200


@pytest.mark.parametrize(
    ("to", "kind", "answered"),
    [
        ("nobody@contoso.com", "normal", True),
        ("nobody@contoso.com", "chat", True),
        ("nobody@contoso.com", "headline", False),
        ("nobody@contoso.com", "error", False),
        ("bob@contoso.com", "normal", True),
        ("bob@contoso.com/gone", "chat", True),
        ("bob@contoso.com", "headline", False),
        ("bob@contoso.com", "groupchat", True),
        ("alice@contoso.com", "groupchat", True),
        ("alice@contoso.com/gone", "normal", True),
        ("alice@contoso.com/gone", "headline", True),
        ("contoso.com", "normal", True),
    ],
)
async def test_message_that_reaches_nobody(inside: Any, alice: Any, to: str, kind: str, answered: bool) -> None:
    inside.sends(f"<message from='juliet@gmail.com' to='{to}' id='m1' type='{kind}'><body>x</body></message>")
    inside.sends(PING)
    stanza = await inside.next_stanza()

    if answered:
        assert f"from='{to}' to='juliet@gmail.com' id='m1' type='error'" in stanza
        assert "<service-unavailable " in stanza
        stanza = await inside.next_stanza()

    assert stanza == PONG
    # And nothing reached the one who is there.
    assert (await alice.asks("OPTIONS", "sip:contoso.com")).code == 200


async def test_chat_state_is_no_message(inside: Any, alice: Any) -> None:
    inside.sends(
        "<message from='juliet@gmail.com' to='alice@contoso.com' type='chat'>"
        "<composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
    )
    inside.sends(PING)

    assert await inside.next_stanza() == PONG
    assert (await alice.asks("OPTIONS", "sip:contoso.com")).code == 200


async def test_sender_that_sip_cannot_name_is_jid_malformed(inside: Any, alice: Any) -> None:
    inside.sends("<message from='a\\5cb@gmail.com' to='alice@contoso.com' id='m1'><body>x</body></message>")

    assert "<jid-malformed " in await inside.next_stanza()


async def test_subject_cannot_smuggle_a_header(inside: Any, alice: Any) -> None:
    inside.sends(
        "<message from='juliet@gmail.com' to='alice@contoso.com'>"
        "<subject>a&#13;\nX-Evil: yes&#13;\n&#13;\nbody</subject><body>x</body></message>"
    )
    request = await alice.next_request()

    assert request.header("x-evil") is None
    assert request.header("subject") == "a X-Evil: yes body"
    assert request.body == b"x"


@pytest.mark.parametrize(("limit", "refused"), [(None, False), (1300, True)])
async def test_limit_of_pager_mode_is_a_setting(start: Any, connect: Any, limit: int | None, refused: bool) -> None:
    async with start(FrontEndRules(message_limit=limit)) as inside, connect(inside.port) as alice:
        await alice.registers()
        inside.sends(MESSAGE.replace("Art thou not Romeo?", "x" * 1300))

        if refused:
            assert "<policy-violation " in await inside.next_stanza()
        else:
            assert len((await alice.next_request()).body) == 1300


@pytest.mark.parametrize(
    ("iq", "answer"),
    [
        ("<iq type='get' id='1' {}><x xmlns='urn:x'/></iq>", "<service-unavailable "),
        ("<iq type='set' id='1' {}><x xmlns='urn:x'/></iq>", "<service-unavailable "),
        ("<iq type='get' {}><x xmlns='urn:x'/></iq>", "<bad-request "),
        ("<iq id='1' {}><x xmlns='urn:x'/></iq>", "<bad-request "),
        ("<iq type='foo' id='1' {}><x xmlns='urn:x'/></iq>", "<bad-request "),
        ("<iq type='get' id='1' {}/>", "<bad-request "),
        ("<iq type='set' id='1' {}><x xmlns='urn:x'/><y xmlns='urn:x'/></iq>", "<bad-request "),
        ("<iq type='result' id='1' {}/>", None),
        ("<iq type='error' id='1' {}><error type='cancel'/></iq>", None),
        ("<iq type='result' {}/>", None),
    ],
)
@pytest.mark.parametrize("to", ["contoso.com", "alice@contoso.com", "alice@contoso.com/x", "nobody@contoso.com"])
async def test_iq_is_answered_alike_for_all(inside: Any, to: str, iq: str, answer: str | None) -> None:
    inside.sends(iq.format(f"from='juliet@gmail.com/a' to='{to}'"))
    inside.sends(PING)
    stanza = await inside.next_stanza()

    if answer is not None:
        name = "1" if "id='1'" in iq else ""
        assert stanza.startswith(f"<iq from='{to}' to='juliet@gmail.com/a' ")
        assert f"id='{name}'" in stanza
        assert "type='error'" in stanza
        assert answer in stanza
        stanza = await inside.next_stanza()

    assert stanza == PONG


async def test_domain_tells_what_it_is(inside: Any) -> None:
    inside.sends(
        "<iq type='get' id='1' from='gmail.com' to='contoso.com'>"
        "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )

    assert "<identity category='gateway' type='sip'" in await inside.next_stanza()


@pytest.mark.parametrize("kind", ["unsubscribe", "error", "unavailable"])
async def test_presence_of_strangers_is_left_alone(inside: Any, kind: str) -> None:
    inside.sends(f"<presence from='juliet@gmail.com' to='alice@contoso.com' type='{kind}'/>")
    inside.sends(PING)

    assert await inside.next_stanza() == PONG
