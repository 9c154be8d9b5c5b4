"""The home inside a front end that runs: its link, its file, its clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.gateway.access.edge import AccessEdgeConfiguration
from simulator.gateway.configuration import FrontendSettings, GatewaySettings
from simulator.gateway.contacts.availability import Availability
from simulator.gateway.contacts.notices import Notice, Seen
from simulator.gateway.contacts.store import StoreError
from simulator.gateway.topology import ONLY
from simulator.xmpp.address import parse_address
from simulator.xmpp.subscription import State

ALICE, JULIET = parse_address("alice@contoso.com"), parse_address("juliet@gmail.com")


def presence(type_: str, id_: str = "p") -> str:
    return f"<presence from='juliet@gmail.com' to='alice@contoso.com' id='{id_}' type='{type_}'/>"


def settings(path: Path) -> FrontendSettings:
    return FrontendSettings(sip_tcp_port=0, sip_tls_port=None, contacts=str(path))


async def test_probe_of_a_stranger_is_answered(inside: Any) -> None:
    inside.sends(presence("probe"))

    assert await inside.next_stanza() == (
        "<presence from='alice@contoso.com' to='juliet@gmail.com' id='p' type='unsubscribed'/>"
    )


async def test_contacts_outlive_the_front_end(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "contacts.sqlite"

    async with start(frontend=settings(path)) as inside:
        inside.frontend.home.add(ALICE, JULIET, 0.0, id="a")

        assert "type='subscribe'" in await inside.next_stanza()

        inside.sends(presence("subscribed"))
        inside.sends(presence("probe"))
        await inside.next_stanza()

    async with start(frontend=settings(path)) as inside:
        assert inside.frontend.home.contact(ALICE, JULIET).state is State.TO


async def test_a_file_that_is_none_stops_the_start(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "contacts.sqlite"
    path.write_text("Dear diary, this is not a database at all, however long it may become.\n" * 50)

    with pytest.raises(StoreError, match=f"{path} is no database; name another file"):
        async with start(frontend=settings(path)):
            pass


async def test_everybody_leaves_when_the_front_end_ends(start: Any) -> None:
    async with start() as inside:
        inside.sends(presence("subscribe"))

        assert "type='subscribed'" in await inside.next_stanza()

        inside.frontend.home.available(ALICE, "desk", Availability(), 0.0)

        assert "alice@contoso.com/desk" in await inside.next_stanza()

        await inside.frontend.stop()

        assert "type='unavailable'" in await inside.next_stanza()


async def test_what_was_seen_ends_with_the_link_and_is_asked_for_when_it_is_back(start: Any) -> None:
    notices: list[Notice] = []

    async with start() as inside:
        home = inside.frontend.home
        home.tell = notices.append
        home.add(ALICE, JULIET, 0.0)
        inside.sends(presence("subscribed"))
        inside.sends(presence("probe"))
        await inside.next_stanza()
        await inside.next_stanza()
        home.available(ALICE, "desk", Availability(), 0.0)
        assert "type='probe'" in await inside.next_stanza()
        inside.sends("<presence from='juliet@gmail.com/b' to='alice@contoso.com'/>")
        inside.sends(presence("probe"))
        await inside.next_stanza()
        assert home.seen(ALICE, JULIET) == {"b": Availability()}
        await inside.frontend.link.stop()

        assert home.seen(ALICE, JULIET) == {}
        assert notices[-1] == Seen(ALICE, JULIET, "b", None)

        await inside.frontend.link.start({ONLY: ("127.0.0.1", inside.edge.port)})

        assert "type='probe'" in await inside.next_stanza()


async def test_the_clock_refreshes_presence(start: Any) -> None:
    async with start(gateway=GatewaySettings(subscription_refresh_interval=0.2)) as inside:
        home = inside.frontend.home
        home.add(ALICE, JULIET, 0.0)
        inside.sends(presence("subscribed"))
        inside.sends(presence("probe"))
        await inside.next_stanza()
        await inside.next_stanza()
        home.available(ALICE, "desk", Availability(), inside.frontend._clock())

        assert "type='probe'" in await inside.next_stanza()
        assert "type='probe'" in await inside.next_stanza()


async def test_settings_can_be_changed_while_it_runs(start: Any) -> None:
    async with start() as inside:
        inside.configuration.adopt(
            msgspec.structs.replace(inside.configuration, gateway=GatewaySettings(subscription_refresh_interval=123.0))
        )

        assert inside.frontend.home._context.settings().refresh_interval == 123.0


async def test_a_gate_that_closes_while_it_runs_hides_the_user(start: Any) -> None:
    async with start() as inside:
        inside.sends(presence("subscribe"))
        await inside.next_stanza()
        inside.frontend.home.available(ALICE, "desk", Availability(), 0.0)
        await inside.next_stanza()
        inside.configuration.adopt(msgspec.structs.replace(inside.configuration, access=AccessEdgeConfiguration()))
        inside.frontend.reconfigure()
        stanza = await inside.next_stanza()

        assert stanza.startswith("<presence from='alice@contoso.com' to='juliet@gmail.com' id='")
        assert stanza.endswith("type='unavailable'/>")
