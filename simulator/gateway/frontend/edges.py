"""The front end's links to all edges: which one a stanza takes, and what it means when one of them is lost.

Knows topology, links, and which messages still wait at which edge. Does not know SIP, nor what stanzas mean.

Links are kept to every edge, so that a change of the route takes effect at once and `status` can tell of each. Stanzas
take the route alone, out and in: what comes from another edge is refused (see `topology` for what partners see). To
whoever sends, all links together look like one: it is up while the route can be used.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping
from functools import partial
from xml.etree.ElementTree import Element

import msgspec

from simulator.gateway import topology
from simulator.gateway.configuration import Configuration
from simulator.gateway.counters import Count, Counters
from simulator.gateway.edge.failures import is_answered
from simulator.gateway.link import LinkClient, LinkDown, Log
from simulator.gateway.replica import new_passphrase, replica_of
from simulator.gateway.topology import Member
from simulator.gateway.topology_rules import TopologyRules
from simulator.xmpp.address import AddressError, parse_address
from simulator.xmpp.element import make_error

#: messages of which an edge has not said what became of them; older ones have had their 408
MOST_WAITING = 10_000
#: seconds in which edges may still say what became of messages when the front end stops
PARTING = 0.25

Places = Mapping[str, tuple[str, int]]
#: whether a partner's domain goes by an edge
Owns = Callable[[str], bool]


class Edges:
    """Links to the edges of a configuration, which may change.

    `on_down` is told when the last edge of the route is lost, and `on_up` when there is one again. `on_edge_lost` and
    `on_edge_back` are told of each edge of the route, with a function that says which domains of partners go by it:
    nothing is known of their users meanwhile, and ours are shown to nobody there. `on_domain_lost` and
    `on_domain_back` concern one domain, of which an edge that is up says so.
    """

    def __init__(
        self,
        configuration: Configuration,
        rules: TopologyRules | None = None,
        *,
        entropy: random.Random | None = None,
        log: Log,
    ) -> None:
        self._configuration, self._rules = configuration, rules or TopologyRules()
        self._entropy, self._log = entropy, log
        self._passphrase = ""
        self.on_stanza: Callable[[Element], None] = lambda _: None
        self.on_handed_over: Callable[[list[str]], None] = lambda _: None
        self.on_up: Callable[[], None] = lambda: None
        self.on_down: Callable[[], None] = lambda: None
        self.on_domain_lost: Callable[[str], None] = lambda _: None
        self.on_domain_back: Callable[[str], None] = lambda _: None
        self.on_edge_lost: Callable[[Owns], None] = lambda _: None
        self.on_edge_back: Callable[[Owns], None] = lambda _: None
        self.counters = Counters()
        self.links: dict[str, LinkClient] = {}
        """By the FQDN of the edge."""
        self._members: dict[str, Member] = {}
        self._waiting: dict[str, dict[str, Element]] = {}
        self._routes: frozenset[str] = frozenset()
        self._receiving: LinkClient | None = None
        self._places: Places = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._running = False
        self._all_up = asyncio.Event()
        self._told = asyncio.Event()
        self._follow_topology()

    @property
    def up(self) -> bool:
        """Stanzas can cross to some edge of the route."""
        return any(self.links[name].up for name in self._serving())

    async def start(self, places: Places | None = None) -> None:
        """Begin to connect to every edge; `wait_up` says when the route is up. Raises CertificateError.

        Edges are sought where the configuration has them, or else at the host and port that `places` has for them.
        """
        self._places = places or {}
        self._running = True

        for name in self.links:
            self._begin(name)

    async def stop(self) -> None:
        """Close all links in order and connect no more."""
        self._running = False
        await asyncio.gather(*(link.stop() for link in self.links.values()), *self._stopping)

    async def settle(self) -> None:
        """Let edges say what became of the messages that they have; returns at once when they have, else in a moment.

        TCP may acknowledge what a partner has long read a little later (RFC 1122 §4.2.3.2), and its sender should not
        be told that it failed.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PARTING):
                while any(self._waiting[name] for name, link in self.links.items() if link.up):
                    self._told.clear()
                    await self._told.wait()

    async def wait_up(self) -> None:
        """Return as soon as every edge of the route can be reached; at once where there is no route."""
        await self._all_up.wait()

    def reconfigure(self) -> None:
        """Follow the configuration: links to edges that are new, none to those that are gone or moved, other routes.

        A new route takes over at once. What waits at an edge that is the route no longer is given up: that edge may be
        out of reach, which is why routes are changed.
        """
        before, served = dict(self.links), {name for name in self._serving() if self.links[name].up}
        owned = {name: self._owner(name) for name in served}
        self._follow_topology()
        serves = set(self._serving())

        for name in sorted(served - serves):
            self._lose(name, owned[name])

        for name, link in before.items():
            if self.links.get(name) is not link:
                task = asyncio.create_task(link.stop())
                self._stopping.add(task)
                task.add_done_callback(self._stopping.discard)

        for name, link in self.links.items():
            if self._running and before.get(name) is not link:
                self._begin(name)

            link.route(name in serves)
            link.replicate(self._replica())

            # Whoever was shown by the old route is shown again by the new one.
            if link.up and name in serves - served:
                self._gain(name)

        self._look()

    # -- what goes

    def send(self, stanza: Element) -> None:
        """Send a stanza of a user inside by the route of the user's site; raises LinkDown."""
        name = self._edge_for(stanza)
        self.links[name].send(stanza)
        waiting, id_ = self._waiting[name], stanza.get("id")

        if id_ and stanza.tag.endswith("}message") and stanza.get("type") != "error":
            waiting[id_] = stanza

            if len(waiting) > MOST_WAITING:
                del waiting[next(iter(waiting))]

    def hold(self) -> Callable[[], None]:
        """See `LinkClient.hold`: keep the stanza that `on_stanza` is given at this moment unsettled."""
        if self._receiving is None or not self._rules.settles_when_answered:
            return lambda: None

        return self._receiving.hold()

    def _replica(self) -> str:
        """What every edge is to know.

        XEP-0220 §1.2: keys rest on "a shared secret known to all XMPP servers within a given administrative domain"; as
        the authoritative server a partner may find another edge than the one that offers the key.
        """
        configuration = self._configuration
        settings = configuration.gateway

        if settings.dialback_passphrase is None and len(self.links) > 1 and self._rules.edges_share_secret:
            self._passphrase = self._passphrase or new_passphrase(self._entropy)
            settings = msgspec.structs.replace(settings, dialback_passphrase=self._passphrase)
            configuration = msgspec.structs.replace(configuration, gateway=settings)

        return replica_of(configuration)

    def _edge_for(self, stanza: Element) -> str:
        try:
            user, contact = parse_address(stanza.get("from", "")), parse_address(stanza.get("to", ""))
        except AddressError as error:
            raise LinkDown(f"the stanza has no usable addresses: {error}") from None

        inside = self._configuration.user(str(user.bare))
        sites, pools = self._configuration.sites, self._configuration.pools
        pool = self._rules.route(sites, pools, inside.site if inside is not None else None)
        candidates = self._rules.edges_of(pool, self._members.values(), self._is_up)

        if not candidates and self._rules.needs_no_route(stanza):
            candidates = [member for member in self._members.values() if self.is_route(member.identity)]

        if not candidates:
            raise LinkDown(f"{user.bare} has no XMPP federation route")

        return self._rules.member_for(candidates, contact.domain, self._is_up).identity

    def _is_up(self, member: Member) -> bool:
        return self.links[member.identity].up

    # -- what comes

    def _received(self, name: str, stanza: Element) -> None:
        link = self.links.get(name)

        if link is None or not self.is_route(name):
            # A stanza that was on its way when the route was changed; the edge itself refuses what comes later.
            self._refuse(link, stanza)
            return

        if stanza.get("type") == "error":
            self._count(stanza)
            self._waiting[name].pop(stanza.get("id", ""), None)
            self._told.set()

        self._receiving = link

        try:
            self.on_stanza(stanza)
        finally:
            self._receiving = None

    def _refuse(self, link: LinkClient | None, stanza: Element) -> None:
        self._log(f"refused: a stanza from {stanza.get('from')} did not come by the XMPP federation route")

        if link is not None and link.up and is_answered(stanza):
            link.send(make_error(stanza, self._rules.condition_of_loss, type="wait"))

    def _handed_over(self, name: str, ids: list[str]) -> None:
        waiting = self._waiting.get(name, {})

        for id_ in ids:
            waiting.pop(id_, None)

        self._told.set()
        self.on_handed_over(ids)

    def _domain(self, name: str, lost: bool, domain: str) -> None:
        if self.is_route(name):
            (self.on_domain_lost if lost else self.on_domain_back)(domain)

    # -- links

    def _link_up(self, name: str) -> None:
        self.links[name].route(self.is_route(name))
        self.links[name].replicate(self._replica())

        if self.is_route(name):
            self._gain(name)

        self._look()

    def _link_down(self, name: str) -> None:
        if self.is_route(name):
            self._lose(name, self._owner(name))

        self._look()

    def _gain(self, name: str) -> None:
        if [each for each in self._serving() if self.links[each].up] == [name]:
            self.on_up()

        if self._rules.new_edge_finds_contacts:
            self.on_edge_back(self._owner(name))

    def _lose(self, name: str, owns: Owns) -> None:
        waiting = self._waiting.get(name, {})
        lost = self._rules.given_up(list(waiting.values()))
        waiting.clear()
        self._told.set()

        for stanza in lost:
            self._count(stanza)

        # With the last edge of the route whoever waits gives up everything.
        if not self.up:
            self.on_down()
            lost.clear()

        for stanza in lost:
            text = "the link to the edge is down"
            self.on_stanza(make_error(stanza, self._rules.condition_of_loss, text=text))

        if self._rules.lost_edge_voids_contacts:
            self.on_edge_lost(owns)

    def _count(self, stanza: Element) -> None:
        if stanza.tag.endswith("}message"):
            self.counters.count(Count.FAILURE_REPORTS, asyncio.get_running_loop().time())

    def _look(self) -> None:
        if all(self.links[name].up for name in self._serving()):
            self._all_up.set()
        else:
            self._all_up.clear()

    # -- topology

    def _owner(self, name: str) -> Owns:
        pool = [member for member in self._members.values() if member.pool == self._members[name].pool]

        return lambda domain: self._rules.member_for(pool, domain, self._is_up).identity == name

    def _serving(self) -> list[str]:
        return [name for name in self.links if self.is_route(name)]

    def is_route(self, name: str) -> bool:
        """Whether an edge is, or belongs to, the XMPP federation route of some site."""
        member = self._members.get(name)

        return member is not None and self._rules.serves(member.pool, self._routes)

    def _follow_topology(self) -> None:
        configuration = self._configuration
        found = topology.members(configuration.pools, configuration.edge)
        self._routes = topology.routes(configuration.sites, configuration.pools, self._rules.route)
        links = {member.identity: self._link_to(member) for member in found}
        self._waiting = {name: self._waiting.get(name, {}) for name in links.keys() | self._waiting.keys()}
        self.links, self._members = links, {member.identity: member for member in found}
        self._look()

    def _link_to(self, member: Member) -> LinkClient:
        if self._members.get(member.identity) == member:
            return self.links[member.identity]

        name = member.identity
        link = LinkClient(of_member(self._configuration, member), entropy=self._entropy, log=self._log)
        link.on_stanza = partial(self._received, name)
        link.on_handed_over = partial(self._handed_over, name)
        link.on_up, link.on_down = partial(self._link_up, name), partial(self._link_down, name)
        link.on_domain_lost = partial(self._domain, name, True)
        link.on_domain_back = partial(self._domain, name, False)

        return link

    def _begin(self, name: str) -> None:
        self.links[name].begin(*self._places.get(name, (None, None)))


def of_member(configuration: Configuration, member: Member) -> Configuration:
    """The configuration as one edge has it: its own places, and its own certificate where it has one."""
    certificates = configuration.certificates

    if member.external is not None:
        certificates = msgspec.structs.replace(certificates, external=member.external)

    return msgspec.structs.replace(configuration, edge=member.edge, certificates=certificates)
