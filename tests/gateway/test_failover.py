"""Two edge pools in one gateway: failover and failback by hand, services that are stopped and started, and status."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from simulator.gateway.configuration import Configuration
from simulator.gateway.gateway import Gateway, NoSuchEdge, Role
from simulator.gateway.services import FRONT_END, PROXY, TRANSLATING, NoSuchService
from simulator.gateway.status import snapshot
from simulator.world.addresses import Addresses
from simulator.world.dns import NameServer
from tests.gateway.people import Outgoing, Partner, User, until

WEST, EAST = "edge1.contoso.com", "edge2.contoso.com"
ALICE, JULIET = "alice@contoso.com", "juliet@gmail.com"


class Scene:
    """A gateway with two edges, a partner and a user."""

    def __init__(self, gateway: Gateway, partner: Partner, user: User, hosts: dict[str, str]) -> None:
        self.gateway, self.partner, self.user, self.hosts = gateway, partner, user, hosts

    def route(self, pool: str) -> None:
        """What `Set-CsSite -XmppFederationRoute` does."""
        configuration = self.gateway.configuration
        site = msgspec.structs.replace(configuration.sites[0], xmpp_federation_route=pool)
        self.gateway.reconfigure(msgspec.structs.replace(configuration, sites=(site,)))

    async def writes(self, name: str) -> int:
        """Alice writes to Juliet; the code that she gets."""
        assert self.user.write(name, JULIET)
        await until(lambda: name in self.user.codes, f"{name} is answered")

        return self.user.codes[name]

    async def answers(self, name: str, host: str) -> str:
        """Juliet writes to Alice by this edge: whether that ``arrives`` or ``fails``, or ``no stream`` is had."""
        stream = Outgoing("gmail.com")

        if not await stream.open(self.hosts[host]):
            return "no stream"

        self.partner.streams.append(stream)
        stream.send(name, f"<message from='{JULIET}/b' to='{ALICE}' id='{name}'><body>{name}</body></message>")
        await until(lambda: name in self.user.bodies or name in self.partner.errors, f"{name} has a fate")

        return "arrives" if name in self.user.bodies else "fails"

    def status(self) -> dict[str, Any]:
        found = snapshot(self.gateway, asyncio.get_running_loop().time())
        # It is for JSON, whoever prints it.
        plain: dict[str, Any] = json.loads(json.dumps(found))
        assert plain == found

        return plain


@pytest.fixture
async def scene(words: dict[str, Any]) -> AsyncIterator[Scene]:
    with Addresses() as addresses:
        hosts = {name: addresses.take(name) for name in (WEST, EAST, "inside", "partner")}
        names = NameServer()
        await names.start()
        names.publish(f"_xmpp-server._tcp.gmail.com SRV 0 0 5269 x.gmail.com.\nx.gmail.com A {hosts['partner']}")
        partner = {"identity": "gmail.com", "partner-type": "PublicVerified", "enable-keep-alive": False}
        plain = {"tls-negotiation": "NotSupported", "sasl-negotiation": "NotSupported"}
        words |= {
            "partners": [partner | plain],
            "dns": {"server": names.host, "port": names.port, "timeout": 2.0},
            "frontend": {"host": hosts["inside"], "sip-tcp-port": 5060, "sip-tls-port": None},
            "pools": [
                {"identity": name, "enable-xmpp-federation": True, "edge": {"host": hosts[name]}}
                for name in (WEST, EAST)
            ],
            "sites": [{"identity": "Redmond", "xmpp-federation-route": WEST}],
        }
        gateway = Gateway(msgspec.convert(words, Configuration))
        made = Scene(gateway, Partner(hosts["partner"]), User(hosts["inside"]), hosts)
        await made.partner.start()
        await gateway.start()

        try:
            await made.user.sign_in()
            yield made
        finally:
            made.user.vanish()
            await gateway.stop()
            await made.partner.stop()
            await names.stop()


async def test_failover_and_failback_as_documented(scene: Scene) -> None:
    """As in "Failing over the Edge pool used for XMPP federation": by hand; until then XMPP stops both ways."""
    assert await scene.writes("before") == 200
    assert await scene.answers("before-in", WEST) == "arrives"
    # The other pool knows the partner, and takes nothing from it.
    assert await scene.answers("too-early", EAST) == "fails"

    await scene.gateway.stop_service(PROXY, WEST)
    assert await scene.writes("meanwhile") == 500
    assert await scene.answers("meanwhile-in", EAST) == "fails"
    assert await scene.answers("meanwhile-west", WEST) == "no stream"

    scene.route(EAST)
    assert await scene.writes("after") == 200
    assert await scene.answers("after-in", EAST) == "arrives"

    await scene.gateway.start_service(PROXY, WEST)
    scene.route(WEST)
    await until(lambda: scene.gateway.frontend.link.up, "the first edge is back")
    assert await scene.writes("back") == 200
    assert await scene.answers("back-in", WEST) == "arrives"
    assert await scene.answers("late", EAST) == "fails"


async def test_edges_have_one_secret_of_dialback_keys(scene: Scene) -> None:
    """XEP-0220 §1.2: "a shared secret known to all XMPP servers within a given administrative domain"."""

    def secrets() -> set[str | None]:
        return {server.configuration.gateway.dialback_passphrase for server in scene.gateway.edges.values()}

    await until(lambda: len(secrets()) == 1 and None not in secrets(), "both have the same")
    (made,) = secrets()
    assert made is not None
    assert len(made) == 64
    # It is no setting: nobody reads it, and nobody need keep it.
    assert scene.gateway.configuration.gateway.dialback_passphrase is None

    scene.route(EAST)
    await scene.gateway.stop_service(PROXY, WEST)
    await scene.gateway.start_service(PROXY, WEST)
    await until(lambda: scene.gateway.frontend.link.links[WEST].up, "the edge is back")
    await until(lambda: secrets() == {made}, "it has the same again")

    configuration = scene.gateway.configuration
    chosen = msgspec.structs.replace(configuration.gateway, dialback_passphrase="s3cr3tf0rd14lb4ck")
    scene.gateway.reconfigure(msgspec.structs.replace(configuration, gateway=chosen))
    await until(lambda: secrets() == {"s3cr3tf0rd14lb4ck"}, "both have what the administrator has set")


async def test_edge_that_was_the_route_closes_its_streams_in_order(scene: Scene) -> None:
    assert await scene.answers("before", WEST) == "arrives"
    stream = scene.partner.streams[-1]
    assert await scene.writes("out") == 200
    scene.route(EAST)

    await until(lambda: stream.over, "the former route closes its streams")
    await until(lambda: not [each for each in scene.status()["streams"] if each["edge"] == WEST], "all are gone")


async def test_stopped_gateway_keeps_users_and_refuses_what_is_to_leave(scene: Scene) -> None:
    await scene.gateway.stop_service(TRANSLATING)
    assert [(each.name, each.running) for each in scene.gateway.services] == [
        (PROXY, True),
        (PROXY, True),
        (TRANSLATING, False),
    ]
    assert await scene.writes("stopped") == 500
    assert await scene.answers("stopped-in", WEST) == "fails"

    await scene.gateway.start_service(TRANSLATING.upper(), FRONT_END)
    await asyncio.wait_for(scene.gateway.frontend.link.wait_up(), 10)
    assert await scene.writes("started") == 200


async def test_services_are_known_by_name_and_computer(scene: Scene) -> None:
    with pytest.raises(NoSuchService, match=f"no service 'XMPP'; in this process there are: {PROXY} on {WEST}"):
        await scene.gateway.stop_service("XMPP")

    with pytest.raises(NoSuchService, match="on nowhere"):
        await scene.gateway.start_service(PROXY, "nowhere")

    # What runs goes on running, and what is stopped can be stopped.
    before = scene.gateway.listening
    await scene.gateway.start_service(PROXY)
    await scene.gateway.stop_service(PROXY, EAST)
    await scene.gateway.stop_service(PROXY, EAST)
    await scene.gateway.start_service(PROXY, EAST)
    assert scene.gateway.listening == before


async def test_status_tells_of_streams_links_and_services(scene: Scene) -> None:
    assert await scene.writes("out") == 200
    assert await scene.answers("in", WEST) == "arrives"
    status = scene.status()
    streams = {stream["direction"]: stream for stream in status["streams"]}

    assert streams.keys() == {"inbound", "outbound"}
    assert streams["inbound"]["pairs"] == [{"local": "contoso.com", "remote": "gmail.com"}]
    assert streams["outbound"]["pairs"] == [{"local": "contoso.com", "remote": "gmail.com"}]
    assert (streams["inbound"]["stanzas_in"], streams["outbound"]["stanzas_out"]) == (1, 1)
    assert streams["inbound"]["local"] == f"{scene.hosts[WEST]}:5269"
    assert streams["outbound"]["remote"] == f"{scene.hosts['partner']}:5269"
    assert {stream["method"] for stream in streams.values()} == {"dialback over TCP"}
    assert {stream["tls"] for stream in streams.values()} == {""}
    assert all(0 <= stream["idle"] <= stream["age"] < 60 for stream in streams.values())
    assert len({stream["id"] for stream in status["streams"]}) == 2

    links = {link["edge"]: link for link in status["links"]}
    assert {name: (link["up"], link["route"]) for name, link in links.items()} == {
        WEST: (True, True),
        EAST: (True, False),
    }
    assert links[WEST]["stanzas_out"] == links[WEST]["stanzas_in"] == 1
    assert status["services"] == {PROXY: {WEST: "Running", EAST: "Running"}, TRANSLATING: {FRONT_END: "Running"}}
    assert status["edges"][WEST] == {"shown": 0, "lost": []}
    assert status["listening"]["sip"] == f"{scene.hosts['inside']}:5060"


async def test_counters_count_what_fails(scene: Scene) -> None:
    def counter(object_: str, name: str) -> tuple[float, float]:
        found = scene.status()["counters"][object_][name]

        return found["total"], found["rate"]

    streams, messages = "LS:XmppFederationProxy - Streams", "LS:XmppFederation - SIP Instant Messaging"
    assert counter(streams, "Failed outbound stream establishes/sec") == (0, 0)
    await scene.partner._listener.close()
    assert await scene.writes("nobody-listens") == 408

    assert counter(streams, "Failed outbound stream establishes/sec") == (1, round(1 / 60, 4))
    assert counter(messages, "Failure IMDNs sent/sec") == (1, round(1 / 60, 4))
    assert scene.status()["edges"][WEST]["lost"] == ["gmail.com"]

    # Whoever looks whether the port is open begins no stream.
    _, writer = await asyncio.open_connection(scene.hosts[WEST], 5269)
    writer.close()
    await writer.wait_closed()

    reader, writer = await asyncio.open_connection(scene.hosts[WEST], 5269)
    writer.write(b"<no-stream/>")
    await reader.read()
    writer.close()
    await until(lambda: counter(streams, "Failed inbound stream establishes/sec")[0] == 1, "it alone is counted")
    assert counter(streams, "Failed inbound stream establishes/sec")[1] == round(1 / 60, 4)


def test_part_of_a_gateway_has_only_its_own(words: dict[str, Any]) -> None:
    edge = {"port": 0, "link-port": 0}
    words["pools"] = [
        {"identity": WEST, "enable-xmpp-federation": True, "edge": edge},
        {"identity": EAST, "enable-xmpp-federation": True, "members": [{"identity": "b.contoso.com", "edge": edge}]},
        {"identity": "edge3.contoso.com", "edge": edge},
    ]
    configuration = msgspec.convert(words, Configuration)

    assert list(Gateway(configuration).edges) == [WEST, "b.contoso.com"]
    assert list(Gateway(configuration, role=Role.EDGE, pool=EAST).edges) == ["b.contoso.com"]
    assert list(Gateway(configuration, role=Role.EDGE, edge=WEST).edges) == [WEST]
    assert list(Gateway(configuration, role=Role.FRONT_END).edges) == []

    with pytest.raises(NoSuchEdge, match=r"which edge\?; the configuration has: edge1.contoso.com \(pool edge1"):
        Gateway(configuration, role=Role.EDGE)

    with pytest.raises(NoSuchEdge, match=r"no edge edge3\.contoso\.com"):
        Gateway(configuration, role=Role.EDGE, edge="edge3.contoso.com")
