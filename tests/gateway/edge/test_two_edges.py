"""Two edges that federate with each other through a real name server."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import pytest

from simulator.gateway.settings import GatewaySettings
from simulator.xmpp.element import parse_element

BODY = "{jabber:server}body"


def message(sender: str, to: str, body: str = "hello", **attributes: str) -> Element:
    element = parse_element("<message><body/></message>")
    element.attrib.update({"from": sender, "to": to, **attributes})
    element[0].text = body

    return element


@pytest.fixture
async def pair(world: Any) -> tuple[Any, Any]:
    inside = await world.site("contoso.com", "sub.contoso.com", partners=[world.partner("gmail.com")])
    outside = await world.site(
        "gmail.com", partners=[world.partner("contoso.com", additional_domains=("sub.contoso.com",))]
    )

    return inside, outside


async def test_messages_cross_both_ways(pair: tuple[Any, Any]) -> None:
    inside, outside = pair
    inside.edge.submit(message("alice@contoso.com", "juliet@gmail.com", "to gmail"))
    assert (await outside.link.next()).findtext(BODY) == "to gmail"

    outside.edge.submit(message("juliet@gmail.com", "alice@contoso.com", "to contoso"))
    assert (await inside.link.next()).findtext(BODY) == "to contoso"


async def test_order_is_kept_through_the_queue(pair: tuple[Any, Any]) -> None:
    inside, outside = pair

    for number in range(300):
        inside.edge.submit(message("alice@contoso.com", "juliet@gmail.com", str(number), id=f"m{number}"))

    assert [(await outside.link.next()).findtext(BODY) for _ in range(300)] == [str(n) for n in range(300)]
    assert await inside.link.told(300) == [f"m{number}" for number in range(300)]


async def test_a_second_domain_shares_the_stream(pair: tuple[Any, Any]) -> None:
    inside, outside = pair
    inside.edge.submit(message("alice@contoso.com", "juliet@gmail.com"))
    await outside.link.next()
    inside.edge.submit(message("bob@sub.contoso.com", "juliet@gmail.com"))

    assert (await outside.link.next()).get("from") == "bob@sub.contoso.com"
    assert len({line.split("from")[1].split(":")[1] for line in outside.log if "may send" in line}) == 1


async def test_the_same_passphrase_makes_the_same_keys(world: Any) -> None:
    settings = GatewaySettings(dialback_passphrase="s3cr3tf0rd14lb4ck")
    inside = await world.site("contoso.com", partners=[world.partner("gmail.com")], gateway=settings)
    await world.site("gmail.com", partners=[world.partner("contoso.com")])
    inside.edge.submit(message("alice@contoso.com", "juliet@gmail.com", id="m1"))
    # The vector of XEP-0185 is tested in tests/xmpp; here the edge must use the configured secret at all.
    assert inside.edge._context.secret == "s3cr3tf0rd14lb4ck"
