"""Deliberate defects in dialback over TLS, in what certificates vouch for, and in what protects dialback from abuse
(XEP-0220, XEP-0344, RFC 6120 §5.4.3.3).

Knows the rules that it breaks, one or two for each defect.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from simulator.gateway.edge.admission import Action, RequestJudgement, StreamFacts, judge_request
from simulator.gateway.edge.header import answer_header
from simulator.gateway.edge.offering import Standing
from simulator.gateway.negotiation import Method
from simulator.gateway.rules import Rules
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp.dialback import dialback_key, key_is_valid
from simulator.xmpp.events import StreamHeader

RIGHT = Rules()

#: what everybody knows who has read the source
KNOWN_SECRET = "s2sim"


def _but(**changes: Any) -> Rules:
    """Rules that are right but for these decisions about negotiation."""
    return replace(RIGHT, negotiation=replace(RIGHT.negotiation, **changes))


def _header_with_another_id(*arguments: Any, **options: Any) -> StreamHeader:
    header = answer_header(*arguments, **options)

    return replace(header, id=f"{header.id}0")


def _one_pair(sender: str | None, to: str | None, key: str, facts: StreamFacts, **rules: Any) -> RequestJudgement:
    judged = judge_request(sender, to, key, facts, **rules)
    another = judged.action is Action.VERIFY and facts.valid

    return replace(judged, action=Action.IGNORE) if another else judged


def _dialback_unmentioned(standing: Standing, **rules: Any) -> bool:
    return not standing.secured


DIALBACK_OVER_TLS = (
    # Keys, and the stream that they are for
    Mutant("id-survives-tls", "Keeps the id of a stream through STARTTLS.", _but(id_after_restart=lambda old, _: old)),
    Mutant(
        "asks-about-another-id",
        "Asks about a stream by another id than that in its header.",
        replace(RIGHT, answer_header=_header_with_another_id),
    ),
    Mutant(
        "known-secret",
        "Makes its keys of a secret that is the same everywhere.",
        replace(
            RIGHT,
            dialback_key=lambda _, *parts: dialback_key(KNOWN_SECRET, *parts),
            key_is_valid=lambda key, _, *parts: key_is_valid(key, KNOWN_SECRET, *parts),
        ),
    ),
    # What TLS changes, and what not
    Mutant(
        "dialback-in-the-clear-only",
        "Takes dialback for a thing of streams in the clear.",
        replace(RIGHT, dialback_is_allowed=lambda methods, secured: not secured and Method.TCP_DIALBACK in methods),
    ),
    Mutant(
        "dialback-unmentioned-over-tls",
        "Does not say over TLS that it knows dialback.",
        _but(dialback_is_offered=_dialback_unmentioned),
    ),
    Mutant(
        "asks-in-the-clear",
        "Asks about keys without TLS, whatever is set.",
        replace(
            _but(verification_takes_tls=lambda: False, refusal_without_tls=lambda tls, mandatory: None),
            dialback_is_allowed=lambda methods, secured: True,
        ),
    ),
    Mutant(
        "in-the-clear-after-all",
        "Does not begin TLS, and goes on without it, whatever is set.",
        replace(
            _but(starttls_is_sent=lambda *_: False, refusal_without_tls=lambda tls, mandatory: None),
            dialback_is_allowed=lambda methods, secured: True,
        ),
    ),
    # Several pairs on one stream
    Mutant(
        "one-pair-for-each-stream",
        "Passes over keys on a stream that has a pair already.",
        replace(RIGHT, judge_request=_one_pair),
    ),
    Mutant(
        "one-valid-pair-opens-all",
        "Lets everything pass as soon as one pair is valid.",
        replace(RIGHT, pair_is_valid=lambda pair, valid: bool(valid)),
    ),
    # Certificates in the place of keys
    Mutant("any-certificate-vouches", "Takes every certificate for proof.", _but(certificate_vouches=lambda _: True)),
    Mutant("certificates-never-vouch", "Takes no certificate for proof.", _but(certificate_vouches=lambda _: False)),
    Mutant(
        "certificates-vouch-unasked",
        "Lets certificates vouch where nobody has allowed it.",
        _but(certificate_may_vouch=lambda allowed, secured: secured),
    ),
    Mutant(
        "certificates-vouch-in-the-clear",
        "Lets the certificate of a stream vouch that has none.",
        _but(certificate_may_vouch=lambda allowed, secured: allowed, certificate_vouches=lambda _: True),
    ),
    Mutant(
        "names-of-certificates-overlooked",
        "Takes a good certificate for that of every domain.",
        replace(RIGHT, trust=replace(RIGHT.trust, identities_match=lambda *_, **rules: True)),
    ),
)
