"""Which edge a user's traffic takes, and what a change of the route does to links that are up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import msgspec
import pytest

from simulator.document import DocumentError
from simulator.gateway import topology
from simulator.gateway.access.site import EdgeMember, EdgePool, Site
from simulator.gateway.configuration import Configuration, read_configuration
from simulator.gateway.frontend.edges import Edges, of_member
from simulator.gateway.link import LinkDown, LinkListener
from simulator.gateway.settings import EdgeSettings
from simulator.world.ca import CertificateAuthority
from simulator.xmpp.element import parse_element

WEST, EAST, FARM = "edge1.contoso.com", "edge2.contoso.com", "pool.contoso.com"
MEMBERS = ("a.contoso.com", "b.contoso.com")
DOMAINS = [f"partner-{number}.example" for number in range(40)]


def pool(identity: str, *members: str, xmpp: bool = True) -> EdgePool:
    edge = EdgeSettings(port=0, link_port=0)

    return EdgePool(
        identity=identity,
        enable_xmpp_federation=xmpp,
        edge=None if members else edge,
        members=tuple(EdgeMember(identity=member, edge=edge) for member in members),
    )


POOLS = (pool(WEST), pool(EAST), pool(FARM, *MEMBERS))


def sites(route: str | None) -> tuple[Site, ...]:
    return (Site(identity="Redmond", xmpp_federation_route=route),)


def message(name: str, to: str = "juliet@gmail.com", sender: str = "alice@contoso.com") -> Element:
    return parse_element(f"<message from='{sender}' to='{to}' id='{name}'><body>Hi</body></message>")


# -- the topology alone


def test_configuration_without_pools_has_one_edge() -> None:
    edge = EdgeSettings(port=1234)

    assert [(each.identity, each.edge) for each in topology.members((), edge)] == [(topology.ONLY, edge)]
    assert topology.route((), (), None) == topology.ONLY


@pytest.mark.parametrize(
    ("route", "found"),
    [(EAST, EAST), (f"EdgeServer:{EAST.upper()}", EAST), (None, None), ("nowhere.contoso.com", None)],
)
def test_route_is_that_of_the_site(route: str | None, found: str | None) -> None:
    assert topology.route(sites(route), POOLS, None) == found
    assert topology.route(sites(route), POOLS, "redmond") == found
    assert topology.route(sites(route), POOLS, "Dublin") is None
    assert topology.routes(sites(route), POOLS) == (frozenset({found}) if found else frozenset())


def test_pool_without_xmpp_is_no_route() -> None:
    pools = (pool(WEST, xmpp=False), pool(EAST))

    assert topology.route(sites(WEST), pools, None) is None
    assert [member.identity for member in topology.members(pools, EdgeSettings())] == [EAST]
    assert topology.route((), pools, None) == EAST


def test_domain_always_goes_by_the_same_member() -> None:
    members = [member for member in topology.members(POOLS, EdgeSettings()) if member.pool == FARM]
    chosen = {domain: topology.member_for(members, domain).identity for domain in DOMAINS}

    assert set(chosen.values()) == set(MEMBERS)
    assert chosen == {domain: topology.member_for(members, domain).identity for domain in DOMAINS}


def test_members_that_cannot_be_are_faults() -> None:
    here = EdgeSettings(host="127.0.0.1", port=5269, link_port=23456)
    twice = EdgePool(identity=FARM, members=(EdgeMember(identity="a", edge=here), EdgeMember(identity="a", edge=here)))
    same = EdgePool(identity=FARM, members=(EdgeMember(identity="a", edge=here), EdgeMember(identity="b", edge=here)))
    both = EdgePool(identity=FARM, edge=here, members=(EdgeMember(identity="a", edge=here),))

    assert ["stands here twice" in fault.message for fault in topology.faults([twice], here)] == [True]
    assert [fault.message for fault in topology.faults([same], here)] == [
        "b and a both listen on 127.0.0.1 port 5269",
        "b and a both listen on 127.0.0.1 port 23456",
    ]
    assert ["both edge and members" in fault.message for fault in topology.faults([both], here)] == [True]
    assert not list(topology.faults(POOLS, here))


# -- links


class Net:
    """Edges at the other ends of links, and everything that anybody hears, in order."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.edges = Edges(configuration, log=lambda _: None)
        self.listeners: dict[str, LinkListener] = {}
        self.edges.on_stanza = lambda stanza: self.hear("user", f"{stanza.get('type', 'message')} {stanza.get('id')}")
        self.edges.on_down = lambda: self.hear("route", "down")
        self.edges.on_up = lambda: self.hear("route", "up")
        self.edges.on_edge_lost = lambda owns: self.hear("lost", str(sum(map(owns, DOMAINS))))
        self.edges.on_edge_back = lambda owns: self.hear("back", str(sum(map(owns, DOMAINS))))
        self.edges.on_handed_over = lambda ids: self.hear("handed over", ",".join(ids))

    def hear(self, who: str, what: str) -> None:
        self.heard.put_nowait((who, what))

    async def start(self) -> None:
        for member in topology.members(self.configuration.pools, self.configuration.edge):
            listener = LinkListener(of_member(self.configuration, member), log=lambda _: None)
            name = member.identity
            listener.on_stanza = lambda stanza, name=name: self.hear(name, stanza.get("id", ""))  # type: ignore[misc]
            listener.on_route = lambda serves, name=name: self.hear(name, f"route {serves}")  # type: ignore[misc]
            await listener.start()
            self.listeners[name] = listener

        await self.edges.start({name: ("127.0.0.1", each.port) for name, each in self.listeners.items()})
        await asyncio.wait_for(asyncio.gather(*(each.wait_up() for each in self.listeners.values())), 5)
        await asyncio.wait_for(self.edges.wait_up(), 5)
        others = {name for name in self.listeners if not self.edges.is_route(name)}

        # Every edge that is not the route has to know it.
        while others:
            others.discard((await self.next(*others))[0])

        while not self.heard.empty():
            self.heard.get_nowait()

    async def next(self, *whom: str) -> tuple[str, str]:
        async with asyncio.timeout(5):
            while True:
                who, what = await self.heard.get()

                if who in whom:
                    return who, what

    def follow(self, route: str | None) -> None:
        self.configuration.adopt(msgspec.structs.replace(self.configuration, sites=sites(route)))
        self.edges.reconfigure()

    async def stop(self) -> None:
        await self.edges.stop()

        for listener in self.listeners.values():
            await listener.stop()


async def started(configuration: Configuration, route: str | None) -> Net:
    net = Net(msgspec.structs.replace(configuration, pools=POOLS, sites=sites(route)))
    await net.start()

    return net


@pytest.fixture
async def net(configuration: Configuration) -> AsyncIterator[Net]:
    made = await started(configuration, WEST)
    yield made
    await made.stop()


async def test_stanzas_leave_by_the_route_alone(net: Net) -> None:
    net.edges.send(message("m1"))
    net.edges.send(message("m2"))

    assert [await net.next(WEST), await net.next(WEST)] == [(WEST, "m1"), (WEST, "m2")]
    await net.edges.stop()
    everything = [net.heard.get_nowait() for _ in range(net.heard.qsize())]
    assert not [what for who, what in everything if who != WEST and what.startswith("m")]


async def test_edge_that_is_not_the_route_is_refused_what_partners_send(net: Net) -> None:

    with pytest.raises(LinkDown, match="not the site's XMPP federation route"):
        net.listeners[EAST].send(message("m1", to="alice@contoso.com", sender="juliet@gmail.com"))

    net.listeners[WEST].send(message("m2", to="alice@contoso.com", sender="juliet@gmail.com"))
    assert await net.next("user") == ("user", "message m2")


async def test_stanza_that_came_by_another_edge_goes_back(net: Net) -> None:
    """One that was on its way when the route was changed: the edge has not heard of it yet."""
    net.listeners[EAST].serves = True
    net.listeners[EAST].send(message("late", to="alice@contoso.com", sender="juliet@gmail.com"))

    assert await net.next(EAST, "user") == (EAST, "late")


async def test_failed_route_stops_everything_until_it_is_changed_by_hand(net: Net) -> None:
    """As in "Edge Server disaster recovery": failover is manual."""
    await net.listeners[WEST].stop()
    assert await net.next("route") == ("route", "down")
    assert net.edges.links[EAST].up

    with pytest.raises(LinkDown):
        net.edges.send(message("m1"))

    net.follow(EAST)
    assert await net.next("route") == ("route", "up")
    assert await net.next(EAST) == (EAST, "route True")
    net.edges.send(message("m2"))
    assert await net.next(EAST) == (EAST, "m2")
    net.listeners[EAST].send(message("m3", to="alice@contoso.com", sender="juliet@gmail.com"))
    assert await net.next("user") == ("user", "message m3")


async def test_failback_brings_the_first_route_back(net: Net) -> None:
    net.follow(EAST)
    assert [await net.next(WEST, EAST) for _ in range(2)] == [(WEST, "route False"), (EAST, "route True")]
    net.follow(WEST)
    assert {await net.next(WEST, EAST) for _ in range(2)} == {(WEST, "route True"), (EAST, "route False")}
    net.edges.send(message("m1"))
    assert await net.next(WEST, EAST) == (WEST, "m1")


async def test_what_waits_at_the_former_route_comes_back(net: Net) -> None:
    net.edges.send(message("waits"))
    net.edges.send(message("arrived"))
    net.edges.send(message("failed"))
    assert [await net.next(WEST) for _ in range(3)] == [(WEST, "waits"), (WEST, "arrived"), (WEST, "failed")]
    net.listeners[WEST].handed_over(["arrived"])
    error = message("failed", to="alice@contoso.com", sender="juliet@gmail.com")
    error.set("type", "error")
    net.listeners[WEST].send(error)
    assert [await net.next("handed over", "user") for _ in range(2)] == [
        ("user", "error failed"),
        ("handed over", "arrived"),
    ]

    net.follow(EAST)
    assert await net.next("user", "lost", "back") == ("user", "error waits")
    # Everything goes by the one edge that there is in a pool of one.
    assert await net.next("user", "lost", "back") == ("lost", str(len(DOMAINS)))
    assert await net.next("user", "lost", "back") == ("back", str(len(DOMAINS)))


async def test_site_without_a_route_sends_nothing(net: Net) -> None:
    net.follow(None)

    with pytest.raises(LinkDown, match="no XMPP federation route"):
        net.edges.send(message("m1"))

    assert not net.edges.up
    await asyncio.wait_for(net.edges.wait_up(), 5)


async def test_lost_member_of_a_pool_takes_its_domains_with_it(configuration: Configuration) -> None:
    """As in "DNS load balancing": what goes to a member that is down fails, and is not rerouted."""
    net = await started(configuration, FARM)
    own = {domain: topology.member_for(_farm(net), domain).identity for domain in DOMAINS}
    lost, alive = MEMBERS
    net.edges.send(message("waits", to=f"x@{_first(own, lost)}"))
    net.edges.send(message("stays", to=f"x@{_first(own, alive)}"))
    assert {await net.next(*MEMBERS) for _ in range(2)} == {(lost, "waits"), (alive, "stays")}
    await net.listeners[lost].stop()

    assert await net.next("user", "lost", "route") == ("user", "error waits")
    assert await net.next("user", "lost", "route") == ("lost", str(sum(name == lost for name in own.values())))

    for domain, name in own.items():
        if name == lost:
            with pytest.raises(LinkDown):
                net.edges.send(message("m", to=f"x@{domain}"))
        else:
            net.edges.send(message(domain, to=f"x@{domain}"))
            assert await net.next(*MEMBERS) == (alive, domain)

    assert net.edges.up
    await net.stop()


def _farm(net: Net) -> list[topology.Member]:
    return [each for each in topology.members(net.configuration.pools, net.configuration.edge) if each.pool == FARM]


def _first(own: dict[str, str], name: str) -> str:
    return next(domain for domain, owner in own.items() if owner == name)


async def test_edge_that_is_added_and_removed_while_running(net: Net, configuration: Configuration) -> None:
    north = pool("north.contoso.com")
    listener = LinkListener(msgspec.structs.replace(configuration, edge=EdgeSettings(link_port=0)), log=lambda _: None)
    await listener.start()
    edge: Any = EdgeSettings(link_port=listener.port)
    pools = (*POOLS, msgspec.structs.replace(north, edge=edge))
    net.configuration.adopt(msgspec.structs.replace(net.configuration, pools=pools))
    net.edges.reconfigure()
    await asyncio.wait_for(listener.wait_up(), 5)

    down = asyncio.Event()
    listener.on_down = down.set
    net.configuration.adopt(msgspec.structs.replace(net.configuration, pools=POOLS))
    net.edges.reconfigure()
    await asyncio.wait_for(down.wait(), 5)
    assert "north.contoso.com" not in net.edges.links
    net.edges.send(message("m1"))
    assert await net.next(WEST) == (WEST, "m1")
    await listener.stop()


def test_files_of_members_are_looked_for_beside_the_configuration(
    gateway_file: Callable[..., Path], authority: CertificateAuthority, tmp_path: Path
) -> None:
    own = authority.issue("contoso.com")
    names = {"certificate": "own.pem", "key": "own.key"}
    member = {"identity": "a.contoso.com", "edge": {"port": 0, "link-port": 0}, "external": names}
    pools = [{"identity": FARM, "enable-xmpp-federation": True, "members": [member]}]

    with pytest.raises(DocumentError, match=r"there is no file .*own\.pem"):
        read_configuration(gateway_file(pools=pools))

    for source, name in ((own.certificate, "own.pem"), (own.key, "own.key")):
        (tmp_path / name).write_bytes(source.read_bytes())

    configuration = read_configuration(gateway_file(pools=pools))
    (found,) = topology.members(configuration.pools, configuration.edge)
    external = of_member(configuration, found).certificates.external
    assert external is not None
    assert external.certificate == str(tmp_path / "own.pem")
    assert configuration.certificates.external != external
