"""What a command changes inside reaches an edge that has a file of its own."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from simulator.gateway.configuration import AllowedPartner, Configuration
from simulator.gateway.edge_server import EdgeServer
from simulator.gateway.frontend.edges import Edges, of_member
from simulator.gateway.replica import replica_of, with_replica
from simulator.gateway.rules import Rules
from simulator.gateway.topology import ONLY, members
from tests.gateway.people import until


def test_parts_that_are_replicated_and_no_others(words: dict[str, Any]) -> None:
    inside = msgspec.convert(words, Configuration)
    words |= {"partners": [], "domains": ["old.example"], "edge": {"port": 1, "link-port": 2}}
    words["users"] = []
    edge = with_replica(msgspec.convert(words, Configuration), replica_of(inside))

    assert (edge.partners, edge.domains, edge.gateway) == (inside.partners, inside.domains, inside.gateway)
    assert (edge.edge.port, edge.users) == (1, ())
    assert with_replica(inside, replica_of(inside)) == inside


@pytest.mark.parametrize("text", ["", "{}", "[", '{"domains": 1}'])
def test_rubbish_is_none(configuration: Configuration, text: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        with_replica(configuration, text)


async def test_edge_follows_the_front_end(words: dict[str, Any]) -> None:
    inside = msgspec.convert(words, Configuration)
    outside = msgspec.convert(words | {"partners": []}, Configuration)
    (member,) = members(outside.pools, outside.edge)
    log: list[str] = []
    server = EdgeServer(ONLY, of_member(outside, member), Rules(), log=log.append)
    edges = Edges(inside, log=lambda _: None)
    await server.start()
    await edges.start({ONLY: server.places["link"]})

    try:
        await until(lambda: server.configuration.partners == inside.partners, "the edge knows the partners")
        assert server.edge._context.partner_for("gmail.com") is not None

        many = tuple(AllowedPartner(identity=f"partner-{number}.example") for number in range(3000))
        inside.adopt(msgspec.structs.replace(inside, partners=many))
        edges.reconfigure()
        await until(lambda: server.configuration.partners == many, "the edge knows all of them")
        assert server.edge._context.partner_for("gmail.com") is None

        # What it knows already changes nothing.
        edges.reconfigure()
        edges.links[ONLY].replicate("rubbish")
        await until(lambda: any("cannot be read" in line for line in log), "the edge complains")
        assert sum("those of the front end" in line for line in log) == 2
        assert server.configuration.partners == many
    finally:
        await edges.stop()
        await server.stop()
