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
        replace(
            RIGHT,
            dialback_is_allowed=lambda methods, secured: True,
            negotiation=replace(
                RIGHT.negotiation,
                starttls_is_sent=lambda methods, possible, offered: possible and offered,
                refusal_without_tls=lambda tls, mandatory: None,
            ),
        ),
    ),
    Mutant(
        "tcp-dialback-never",
        "Takes no dialback on plain streams whatever the settings say.",
        replace(RIGHT, dialback_is_allowed=lambda methods, secured: secured),
    ),
    Mutant(
        "tls-dialback-never",
        "Takes no dialback over TLS whatever the settings say.",
        replace(RIGHT, dialback_is_allowed=lambda methods, secured: not secured),
    ),
    Mutant(
        "everybody-is-let-in",
        "Takes TLS, keys and stanzas from whoever sends some, whatever the settings say.",
        replace(
            RIGHT,
            dialback_is_allowed=lambda methods, secured: True,
            dialback_is_ignored=lambda _: False,
            pair_is_valid=lambda pair, valid: True,
            negotiation=replace(
                RIGHT.negotiation,
                command_is_followed=lambda command, offered: True,
                refusal_of_powerless=lambda *_: None,
            ),
        ),
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
