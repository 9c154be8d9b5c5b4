"""The records of the fake name server, and what a question for a name is answered.

Knows records, aliases, wildcards and negative answers. Does not know sockets or deliberate failures: that is `dns`.
"""

from __future__ import annotations

from typing import Any

from dnslib import QTYPE, RCODE, RR, SOA, DNSHeader, DNSLabel, DNSQuestion, DNSRecord

#: A longer chain of aliases is a loop for every practical purpose.
LONGEST_CHAIN = 12


class ZoneError(Exception):
    """Zone text or a fault cannot be used: says which and why."""


def key_of(name: str | DNSLabel) -> str:
    """The form in which names are compared: lower case, no trailing dot (RFC 4343)."""
    return str(name).rstrip(".").lower()


class Zone:
    """Records by name, and what a question for a name is answered: no sockets, no faults."""

    def __init__(self) -> None:
        self._records: dict[str, dict[int, list[RR]]] = {}
        self._above: dict[str, int] = {}
        # "." stands above everything, so that each negative answer has a SOA to be cached by. Its minimum of
        # 0 seconds keeps a record that appears later visible at once (RFC 2308 §5).
        self._root = RR("", QTYPE.SOA, rdata=SOA("ns.invalid", "hostmaster.invalid", (1, 60, 60, 60, 0)), ttl=0)

    def publish(self, text: str, *, instead: bool = False) -> None:
        """Add records (zone file syntax, ``$ORIGIN`` and ``$TTL`` included, names absolute, TTL 0 by default).

        With `instead`, earlier records of the same names and types give way. Raises ZoneError with the parser's reason.
        """
        try:
            # The lexer of dnslib knows a record by the end of its line and takes indentation for "same name".
            lines = "\n".join(line.strip() for line in text.strip().splitlines())
            records = RR.fromZone(lines + "\n")
        except Exception as error:  # dnslib raises whatever its conversion functions raise
            raise ZoneError(f"not zone text: {error}: {text.strip()!r}") from None

        if instead:
            for record in records:
                self._records.get(key_of(record.rname), {}).pop(record.rtype, None)

        for record in records:
            name = key_of(record.rname)

            if name not in self._records:
                self._count_above(name, 1)

            held = self._records.setdefault(name, {}).setdefault(record.rtype, [])

            if record not in held:
                held.append(record)

    def withdraw(self, name: str, type_: str = "") -> None:
        """Forget the records of a name, or those of one type; raises ZoneError when there are none."""
        held = self._records.get(key_of(name), {})
        kinds = [getattr(QTYPE, type_.upper())] if type_ else list(held)

        if not any(kind in held for kind in kinds):
            raise ZoneError(f"{name} has no {type_ or 'records'} to withdraw")

        for kind in kinds:
            held.pop(kind, None)

        if not held:
            del self._records[key_of(name)]
            self._count_above(key_of(name), -1)

    def records(self, name: str, type_: str) -> list[Any]:
        """The data at a name, aliases followed: addresses as text, SRV as (priority, weight, port, host)."""
        chain, _ = self._chase(key_of(name), getattr(QTYPE, type_))

        return [_plain(record) for record in chain if QTYPE[record.rtype] == type_]

    def answer(self, reply: DNSRecord, name: str, type_: int) -> None:
        """Put into `reply` what the zone says: records, or a denial with the SOA (RFC 2308 §2)."""
        chain, exists = self._chase(key_of(name), type_)
        reply.add_answer(*(self._under(record, name) for record in chain))

        # The code tells of the last name of a chain of aliases (RFC 6604 §3).
        if not exists:
            reply.header.rcode = RCODE.NXDOMAIN

        if not exists or not any(type_ in (record.rtype, QTYPE.ANY) for record in chain):
            reply.add_auth(self.authority(name))

    def authority(self, name: str) -> RR:
        """The SOA of the closest zone above a name."""
        labels = key_of(name).split(".")

        for start in range(len(labels)):
            for record in self._records.get(".".join(labels[start:]), {}).get(QTYPE.SOA, []):
                return record

        return self._root

    def _chase(self, name: str, type_: int) -> tuple[list[RR], bool]:
        chain: list[RR] = []

        for _ in range(LONGEST_CHAIN):
            held = self._at(name)

            if held is None:
                return chain, False

            found = [r for records in held.values() for r in records] if type_ == QTYPE.ANY else held.get(type_, [])
            alias = held.get(QTYPE.CNAME, [])

            if found or not alias or alias[0] in chain:
                return chain + found, True

            chain.append(alias[0])
            name = key_of(alias[0].rdata.label)

        return chain, True

    def _at(self, name: str) -> dict[int, list[RR]] | None:
        """The records of a name; {} for one that has only names below it; None when it does not exist."""
        if name in self._records:
            return self._records[name]

        if name in self._above:
            return {}

        # A wildcard answers for what does not exist below the closest name that does (RFC 4592 §3.3.1).
        labels = name.split(".")

        for start in range(1, len(labels)):
            above = ".".join(labels[start:])
            wildcard = self._records.get(f"*.{above}")

            if wildcard is not None:
                return {
                    type_: [RR(name, r.rtype, r.rclass, r.ttl, r.rdata) for r in records]
                    for type_, records in wildcard.items()
                }

            if above in self._records or above in self._above:
                return None

        return None

    def _under(self, record: RR, name: str) -> RR:
        """The same record under the spelling of the question, as servers answer it."""
        if key_of(record.rname) != key_of(name):
            return record

        return RR(name, record.rtype, record.rclass, record.ttl, record.rdata)

    def _count_above(self, name: str, step: int) -> None:
        labels = name.split(".")

        for start in range(1, len(labels)):
            above = ".".join(labels[start:])
            self._above[above] = self._above.get(above, 0) + step

            if not self._above[above]:
                del self._above[above]


def truncated(reply: DNSRecord) -> DNSRecord:
    """The same reply without its records and with TC set (RFC 2181 §9), EDNS kept."""
    short = DNSRecord(reply.header, questions=reply.questions, ar=[r for r in reply.ar if r.rtype == QTYPE.OPT])
    short.header.tc = 1

    return short


def denial(request: DNSRecord, *, message_id: int | None = None, name: str | None = None) -> bytes:
    """A forged NXDOMAIN: under another message id or for another name."""
    question = DNSQuestion(name or request.q.qname, request.q.qtype)
    header = DNSHeader(id=request.header.id if message_id is None else message_id, qr=1, ra=1, rcode=RCODE.NXDOMAIN)

    return bytes(DNSRecord(header, q=question).pack())


def _plain(record: RR) -> Any:
    data = record.rdata

    if record.rtype == QTYPE.SRV:
        return data.priority, data.weight, data.port, key_of(data.target)

    return str(data)
