"""The fake name server: the only one that anybody in a world is pointed at.

Knows transports, truncation and the failures that a scenario asks for. Does not know what a zone answers, nor XMPP:
only this file and `dns_zone` know dnslib.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from dnslib import CLASS, EDNS0, QTYPE, RCODE, RR, A, DNSError, DNSHeader, DNSRecord

from simulator.journal import Journal
from simulator.world.dns_zone import Zone, ZoneError, denial, key_of, truncated

#: The size of a UDP message when the question carries no EDNS (RFC 1035 §4.2.1).
PLAIN_UDP_SIZE = 512
#: What we announce ourselves; the value that the DNS flag day of 2020 settled on.
EDNS_UDP_SIZE = 1232
FAULTS: dict[str, str] = {
    "nxdomain": "answers that the name does not exist",
    "nodata": "answers that the name exists but has no such record",
    "servfail": "answers SERVFAIL",
    "refused": "answers REFUSED",
    "formerr": "answers FORMERR",
    "notimp": "answers NOTIMP",
    "silent": "does not answer at all",
    "truncate": "answers over UDP with TC set and no records: the question must be repeated over TCP",
    "truncate-only": "as truncate, and TCP connections that ask it are closed without an answer",
    "delay": "answers rightly, but only after the given seconds",
    "garbage": "answers with bytes that are no DNS message",
    "wrong-id": "denies the name under another message id, then answers rightly",
    "wrong-question": "denies another name under the same message id, then answers rightly",
    "wrong-source": "denies the name from another port, then answers rightly",
    "bogus-additional": "adds, unasked, that every name in the answer lives at the given address",
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How questions for one name fail: `kind` from FAULTS, for `type` only ("" = any), `times` times (None = always).

    The first `skip` questions are answered rightly. `argument` is the seconds of a delay or an address.
    """

    kind: str
    type: str = ""
    times: int | None = None
    skip: int = 0
    argument: str = ""


@dataclass(frozen=True, kw_only=True)
class Query:
    """One question that reached the server and how it was answered (`rcode` is "" for silence)."""

    name: str
    type: str
    transport: str
    rcode: str
    answers: tuple[str, ...] = ()
    fault: str = ""


def read_fault(given: Any) -> Fault:
    """Read ``nxdomain``, ``delay: 0.2`` or ``{fault: servfail, type: SRV, times: 2, skip: 1}``; raises ZoneError."""
    if isinstance(given, str):
        kind, _, argument = given.partition(":")
        fault = Fault(kind=kind.strip(), argument=argument.strip())
    elif isinstance(given, dict) and set(given) <= {"fault", "type", "times", "skip", "argument"} and "fault" in given:
        fault = replace(
            read_fault(given["fault"]),
            **{key: value for key, value in given.items() if key in {"times", "skip"}},
            type=str(given.get("type", "")).upper(),
        )
        fault = replace(fault, argument=str(given["argument"])) if "argument" in given else fault
    else:
        raise ZoneError(f"{given!r} is not a fault: write a name, or a mapping with fault, type, times, skip, argument")

    if fault.kind not in FAULTS:
        raise ZoneError(f"no fault is called {fault.kind!r}: there are {', '.join(FAULTS)}")

    return fault


def fault_name(name: str, kind: str) -> str:
    """What a fault is called in the journal when it fires."""
    return f"dns {kind} {key_of(name)}"


class NameServer:
    """A zone behind UDP and TCP on one loopback address and port.

    `journal_for` gives, for the name of a question, the journal that must know of it: several scenarios may share one
    server, each under names of its own.
    """

    def __init__(self, journal_for: Callable[[str], Journal | None] = lambda name: None) -> None:
        self.zone = Zone()
        self.history: list[Query] = []
        self.host, self.port = "", 0
        self._journal_for = journal_for
        self._faults: dict[str, list[Fault]] = {}
        self._fired: dict[tuple[str, str], int] = {}
        self._watchers: list[asyncio.Future[None]] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; `port` 0 takes any that is free for both transports. Raises OSError, or ValueError off loopback."""
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"the fake name server listens on loopback only, not on {host}")

        loop = asyncio.get_running_loop()

        for attempt in range(20):
            self._transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (host, port))
            self.host, self.port = self._transport.get_extra_info("sockname")[:2]

            try:
                # In two steps: start_server forgets its open socket when it is cancelled in its last one.
                self._server = await asyncio.start_server(self._serve, host, self.port, start_serving=False)
                await self._server.start_serving()
                return
            except OSError:
                # Somebody else holds the same number for TCP: another one, unless it was asked for.
                self._transport.close()

                if port or attempt == 19:
                    raise

    async def stop(self) -> None:
        """Close both sockets and drop answers that are still delayed."""
        for task in list(self._tasks):
            task.cancel()

        await asyncio.gather(*self._tasks, return_exceptions=True)

        if self._transport:
            self._transport.close()

        if self._server:
            self._server.close()
            await self._server.wait_closed()

    def publish(self, text: str, *, instead: bool = False) -> None:
        """Add records (see Zone.publish), or let them stand instead of those of the same names and types."""
        self.zone.publish(text, instead=instead)

    def withdraw(self, name: str, type_: str = "") -> None:
        """Forget records (see Zone.withdraw)."""
        self.zone.withdraw(name, type_)

    def fail(self, name: str, fault: Fault) -> None:
        """From now on, fail questions for `name`; faults of one name come one after the other, as each is used up."""
        self._faults.setdefault(key_of(name), []).append(fault)

    def heal(self, name: str) -> None:
        """Forget the faults of a name."""
        self._faults.pop(key_of(name), None)

    def service(self, domain: str, service: str = "_xmpp-server._tcp") -> list[tuple[str, int]]:
        """Where a domain's servers live, best first, looked up in memory: no question, no journal, no faults."""
        found = sorted(self.zone.records(f"{service}.{domain}", "SRV")) or [(0, 0, 5269, domain)]

        return [(a, port) for *_, port, host in found for kind in ("A", "AAAA") for a in self.zone.records(host, kind)]

    async def asked(self) -> None:
        """Wait until another question is recorded."""
        watcher = asyncio.get_running_loop().create_future()
        self._watchers.append(watcher)
        await watcher

    def respond(self, data: bytes, transport: str) -> Iterator[tuple[float, str, bytes]]:
        """Answer one message: yields (delay in seconds, "" or "elsewhere", bytes), nothing at all for silence."""
        try:
            request = DNSRecord.parse(data)
        except (DNSError, struct.error, ValueError):
            # RFC 1035 §4.1.1: a question that could not be interpreted.
            if len(data) >= 2:
                header = DNSHeader(id=int.from_bytes(data[:2], "big"), qr=1, rcode=RCODE.FORMERR)
                yield 0.0, "", bytes(DNSRecord(header).pack())
            return

        if request.header.qr:
            return

        if request.header.opcode or len(request.questions) != 1 or request.q.qclass != CLASS.IN:
            reply = request.reply()
            reply.header.rcode = RCODE.NOTIMP if request.header.opcode else RCODE.REFUSED
            yield 0.0, "", bytes(reply.pack())
            return

        yield from self._respond(request, transport)

    def _respond(self, request: DNSRecord, transport: str) -> Iterator[tuple[float, str, bytes]]:
        name, type_ = str(request.q.qname), request.q.qtype
        fault = self._fault(key_of(name), QTYPE[type_], transport)
        kind = fault.kind if fault else ""
        reply = request.reply(ra=1)
        reply.header.ad = 0
        limit = 65535 if transport == "tcp" else PLAIN_UDP_SIZE

        for option in request.ar:
            if option.rtype == QTYPE.OPT:
                limit = max(limit, option.rclass)
                reply.add_ar(EDNS0(udp_len=EDNS_UDP_SIZE))

        if kind in ("nxdomain", "servfail", "refused", "formerr", "notimp"):
            reply.header.rcode = getattr(RCODE, kind.upper())
        elif kind != "nodata":
            self.zone.answer(reply, name, type_)

        if kind in ("nxdomain", "nodata"):
            reply.add_auth(self.zone.authority(name))

        if fault and kind == "bogus-additional":
            for host in {str(r.rdata.target) if r.rtype == QTYPE.SRV else name for r in reply.rr}:
                reply.add_ar(RR(host, QTYPE.A, rdata=A(fault.argument), ttl=60))

        silent = kind == "silent" or (kind == "truncate-only" and transport == "tcp")
        self._record(name, QTYPE[type_], transport, None if silent else reply, kind)

        if not silent:
            yield from _forgeries(request, kind)
            packed = bytes(reply.pack())
            cut = transport == "udp" and (kind.startswith("truncate") or len(packed) > limit)
            packed = bytes(truncated(reply).pack()) if cut else packed
            yield float(fault.argument) if fault and kind == "delay" else 0.0, "", packed if kind != "garbage" else b"?"

    def _fault(self, name: str, type_: str, transport: str) -> Fault | None:
        faults = self._faults.get(name, [])

        for index, fault in enumerate(faults):
            if fault.type not in ("", type_) or (fault.kind == "truncate" and transport == "tcp"):
                continue

            if fault.skip:
                faults[index] = replace(fault, skip=fault.skip - 1)
                return None

            if fault.times is None:
                return fault

            faults[index : index + 1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
            return fault

        return None

    def _record(self, name: str, type_: str, transport: str, reply: DNSRecord | None, fault: str) -> None:
        query = Query(
            name=key_of(name),
            type=type_,
            transport=transport,
            rcode=RCODE[reply.header.rcode] if reply else "",
            answers=tuple(f"{key_of(r.rname)} {QTYPE[r.rtype]} {r.rdata}" for r in reply.rr) if reply else (),
            fault=fault,
        )
        self.history.append(query)
        journal = self._journal_for(query.name)

        if journal and fault:
            self._fired[query.name, fault] = count = self._fired.get((query.name, fault), 0) + 1
            journal.record("fault", "dns", name=fault_name(query.name, fault), count=count)

        if journal:
            data: dict[str, Any] = {"fault": fault} if fault else {}
            journal.record(
                "query", "dns", name=query.name, type=type_, transport=transport, rcode=query.rcode,
                answers=list(query.answers), **data,
            )  # fmt: skip

        for watcher in self._watchers:
            if not watcher.done():
                watcher.set_result(None)

        self._watchers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One TCP connection: messages with two octets of length before each (RFC 1035 §4.2.2)."""
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)

        try:
            while True:
                data = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
                answers = list(self.respond(data, "tcp"))

                if not answers:
                    return

                for delay, _, answer in answers:
                    await asyncio.sleep(delay)
                    writer.write(len(answer).to_bytes(2, "big") + answer)
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._name_server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        for delay, door, answer in self._name_server.respond(data, "udp"):
            if door:
                _send_from_another_port(self._name_server.host, answer, address)
            elif delay:
                asyncio.get_running_loop().call_later(delay, self._send, answer, address)
            else:
                self._send(answer, address)

    def _send(self, answer: bytes, address: tuple[str, int]) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(answer, address)


def _forgeries(request: DNSRecord, kind: str) -> Iterator[tuple[float, str, bytes]]:
    """What an attacker sends before the true answer (RFC 5452 §9.1): each must be ignored by a resolver."""
    if kind == "wrong-id":
        yield 0.0, "", denial(request, message_id=request.header.id ^ 0xFFFF)
    elif kind == "wrong-question":
        yield 0.0, "", denial(request, name="elsewhere.invalid")
    elif kind == "wrong-source":
        yield 0.0, "elsewhere", denial(request)


def _send_from_another_port(host: str, answer: bytes, address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET

    with socket.socket(family, socket.SOCK_DGRAM) as other:
        other.bind((host, 0))
        other.sendto(answer, address)
