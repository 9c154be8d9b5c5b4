"""What the edge does when the link, the route or a stream is lost, and when a message counts as handed over."""

from __future__ import annotations

import socket
from typing import Any
from xml.etree.ElementTree import Element

import msgspec
import pytest

from simulator.gateway.configuration import AllowedPartner, Configuration
from simulator.wire.listener import listen
from simulator.xmpp.element import parse_element
from simulator.xmpp.events import DialbackResult, Stanza, StreamClosed, StreamError, StreamHeader

ERROR = "{jabber:server}error"


def message(name: str, sender: str = "alice@contoso.com", to: str = "juliet@gmail.com") -> Element:
    return parse_element(f"<message from='{sender}' to='{to}' id='{name}'><body>Hi</body></message>")


PRESENCE = "<presence from='alice@contoso.com/desk' to='juliet@gmail.com'/>"


@pytest.fixture
async def site(world: Any) -> Any:
    return await world.site("contoso.com", partners=[world.partner("gmail.com")])


async def open_stream(site: Any, fake: Any, first: Element) -> Any:
    """The edge's stream to the partner, on which the first stanza has arrived."""
    site.edge.submit(first)
    peer = await fake.next()
    await peer.accept()
    request = await peer.expect(DialbackResult)
    peer.send(DialbackResult(sender=request.to, to=request.sender, type="valid"))
    assert (await peer.expect(Stanza)).element.get("to") == first.get("to")

    return peer


async def test_unsettled_message_comes_back_to_its_sender(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    site.link.on_unsettled(message("m1", "juliet@gmail.com", "alice@contoso.com"))
    peer = await fake.next()
    await peer.accept()
    request = await peer.expect(DialbackResult)
    peer.send(DialbackResult(sender=request.to, to=request.sender, type="valid"))
    error = (await peer.expect(Stanza)).element

    assert (error.get("type"), error.get("id"), error.get("to")) == ("error", "m1", "juliet@gmail.com")
    assert error.find(f"{ERROR}/{{urn:ietf:params:xml:ns:xmpp-stanzas}}internal-server-error") is not None


async def test_users_are_unavailable_when_the_link_is_down(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    peer = await open_stream(site, fake, parse_element(PRESENCE))
    site.link.on_down()
    gone = (await peer.expect(Stanza)).element

    assert dict(gone.attrib) == {
        "from": "alice@contoso.com/desk",
        "to": "juliet@gmail.com",
        "type": "unavailable",
    }


async def test_users_are_unavailable_before_the_edge_stops(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    peer = await open_stream(site, fake, parse_element(PRESENCE))
    await site.edge.stop()

    assert (await peer.expect(Stanza)).element.get("type") == "unavailable"
    assert (await peer.expect(StreamError)).condition == "system-shutdown"


async def test_edge_that_loses_the_route_closes_in_order_and_withdraws_nothing(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    outbound = await open_stream(site, fake, parse_element(PRESENCE))
    inbound = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    site.link.on_route(False)

    await outbound.expect(StreamClosed)
    await inbound.expect(StreamClosed)
    site.link.on_down()
    site.edge.submit(message("m2"))
    again = await fake.next()
    await again.accept()
    request = await again.expect(DialbackResult)
    again.send(DialbackResult(sender=request.to, to=request.sender, type="valid"))

    assert (await again.expect(Stanza)).element.get("id") == "m2"
    assert site.link.domains == []


async def test_message_that_the_partner_has_no_room_for_is_not_handed_over(world: Any, site: Any) -> None:
    """What lies in our own buffers when the partner breaks the stream has not arrived."""
    accepted = []

    def small(connection: Any) -> None:
        accepted.append(connection)
        fake.accepted(connection)

    fake = await world.listen("elsewhere.example")
    listener = await listen("127.0.0.1", 0, small)
    world.publish(listener.port, "gmail.com")
    peer = await open_stream(site, fake, message("m1"))
    assert await site.link.told(1) == ["m1"]

    accepted[0].pause_reading()
    accepted[0]._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    large = [message(f"large-{number}") for number in range(30)]

    for each in large:
        each[0].text = "x" * 100_000
        site.edge.submit(each)

    accepted[0].abort()
    bounced = {(await site.link.next()).get("id") for _ in range(30 - len(site.link.ids) + 1)}
    assert await peer.closed == "local"

    # Each has one fate, and the last surely did not arrive.
    assert bounced.isdisjoint(site.link.ids)
    assert bounced | set(site.link.ids) == {"m1", *(f"large-{number}" for number in range(30))}
    assert "large-29" in bounced
    await listener.close()


async def test_broken_stream_loses_the_domain_until_there_is_another(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    inbound = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    inbound.connection.abort()
    await inbound.closed
    peer = await open_stream(site, fake, message("m1"))

    assert site.link.domains == ["lost gmail.com", "back gmail.com"]
    site.link.domains.clear()
    await site.link.told(1)
    peer.connection.abort()
    # The edge does not know yet: what it writes now comes back.
    site.edge.submit(message("m2"))
    error = await site.link.next()

    assert (error.get("id"), error.find(f"{ERROR}/*").tag) == (
        "m2",
        "{urn:ietf:params:xml:ns:xmpp-stanzas}remote-server-timeout",
    )
    assert site.link.domains == ["lost gmail.com"]
    site.link.on_up()
    assert site.link.domains == ["lost gmail.com"] * 2


def without(configuration: Configuration, **changes: Any) -> Configuration:
    return msgspec.structs.replace(configuration, **changes)


async def test_partner_that_is_removed_loses_its_streams(world: Any, site: Any) -> None:
    fake = await world.listen("gmail.com")
    outbound = await open_stream(site, fake, message("m1"))
    inbound = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    configuration = site.edge._context.configuration
    configuration.adopt(without(configuration, partners=()))
    site.edge.reconfigure()

    assert (await outbound.expect(StreamError)).condition == "policy-violation"
    assert (await inbound.expect(StreamError)).condition == "policy-violation"
    site.edge.submit(message("m2"))
    assert (await site.link.next()).find(f"{ERROR}/*").tag.endswith("}not-allowed")


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        ({"description": "Friends"}, True),
        ({"partner_type": "Federated"}, True),
        ({"enable_keep_alive": True}, False),
        ({"additional_domains": ("googlemail.com",)}, False),
    ],
)
async def test_stream_ends_when_settings_that_concern_it_change(
    world: Any, site: Any, changes: dict[str, Any], stays: bool
) -> None:
    fake = await world.listen("gmail.com")
    inbound = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    configuration = site.edge._context.configuration
    partner = msgspec.convert(
        msgspec.to_builtins(configuration.partners[0])
        | {key.replace("_", "-"): value for key, value in changes.items()},
        AllowedPartner,
    )
    configuration.adopt(without(configuration, partners=(partner,)))
    site.edge.reconfigure()
    inbound.send(Stanza(element=message("m1", "juliet@gmail.com", "alice@contoso.com")))

    if stays:
        assert (await site.link.next()).get("id") == "m1"
        assert inbound.events.empty()
    else:
        await inbound.expect(StreamClosed)


async def test_domain_that_is_added_is_served_at_once(world: Any, site: Any) -> None:
    configuration = site.edge._context.configuration
    configuration.adopt(without(configuration, domains=("contoso.com", "fabrikam.com")))
    site.edge.reconfigure()
    peer = await world.dial(site, header=StreamHeader(sender="gmail.com", to="fabrikam.com"))

    assert peer.stream is not None
    assert not isinstance(await peer.next(), StreamError)
