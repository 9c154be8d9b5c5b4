"""Contacts of the gateway's users: how soon a partner knows that somebody is busy, and what contacts and streams weigh.

Knows the file of contacts, PUBLISH and presence as patterns of bytes. Does not know other systems than the gateway:
what Prosody keeps of a contact is no measure for it.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator.gateway.contacts.contact import Contact
from simulator.gateway.contacts.store import ContactStore
from simulator.xmpp.address import Address, parse_address
from simulator.xmpp.subscription import State
from tests.bench.partner import DialledStream, dial
from tests.bench.seats import NAMES, GatewayProcess, Ground, resident_megabytes
from tests.bench.table import Row, spread
from tests.bench.tally import Tally
from tests.bench.users import PARTNER, SYSTEM, SIPUsers

#: what is told in turn: contacts are told only of what is new
SHOWS = ("dnd", "away")
_PRESENCE = re.compile(rb"<presence\b([^>]*?)(?:/>|>(.*?)</presence>)", re.DOTALL)
_TO = re.compile(rb"\bto=['\"]c(\d+)@")


class PresenceScanner:
    """Finds the numbers of contacts who are told that somebody is available, with this show, in a stream of bytes."""

    def __init__(self) -> None:
        self.show = b""
        self._rest = b""

    def ids(self, data: bytes) -> list[bytes]:
        """The numbers of those whose presence is complete now."""
        data, end, found = self._rest + data, 0, []

        for match in _PRESENCE.finditer(data):
            end = match.end()

            if self.show and f"<show>{self.show.decode()}</show>".encode() in (match[2] or b""):
                found += _TO.findall(match[1])

        self._rest = data[end:]

        return found


class Publisher(SIPUsers):
    """A device of a user that tells how it is; it takes no SUBSCRIBE, so nobody asks it."""

    async def sign_in(self, names: list[str]) -> None:
        """Register."""
        (self._name,) = names
        contact = f'<sip:{self._name}@127.0.0.1:9;gr=desk>;methods="MESSAGE, PUBLISH"'
        self._ask("REGISTER", f"sip:{SYSTEM}", f"Contact: {contact}\r\nExpires: 3600", "")
        await self._until(rb"SIP/2\.0 200 [^\0]*?\r\n\r\n")

    async def publish(self, number: int, show: str) -> None:
        """Be so, and wait for the 200."""
        self.tell(number, show)
        await self._until(rb"SIP/2\.0 200 [^\0]*?\r\n\r\n")

    def tell(self, number: int, show: str) -> None:
        """Be so."""
        entity = f"sip:{self._name}@{SYSTEM}"
        body = (
            f'<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="{entity}"><tuple id="desk"><status>'
            f'<basic>open</basic><show xmlns="jabber:client">{show}</show></status></tuple></presence>'
        )
        headers = "Event: presence\r\nExpires: 3600\r\nContent-Type: application/pidf+xml"
        self._ask("PUBLISH", entity, headers, body, number)

    def _ask(self, method: str, uri: str, headers: str, body: str, number: int = 0) -> None:
        own = f"sip:{self._name}@{SYSTEM}"
        head = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{method}{number}",
            "Max-Forwards: 70",
            f"To: <{own}>",
            f"From: <{own}>;tag=p{number}",
            f"Call-ID: {method}{number}",
            f"CSeq: 1 {method}",
            headers,
            f"Content-Length: {len(body)}",
        ]
        self.write(("\r\n".join(head) + f"\r\n\r\n{body}").encode())


@contextmanager
def file_of_contacts(amount: int, users: int) -> Iterator[Path]:
    """So many contacts at the partner, shared out among so many users; each sees the other, and is on the list."""
    with tempfile.TemporaryDirectory(prefix="s2sim-bench-") as folder:
        path = Path(folder) / "contacts.sqlite"
        store = ContactStore(path)
        store.open()

        with store.batch():
            for number in range(amount):
                store.put(
                    Contact(
                        user=parse_address(f"{NAMES[number % users]}@{SYSTEM}"),
                        address=Address(f"c{number}", PARTNER),
                        state=State.BOTH,
                        name=f"Contact {number}",
                        groups=("Friends",),
                        listed=True,
                    )
                )

        store.close()
        yield path


async def fan_out(ground: Ground, amount: int, rounds: int) -> list[Row]:
    """One user changes presence, and so many contacts at one partner are told; until the partner has all of it."""
    scanner = PresenceScanner()
    ground.partner.make_scanner = lambda: scanner
    found: list[float] = []

    with file_of_contacts(amount, 1) as path:
        gateway = GatewayProcess([], contacts=path)
        await gateway.start(ground)
        user = Publisher()

        try:
            await asyncio.get_running_loop().create_connection(lambda: user, *gateway.sip)
            await user.sign_in(NAMES[:1])
            # The first one opens the stream, and goes with a probe to everybody.
            scanner.show = b"xa"
            told = Tally(0, amount)
            ground.partner.note = told.note
            await user.publish(0, "xa")
            await told.wait_all()

            for number in range(1, rounds + 1):
                show = SHOWS[number % len(SHOWS)]
                scanner.show = show.encode()
                told = Tally(0, amount)
                ground.partner.note = told.note
                began = time.perf_counter()
                user.tell(number, show)
                await told.wait_all()
                found.append((time.perf_counter() - began) * 1000)
        finally:
            user.close()
            await gateway.stop()

    return [Row(f"presence to {amount:,} contacts at one partner, ms", spread(found, 1))]


async def restored(ground: Ground, amount: int, rounds: int) -> list[Row]:
    """The start of a gateway with so many contacts, and of one without: until it is ready, and what it holds then."""
    seconds: dict[int, list[float]] = {0: [], amount: []}
    megabytes: dict[int, list[float]] = {0: [], amount: []}

    for each in (0, amount) * rounds:
        with file_of_contacts(each, len(NAMES)) as path:
            gateway = GatewayProcess([], contacts=path)
            began = time.perf_counter()
            await gateway.start(ground)
            seconds[each].append(time.perf_counter() - began)
            megabytes[each].append(resident_megabytes(gateway.pid))
            await gateway.stop()

    each_one = [(full - empty) / amount * 1e6 for full, empty in zip(megabytes[amount], megabytes[0], strict=True)]

    return [
        Row(f"start with {amount:,} contacts, s", spread(seconds[amount], 2)),
        Row("  with none", spread(seconds[0], 2)),
        Row(f"MB with {amount:,} contacts", spread(megabytes[amount], 1)),
        Row("  with none", spread(megabytes[0], 1)),
        Row("  bytes for each contact", spread(each_one)),
    ]


async def streams(ground: Ground, amount: int) -> list[Row]:
    """What the gateway holds for each stream that partners keep open, and for its own that verified the key."""
    domains = [f"s{number}.example" for number in range(amount)]
    gateway = GatewayProcess(domains)
    await gateway.start(ground)
    opened: list[DialledStream] = []

    try:
        # What the first ones need is needed once.
        opened += [await dial(gateway.place, domain, SYSTEM) for domain in domains[: amount // 10]]
        before = resident_megabytes(gateway.pid)
        opened += [await dial(gateway.place, domain, SYSTEM) for domain in domains[amount // 10 :]]
        after = resident_megabytes(gateway.pid)
    finally:
        for stream in opened:
            stream.close()

        await gateway.stop()

    each_one = (after - before) / (amount - amount // 10) * 1e6

    return [Row(f"bytes for each of {amount:,} open streams", f"{each_one:,.0f}")]
