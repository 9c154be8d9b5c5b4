"""Deliberate defects in the policy towards partners (Lync Server 2013): settings, lists, headers, keep-alives.

Knows the rules of the edge that it breaks, one or two for each defect.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from typing import Any

from simulator.gateway.configuration import Configuration
from simulator.gateway.edge.header import HeaderJudgement, judge_header
from simulator.gateway.partner import AllowedPartner
from simulator.gateway.rules import Rules
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp.errors import RemoteProtocolError, StreamCondition
from simulator.xmpp.events import StreamHeader

RIGHT = Rules()


def _primary_only(configuration: Configuration, domain: str) -> AllowedPartner | None:
    return next((partner for partner in configuration.partners if partner.identity == domain), None)


def _whoever_ends_alike(configuration: Configuration, domain: str) -> AllowedPartner | None:
    """The partner one of whose domains ends the name, at a dot or not."""
    found = (partner for partner in configuration.partners if domain.endswith(partner.domains))

    return configuration.partner_for(domain) or next(found, None)


def _complete(header: StreamHeader, served: Set[str], **rules: Any) -> HeaderJudgement:
    if None in (header.to, header.sender, header.version):
        return HeaderJudgement(refusal=RemoteProtocolError(StreamCondition.BAD_FORMAT, "say everything"))

    return judge_header(header, served, **rules)


LYNC = (
    # Which methods
    Mutant("settings-unchecked", "Starts with settings that cannot work.", replace(RIGHT, faults=lambda _: ())),
    Mutant(
        "dialback-without-tls",
        "Takes dialback on plain streams whatever the settings say.",
        replace(RIGHT, dialback_is_allowed=lambda methods, secured: True),
    ),
    Mutant(
        "tcp-dialback-never",
        "Takes no dialback on plain streams whatever the settings say.",
        replace(RIGHT, dialback_is_allowed=lambda methods, secured: secured),
    ),
    Mutant(
        "dialback-off-is-answered",
        "Answers dialback requests although dialback is switched off.",
        replace(RIGHT, dialback_is_ignored=lambda _: False),
    ),
    # Which domains
    Mutant(
        "additional-domains-overlooked",
        "Knows partners by their identity only.",
        replace(RIGHT, partner_for=_primary_only),
    ),
    Mutant(
        "subdomains-are-partners",
        "Takes every name with the same ending for the partner.",
        replace(RIGHT, partner_for=_whoever_ends_alike),
    ),
    # How partners may begin
    Mutant(
        "sparse-headers-are-refused",
        "Refuses headers that do not say everything.",
        replace(RIGHT, judge_header=_complete),
    ),
    # How long
    Mutant(
        "keep-alive-overlooked",
        "Lets every partner be silent.",
        replace(RIGHT, keep_alive_timeout=lambda settings, partner: None),
    ),
    Mutant(
        "keep-alive-from-everybody",
        "Demands keep-alives of those who need not send any.",
        replace(RIGHT, keep_alive_timeout=lambda settings, partner: settings.keep_alive_interval),
    ),
)
