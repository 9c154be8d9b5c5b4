"""A fake federated domain, wholly under our control: where it listens, what it dials, whom it knows.

Knows its domains, hosts, key, users and streams. What it is comes from a profile, how it misbehaves from quirks; what
its streams do by themselves is `partner.automation`, how stanzas of its users leave is `partner.routes`.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import deque
from collections.abc import Callable, Container, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from simulator.journal import Journal
from simulator.wire.connection import Connection
from simulator.wire.tls import ResumableSession
from simulator.world.addresses import Addresses
from simulator.world.dns import NameServer
from simulator.world.partner import words
from simulator.world.partner.automation import answer_verification, judge_key, serve
from simulator.world.partner.dialling import DIRECT_SERVICE, SERVICE, Dialler, Locate
from simulator.world.partner.greeting import greet, usual_header
from simulator.world.partner.hosts import XMPP_SERVER_PORT, Hosts
from simulator.world.partner.negotiating import secure
from simulator.world.partner.papers import Authority, Papers, Terms
from simulator.world.partner.reading import ignore
from simulator.world.partner.residents import Residents
from simulator.world.partner.routes import Routes
from simulator.world.partner.stream import PartnerStream
from simulator.world.profiles import Profile
from simulator.world.quirks import behave
from simulator.xmpp.dialback import dialback_key
from simulator.xmpp.namespaces import DIALBACK


class Partner:
    """One fake domain. `start` makes it listen and publishes its records; `stop` ends everything it has open."""

    def __init__(
        self,
        name: str,
        profile: Profile,
        quirks: Iterable[Any] = (),
        *,
        journal: Journal,
        names: NameServer,
        addresses: Addresses,
        entropy: random.Random,
        real: Callable[[str], str] = lambda name: name,
        further_domains: Iterable[str] = (),
        hosts: Sequence[str] | int | None = None,
        zone: str | None = None,
        listens: bool = True,
        scripted: bool = False,
        secret: str | None = None,
        port: int = XMPP_SERVER_PORT,
        abilities: Mapping[str, Any] | None = None,
        authority: Authority | None = None,
        locate: Locate | None = None,
    ) -> None:
        """`name` is the scenario's, `real` gives the name that is used; `zone` stands instead of the profile's records.

        `hosts` are names (or how many of the profile's listen), `scripted` holds every stream that the system opens
        until a step takes it over. `abilities` are tls, certificate, external and dialback (see Behaviour), for which
        `authority` makes the certificates. `locate` finds the servers of a domain, best first; by default in the fake
        zone.
        """
        self.name, self.domain, self.profile = name, real(name).lower(), profile
        self.names_in_scenario = (name, *(profile.additional_domains if name == profile.home else ()), *further_domains)
        """All its domains as the scenario calls them."""
        self.domains: tuple[str, ...] = tuple(real(other).lower() for other in self.names_in_scenario)
        behaviour = behave(profile.behaviour, quirks)
        self.behaviour = replace(behaviour, door_host=real(behaviour.door_host), **(abilities or {}))
        self.journal, self.names = journal, names
        self.secret = secret or f"{entropy.getrandbits(128):032x}"
        self.scripted = scripted
        self.expected_scripts = 0
        """How many streams of the system are still to be taken over by a step (see `accept`)."""
        self.holds_verification = False
        """Whether requests to verify wait for a step."""
        self.streams: dict[str, PartnerStream] = {}
        """Scripted streams by the scenario's label."""
        self.contacts: list[PartnerStream] = []
        """Every connection that reached us, in order."""
        self.asked: deque[tuple[PartnerStream, Element, int]] = deque()
        """Requests to verify that no step has accounted for, with their journal entries."""
        self.unanswered: deque[tuple[PartnerStream, Element]] = deque()
        host_names = profile.host_names(self.domain, hosts, real)
        self.papers = Papers(authority, self.behaviour, self.domains, next(iter(host_names), self.domain))
        below = "" if self.domain == profile.home else self.domain
        self._hosts = Hosts(host_names, addresses, below, port)
        self._zone, self._listens = zone, listens
        self._entropy = entropy
        self._dialler = Dialler(
            names,
            self.papers,
            lambda connection, label: self._stream(connection, label, dialed=True),
            lambda: self.host if addresses.own_addresses else None,
            locate,
        )
        self.open_streams: set[PartnerStream] = set()
        """Those whose connection is there, whoever opened them."""
        self._held: deque[PartnerStream] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = itertools.count(1)
        self._changed = asyncio.Event()
        self.residents = Residents(self.behaviour.whitelist)
        self.routes = Routes(self)

    # -- being there

    @property
    def places(self) -> dict[str, tuple[str, int]]:
        """host name -> address and port."""
        return self._hosts.places

    @property
    def host(self) -> str:
        """The address of its first host."""
        return next(iter(self.places.values()))[0]

    @property
    def port(self) -> int:
        """The port of its first host."""
        return next(iter(self.places.values()))[1]

    async def start(self) -> None:
        """Listen at each host and publish the records. Raises ListenError, and LookupError for no such certificate."""
        if self.behaviour.tls != "none":
            # Here, and not in the middle of a handshake, it turns out that there is no such certificate.
            self.papers.as_server(self.papers.terms(direct=self._is_direct))

        for host in self._hosts.names:
            await self._listen(host)

        text = (
            self._zone
            if self._zone is not None
            else self.profile.zone(self.domains, self.places, DIRECT_SERVICE if self._is_direct else SERVICE)
        )
        self.names.publish(self.place_for_all(text.replace("{address}", self.host).replace("{port}", str(self.port))))

    async def stop(self) -> None:
        """Close listeners and streams; nothing is left behind."""
        await self._hosts.close()

        for task in tuple(self._tasks):
            task.cancel()

        await asyncio.gather(*self._tasks, return_exceptions=True)

        for stream in tuple(self.open_streams):
            stream.close()

        await asyncio.gather(*(stream.gone() for stream in self.open_streams))

    def place_for_all(self, text: str) -> str:
        """Fill ``{address of NAME}`` and ``{port of NAME}``, NAME being a host or domain of ours."""
        return self._hosts.fill(text, (*self.names_in_scenario, *self.domains))

    async def _listen(self, host: str) -> None:
        door = self.behaviour.door if self._hosts.concerns(host, self.behaviour.door_host) else "open"

        if not self._listens or door == "refuses":
            self._hosts.refuse(host)
            return

        await self._hosts.listen(host, lambda connection: self._arrived(connection, host, door), f"partner {self.name}")
        address, port = self.places[host]
        self.journal.record("listening", self.domain, host=address, port=port, service="xmpp-server")

    # -- being reached

    def _arrived(self, connection: Connection, host: str, door: str) -> None:
        stream = self._stream(connection, f"{self.domain}/in-{next(self._count)}", dialed=False, host=host)
        stream.own_id = self.stream_id()
        self.contacts.append(stream)

        if door in ("resets", "closes"):
            stream.begin()
            stream.drop("reset" if door == "resets" else "fin")
        elif door in ("silent", "says"):
            stream.on_bytes = ignore
            stream.begin()
            stream.send_bytes(self.behaviour.banner.encode())

            if door == "says":
                stream.drop()
        elif self._wants_script():
            stream.hold()
            self._begin(stream, door)
            self._held.append(stream)
        else:
            serve(self, stream)
            self._begin(stream, door)

        self._changed.set()

    def _begin(self, stream: PartnerStream, door: str) -> None:
        stream.begin()

        if self._is_direct or door == "direct":
            stream.secure(self.papers.as_server(self.papers.terms(direct=True)))

    @property
    def _is_direct(self) -> bool:
        return self.behaviour.tls == "direct"

    def _wants_script(self) -> bool:
        # While a key of a scripted stream is being judged, the system's next stream is there to verify it.
        judged = any(stream.awaits_result and not stream.over for stream in self.streams.values())

        return self.scripted or (self.expected_scripts > len(self._held) and not judged)

    async def accept(
        self,
        label: str,
        header: Mapping[str, Any] | None = None,
        *,
        answers: bool = True,
        features: str | None = None,
    ) -> PartnerStream:
        """Take over the next stream that the system opens; with `answers`, its header gets ours and features.

        `header` overrides parts of our header (see words.HEADER_KEYS), `features` is XML that stands instead of
        ours. The caller bounds the wait. Raises StreamOver when the stream ends before its header.
        """
        while not self._held:
            await self.changed()

        stream = self._held.popleft()
        self.expected_scripts = max(0, self.expected_scripts - 1)
        self.streams[label] = stream
        stream.release()
        await stream.arrived_header()

        if answers:
            greet(stream, self.domains, usual_header(stream, self.domains).overridden(header or {}), features)

        return stream

    async def changed(self) -> None:
        """Wait until a connection or a request to verify reaches us."""
        self._changed.clear()
        await self._changed.wait()

    def asked_to_verify(self, stream: PartnerStream, element: Element) -> None:
        """A db:verify reached us: answer it, or keep it for a step."""
        self.asked.append((stream, element, stream.last_entry))

        if self.holds_verification or self.behaviour.verify == "never":
            self.unanswered.append((stream, element))
        else:
            answer_verification(self, stream, element)

        self._changed.set()

    def answer_honestly(self, stream: PartnerStream, asked: Element) -> None:
        """Answer a db:verify that waited for a step, as the partner would have done."""
        self.unanswered = deque(kept for kept in self.unanswered if kept[1] is not asked)
        answer_verification(self, stream, asked, judge_key(self, asked))

    # -- reaching out

    async def open(self, label: str, to: str) -> PartnerStream:
        """Connect to the server of a domain and say nothing; the stream is scripted. Raises OSError."""
        stream = self.streams[label] = await self._connect(to, self._named(label))

        return stream

    async def open_direct(
        self, label: str, to: str, sni: str | None, terms: Terms, resume: ResumableSession | None = None
    ) -> PartnerStream:
        """Connect to where a domain publishes direct TLS (XEP-0368) and begin the handshake. Raises OSError."""
        stream = await self._dialler.dial_direct(to, self._named(label), sni, terms, resume)
        self.streams[label] = stream

        return stream

    async def dial(
        self, label: str, to: str, header: Mapping[str, Any] | None = None, *, sender: str | None = None
    ) -> PartnerStream:
        """As `open`, then send our header, parts of it as `header` says."""
        stream = await self.open(label, to)
        self.open_stream(stream, to, header, sender=sender)

        return stream

    def open_stream(
        self, stream: PartnerStream, to: str, header: Mapping[str, Any] | None = None, *, sender: str | None = None
    ) -> None:
        """Send our initial header on a connection that is up."""
        ours = words.header(self.behaviour, sender=sender or self.domain, to=to, stream_id=None)
        stream.pair = sender or self.domain, to
        stream.send_header(ours.overridden(header or {}))

    async def dial_to_verify(self, domain: str) -> PartnerStream:
        """Open a stream of our own to the authoritative server of a domain, up to its features, over TLS where both
        are able to. Raises OSError, Refused."""
        stream = await self._dial_beside(domain, "verify", self.domain)
        await secure(self, stream, self.domain, domain)

        return stream

    async def dial_route(self, sender: str, to: str) -> PartnerStream:
        """Open a stream of our own for stanzas of a pair. Raises OSError."""
        return await self._dial_beside(to, "out", sender)

    async def _dial_beside(self, to: str, what: str, sender: str) -> PartnerStream:
        stream = await self._connect(to, f"{self.domain}/{what}-{next(self._count)}")
        stream.accounted[DIALBACK] = "the partner reads the answer to its own question"
        self.open_stream(stream, to, sender=sender)

        return stream

    def _named(self, label: str) -> str:
        return f"{self.domain}/{label or f'out-{next(self._count)}'}"

    async def _connect(self, to: str, label: str) -> PartnerStream:
        if self._is_direct:
            return await self._dialler.dial_secured(to, label, to if self.behaviour.sends_sni else None)

        return await self._dialler.dial(to, label)

    def _stream(self, connection: Connection, label: str, *, dialed: bool, host: str = "") -> PartnerStream:
        stream = PartnerStream(
            connection,
            journal=self.journal,
            actor=self.domain,
            label=label,
            behaviour=self.behaviour,
            dialed=dialed,
            host=host,
        )
        self.open_streams.add(stream)
        stream.on_over = lambda: self.open_streams.discard(stream)

        return stream

    # -- keys

    def key(self, receiving: str, originating: str, stream_id: str) -> str:
        """The dialback key by which `originating` (ours) proves itself to `receiving` (XEP-0185)."""
        return dialback_key(self.secret, receiving, originating, stream_id)

    def offer_key(self, stream: PartnerStream, sender: str, to: str, key: str | None = None) -> None:
        """Send db:result on a stream that we dialled (XEP-0220 §2.1.1), with the right key unless `key` is given."""
        right = self.key(to, sender, stream.id)
        wrong = dialback_key(f"not {self.secret}", to, sender, stream.id)
        stream.key = key if key is not None else right if self.behaviour.key == "right" else wrong
        stream.send_xml(words.dialback(self.behaviour, "result", sender=sender, to=to, key=stream.key))

    def stream_id(self) -> str:
        """The id of another stream that reached us."""
        return self.behaviour.stream_id or self.fresh_id()

    def fresh_id(self) -> str:
        """A new stream id: unpredictable to the system, the same for the same seed."""
        return f"{self._entropy.getrandbits(80):020x}"

    # -- users

    def add_user(
        self, address: str, mailbox: Callable[[Element], None], contacts: Container[str] | None = None
    ) -> None:
        """Let stanzas to a bare address go to `mailbox` (see Residents.add)."""
        self.residents.add(address, mailbox, contacts)

    def send_stanza(self, stanza: Element) -> None:
        """Send a stanza of a user, whose 'from' is one of our domains; what cannot leave comes back to its mailbox."""
        self.routes.send(stanza)

    def use_stream(self, stream: PartnerStream, sender: str, to: str) -> None:
        """Let stanzas of users leave on a stream on which the pair has been verified."""
        stream.verified.add((sender.lower(), to.lower()))
        self.routes.use((sender.lower(), to.lower()), stream)

    def deliver(self, stanza: Element) -> None:
        """Hand a stanza of the system to the user it is for; nobody there: an error goes back."""
        refused = self.residents.deliver(stanza)

        if refused is not None:
            self.send_stanza(refused)

    def returned(self, stanza: Element, condition: str) -> None:
        """A stanza of a user could not leave: it comes back as an error."""
        self.residents.returned(stanza, condition)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside; it is cancelled when the partner stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
