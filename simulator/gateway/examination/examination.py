"""The whole list, in the order of the documents, on a running gateway or on a configuration alone.

Knows the order. Does not know what is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from simulator.gateway import topology
from simulator.gateway.configuration import Configuration
from simulator.gateway.examination import certificates, reach, records, services, settings
from simulator.gateway.examination.finding import Finding, fail, ok
from simulator.wire.connection import open_connection
from simulator.wire.resolve import Resolver

#: seconds to connect to ourselves
PATIENCE = 3.0


async def examine(configuration: Configuration, status: Mapping[str, Any] | None) -> AsyncIterator[Finding]:
    """Everything; `status` is that of the running gateway, if one runs."""
    if status is not None:
        for finding in services.services(status):
            yield finding

        async for finding in _listening(status):
            yield finding

        for finding in services.ports(status):
            yield finding

    for finding in settings.route(configuration):
        yield finding

    for finding in certificates.certificates(configuration):
        yield finding

    dns = configuration.dns
    resolver = Resolver(dns.server, dns.port, dns.timeout)

    async for finding in records.own_records(configuration, resolver, _places(configuration, status)):
        yield finding

    for finding in (*settings.partners(configuration), *settings.gates(configuration)):
        yield finding

    async for finding in reach.reachable(configuration, resolver):
        yield finding


async def _listening(status: Mapping[str, Any]) -> AsyncIterator[Finding]:
    """Whether somebody is there where the gateway says that it listens; the link takes none but the front end."""
    for service, where in status["listening"].items():
        host, _, port = where.rpartition(":")

        try:
            connection = await open_connection(host.strip("[]") or "127.0.0.1", int(port), timeout=PATIENCE)
        except OSError as error:
            advice = "is the service started? Does another program hold the port?"
            yield fail("port", f"{service}: nobody listens on {where}: {error.strerror or error}", advice)
        else:
            # Nothing was said, so nothing can be lost.
            connection.abort()
            await asyncio.sleep(0)
            yield ok("port", f"{service} listens on {where}")


def _places(configuration: Configuration, status: Mapping[str, Any] | None) -> dict[str, int]:
    """Address -> port of each edge: as it runs, or else as it is configured."""
    if status is not None:
        running = [where for service, where in status["listening"].items() if service.partition("@")[0] == "edge"]

        if running:
            return {where.rpartition(":")[0].strip("[]"): int(where.rpartition(":")[2]) for where in running}

    members = topology.members(configuration.pools, configuration.edge)

    return {member.edge.host: member.edge.port for member in members if member.edge.port}
