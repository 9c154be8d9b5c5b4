"""Two partners federate with each other through the fake name server: dialback in all three roles, both ways."""

import time
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from simulator.world.addresses import Addresses
from simulator.world.partner.stream import StreamOver
from simulator.xmpp.element import parse_element

HELLO = "<message from='juliet@gmail.com' to='alice@contoso.com' id='m1'><body>Hello</body></message>"


def conditions(stanza: Element) -> list[str]:
    return [child.tag.rpartition("}")[2] for error in stanza if error.tag.endswith("}error") for child in error]


async def test_partners_exchange_messages_both_ways(town: Any) -> None:
    gmail, contoso = await town.pair()
    gmail.send_stanza(parse_element(HELLO))
    contoso.send_stanza(
        parse_element("<message from='alice@contoso.com' to='juliet@gmail.com'><body>Hi</body></message>")
    )
    bodies = {(await town.mail.get()).findtext("{jabber:server}body") for _ in range(2)}

    assert bodies == {"Hello", "Hi"}
    # XEP-0220 §2.3: dialback is completed in each direction, on streams of their own.
    opened = [entry for entry in town.journal if entry.kind == "opened" and entry.data["by"] == "them"]
    assert len(opened) == 4


async def test_the_same_journal_holds_every_byte(town: Any) -> None:
    gmail, _ = await town.pair()
    gmail.send_stanza(parse_element(HELLO))
    await town.mail.get()
    sent = "".join(entry.data["text"] for entry in town.journal if entry.kind == "sent" and entry.actor == "gmail.com")
    received = "".join(
        entry.data["text"] for entry in town.journal if entry.kind == "received" and entry.actor == "contoso.com"
    )

    assert "<body>Hello</body>" in sent
    assert sorted(sent) == sorted(received)


async def test_one_address_for_all_is_enough(town: Any) -> None:
    town.addresses = Addresses(own_addresses=False)
    gmail, contoso = await town.pair(profile="google-talk")
    gmail.send_stanza(parse_element(HELLO))
    await town.mail.get()
    gone = await town.partner("gone.example", "refuses-connections")

    assert {gmail.host, contoso.host, gone.host} == {"127.0.0.1"}
    assert len({gmail.port, contoso.port, gone.port}) == 3

    with pytest.raises(ConnectionRefusedError):
        await contoso.open("", "gone.example")


async def test_order_and_queue_survive_the_negotiation(town: Any) -> None:
    gmail, _ = await town.pair()

    for number in range(20):
        gmail.send_stanza(parse_element(HELLO.replace("m1", f"m{number}")))

    assert [(await town.mail.get()).get("id") for _ in range(20)] == [f"m{number}" for number in range(20)]


async def test_a_profile_publishes_its_service_records(town: Any) -> None:
    await town.partner("gmail.com", profile="google-talk")
    records = town.names.zone.records("_xmpp-server._tcp.gmail.com", "SRV")

    assert [(priority, host) for priority, _, _, host in sorted(records)] == [
        (5, "xmpp-server.l.google.com"),
        *((20, f"alt{number}.xmpp-server.l.google.com") for number in range(1, 5)),
    ]
    assert town.names.service("googlemail.com") == town.names.service("gmail.com")


async def test_google_talk_drops_messages_from_strangers(town: Any) -> None:
    gmail = await town.partner("gmail.com", profile="google-talk")
    contoso = await town.partner("contoso.com")
    gmail.add_user("juliet@gmail.com", town.mail.put_nowait, contacts={"bob@contoso.com"})

    for sender in ("alice", "bob"):
        contoso.send_stanza(parse_element(f"<message from='{sender}@contoso.com/x' to='juliet@gmail.com'/>"))

    assert (await town.mail.get()).get("from") == "bob@contoso.com/x"


async def test_a_second_domain_is_spoken_for(town: Any) -> None:
    gmail = await town.partner("gmail.com", profile="google-talk")
    contoso = await town.partner("contoso.com")
    contoso.add_user("alice@contoso.com", town.mail.put_nowait)
    gmail.send_stanza(parse_element("<message from='juliet@googlemail.com' to='alice@contoso.com'/>"))

    assert (await town.mail.get()).get("from") == "juliet@googlemail.com"


async def test_nobody_of_that_name_is_answered(town: Any) -> None:
    gmail, _ = await town.pair()
    gmail.send_stanza(parse_element(HELLO.replace("alice", "nobody")))

    assert conditions(await town.mail.get()) == ["service-unavailable"]


async def test_a_stanza_before_verification_is_refused(town: Any) -> None:
    gmail, _ = await town.pair()
    stream = await gmail.dial("", "contoso.com")
    await stream.arrived_features()
    stream.send_xml(HELLO)

    assert (await stream.ended()).condition == "not-authorized"
    assert town.mail.empty()
    assert any(entry.kind == "element" and "handled" not in entry.data for entry in town.journal)


async def test_an_unknown_domain_is_answered_host_unknown(town: Any) -> None:
    gmail, _ = await town.pair()
    stream = await gmail.dial("", "contoso.com", {"to": "elsewhere.example"})

    assert (await stream.ended()).condition == "host-unknown"


async def test_a_key_for_an_unserved_domain_is_an_error(town: Any) -> None:
    gmail, _ = await town.pair()
    stream = await gmail.dial("", "contoso.com")
    await stream.arrived_features()
    gmail.offer_key(stream, "gmail.com", "elsewhere.example")
    answer = (await stream.next_element()).element

    assert (answer.get("type"), conditions(answer)) == ("error", ["item-not-found"])
    assert not stream.over


async def test_a_wrong_key_is_called_invalid(town: Any) -> None:
    gmail, _ = await town.pair()
    stream = await gmail.dial("", "contoso.com")
    await stream.arrived_features()
    gmail.offer_key(stream, "gmail.com", "contoso.com", "0" * 64)

    assert (await stream.next_element()).element.get("type") == "invalid"
    # XEP-0220 §2.2.1: with no other valid pair the receiving server closes the stream.
    assert (await stream.ended()).closing_tag


async def test_broken_xml_is_recorded_as_unexpected(town: Any) -> None:
    gmail, _ = await town.pair()
    stream = await gmail.dial("", "contoso.com")
    await stream.arrived_features()
    stream.send_bytes(b"<message></presence>")

    assert (await stream.ended()).condition == "not-well-formed"
    assert [entry.data["violation"] for entry in town.journal if entry.kind == "element" and "violation" in entry.data]


async def test_a_scripted_stream_waits_for_its_step(town: Any) -> None:
    gmail, contoso = await town.pair()
    gmail.expected_scripts = 1
    contoso.send_stanza(parse_element("<message from='alice@contoso.com' to='juliet@gmail.com'/>"))
    stream = await gmail.accept("S", {"version": None})
    request = (await stream.next_element()).element
    stream.send_xml("<db:result from='gmail.com' to='contoso.com' type='valid'/>")

    assert request.text == contoso.key("gmail.com", "contoso.com", stream.id)
    assert (await stream.next_element()).element.tag == "{jabber:server}message"


async def test_the_same_seed_gives_the_same_keys_and_ids(town: Any) -> None:
    made = [await town.partner("gmail.com", listens=False) for _ in range(2)]

    assert made[0].secret == made[1].secret
    assert made[0].fresh_id() == made[1].fresh_id() != made[0].fresh_id()


async def test_no_address_beyond_loopback_is_contacted(town: Any) -> None:
    gmail = await town.partner("gmail.com", locate=lambda domain: [("192.0.2.1", 5269)])

    with pytest.raises(PermissionError, match="loopback"):
        await gmail.open("", "contoso.com")


async def test_stopping_leaves_nothing_open(town: Any) -> None:
    gmail, contoso = await town.pair()
    stream = await gmail.dial("", "contoso.com")
    await stream.arrived_features()
    await contoso.stop()
    town.partners.remove(contoso)

    with pytest.raises(StreamOver):
        await stream.next_element()

    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await gmail.open("", "contoso.com")


async def test_a_partner_is_up_in_a_moment(town: Any) -> None:
    took = []

    for number in range(20):
        began = time.perf_counter()
        await town.partner(f"control{number}.example")
        took.append(time.perf_counter() - began)

    assert min(took) < 0.1
