"""A list of revoked certificates, had as the gateway has it: from a name server, over HTTP, on loopback."""

from __future__ import annotations

import asyncio
from functools import partial

from simulator.gateway.trust.revocation import RevocationLists
from simulator.gateway.trust.rules import TrustRules
from simulator.wire.connection import Connection
from simulator.wire.fetch import fetch
from simulator.wire.listener import listen
from simulator.wire.resolve import Resolver
from simulator.world.dns import NameServer
from tests.gateway.trust.listing import a_list, der, leaf
from tests.gateway.trust.minting import Identity, seen


async def test_list_is_had_from_where_the_certificate_says() -> None:
    revoked: list[Identity] = []
    log: list[str] = []

    def met(connection: Connection) -> None:
        def asked(_: bytes) -> None:
            body = der(a_list(*revoked))
            connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            connection.close()

        connection.on_data, connection.on_closed = asked, lambda how, error: None

    names = NameServer()
    await names.start()
    names.publish("lists.example. 60 IN A 127.0.0.1\n")
    listener = await listen("127.0.0.1", 0, met)

    try:
        fetcher = partial(fetch, resolver=Resolver(names.host, names.port, 2.0))
        lists = RevocationLists([], fetcher, rules=TrustRules(), log=log.append)
        bad, good = (leaf(f"http://lists.example:{listener.port}/{name}.crl") for name in ("bad", "good"))
        lost = leaf("http://nowhere.example/lost.crl")
        revoked.append(bad)
        found = await asyncio.gather(*(lists.revoked(seen(one)) for one in (bad, good, lost)))
    finally:
        await listener.close()
        await names.stop()

    assert found == [("the certificate is revoked",), (), ()]
    assert "nowhere.example" in log[0]
    assert "taken without" in log[-1]
