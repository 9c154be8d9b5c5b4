"""The fake name server, asked by strangers: dig and dnspython."""

import asyncio
import shutil
import socket
import time
from collections.abc import AsyncIterator

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from simulator.journal import Journal
from simulator.world.dns import FAULTS, NameServer, read_fault
from simulator.world.dns_zone import ZoneError

GOOGLE = "\n".join(
    f"_xmpp-server._tcp.gmail.com SRV {5 if not number else 20} 0 5269 alt{number}.google.com" for number in range(5)
)


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    server = NameServer()
    await server.start()
    yield server
    await server.stop()


async def ask(
    server: NameServer, name: str, kind: str, *, edns: int = -1, tcp: bool = False, timeout: float = 5.0
) -> dns.message.Message:
    question = dns.message.make_query(name, kind, use_edns=edns, payload=4096 if edns >= 0 else None)

    if tcp:
        return await dns.asyncquery.tcp(question, server.host, timeout=timeout, port=server.port)

    return await dns.asyncquery.udp(
        question, server.host, timeout=timeout, port=server.port, ignore_unexpected=True, ignore_errors=True
    )


def answers(reply: dns.message.Message) -> list[str]:
    return sorted(str(record) for rrset in reply.answer for record in rrset)


async def test_service_records_come_as_published(server: NameServer) -> None:
    server.publish(GOOGLE)
    reply = await ask(server, "_xmpp-server._tcp.gmail.com", "SRV")

    assert answers(reply)[-1] == "5 0 5269 alt0.google.com."
    assert len(answers(reply)) == 5
    assert reply.flags & dns.flags.AA


async def test_names_are_compared_without_case(server: NameServer) -> None:
    server.publish("Host.Example A 127.0.0.1")
    reply = await ask(server, "hOST.eXAMPLE.", "A")

    assert answers(reply) == ["127.0.0.1"]
    assert str(reply.question[0].name) == "hOST.eXAMPLE."


async def test_publishing_is_additive_or_instead(server: NameServer) -> None:
    server.publish("a.example A 127.0.0.1")
    server.publish("a.example A 127.0.0.2\na.example A 127.0.0.1")
    both = answers(await ask(server, "a.example", "A"))
    server.publish("a.example A 127.0.0.3", instead=True)

    assert both == ["127.0.0.1", "127.0.0.2"]
    assert answers(await ask(server, "a.example", "A")) == ["127.0.0.3"]


@pytest.mark.parametrize(
    ("name", "rcode"),
    [
        ("nobody.example", "NXDOMAIN"),
        ("a.example", "NOERROR"),
        ("below.a.example", "NXDOMAIN"),
        # RFC 8020: what has something below it exists.
        ("example", "NOERROR"),
        ("_tcp.gmail.com", "NOERROR"),
        ("_xmpps-server._tcp.gmail.com", "NXDOMAIN"),
    ],
)
async def test_a_denial_tells_name_from_type(server: NameServer, name: str, rcode: str) -> None:
    server.publish(f"a.example A 127.0.0.1\n{GOOGLE}")
    reply = await ask(server, name, "SRV")

    assert dns.rcode.to_text(reply.rcode()) == rcode
    # RFC 2308 §3: the SOA stands in the authority section, its minimum bounds negative caching.
    assert [rrset.rdtype for rrset in reply.authority] == [dns.rdatatype.SOA]


async def test_a_published_authority_stands_in_denials(server: NameServer) -> None:
    server.publish("example 30 IN SOA ns.example admin.example 1 60 60 60 7")
    reply = await ask(server, "nobody.example", "A")

    assert str(reply.authority[0].name) == "example."


async def test_withdrawn_records_are_gone(server: NameServer) -> None:
    server.publish("a.example A 127.0.0.1\na.example AAAA ::1")
    server.withdraw("a.example", "A")
    half = await ask(server, "a.example", "A")
    server.withdraw("a.example")
    none = await ask(server, "a.example", "A")

    assert (half.rcode(), none.rcode()) == (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)

    with pytest.raises(ZoneError, match="no records"):
        server.withdraw("a.example")


async def test_aliases_are_followed(server: NameServer) -> None:
    server.publish("a.example CNAME b.example\nb.example CNAME c.example\nc.example A 127.0.0.7")

    assert answers(await ask(server, "a.example", "A")) == ["127.0.0.7", "b.example.", "c.example."]


async def test_a_circle_of_aliases_comes_to_an_end(server: NameServer) -> None:
    server.publish("a.example CNAME b.example\nb.example CNAME a.example")

    assert answers(await ask(server, "a.example", "A")) == ["a.example.", "b.example."]


async def test_a_dangling_alias_is_a_denial(server: NameServer) -> None:
    server.publish("a.example CNAME nobody.example")
    reply = await ask(server, "a.example", "A")

    # RFC 6604 §3: the code tells of the last name of the chain.
    assert (answers(reply), reply.rcode()) == (["nobody.example."], dns.rcode.NXDOMAIN)


async def test_a_wildcard_answers_for_what_is_not_there(server: NameServer) -> None:
    server.publish("*.example A 127.0.0.9\nhere.example TXT there")

    assert answers(await ask(server, "any.thing.example", "A")) == ["127.0.0.9"]
    assert answers(await ask(server, "here.example", "A")) == []


@pytest.mark.parametrize(("edns", "truncated"), [(-1, True), (0, False)])
async def test_too_long_an_answer_is_cut_over_udp(server: NameServer, edns: int, truncated: bool) -> None:
    server.publish("\n".join(f"_xmpp-server._tcp.many.example SRV 1 0 5269 host{n}.example" for n in range(50)))
    short = await ask(server, "_xmpp-server._tcp.many.example", "SRV", edns=edns)
    whole = await ask(server, "_xmpp-server._tcp.many.example", "SRV", edns=edns, tcp=True)

    assert bool(short.flags & dns.flags.TC) == truncated
    assert bool(short.answer) != truncated
    assert len(answers(whole)) == 50


@pytest.mark.parametrize("fault", ["nxdomain", "nodata", "servfail", "refused", "formerr", "notimp"])
async def test_a_code_is_answered_as_often_as_asked_for(server: NameServer, fault: str) -> None:
    server.publish("a.example A 127.0.0.1")
    server.fail("a.example", read_fault({"fault": fault, "times": 2, "skip": 1}))
    replies = [await ask(server, "a.example", "A") for _ in range(4)]
    codes = [dns.rcode.to_text(reply.rcode()).lower() for reply in replies]
    wrong = "noerror" if fault == "nodata" else fault

    assert codes == ["noerror", wrong, wrong, "noerror"]
    assert [bool(reply.answer) for reply in replies] == [True, False, False, True]


async def test_silence_is_silence_for_that_type_only(server: NameServer) -> None:
    server.publish("a.example A 127.0.0.1")
    server.fail("a.example", read_fault({"fault": "silent", "type": "AAAA"}))

    with pytest.raises(dns.exception.Timeout):
        await ask(server, "a.example", "AAAA", timeout=0.1)

    assert answers(await ask(server, "a.example", "A")) == ["127.0.0.1"]


async def test_a_truncated_answer_is_whole_over_tcp(server: NameServer) -> None:
    server.publish("a.example A 127.0.0.1")
    server.fail("a.example", read_fault("truncate"))
    short = await ask(server, "a.example", "A")

    assert short.flags & dns.flags.TC
    assert answers(short) == []
    assert answers(await ask(server, "a.example", "A", tcp=True)) == ["127.0.0.1"]


async def test_truncated_only_has_no_way_out(server: NameServer) -> None:
    server.fail("a.example", read_fault("truncate-only"))

    assert (await ask(server, "a.example", "A")).flags & dns.flags.TC

    with pytest.raises(EOFError):
        await ask(server, "a.example", "A", tcp=True)


async def test_a_delayed_answer_comes_late(server: NameServer) -> None:
    server.publish("a.example A 127.0.0.1")
    server.fail("a.example", read_fault("delay: 0.1"))
    began = time.monotonic()

    assert answers(await ask(server, "a.example", "A")) == ["127.0.0.1"]
    assert time.monotonic() - began >= 0.1


@pytest.mark.parametrize("fault", ["wrong-id", "wrong-question", "wrong-source"])
async def test_a_forgery_comes_before_the_truth(server: NameServer, fault: str) -> None:
    server.publish("a.example A 127.0.0.1")
    server.fail("a.example", read_fault(fault))
    question = dns.message.make_query("a.example", "A")

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendto(asker, question.to_wire(), (server.host, server.port))
        forged, came_from = await loop.sock_recvfrom(asker, 4096)
        true, _ = await loop.sock_recvfrom(asker, 4096)

    reply = dns.message.from_wire(forged)

    assert reply.rcode() == dns.rcode.NXDOMAIN
    assert question.is_response(reply) == (fault == "wrong-source")
    assert (came_from[1] == server.port) == (fault != "wrong-source")
    assert question.is_response(dns.message.from_wire(true))
    assert answers(await ask(server, "a.example", "A")) == ["127.0.0.1"]


async def test_garbage_is_no_message(server: NameServer) -> None:
    server.fail("a.example", read_fault({"fault": "garbage", "times": 1}))

    with pytest.raises(dns.exception.Timeout):
        await ask(server, "a.example", "A", timeout=0.1)


async def test_an_unasked_address_is_added(server: NameServer) -> None:
    server.publish("_xmpp-server._tcp.a.example SRV 1 0 5269 host.example")
    server.fail("_xmpp-server._tcp.a.example", read_fault("bogus-additional: 127.0.0.66"))
    reply = await ask(server, "_xmpp-server._tcp.a.example", "SRV")

    assert [(str(rrset.name), str(rrset[0])) for rrset in reply.additional] == [("host.example.", "127.0.0.66")]


async def test_questions_reach_the_journal_concerned() -> None:
    journals = {"one.example": Journal(time.monotonic), "two.example": Journal(time.monotonic)}
    server = NameServer(lambda name: next((j for domain, j in journals.items() if name.endswith(domain)), None))
    await server.start()
    server.publish("one.example A 127.0.0.1")
    server.fail("one.example", read_fault({"fault": "servfail", "times": 1}))

    for name in ("one.example", "ONE.example", "two.example", "three.example"):
        await ask(server, name, "A")

    await server.stop()
    one = journals["one.example"].entries

    assert [entry.kind for entry in one] == ["fault", "query", "query"]
    assert one[0].data == {"name": "dns servfail one.example", "count": 1}
    assert one[2].data["answers"] == ["one.example A 127.0.0.1"]
    assert [entry.data["rcode"] for entry in journals["two.example"]] == ["NXDOMAIN"]
    assert len(server.history) == 4


async def test_services_are_found_in_order_without_a_question(server: NameServer) -> None:
    server.publish(
        "_xmpp-server._tcp.a.example SRV 9 0 5269 b.example\n_xmpp-server._tcp.a.example SRV 1 0 5222 c.example"
    )
    server.publish("b.example A 127.0.0.2\nc.example A 127.0.0.3\nc.example AAAA ::1\nplain.example A 127.0.0.4")

    assert server.service("a.example") == [("127.0.0.3", 5222), ("::1", 5222), ("127.0.0.2", 5269)]
    assert server.service("plain.example") == [("127.0.0.4", 5269)]
    assert server.history == []


async def test_the_port_of_another_is_refused(server: NameServer) -> None:
    with pytest.raises(OSError, match="in use"):
        await NameServer().start(server.host, server.port)


async def test_it_listens_on_loopback_only() -> None:
    with pytest.raises(ValueError, match="loopback"):
        await NameServer().start("0.0.0.0")


@pytest.mark.parametrize("data", [b"", b"x", b"\0" * 5, b"\xff" * 40, bytes(12)])
async def test_nonsense_does_no_harm(server: NameServer, data: bytes) -> None:
    list(server.respond(data, "udp"))
    server.publish("a.example A 127.0.0.1")

    assert answers(await ask(server, "a.example", "A")) == ["127.0.0.1"]


@pytest.mark.parametrize("text", ["a.example NONSENSE 1", "a.example A", "a.example SRV one two three four"])
def test_zone_text_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ZoneError, match="not zone text"):
        NameServer().publish(text)


def test_an_unknown_fault_names_those_that_exist() -> None:
    with pytest.raises(ZoneError, match=", ".join(list(FAULTS)[:3])):
        read_fault("nxdomian")


@pytest.mark.skipif(not shutil.which("dig"), reason="dig is not installed (Debian: dnsutils)")
async def test_dig_falls_back_to_tcp(server: NameServer) -> None:
    server.publish("\n".join(f"_xmpp-server._tcp.many.example SRV 1 0 5269 host{n}.example" for n in range(50)))
    options = ["+noedns", "+tries=1", "+time=2", "+short", "_xmpp-server._tcp.many.example", "SRV"]
    process = await asyncio.create_subprocess_exec(
        "dig", f"@{server.host}", "-p", str(server.port), *options, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()

    assert printed.count(b"host") == 50
    assert [query.transport for query in server.history] == ["udp", "tcp"]
