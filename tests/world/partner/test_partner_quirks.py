"""Each misbehaviour is seen to do what its sentence says."""

from typing import Any
from xml.etree.ElementTree import Element

import pytest

from simulator.world.pace import bounded
from simulator.world.partner.stream import PartnerStream, StreamOver
from simulator.xmpp.element import parse_element, serialize

HELLO = "<message from='juliet@gmail.com' to='alice@contoso.com' id='m1'><body>Hello</body></message>"


async def dial(town: Any, quirk: str) -> PartnerStream:
    """A stream from a well-behaved server to gmail.com, which has the quirk; header and features have come."""
    _, contoso = await town.pair(quirk)
    stream: PartnerStream = await contoso.dial("", "gmail.com")

    try:
        async with bounded(0.1):
            await stream.arrived_features()
    except (TimeoutError, StreamOver):
        pass

    return stream


async def offer(town: Any, quirk: str) -> PartnerStream:
    """The same, and a right key is offered."""
    stream = await dial(town, quirk)
    town.partners[1].offer_key(stream, "contoso.com", "gmail.com")

    return stream


async def answer(stream: PartnerStream) -> tuple[Any, ...]:
    element = (await stream.next_element()).element

    return tuple(element.get(name) for name in ("from", "to", "type"))


def features(stream: PartnerStream) -> str:
    return "" if stream.features is None else serialize(stream.features).decode()


def written(town: Any) -> str:
    return "".join(entry.data.get("text", "") for entry in town.entries("sent", "gmail.com"))


async def silent(stream: PartnerStream) -> bool:
    try:
        async with bounded(0.1):
            await stream.next_element()
    except TimeoutError:
        return True

    return False


# -- the door


async def test_refused_connections_are_refused(town: Any) -> None:
    _, contoso = await town.pair("refuses-connections")

    with pytest.raises(ConnectionRefusedError):
        await contoso.open("", "gmail.com")


async def test_one_host_of_several_refuses(town: Any) -> None:
    gmail, contoso = await town.pair("refuses-connections: xmpp-server.l.google.com", profile="google-talk")
    stream = await contoso.open("", "gmail.com")

    assert stream.connection.remote[0] == gmail.places["alt1.xmpp-server.l.google.com"][0]


@pytest.mark.parametrize(("quirk", "tcp"), [("resets-connections", "reset"), ("closes-connections", "fin")])
async def test_connections_end_at_once(town: Any, quirk: str, tcp: str) -> None:
    stream = await dial(town, quirk)

    assert (await stream.ended()).tcp == tcp
    assert stream.header is None


async def test_a_black_hole_says_nothing(town: Any) -> None:
    stream = await dial(town, "blackhole")

    assert (stream.header, stream.over) == (None, False)
    assert town.entries("received", "gmail.com")
    assert not town.entries("sent", "gmail.com")


async def test_another_protocol_is_spoken(town: Any) -> None:
    stream = await dial(town, "speaks-another-protocol")

    await stream.ended()
    assert town.entries("received", "contoso.com")[0].data["text"].startswith("HTTP/1.1 400")


async def test_any_banner_can_be_said(town: Any) -> None:
    await (await dial(town, "says: SSH-2.0-OpenSSH_9.2")).ended()

    assert town.entries("received", "contoso.com")[0].data["text"] == "SSH-2.0-OpenSSH_9.2"


# -- the header


@pytest.mark.parametrize(
    ("quirk", "attribute", "value"),
    [
        ("no-version", "version", None),
        ("version: 2.5", "version", "2.5"),
        ("no-to", "to", None),
        ("no-from", "sender", None),
        ("no-stream-id", "id", None),
        ("same-stream-id: x y", "id", "x y"),
        ("no-dialback-namespace", "dialback", False),
        ("client-namespace", "content_namespace", "jabber:client"),
    ],
)
async def test_the_header_differs_in_one_thing(town: Any, quirk: str, attribute: str, value: Any) -> None:
    header = (await dial(town, quirk)).header
    assert header
    rest = {name: getattr(header, name) for name in ("sender", "to", "version", "dialback") if name != attribute}

    assert getattr(header, attribute) == value
    assert rest.items() <= {"sender": "gmail.com", "to": "contoso.com", "version": "1.0", "dialback": True}.items()


@pytest.mark.parametrize("quirk", ["no-version", "no-to", "no-from"])
async def test_headers_that_it_dials_with_differ_too(town: Any, quirk: str) -> None:
    gmail, _ = await town.pair(quirk)
    gmail.send_stanza(parse_element(HELLO))
    received = (await town.mail.get(), town.partners[1].contacts[0].header)[1]
    attribute = {"no-version": "version", "no-to": "to", "no-from": "sender"}[quirk]

    assert getattr(received, attribute) is None


async def test_no_version_means_no_features(town: Any) -> None:
    stream = await dial(town, "no-version")

    assert "features" not in written(town)
    assert await answer(await _offer_on(town, stream)) == ("gmail.com", "contoso.com", "valid")


async def _offer_on(town: Any, stream: PartnerStream) -> PartnerStream:
    town.partners[1].offer_key(stream, "contoso.com", "gmail.com")

    return stream


async def test_dialback_goes_by_another_prefix(town: Any) -> None:
    stream = await offer(town, "other-prefix")

    assert await answer(stream) == ("gmail.com", "contoso.com", "valid")
    assert "<x:result " in written(town)
    assert "<db:" not in written(town)


async def test_a_header_without_prefix_is_understood(town: Any) -> None:
    gmail, _ = await town.pair("prefix-free-header")
    gmail.send_stanza(parse_element(HELLO))

    assert (await town.mail.get()).get("type") is None
    assert "<stream xmlns='http://etherx" in written(town).replace('"', "'")
    assert "stream:" not in written(town)


async def test_another_namespace_of_streams_is_refused(town: Any) -> None:
    await (await dial(town, "wrong-stream-namespace")).ended()

    assert "invalid-namespace" in "".join(entry.data["text"] for entry in town.entries("sent", "contoso.com"))


@pytest.mark.parametrize(
    ("quirk", "condition", "tag"),
    [
        ("host-unknown", "host-unknown", True),
        ("stream-error: resource-constraint", "resource-constraint", True),
        ("closes-after-header", "", True),
        ("resets-after-header", "", False),
    ],
)
async def test_the_stream_ends_after_the_header(town: Any, quirk: str, condition: str, tag: bool) -> None:
    stream = await dial(town, quirk)
    ending = await stream.ended()

    assert stream.header
    assert (ending.condition, ending.closing_tag, ending.by) == (condition, tag, "them")
    assert (ending.tcp == "reset") == (not tag)


async def test_half_a_header_is_half(town: Any) -> None:
    stream = await dial(town, "half-a-header")

    assert (await stream.ended()).tcp == "reset"
    assert stream.header is None
    assert written(town).startswith("<?xml")


# -- features


@pytest.mark.parametrize(
    ("quirk", "expected"),
    [
        ("no-features", ""),
        ("empty-features", "<stream:features/>"),
        ("no-dialback-errors", "<stream:features><dialback xmlns='urn:xmpp:features:dialback'/></stream:features>"),
        ("features: <x xmlns='urn:x'/>", "<stream:features><x xmlns='urn:x'/></stream:features>"),
    ],
)
async def test_features_differ(town: Any, quirk: str, expected: str) -> None:
    stream = await dial(town, quirk)

    assert stream.header
    assert stream.header.version == "1.0"
    assert features(stream) == expected


# -- the receiving server


@pytest.mark.parametrize(
    ("quirk", "expected"),
    [
        ("accepts-every-domain", ("gmail.com", "contoso.com", "valid")),
        ("answers-invalid", ("gmail.com", "contoso.com", "invalid")),
        ("answers-garbage-type", ("gmail.com", "contoso.com", "VALID")),
        ("answers-garbage-type: maybe", ("gmail.com", "contoso.com", "maybe")),
        ("answers-for-wrong-pair", ("elsewhere.example", "contoso.com", "valid")),
        ("answers-for-wrong-sender", ("gmail.com", "elsewhere.example", "valid")),
        ("answers-swapped", ("contoso.com", "gmail.com", "valid")),
        ("answers-error: resource-constraint", ("gmail.com", "contoso.com", "error")),
    ],
)
async def test_keys_are_answered_wrongly(town: Any, quirk: str, expected: tuple[str, ...]) -> None:
    stream = await offer(town, quirk)

    assert await answer(stream) == expected
    assert not town.entries("opened", "contoso.com")[1:]


async def test_an_error_carries_its_condition(town: Any) -> None:
    element = (await (await offer(town, "answers-error: resource-constraint")).next_element()).element

    assert [child.tag for child in element.iter()][1:] == [
        "{jabber:server}error",
        "{urn:ietf:params:xml:ns:xmpp-stanzas}resource-constraint",
    ]


async def test_no_key_is_answered(town: Any) -> None:
    assert await silent(await offer(town, "never-answers"))


@pytest.mark.parametrize(
    ("quirk", "tag", "said"),
    [
        ("closes-on-result", True, ""),
        ("resets-on-result", False, ""),
        ("drops-after-result", True, "valid"),
        ("resets-after-result", False, "valid"),
    ],
)
async def test_the_stream_ends_on_a_key(town: Any, quirk: str, tag: bool, said: str) -> None:
    stream = await offer(town, quirk)
    ending = await stream.ended()

    assert (ending.closing_tag, ending.tcp == "reset") == (tag, not tag)
    assert [arrived.element.get("type") for arrived in stream.elements] == ([said] if said else [])


async def test_valid_is_said_before_it_is_asked_for(town: Any) -> None:
    stream = await dial(town, "unsolicited-valid")

    assert await answer(stream) == ("gmail.com", "contoso.com", "valid")
    assert await silent(await _offer_on(town, stream))


# -- the authoritative server


async def verification(town: Any, quirk: str, key: str = "") -> Element | str:
    """What gmail.com answers when it is asked about a key that it issued (or about `key`)."""
    stream = await dial(town, quirk)
    right = town.partners[0].key("contoso.com", "gmail.com", "i1")
    stream.send_xml(f"<db:verify from='contoso.com' to='gmail.com' id='i1'>{key or right}</db:verify>")

    try:
        async with bounded(0.15):
            return (await stream.next_element()).element
    except TimeoutError:
        return "silence"
    except StreamOver:
        return stream.ending.tcp


@pytest.mark.parametrize(
    ("quirk", "key", "expected"),
    [
        ("slow: 0.01", "", ("gmail.com", "contoso.com", "i1", "valid")),
        ("slow: 0.01", "nonsense", ("gmail.com", "contoso.com", "i1", "invalid")),
        ("denies-every-key", "", ("gmail.com", "contoso.com", "i1", "invalid")),
        ("accepts-every-key", "nonsense", ("gmail.com", "contoso.com", "i1", "valid")),
        ("fails-to-verify: internal-server-error", "", ("gmail.com", "contoso.com", "i1", "error")),
        ("verifies-with-garbage-type: yes", "", ("gmail.com", "contoso.com", "i1", "yes")),
        ("verifies-with-wrong-id", "", ("gmail.com", "contoso.com", "i1-other", "valid")),
        ("verifies-with-wrong-from", "", ("elsewhere.example", "contoso.com", "i1", "valid")),
        ("verifies-with-wrong-to", "", ("gmail.com", "elsewhere.example", "i1", "valid")),
        ("verifies-swapped", "", ("contoso.com", "gmail.com", "i1", "valid")),
    ],
)
async def test_verification_is_answered(town: Any, quirk: str, key: str, expected: tuple[str, ...]) -> None:
    element = await verification(town, quirk, key)

    assert isinstance(element, Element)
    assert tuple(element.get(name) for name in ("from", "to", "id", "type")) == expected


@pytest.mark.parametrize(
    ("quirk", "outcome"), [("never-verifies", "silence"), ("closes-on-verify", "fin"), ("resets-on-verify", "reset")]
)
async def test_verification_is_not_answered(town: Any, quirk: str, outcome: str) -> None:
    assert await verification(town, quirk) == outcome


async def test_a_second_answer_contradicts_the_first(town: Any) -> None:
    first = await verification(town, "changes-its-mind")
    second = (await town.partners[1].streams[""].next_element()).element

    assert isinstance(first, Element)
    assert (first.get("type"), second.get("type")) == ("invalid", "valid")


# -- the initiating server


async def test_wrong_keys_are_denied_by_its_own_server(town: Any) -> None:
    gmail, _ = await town.pair("offers-wrong-keys")
    gmail.send_stanza(parse_element(HELLO))
    returned = await town.mail.get()

    # XEP-0220 §2.1.1: on "invalid" stanzas are returned with internal-server-error.
    assert "internal-server-error" in serialize(returned).decode()


async def test_the_first_stanza_breaks_off(town: Any) -> None:
    gmail, contoso = await town.pair("vanishes-mid-stanza")
    gmail.send_stanza(parse_element(HELLO))

    while not contoso.contacts:
        await contoso.changed()

    assert (await contoso.contacts[0].ended()).tcp == "reset"
    assert town.mail.empty()
    assert "<message" in "".join(entry.data["text"] for entry in town.entries("received", "contoso.com"))


# -- bytes


@pytest.mark.parametrize(("quirk", "most"), [("one-byte-segments", 1), ("segments: 7", 7)])
async def test_bytes_leave_in_small_pieces(town: Any, quirk: str, most: int) -> None:
    gmail, _ = await town.pair(quirk)
    gmail.send_stanza(parse_element(HELLO))
    await town.mail.get()
    pieces = [len(entry.data["text"]) for entry in town.entries("received", "contoso.com")]

    # The receiving end may find several pieces at once, but never one per write of ours.
    assert len(pieces) > 10
    assert sorted(pieces)[len(pieces) // 2] <= 4 * most


async def test_white_space_stands_between_elements(town: Any) -> None:
    gmail, _ = await town.pair("whitespace-between")
    gmail.send_stanza(parse_element(HELLO))

    assert await town.mail.get() is not None
    assert "\n<message" in written(town)


async def test_the_closing_tag_is_not_answered(town: Any) -> None:
    stream = await dial(town, "never-closes")
    stream.close()
    ending = await stream.ended()

    assert not ending.closing_tag
    assert ending.by == "us"
