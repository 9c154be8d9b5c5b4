"""The resolver against a real name server on loopback."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator

import pytest

from simulator.wire.resolve import NoSuchDomain, NotResolved, Resolver, ServiceDenied
from simulator.wire.service import Target
from simulator.world.dns import Fault, NameServer

GOOGLE = """
_xmpp-server._tcp.gmail.com. 60 IN SRV 5 0 5269 xmpp-server.l.google.com.
_xmpp-server._tcp.gmail.com. 60 IN SRV 20 0 5269 alt1.xmpp-server.l.google.com.
_xmpp-server._tcp.gmail.com. 60 IN SRV 20 0 5269 alt2.xmpp-server.l.google.com.
xmpp-server.l.google.com. 60 IN A 127.0.0.9
xmpp-server.l.google.com. 60 IN A 127.0.0.10
xmpp-server.l.google.com. 60 IN AAAA ::1
"""


@pytest.fixture
async def dns() -> AsyncIterator[NameServer]:
    server = NameServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def resolver(dns: NameServer) -> Resolver:
    return Resolver(dns.host, dns.port, 1.0, random.Random(1))


async def addresses(resolver: Resolver, host: str) -> list[str]:
    return [address async for address in resolver.addresses(host)]


async def test_targets_come_in_the_order_of_priority(dns: NameServer, resolver: Resolver) -> None:
    dns.publish(GOOGLE)
    first, *rest = await resolver.targets("gmail.com")

    assert first == Target("xmpp-server.l.google.com", 5269)
    assert {target.host for target in rest} == {"alt1.xmpp-server.l.google.com", "alt2.xmpp-server.l.google.com"}
    assert [query.name for query in dns.history] == ["_xmpp-server._tcp.gmail.com"]


async def test_addresses_are_ipv4_first(dns: NameServer, resolver: Resolver) -> None:
    dns.publish(GOOGLE)

    assert await addresses(resolver, "xmpp-server.l.google.com") == ["127.0.0.9", "127.0.0.10", "::1"]


async def test_ipv6_is_asked_for_only_when_ipv4_will_not_do(dns: NameServer, resolver: Resolver) -> None:
    dns.publish(GOOGLE)
    found = resolver.addresses("xmpp-server.l.google.com")

    assert await anext(found) == "127.0.0.9"
    assert [query.type for query in dns.history] == ["A"]


async def test_a_root_target_denies_the_service(dns: NameServer, resolver: Resolver) -> None:
    dns.publish("_xmpp-server._tcp.silent.example. 60 IN SRV 0 0 0 .\nsilent.example. 60 IN A 127.0.0.1")

    with pytest.raises(ServiceDenied, match="does not federate"):
        await resolver.targets("silent.example")


async def test_a_root_target_among_others_is_skipped(dns: NameServer, resolver: Resolver) -> None:
    dns.publish("_xmpp-server._tcp.odd.example. 60 IN SRV 0 0 0 .")
    dns.publish("_xmpp-server._tcp.odd.example. 60 IN SRV 9 0 5269 host.odd.example.")

    assert await resolver.targets("odd.example") == [Target("host.odd.example", 5269)]


@pytest.mark.parametrize("kind", ["nxdomain", "nodata", "servfail", "refused", "formerr", "silent", "garbage"])
async def test_without_srv_records_the_domain_itself_is_tried(dns: NameServer, resolver: Resolver, kind: str) -> None:
    dns.publish("plain.example. 60 IN A 127.0.0.3")
    dns.fail("_xmpp-server._tcp.plain.example", Fault(kind=kind))

    assert await resolver.targets("plain.example") == [Target("plain.example", 5269, published=False)]
    assert await addresses(resolver, "plain.example") == ["127.0.0.3"]


async def test_a_name_that_is_not_there_is_no_such_domain(resolver: Resolver) -> None:
    with pytest.raises(NoSuchDomain):
        await addresses(resolver, "nowhere.example")


async def test_a_failing_server_may_answer_later(dns: NameServer, resolver: Resolver) -> None:
    dns.publish("host.example. 60 IN A 127.0.0.3")
    dns.fail("host.example", Fault(kind="servfail", type="A", times=1))

    with pytest.raises(NotResolved, match="SERVFAIL"):
        await addresses(resolver, "host.example")

    assert await addresses(resolver, "host.example") == ["127.0.0.3"]


async def test_a_silent_server_costs_the_timeout_only(dns: NameServer, resolver: Resolver) -> None:
    dns.fail("host.example", Fault(kind="silent"))
    begin = asyncio.get_running_loop().time()

    with pytest.raises(NotResolved, match=f"name server 127.0.0.1 port {dns.port}"):
        await addresses(resolver, "host.example")

    # Both types of address are asked for at once: twice the timeout would be one after the other.
    assert asyncio.get_running_loop().time() - begin < 2.0


async def test_a_lost_question_is_asked_again(dns: NameServer, resolver: Resolver) -> None:
    dns.publish("host.example. 60 IN A 127.0.0.3")
    dns.fail("host.example", Fault(kind="silent", type="A", times=1))

    assert await addresses(resolver, "host.example") == ["127.0.0.3"]


@pytest.mark.parametrize("kind", ["wrong-id", "wrong-question", "wrong-source"])
async def test_forged_answers_are_not_believed(dns: NameServer, resolver: Resolver, kind: str) -> None:
    dns.publish("host.example. 60 IN A 127.0.0.3")
    dns.fail("host.example", Fault(kind=kind))

    assert await addresses(resolver, "host.example") == ["127.0.0.3"]


async def test_additional_records_are_not_believed(dns: NameServer, resolver: Resolver) -> None:
    dns.publish("_xmpp-server._tcp.gmail.com. 60 IN SRV 5 0 5269 host.gmail.com.\nhost.gmail.com. 60 IN A 127.0.0.3")
    dns.fail("_xmpp-server._tcp.gmail.com", Fault(kind="bogus-additional", argument="127.0.0.66"))
    (target,) = await resolver.targets("gmail.com")

    assert await addresses(resolver, target.host) == ["127.0.0.3"]


async def test_many_records_come_over_tcp(dns: NameServer, resolver: Resolver) -> None:
    for number in range(50):
        dns.publish(f"_xmpp-server._tcp.many.example. 60 IN SRV {number} 0 5269 host{number}.many.example.")

    assert [target.host for target in await resolver.targets("many.example")] == [
        f"host{number}.many.example" for number in range(50)
    ]
    assert [query.transport for query in dns.history] == ["udp", "tcp"]


async def test_aliases_are_followed(dns: NameServer, resolver: Resolver) -> None:
    dns.publish("_xmpp-server._tcp.alias.example. 60 IN CNAME _xmpp-server._tcp.gmail.com.\n" + GOOGLE)

    assert (await resolver.targets("alias.example"))[0].host == "xmpp-server.l.google.com"


async def test_a_circle_of_aliases_ends(dns: NameServer, resolver: Resolver) -> None:
    dns.publish("a.example. 60 IN CNAME b.example.\nb.example. 60 IN CNAME a.example.")

    with pytest.raises(NotResolved):
        await addresses(resolver, "a.example")


async def test_answers_are_kept_for_their_ttl_only(dns: NameServer, resolver: Resolver) -> None:
    dns.publish("kept.example. 60 IN A 127.0.0.3\nfleeting.example. 0 IN A 127.0.0.3")

    for _ in range(2):
        await addresses(resolver, "kept.example")
        await addresses(resolver, "fleeting.example")

    asked = [query.name for query in dns.history if query.type == "A"]
    assert asked.count("kept.example") == 1
    assert asked.count("fleeting.example") == 2


async def test_an_ip_address_is_not_asked_for(dns: NameServer, resolver: Resolver) -> None:
    assert await resolver.targets("127.0.0.5") == [Target("127.0.0.5", 5269, published=False)]
    assert await addresses(resolver, "127.0.0.5") == ["127.0.0.5"]
    assert not dns.history


async def test_u_labels_are_asked_for_as_a_labels(dns: NameServer, resolver: Resolver) -> None:
    dns.publish("_xmpp-server._tcp.xn--bcher-kva.example. 60 IN SRV 0 0 5269 host.example.")

    assert await resolver.targets("bücher.example") == [Target("host.example", 5269)]


@pytest.mark.parametrize("name", ["a" * 64 + ".example", ".".join(["a" * 60] * 5), "two..dots"])
async def test_what_cannot_be_a_name_is_not_asked_for(dns: NameServer, resolver: Resolver, name: str) -> None:
    with pytest.raises(NoSuchDomain, match="cannot be a domain name"):
        await resolver.targets(name)

    assert not dns.history


@pytest.mark.skipif(shutil.which("dig") is None, reason="dig is not installed (Debian: apt-get install dnsutils)")
async def test_dig_sees_the_same_targets(dns: NameServer, resolver: Resolver) -> None:
    dns.publish(GOOGLE)
    dig = await asyncio.create_subprocess_exec(
        "dig", "+short", f"@{dns.host}", "-p", str(dns.port), "SRV", "_xmpp-server._tcp.gmail.com",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await dig.communicate()
    seen = {line.split()[3].rstrip(".") for line in output.decode().splitlines()}

    assert seen == {target.host for target in await resolver.targets("gmail.com")}


DIRECT = """
_xmpp-server._tcp.both.example. 60 IN SRV 10 0 5269 plain.both.example.
_xmpps-server._tcp.both.example. 60 IN SRV 5 0 5270 first.both.example.
_xmpps-server._tcp.both.example. 60 IN SRV 20 0 5270 last.both.example.
_xmpp-server._tcp.never.example. 60 IN SRV 0 0 0 .
_xmpps-server._tcp.never.example. 60 IN SRV 5 0 5270 host.never.example.
_xmpp-server._tcp.old.example. 60 IN SRV 5 0 5269 host.old.example.
_xmpps-server._tcp.old.example. 60 IN SRV 0 0 0 .
_xmpps-server._tcp.nothing.example. 60 IN SRV 0 0 0 .
nothing.example. 60 IN A 127.0.0.9
"""


async def test_records_for_direct_tls_are_mixed_with_the_others(dns: NameServer, resolver: Resolver) -> None:
    dns.publish(DIRECT)

    assert await resolver.targets("both.example", direct_tls=True) == [
        Target("first.both.example", 5270, direct_tls=True),
        Target("plain.both.example", 5269),
        Target("last.both.example", 5270, direct_tls=True),
    ]
    assert await resolver.targets("both.example") == [Target("plain.both.example", 5269)]


async def test_equal_priorities_share_by_weight_over_both_services(dns: NameServer, resolver: Resolver) -> None:
    dns.publish(
        "_xmpp-server._tcp.even.example. 60 IN SRV 5 1 5269 plain.even.example.\n"
        "_xmpps-server._tcp.even.example. 60 IN SRV 5 1 5270 direct.even.example."
    )
    first = [(await resolver.targets("even.example", direct_tls=True))[0].direct_tls for _ in range(200)]

    assert 40 < sum(first) < 160


async def test_a_service_that_is_denied_leaves_the_other(dns: NameServer, resolver: Resolver) -> None:
    dns.publish(DIRECT)

    assert await resolver.targets("never.example", direct_tls=True) == [
        Target("host.never.example", 5270, direct_tls=True)
    ]
    assert await resolver.targets("old.example", direct_tls=True) == [Target("host.old.example", 5269)]

    with pytest.raises(ServiceDenied):
        await resolver.targets("never.example")


async def test_denied_direct_tls_forbids_the_address_of_the_domain(dns: NameServer, resolver: Resolver) -> None:
    dns.publish(DIRECT)

    with pytest.raises(ServiceDenied):
        await resolver.targets("nothing.example", direct_tls=True)

    assert await resolver.targets("nothing.example") == [Target("nothing.example", 5269, published=False)]


async def test_without_any_record_for_direct_tls_all_is_as_before(dns: NameServer, resolver: Resolver) -> None:
    dns.publish(GOOGLE + "plain.example. 60 IN A 127.0.0.9\n")

    assert len(await resolver.targets("gmail.com", direct_tls=True)) == 3
    assert await resolver.targets("plain.example", direct_tls=True) == [Target("plain.example", 5269, published=False)]
