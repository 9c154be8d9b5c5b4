"""Decisions about what a peer may have us do on an inbound stream: dialback requests and stanzas. Pure.

Knows pairs of domains and the partners' settings. Does not know connections, nor how a key is verified.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Set
from dataclasses import dataclass
from enum import Enum

from simulator.gateway.negotiation import Method
from simulator.gateway.partner import AllowedPartner
from simulator.xmpp.address import AddressError, domain_of, normalize_domain
from simulator.xmpp.dialback import ERROR_FOR, Obstacle
from simulator.xmpp.errors import StanzaCondition, StreamCondition

#: (sender domain, target domain), normalised: what dialback authorises (XEP-0220 §1.4)
Pair = tuple[str, str]


def host_is_served(domain: str, served: Set[str]) -> bool:
    """Exactly the configured domains: a subdomain is another host (RFC 6120 §4.9.3.6)."""
    return domain in served


def sender_is_ours(domain: str, served: Set[str]) -> bool:
    """Nobody else can speak for a domain that is served here."""
    return domain in served


class Action(Enum):
    """What to do with a dialback request."""

    VERIFY = "ask the sender's own server"
    ANSWER_VALID = "the pair is valid already"
    IGNORE = "say nothing"
    REFUSE = "answer with a dialback error"
    CLOSE = "answer with a stream error"


@dataclass(frozen=True, slots=True)
class RequestJudgement:
    """What to do with one ``<db:result/>`` request, for which pair, and with which condition."""

    action: Action
    pair: Pair = ("", "")
    condition: StanzaCondition | StreamCondition | None = None


def dialback_is_ignored(partner: AllowedPartner) -> bool:
    """Lync: with dialback switched off, "an incoming dialback request is ignored"."""
    return not partner.support_dialback_negotiation


def dialback_is_allowed(methods: Collection[Method], secured: bool) -> bool:
    """Whether the partner's settings let a stream like this one be authenticated by dialback."""
    return (Method.TLS_DIALBACK if secured else Method.TCP_DIALBACK) in methods


def refusal_of_method(secured: bool) -> StanzaCondition:
    """The dialback error where dialback is not allowed on a stream like this one (XEP-0220 §2.5): policy-violation for
    "usage of TLS before dialback", not-authorized for "a policy requiring either a valid PKIX certificate […]"."""
    return ERROR_FOR[Obstacle.PROOF_REQUIRED if secured else Obstacle.TLS_REQUIRED]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFacts:
    """What an inbound stream has negotiated so far."""

    served: Set[str]
    valid: Set[Pair]
    pending: Set[Pair]
    most_pairs: int
    secured: bool = False


def judge_request(
    sender: str | None,
    to: str | None,
    key: str,
    facts: StreamFacts,
    *,
    host_is_served: Callable[[str, Set[str]], bool],
    sender_is_ours: Callable[[str, Set[str]], bool],
    partner_for: Callable[[str], AllowedPartner | None],
    dialback_is_ignored: Callable[[AllowedPartner], bool],
    dialback_is_allowed: Callable[[Collection[Method], bool], bool],
    refusal_of_method: Callable[[bool], StanzaCondition] = refusal_of_method,
) -> RequestJudgement:
    """Judge a request for authorisation (XEP-0220 §2.2.1, §2.5). No domain is dialled before all of this is passed."""
    if not sender or not to:
        return RequestJudgement(Action.CLOSE, condition=StreamCondition.IMPROPER_ADDRESSING)

    try:
        pair = normalize_domain(sender), normalize_domain(to)
    except AddressError:
        return RequestJudgement(Action.CLOSE, condition=StreamCondition.IMPROPER_ADDRESSING)

    if not host_is_served(pair[1], facts.served):
        # §2.2.1: "not a configured domain […] results in a dialback error […] MUST NOT result in closing of the stream"
        return _refuse(pair, ERROR_FOR[Obstacle.DOMAIN_NOT_HOSTED])

    if sender_is_ours(pair[0], facts.served):
        # §2.5: "unable to establish the asserted identity"
        return _refuse(pair, ERROR_FOR[Obstacle.NOT_ESTABLISHED])

    partner = partner_for(pair[0])

    if partner is None:
        # XEP-0220 §2.2.1: "the Receiving Server's policy states that connections from […] the Sender Domain are not
        # allowed".
        return _refuse(pair, StanzaCondition.POLICY_VIOLATION)

    if dialback_is_ignored(partner):
        return RequestJudgement(Action.IGNORE, pair)

    if not dialback_is_allowed(partner.methods, facts.secured):
        return _refuse(pair, refusal_of_method(facts.secured))

    return _judge_by_state(pair, key, facts)


def _judge_by_state(pair: Pair, key: str, facts: StreamFacts) -> RequestJudgement:
    if pair in facts.valid:
        return RequestJudgement(Action.ANSWER_VALID, pair)

    if pair in facts.pending:
        return RequestJudgement(Action.IGNORE, pair)

    if not key.strip():
        return _refuse(pair, StanzaCondition.BAD_REQUEST)

    if len(facts.valid) + len(facts.pending) >= facts.most_pairs:
        # XEP-0220 §2.5: "lacks the resources to add the requested domain pair"
        return _refuse(pair, ERROR_FOR[Obstacle.NO_RESOURCES])

    return RequestJudgement(Action.VERIFY, pair)


def _refuse(pair: Pair, condition: StanzaCondition) -> RequestJudgement:
    return RequestJudgement(Action.REFUSE, pair, condition)


def stream_survives(condition: StanzaCondition) -> bool:
    """XEP-0220 §2.5: a dialback error does not end the stream."""
    return True


def pair_of_stanza(sender: str | None, to: str | None) -> Pair | None:
    """The normalised domains of a stanza's addresses; None when one is missing or malformed."""
    if not sender or not to:
        return None

    try:
        return domain_of(sender), domain_of(to)
    except AddressError:
        return None


def pair_is_valid(pair: Pair, valid: Set[Pair]) -> bool:
    """Dialback authorises pairs, not senders and targets each on their own (XEP-0220 §1.4)."""
    return pair in valid


def refusal_of_stanza(pair: Pair | None, valid: Set[Pair]) -> StreamCondition:
    """The stream error for a stanza whose pair is not valid on its stream."""
    if not valid:
        # RFC 6120 §4.9.3.12: "attempted to send XML stanzas […] before the stream has been authenticated"
        return StreamCondition.NOT_AUTHORIZED

    if pair is None:
        # §8.1.1.2 and §8.1.2.2: a stanza between servers MUST have both addresses.
        return StreamCondition.IMPROPER_ADDRESSING

    if all(pair[0] != sender for sender, _ in valid):
        # §8.1.2.2: "does not match an authorized JID or validated domain"
        return StreamCondition.INVALID_FROM

    if all(pair[1] != target for _, target in valid):
        # §8.1.1.2: it "MUST match the FQDN of the receiving server (or any validated domain thereof) as communicated":
        # not every domain that is served here, let alone one that is served elsewhere.
        return StreamCondition.HOST_UNKNOWN

    return StreamCondition.INVALID_FROM
