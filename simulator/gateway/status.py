"""The state of a running gateway as plain data: streams, links, services and performance counters.

Knows what an administrator asks for. Does not know how it is shown, nor who asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from simulator.gateway.counters import Count, Counters
from simulator.gateway.edge_server import EdgeServer
from simulator.gateway.frontend.edges import Edges
from simulator.gateway.gateway import Gateway, Role
from simulator.gateway.link_session import LinkSession


def snapshot(gateway: Gateway, now: float) -> dict[str, Any]:
    """What there is of the gateway in this process, ready for JSON; `now` is the time of its event loop, in seconds.

    - ``streams``: of each ``id``, ``edge``, ``direction``, ``local``, ``remote``, ``pairs``, ``method``, ``tls``, in
      seconds ``age`` and ``idle``, and ``stanzas_in`` and ``stanzas_out``
    - ``links``: of each ``edge``, ``end``, whether it is ``up``, whether the edge is the ``route``, and while it is up
      ``local``, ``remote``, ``age``, ``stanzas_in``, ``stanzas_out`` and ``unsettled``
    - ``edges``: of each how many presences it has ``shown``, and the domains that are ``lost``
    - ``services``: name -> computer -> ``Running`` or ``Stopped``
    - ``counters``: object -> counter -> ``total``, and ``rate`` a second over the last minute
    """
    inside = gateway.frontend.link if gateway.role is not Role.EDGE else None
    running = [server for server in gateway.edges.values() if server.running]
    counted = [server.counters for server in gateway.edges.values()]

    return {
        "role": gateway.role.value,
        "listening": {service: f"{host}:{port}" for service, (host, port) in gateway.listening.items()},
        "services": _services(gateway),
        "streams": [stream for server in running for stream in _streams(server, now)],
        "links": _links_inside(inside, now) if inside is not None else [_link_of(server, now) for server in running],
        "edges": {
            server.identity: {"shown": server.edge.shown, "lost": sorted(server.edge.lost)} for server in running
        },
        "counters": _counters([*counted, *([inside.counters] if inside is not None else [])], now),
    }


def _services(gateway: Gateway) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}

    for service in gateway.services:
        found.setdefault(service.name, {})[service.computer] = "Running" if service.running else "Stopped"

    return found


def _streams(server: EdgeServer, now: float) -> Iterable[dict[str, Any]]:
    for stream in sorted(server.edge.streams(now), key=lambda stream: stream.number):
        yield {"id": stream.number, "edge": server.identity, **stream.words()}


def _links_inside(edges: Edges, now: float) -> list[dict[str, Any]]:
    return [
        {"edge": name, "end": "front-end", "route": edges.is_route(name), **_session(link.session, now)}
        for name, link in edges.links.items()
    ]


def _link_of(server: EdgeServer, now: float) -> dict[str, Any]:
    link = server.link

    return {"edge": server.identity, "end": "edge", "route": link.serves, **_session(link.session, now)}


def _session(session: LinkSession | None, now: float) -> dict[str, Any]:
    if session is None:
        return {"up": False}

    connection = session.connection

    return {
        "up": True,
        "local": f"{connection.local[0]}:{connection.local[1]}",
        "remote": f"{connection.remote[0]}:{connection.remote[1]}",
        "age": round(now - session.began, 3),
        "stanzas_in": session.stanzas_in,
        "stanzas_out": session.stanzas_out,
        "unsettled": len(session.unsettled),
    }


def _counters(counted: list[Counters], now: float) -> dict[str, dict[str, dict[str, float]]]:
    found: dict[str, dict[str, dict[str, float]]] = {}

    for what in Count:
        name = what.value
        total = sum(counters.total(what) for counters in counted)
        rate = round(sum(counters.rate(what, now) for counters in counted), 4)
        found.setdefault(name.object, {})[name.counter] = {"total": total, "rate": rate}

    return found
