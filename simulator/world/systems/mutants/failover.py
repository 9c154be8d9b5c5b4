"""Deliberate defects in which edge carries what, and in what is said when an edge or the front end is lost.

Knows the rules of topology that it breaks, one for each defect.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from simulator.gateway import topology
from simulator.gateway.access.site import EdgePool, Site
from simulator.gateway.configuration import Configuration
from simulator.gateway.rules import Rules
from simulator.gateway.topology import Member
from simulator.gateway.topology_rules import IsUp, edges_of
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp.errors import StanzaCondition

RIGHT = Rules()


def _topology(**rules: Any) -> Rules:
    return replace(RIGHT, topology=replace(RIGHT.topology, **rules))


def _routes_are_kept(before: Configuration, after: Configuration) -> Configuration:
    return msgspec.structs.replace(after, sites=before.sites)


def _first_pool(sites: Iterable[Site], pools: Iterable[EdgePool], site: str | None) -> str | None:
    return topology.route((), pools, None)


def _first_site(sites: Iterable[Site], pools: Iterable[EdgePool], site: str | None) -> str | None:
    return topology.route(sites, pools, None)


def _any_that_is_up(pool: str | None, members: Iterable[Member], is_up: IsUp) -> list[Member]:
    members = tuple(members)
    of_route = edges_of(pool, members, is_up)

    return of_route if any(map(is_up, of_route)) else list(filter(is_up, members))


def _member_that_is_up(candidates: Sequence[Member], domain: str, is_up: IsUp) -> Member:
    return topology.member_for(list(filter(is_up, candidates)) or candidates, domain)


FAILOVER: tuple[Mutant, ...] = (
    # Which way stanzas go
    Mutant("first-pool-is-the-route", "Sends everything by the first edge pool.", _topology(route=_first_pool)),
    Mutant("first-site-decides", "Sends everything by the route of the first site.", _topology(route=_first_site)),
    Mutant(
        "changes-of-the-route-are-lost",
        "Keeps the routes that there were, whatever Set-CsSite says.",
        replace(RIGHT, access=replace(RIGHT.access, taken_over=_routes_are_kept)),
    ),
    Mutant(
        "route-fails-over-by-itself",
        "Sends by another pool what cannot be sent by the route.",
        _topology(edges_of=_any_that_is_up),
    ),
    Mutant(
        "members-stand-in-for-each-other",
        "Sends by another member of the pool what cannot be sent by the one that it is for.",
        _topology(member_for=_member_that_is_up),
    ),
    Mutant(
        "every-edge-serves",
        "Takes what partners send to an edge that is no route.",
        _topology(serves=lambda pool, routes: True),
    ),
    Mutant(
        "answers-need-a-route",
        "Cannot answer on behalf of a user whose site has no route.",
        _topology(needs_no_route=lambda stanza: False),
    ),
    Mutant(
        "each-edge-has-a-secret",
        "Denies at one edge the dialback keys that another has offered.",
        _topology(edges_share_secret=False),
    ),
    # When an edge is lost, and when there is another
    Mutant(
        "keeps-waiting-for-the-former-route",
        "Waits for what an edge says of messages although it is the route no longer.",
        _topology(given_up=lambda waiting: []),
    ),
    Mutant(
        "presence-outlives-the-edge",
        "Goes on showing users outside who were reached by an edge that is lost.",
        _topology(lost_edge_voids_contacts=False),
    ),
    Mutant(
        "new-route-asks-nobody",
        "Asks nobody outside for presence, and shows nobody, when there is an edge again.",
        _topology(new_edge_finds_contacts=False),
    ),
    Mutant(
        "former-route-keeps-its-streams",
        "Leaves the streams open of an edge that is the route no longer.",
        _topology(former_route_closes_streams=False),
    ),
    # When users can no longer speak for themselves
    Mutant(
        "edge-leaves-without-a-word",
        "Does not say that users are unavailable when an edge is stopped.",
        _topology(stopped_edge_withdraws=False),
    ),
    Mutant(
        "edge-shows-the-dead",
        "Does not say that users are unavailable when the edge has lost the front end.",
        _topology(edge_withdraws_for_front_end=False),
    ),
    Mutant(
        "edge-remembers-one",
        "Says so of the first user whom it has shown, to whom it was, and of nobody else.",
        _topology(presences_remembered=lambda limit: 1),
    ),
    # What is answered for
    Mutant(
        "settles-at-once",
        "Answers no more for a message as soon as the front end has it, whatever the device says.",
        _topology(settles_when_answered=False),
    ),
    Mutant(
        "edge-owes-nothing",
        "Forgets what the front end had not settled when the link is lost.",
        _topology(is_owed=lambda stanza: False),
    ),
    Mutant(
        "losses-tell-of-the-recipient",
        "Says recipient-unavailable of whatever did not get as far as the front end.",
        _topology(condition_of_loss=StanzaCondition.RECIPIENT_UNAVAILABLE),
    ),
)
