"""Deliberate defects in how partners are found (RFC 6120 §3.2, RFC 2782), and in what senders are told (§10.4.3).

Knows the rules of the edge that it breaks, one or two for each defect.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from simulator.gateway.configuration import Configuration
from simulator.gateway.edge.failures import Failure
from simulator.gateway.edge.header import initial_header
from simulator.gateway.partner import AllowedPartner
from simulator.gateway.rules import Rules
from simulator.wire.service import ServiceRecord, WithoutService, order_targets
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp.errors import StanzaCondition
from simulator.xmpp.events import StreamHeader

RIGHT = Rules()

#: an hour, in seconds: longer than any scenario
FOR_EVER = 3600.0


def _sorted(key: Callable[[ServiceRecord], Any]) -> Rules:
    """Rules that put targets in the order of `key`."""
    return replace(RIGHT, order_targets=lambda records, _: sorted(records, key=key))


def _registered_port(records: Sequence[ServiceRecord], entropy: random.Random) -> list[ServiceRecord]:
    return [replace(record, port=5269) for record in order_targets(records, entropy)]


def _to_the_host(local: str, remote: str) -> StreamHeader:
    return replace(initial_header(local, remote), to=f"xmpp.{remote}")


def _without_proxy(configuration: Configuration, domain: str) -> AllowedPartner | None:
    partner = configuration.partner_for(domain)

    return partner and msgspec.structs.replace(partner, proxy_fqdn=None)


def _never_mind(failure: Failure) -> StanzaCondition:
    return StanzaCondition.UNDEFINED_CONDITION


def _swapped(failure: Failure) -> StanzaCondition:
    """Not found where no stream was had, and a timeout where nothing was found."""
    found = failure not in (Failure.NOT_FOUND, Failure.DENIED)

    return StanzaCondition.REMOTE_SERVER_NOT_FOUND if found else StanzaCondition.REMOTE_SERVER_TIMEOUT


DNS = (
    # Which target
    Mutant(
        "service-records-overlooked",
        "Finds no use for service records.",
        replace(RIGHT, order_targets=lambda records, _: []),
    ),
    Mutant("srv-as-listed", "Tries targets in the order of the answer.", _sorted(lambda record: 0)),
    Mutant("srv-highest-number-first", "Tries the highest number first.", _sorted(lambda record: -record.priority)),
    Mutant("srv-numbers-as-text", "Compares priorities as text.", _sorted(lambda record: str(record.priority))),
    Mutant("srv-heaviest-first", "Looks at weights before priorities.", _sorted(lambda record: -record.weight)),
    Mutant("srv-lightest-first", "Prefers what carries no weight.", _sorted(lambda r: (r.priority, r.weight))),
    Mutant(
        "port-5269-always",
        "Connects to the registered port, whatever the record says.",
        replace(RIGHT, order_targets=_registered_port),
    ),
    Mutant(
        "first-target-only",
        "Gives up after the first target that DNS names.",
        replace(RIGHT, order_targets=lambda records, entropy: order_targets(records, entropy)[:1]),
    ),
    Mutant(
        "first-address-only",
        "Gives up after the first address that takes no connection.",
        replace(RIGHT, tries_next_target=lambda: False),
    ),
    # Denial and fall-back
    Mutant(
        "denial-overlooked",
        'Takes the target "." for a record like none.',
        replace(RIGHT, service_is_denied=lambda _: False),
    ),
    Mutant(
        "denial-by-any-record",
        'Gives up where one target among several is ".".',
        replace(RIGHT, service_is_denied=lambda records: any(not record.host for record in records)),
    ),
    Mutant("no-fall-back", "Needs a service record.", replace(RIGHT, falls_back_to_address=lambda _: False)),
    Mutant(
        "fall-back-always",
        "Tries the domain's own address when its hosts refuse.",
        replace(RIGHT, falls_back_to_address=lambda _: True),
    ),
    Mutant(
        "no-fall-back-from-silence",
        "Falls back when there is no record, but not when there is no answer.",
        replace(RIGHT, falls_back_to_address=lambda reason: reason is WithoutService.NOT_PUBLISHED),
    ),
    Mutant("proxy-overlooked", "Asks DNS although a host is set.", replace(RIGHT, partner_for=_without_proxy)),
    # Answers
    Mutant(
        "any-reply-is-believed",
        "Takes the first datagram for the answer.",
        replace(RIGHT, reply_is_expected=lambda question, reply: True),
    ),
    Mutant("aliases-overlooked", "Follows no alias.", replace(RIGHT, follows_aliases=lambda: False)),
    Mutant(
        "truncation-overlooked", "Takes a truncated answer as it is.", replace(RIGHT, repeats_over_tcp=lambda: False)
    ),
    Mutant("answers-kept-for-ever", "Asks DNS once.", replace(RIGHT, kept_for=lambda _: FOR_EVER)),
    # What follows
    Mutant(
        "header-names-a-host",
        "Opens streams to a host instead of a domain.",
        replace(RIGHT, initial_header=_to_the_host),
    ),
    Mutant(
        "bounces-say-nothing",
        "Tells no sender why a partner could not be reached.",
        replace(RIGHT, bounce_condition=_never_mind),
    ),
    Mutant(
        "bounces-swapped",
        "Takes what was not found for what did not answer, and the reverse.",
        replace(RIGHT, bounce_condition=_swapped),
    ),
    Mutant(
        "unverified-means-forbidden",
        "Does not say why a key could not be verified.",
        replace(RIGHT, answer_to_unverified=lambda _: StanzaCondition.FORBIDDEN),
    ),
    Mutant(
        "denied-keys-are-good",
        "Takes every answer to a verification for a confirmation.",
        replace(RIGHT, verification_is_positive=lambda _: True),
    ),
)
