"""Services and sockets, by the status of a running gateway: the first steps of the documents' list. Pure.

"Setting up XMPP federation": the service is started; listening and established connections are seen on 5269, towards
partners, and on 23456, between front end and edge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simulator.gateway.examination.finding import Finding, fail, ok, warn
from simulator.wire.service import XMPP_SERVER_PORT

LINK_PORT = 23456


def services(status: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether each service runs."""
    for name, computers in status["services"].items():
        for computer, state in computers.items():
            if state == "Running":
                yield ok("service", f"{name} is started on {computer}")
            else:
                advice = "Start-CsWindowsService; if it does not start, its log says why"
                yield fail("service", f"{name} is {state.lower()} on {computer}", advice)


def ports(status: Mapping[str, Any]) -> Iterator[Finding]:
    """Which ports are the documented ones, and what is established on them."""
    for service, where in status["listening"].items():
        kind, port = service.partition("@")[0], int(where.rpartition(":")[2])
        wanted = {"edge": XMPP_SERVER_PORT, "link": LINK_PORT}.get(kind)

        if wanted not in (None, port):
            text = f"{service} listens on {port} and not on {wanted}"
            advice = "partners without SRV records, and firewalls, expect 5269" if kind == "edge" else ""
            yield warn("port", text, advice or "firewalls between front end and edge expect 23456")

    yield from _links(status)
    count = len(status["streams"])

    if count:
        yield ok("port", f"{count} stream(s) with partners are established")
    else:
        text = "no stream with a partner is established"
        yield warn("port", text, "nothing is wrong with that before somebody has written; try Test-CsXmppIM")


def _links(status: Mapping[str, Any]) -> Iterator[Finding]:
    for link in status["links"]:
        if link["up"]:
            yield ok("link", f"front end and edge {link['edge']} are connected: {link['local']} with {link['remote']}")
        else:
            advice = "are both services started, does the firewall let 23456 pass, are the internal certificates right?"
            yield fail("link", f"the front end is not connected with the edge {link['edge']}", advice)
