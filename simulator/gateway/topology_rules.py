"""Every decision about edges and the links to them, each a field that can be replaced to make a deliberate defect.

Knows what is decided, at either end of a link. Does not know links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from simulator.gateway import topology
from simulator.gateway.edge.failures import is_answered
from simulator.gateway.topology import Member, Route
from simulator.xmpp.errors import StanzaCondition

#: whether an edge can be reached now
IsUp = Callable[[Member], bool]

#: types of stanzas that are sent because somebody outside has sent something
_ANSWERS = ("error", "result")


def serves(pool: str, routes: Set[str]) -> bool:
    """Whether the edges of a pool carry stanzas: "The XMPP federation route" is where XMPP is hosted, and nowhere else.

    What partners send to another edge comes back.
    """
    return pool in routes


def edges_of(pool: str | None, members: Iterable[Member], is_up: IsUp) -> list[Member]:
    """The edges by which a site's users reach partners, whether or not they can be reached now.

    "Edge Server disaster recovery": when the pool of the route fails, XMPP stops until the administrator names another.
    """
    return [member for member in members if member.pool == pool]


def member_for(candidates: Sequence[Member], domain: str, is_up: IsUp) -> Member:
    """The edge of a pool by which a partner's domain is reached, whether or not that is possible now.

    "DNS load balancing" knows no failover for XMPP between the members: what goes to one that is down fails.
    """
    return topology.member_for(candidates, domain)


def needs_no_route(stanza: Element) -> bool:
    """Whether a stanza may leave that the site of who sends it has no route for.

    An answer has a way to go, whatever the one who gives it may send: that by which the question came.
    """
    return stanza.get("type") in _ANSWERS


def given_up(waiting: list[Element]) -> list[Element]:
    """Of the messages that wait at an edge that is lost, or is the route no longer, those whose sender is told.

    Nobody will say any more what became of them.
    """
    return waiting


@dataclass(frozen=True)
class TopologyRules:
    """What is decided about edges; the defaults are right."""

    # which way stanzas go
    route: Route = topology.route
    serves: Callable[[str, Set[str]], bool] = serves
    edges_of: Callable[[str | None, Iterable[Member], IsUp], list[Member]] = edges_of
    member_for: Callable[[Sequence[Member], str, IsUp], Member] = member_for
    needs_no_route: Callable[[Element], bool] = needs_no_route
    edges_share_secret: bool = True
    """Whether each edge can verify the dialback keys of the others."""

    # when an edge is lost, and when there is another
    given_up: Callable[[list[Element]], list[Element]] = given_up
    lost_edge_voids_contacts: bool = True
    """Whether nothing is known any more of the users outside who were reached by an edge that is lost."""
    new_edge_finds_contacts: bool = True
    """Whether they are asked about, and shown our users, when there is an edge again."""
    former_route_closes_streams: bool = True
    """Whether an edge that is the route no longer closes its streams, so that partners look for the new route."""

    # when users can no longer speak for themselves
    edge_withdraws_for_front_end: bool = True
    """Whether an edge that lost the front end says that its users are unavailable.

    RFC 6121 §4.5.2: "the server MUST generate the unavailable presence broadcast on the user's behalf".
    """
    presences_remembered: Callable[[int], int] = lambda limit: limit
    """To how many users outside an edge knows that users were shown, called with the limit that is set."""
    stopped_edge_withdraws: bool = True
    """Whether an edge says so that is stopped in order."""

    # what is answered for when a link is lost
    is_owed: Callable[[Element], bool] = is_answered
    """Whether the sender outside is told of a stanza of which the front end has not said what became of it."""
    settles_when_answered: bool = True
    """Whether the front end keeps a message unsettled until the user's device has answered."""
    condition_of_loss: StanzaCondition = StanzaCondition.INTERNAL_SERVER_ERROR
    """What senders are told of a stanza that was lost between front end and edge, or came by a wrong edge.

    RFC 6120 §8.3.3.6: internal-server-error, "a misconfiguration or other internal error"; recipient-unavailable
    (§8.3.3.13) would say something of the recipient, whom the sender may not be entitled to know about.
    """
