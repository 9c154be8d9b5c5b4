"""Lists of revoked certificates over HTTP: found by the URL in a certificate, and only there when one needs it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from simulator.journal import Journal
from simulator.wire.connection import open_connection
from simulator.wire.fetch import FetchError, fetch
from simulator.wire.resolve import Resolver
from simulator.world.addresses import Addresses
from simulator.world.ca import Minted
from simulator.world.revocation import HOST, RevocationService
from simulator.world.seating import Ground


@pytest.fixture(params=[True, False], ids=["own addresses", "shared address"])
async def ground(request: pytest.FixtureRequest) -> AsyncIterator[Ground]:
    with Addresses(own_addresses=request.param) as addresses:
        made = Ground(addresses, random.Random(1))
        await made.start()
        yield made
        await made.stop()


def distribution_point(minted: Minted) -> str:
    """The URL in a certificate."""
    certificate = x509.load_pem_x509_certificate(minted.certificate.read_bytes())
    (point,) = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert point.full_name

    return str(point.full_name[0].value)


async def fetched(ground: Ground, minted: Minted, timeout: float = 2.0) -> bytes:
    """What a system gets that follows the certificate's distribution point."""
    resolver = Resolver(*ground.name_server, 1.0)

    return await fetch(distribution_point(minted), resolver, timeout=timeout, at_most=100_000)


async def test_list_is_where_the_certificate_says(ground: Ground) -> None:
    revoked, good = (ground.authority.mint(kind, "far.example") for kind in ("revoked-http", "distribution-point"))
    found = x509.load_der_x509_crl(await fetched(ground, revoked))

    assert found.get_revoked_certificate_by_serial_number(revoked.serial) is not None
    assert found.get_revoked_certificate_by_serial_number(good.serial) is None


async def test_nothing_is_served_until_a_certificate_needs_it(ground: Ground) -> None:
    ground.authority.mint("valid", "far.example")
    ground.authority.mint("revoked", "far.example")

    assert ground.names.zone.records(HOST, "A") == []

    ground.authority.mint("crl-stale", "far.example")

    assert len(ground.names.zone.records(HOST, "A")) == 1


async def test_each_list_has_its_own_answer(ground: Ground) -> None:
    root = x509.load_pem_x509_certificate(ground.authority.authority.read_bytes()).public_key()
    assert isinstance(root, EllipticCurvePublicKey)

    for kind, genuine in (("crl-stale", True), ("crl-forged", False)):
        found = x509.load_der_x509_crl(await fetched(ground, ground.authority.mint(kind, "far.example")))

        assert found.is_signature_valid(root) == genuine


async def test_silent_list_never_comes(ground: Ground) -> None:
    with pytest.raises(FetchError, match="no answer within"):
        await fetched(ground, ground.authority.mint("crl-silent", "far.example"), timeout=0.2)

    assert ground.revocation.requests["far.example", "silent"] == 1


async def test_host_of_the_unreachable_list_does_not_exist(ground: Ground) -> None:
    with pytest.raises(FetchError, match=r"gone\.s2sim\.example"):
        await fetched(ground, ground.authority.mint("crl-unreachable", "far.example"))


async def test_journal_of_the_scenario_tells_how_often_it_was_asked_for(ground: Ground) -> None:
    ours, others = Journal(time.monotonic), Journal(time.monotonic)
    ground.watch(("far.example",), ours)
    ground.watch(("near.example",), others)

    for _ in range(2):
        await fetched(ground, ground.authority.mint("distribution-point", "far.example"))

    assert [entry.data for entry in ours if entry.kind == "fetched"] == [
        {"domain": "far.example", "list": "current", "count": 1},
        {"domain": "far.example", "list": "current", "count": 2},
    ]
    assert [entry for entry in others if entry.kind == "fetched"] == []


async def test_unknown_list_is_404_and_garbage_ends_the_connection(ground: Ground) -> None:
    place = ground.revocation.place()
    resolver = Resolver(*ground.name_server, 1.0)

    with pytest.raises(FetchError, match="404"):
        await fetch(f"{place}/far.example/lost.crl", resolver, timeout=2, at_most=1000)

    host, port = ground.names.zone.records(HOST, "A")[0], int(place.rpartition(":")[2])
    connection = await open_connection(host, port, timeout=2)
    over = asyncio.get_running_loop().create_future()
    connection.on_closed = lambda how, error: over.set_result(how)
    connection.write(b"\0\0\0 no HTTP\r\n\r\n")

    assert await asyncio.wait_for(over, 2) == "reset"


async def test_end_of_the_service_ends_its_connections(ground: Ground) -> None:
    asked = asyncio.Event()
    service = RevocationService(ground.authority, ground.names, ground.addresses, lambda *_: asked.set())
    place = service.place()
    host, port = ground.names.zone.records(HOST, "A")[0], int(place.rpartition(":")[2])
    connection = await open_connection(host, port, timeout=2)
    over = asyncio.get_running_loop().create_future()
    connection.on_closed = lambda how, error: over.set_result(how)
    connection.write(b"GET /far.example/silent.crl HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.wait_for(asked.wait(), 2)
    await service.stop()
    await service.stop()

    assert await asyncio.wait_for(over, 2) == "reset"

    with pytest.raises(ConnectionRefusedError):
        await open_connection(host, port, timeout=1)


async def test_two_worlds_serve_their_own_lists() -> None:
    with Addresses() as addresses:
        grounds = [Ground(addresses, random.Random(seed)) for seed in (1, 2)]

        for ground in grounds:
            await ground.start()

        try:
            minted = [ground.authority.mint("revoked-http", "far.example") for ground in grounds]
            lists = [x509.load_der_x509_crl(await fetched(*pair)) for pair in zip(grounds, minted, strict=True)]
        finally:
            for ground in grounds:
                await ground.stop()

    assert all(
        found.get_revoked_certificate_by_serial_number(one.serial) for found, one in zip(lists, minted, strict=True)
    )
