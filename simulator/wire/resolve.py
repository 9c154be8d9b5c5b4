"""Finds the hosts that speak for a domain, by asking one given name server (RFC 6120 §3.2).

Knows questions and answers of DNS, and how long they may be kept. Does not know what is done with the addresses;
what SRV records mean is `service`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import cast

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA
import dns.rdtypes.IN.SRV
from dns.rdata import Rdata

from simulator.wire import service
from simulator.wire.service import XMPP_SERVER_PORT, ServiceRecord, Target, WithoutService

#: an answer is kept for its TTL, but no longer than this, in seconds
LONGEST_TTL = 86400.0
#: that something is not there is kept for the SOA's minimum (RFC 2308 §5), but no longer than this, in seconds
LONGEST_NEGATIVE_TTL = 300.0
#: answers kept at one time
CACHE_SIZE = 10000
#: aliases followed for one question
LONGEST_CHAIN = 8


class ResolveError(Exception):
    """No host is known for a domain: see the subclasses for why."""


class NoSuchDomain(ResolveError):  # noqa: N818 - says it all
    """The name server says that neither the service nor an address is there, or the name cannot be one."""


class ServiceDenied(ResolveError):  # noqa: N818
    """An SRV record with the target "." says that the domain does not federate."""


class NotResolved(ResolveError):  # noqa: N818
    """The name server gave no usable answer; it may do so later."""


class _Silence(NotResolved):
    """Nothing came back: another question would only wait as long."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """Records of the type asked for, usable `until` a time of the event loop."""

    records: tuple[Rdata, ...] = ()
    until: float = 0.0


def reply_is_expected(question: dns.message.Message, reply: dns.message.Message) -> bool:
    """RFC 5452 §9.1: the id and the question must be ours; its address and port are, for the socket is connected."""
    return question.is_response(reply)


class Resolver:
    """Asks the name server at `server`:`port`; `timeout` bounds one question in seconds, one repetition included.

    The functions are decisions; a deliberate defect replaces one of them.
    """

    def __init__(
        self,
        server: str,
        port: int = 53,
        timeout: float = 2.0,
        entropy: random.Random | None = None,
        *,
        order_targets: Callable[[Sequence[ServiceRecord], random.Random], list[ServiceRecord]] = service.order_targets,
        service_is_denied: Callable[[Sequence[ServiceRecord]], bool] = service.service_is_denied,
        falls_back_to_address: Callable[[WithoutService], bool] = service.falls_back_to_address,
        reply_is_expected: Callable[[dns.message.Message, dns.message.Message], bool] = reply_is_expected,
        follows_aliases: Callable[[], bool] = service.follows_aliases,
        repeats_over_tcp: Callable[[], bool] = service.repeats_over_tcp,
        kept_for: Callable[[float], float] = service.kept_for,
    ) -> None:
        self._server, self._port, self._timeout = server, port, timeout
        self._entropy = entropy or random.SystemRandom()
        self._order_targets = order_targets
        self._service_is_denied = service_is_denied
        self._falls_back_to_address = falls_back_to_address
        self._reply_is_expected = reply_is_expected
        self._follows_aliases = follows_aliases
        self._repeats_over_tcp = repeats_over_tcp
        self._kept_for = kept_for
        self._cache: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], _Answer] = {}

    async def targets(self, domain: str, *, direct_tls: bool = False) -> list[Target]:
        """The hosts of a domain in the order in which to try them; addresses are looked up one host at a time.

        `domain` is normalised; an IP address stands for itself. With `direct_tls` the records of ``_xmpps-server`` are
        asked for as well. Raises ServiceDenied, NoSuchDomain, NotResolved.
        """
        if _is_address(domain):
            return [Target(domain, XMPP_SERVER_PORT, published=False)]

        answers = await self._services(domain, direct_tls)
        published = [records for records in answers if records]
        accepted = [records for records in published if not self._service_is_denied(records)]
        # XEP-0368 §3: "Both 'xmpp-' and 'xmpps-' records SHOULD be treated as the same record with regard to connection
        # order […], in that all priorities and weights are mixed."
        records = [record for records in accepted for record in records if record.host]

        if records:
            # RFC 2782: the root cannot be connected to, and neither can port 0.
            ordered = self._order_targets([record for record in records if record.port], self._entropy)

            return [Target(record.host, record.port, direct_tls=record.direct_tls) for record in ordered]

        # RFC 6120 §3.2.1 for the one, XEP-0368 §5 for the other: where a record says that there is no service, the
        # "initiating party MUST NOT perform A/AAAA fallback".
        if len(accepted) < len(published):
            raise ServiceDenied(f"{domain} publishes that it does not federate (SRV target '.')")

        return self.fallback(domain, WithoutService.NO_RESPONSE if answers[0] is None else WithoutService.NOT_PUBLISHED)

    async def _services(self, domain: str, direct_tls: bool) -> list[list[ServiceRecord] | None]:
        if not direct_tls:
            return [await self._records(domain, "xmpp-server")]

        return list(await asyncio.gather(*(self._records(domain, name) for name in ("xmpp-server", "xmpps-server"))))

    async def _records(self, domain: str, name: str) -> list[ServiceRecord] | None:
        """The SRV records of one service; None when there was no usable answer."""
        # "_xmpp-server._tcp.im.example.com.": absolute, so that no search list is ever appended.
        try:
            answer = await self._ask(_name(f"_{name}._tcp.{domain}"), dns.rdatatype.SRV)
        except NotResolved:
            return None

        return [
            ServiceRecord(
                record.priority,
                record.weight,
                record.port,
                "" if record.target == dns.name.root else record.target.to_text(omit_final_dot=True),
                direct_tls=name == "xmpps-server",
            )
            for record in answer
            if isinstance(record, dns.rdtypes.IN.SRV.SRV)
        ]

    def fallback(self, domain: str, reason: WithoutService) -> list[Target]:
        """The domain itself as target, where RFC 6120 §3.2.2 allows it; else nothing."""
        if not self._falls_back_to_address(reason):
            return []

        return [Target(domain, XMPP_SERVER_PORT, published=False)]

    async def addresses(self, host: str) -> AsyncGenerator[str, None]:
        """The IP addresses of a host one by one; IPv6 is asked for only when no IPv4 address will do.

        Raises NoSuchDomain or NotResolved when there is none at all.
        """
        if _is_address(host):
            yield host
            return

        name, found = _name(host), False
        failure: ResolveError = NoSuchDomain(f"{host} has no address")

        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            try:
                answer = await self._ask(name, kind)
            except NotResolved as error:
                failure = error

                if isinstance(error, _Silence):
                    break

                continue

            for record in answer:
                if isinstance(record, dns.rdtypes.IN.A.A | dns.rdtypes.IN.AAAA.AAAA):
                    found = True
                    yield record.address

        if not found:
            raise failure

    async def _ask(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> tuple[Rdata, ...]:
        """Records of one type, aliases followed; empty when there are none. Raises NotResolved."""
        now = asyncio.get_running_loop().time()
        kept = self._cache.get((name, kind))

        if kept is not None and kept.until > now:
            return kept.records

        question, until = name, now + LONGEST_TTL

        for _ in range(LONGEST_CHAIN):
            reply = await self._exchange(question, kind)

            try:
                chain = reply.resolve_chaining()
            except dns.exception.DNSException as error:
                raise NotResolved(f"{name} {kind.name}: {error}") from None

            until = min(until, now + self._kept_for(chain.minimum_ttl))

            if chain.canonical_name != question and not self._follows_aliases():
                return ()

            if chain.answer is not None:
                return self._keep(name, kind, _Answer(tuple(chain.answer), until))

            if chain.canonical_name == question:
                return self._keep(name, kind, _Answer((), now + self._kept_for(_negative_ttl(reply))))

            question = chain.canonical_name

        raise NotResolved(f"{name} {kind.name}: too many aliases")

    def _keep(self, name: dns.name.Name, kind: dns.rdatatype.RdataType, answer: _Answer) -> tuple[Rdata, ...]:
        if len(self._cache) >= CACHE_SIZE:
            del self._cache[next(iter(self._cache))]

        self._cache[name, kind] = answer

        return answer.records

    async def _exchange(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.message.QueryMessage:
        """One answer: over UDP, over TCP when it is truncated, and asked twice when it does not come."""
        question = dns.message.make_query(name, kind)
        question.id = self._entropy.randrange(1 << 16)
        asked = f"{name} {kind.name}: the name server {self._server} port {self._port}"

        for _ in range(2):
            try:
                async with asyncio.timeout(self._timeout / 2):
                    reply = await self._over_udp(question)

                    if reply.flags & dns.flags.TC and self._repeats_over_tcp():
                        reply = await dns.asyncquery.tcp(question, self._server, port=self._port)
            except TimeoutError:
                continue
            except (dns.exception.DNSException, OSError, EOFError) as error:
                raise NotResolved(f"{asked} cannot be asked: {error or type(error).__name__}") from None

            if reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                return cast("dns.message.QueryMessage", reply)

            raise NotResolved(f"{asked} answered {dns.rcode.to_text(reply.rcode())}")

        raise _Silence(f"{asked} did not answer")

    async def _over_udp(self, question: dns.message.Message) -> dns.message.Message:
        """The first thing that is an answer to the question.

        A socket of its own has a port of its own, and being connected it hears the name server only; what has another
        id or another question is not an answer (RFC 5452 §9). dnspython would make a transport for each, which costs
        more than all the rest.
        """
        loop = asyncio.get_running_loop()

        with socket.socket(socket.AF_INET6 if ":" in self._server else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect((self._server, self._port))
            sock.send(question.to_wire())

            while True:
                data = await loop.sock_recv(sock, 65535)

                try:
                    reply = dns.message.from_wire(data, ignore_trailing=True)
                except dns.exception.DNSException:
                    continue

                if self._reply_is_expected(question, reply):
                    return reply


def _negative_ttl(reply: dns.message.Message) -> float:
    """RFC 2308 §5: the lesser of the SOA's minimum and its TTL; without a SOA nothing is kept."""
    for records in reply.authority:
        if records.rdtype == dns.rdatatype.SOA:
            return float(min(records.ttl, records[0].minimum, LONGEST_NEGATIVE_TTL))

    return 0.0


def _name(text: str) -> dns.name.Name:
    """An absolute name; U-labels become A-labels. Raises NoSuchDomain for what cannot be a name."""
    try:
        return dns.name.from_text(text, dns.name.root)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise NoSuchDomain(f"{text} cannot be a domain name: {error}") from None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False

    return True
