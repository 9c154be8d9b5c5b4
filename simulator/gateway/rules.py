"""Every decision of the gateway that a partner or a user can see: each a pure function, each a field.

Knows what is decided, by which function. Does not know how it is carried out. A deliberate defect is one
`dataclasses.replace`, e.g. ``replace(Rules(), key_is_valid=lambda *_: True)``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from simulator.gateway import configuration
from simulator.gateway.access.rules import AccessRules
from simulator.gateway.configuration import Configuration
from simulator.gateway.contacts.rules import HomeRules
from simulator.gateway.edge import admission, answers, endings, failures, header, limits, liveness, message_log
from simulator.gateway.edge.admission import Pair, RequestJudgement
from simulator.gateway.edge.answers import Question
from simulator.gateway.edge.failures import Failure
from simulator.gateway.edge.header import FeatureJudgement, HeaderJudgement
from simulator.gateway.edge.negotiation_rules import NegotiationRules
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.gateway.negotiation import Method
from simulator.gateway.partner import AllowedPartner
from simulator.gateway.settings import EdgeSettings, GatewaySettings
from simulator.gateway.spelling import Fault
from simulator.gateway.topology_rules import TopologyRules
from simulator.gateway.trust.rules import TrustRules
from simulator.wire import resolve, service
from simulator.wire.service import ServiceRecord, WithoutService
from simulator.xmpp import dialback
from simulator.xmpp.errors import RemoteProtocolError, StanzaCondition, StreamCondition
from simulator.xmpp.events import DialbackVerify, StreamFeatures, StreamHeader
from simulator.xmpp.limits import Limits


@dataclass(frozen=True)
class Rules:
    """What the gateway decides; the defaults are right."""

    # which settings can be worked with
    faults: Callable[[Configuration], Iterable[Fault]] = configuration.faults

    # who we are and whom we speak to
    host_is_served: Callable[[str, Set[str]], bool] = admission.host_is_served
    sender_is_ours: Callable[[str, Set[str]], bool] = admission.sender_is_ours
    partner_for: Callable[[Configuration, str], AllowedPartner | None] = Configuration.partner_for

    # how partners are found
    order_targets: Callable[[Sequence[ServiceRecord], random.Random], list[ServiceRecord]] = service.order_targets
    service_is_denied: Callable[[Sequence[ServiceRecord]], bool] = service.service_is_denied
    falls_back_to_address: Callable[[WithoutService], bool] = service.falls_back_to_address
    reply_is_expected: Callable[[Any, Any], bool] = resolve.reply_is_expected
    follows_aliases: Callable[[], bool] = service.follows_aliases
    repeats_over_tcp: Callable[[], bool] = service.repeats_over_tcp
    kept_for: Callable[[float], float] = service.kept_for
    tries_next_target: Callable[[], bool] = limits.tries_next_target

    # stream headers and features
    judge_header: Callable[..., HeaderJudgement] = header.judge_header
    unknown_host: Callable[[str, Set[str]], StreamCondition] = header.unknown_host
    answer_header: Callable[..., StreamHeader] = header.answer_header
    answered_version: Callable[[str | None], str | None] = header.answered_version
    stream_id: Callable[[str], str] = header.stream_id
    initial_header: Callable[[str, str], StreamHeader] = header.initial_header
    features_are_sent: Callable[[str | None], bool] = header.features_are_sent
    judge_answer: Callable[[StreamHeader], RemoteProtocolError | None] = header.judge_answer
    judge_features: Callable[[StreamHeader, StreamFeatures | None], FeatureJudgement] = header.judge_features

    # dialback, all roles
    is_request: Callable[[str | None], bool] = answers.is_request
    dialback_key: Callable[[str, str, str, str], str] = dialback.dialback_key
    key_is_valid: Callable[[str, str, str, str, str], bool] = dialback.key_is_valid

    # dialback, receiving role
    judge_request: Callable[..., RequestJudgement] = admission.judge_request
    dialback_is_ignored: Callable[[AllowedPartner], bool] = admission.dialback_is_ignored
    dialback_is_allowed: Callable[[Collection[Method], bool], bool] = admission.dialback_is_allowed
    stream_survives: Callable[[StanzaCondition], bool] = admission.stream_survives
    verification_is_expected: Callable[[Question, Collection[Question]], bool] = answers.verification_is_expected
    verification_is_positive: Callable[[str | None], bool] = answers.verification_is_positive
    closes_after_answer: Callable[[], bool] = answers.closes_after_answer
    answer_to_unverified: Callable[[Failure], StanzaCondition] = failures.answer_to_unverified
    answer_to_invalid: Callable[[bool], str] = failures.answer_to_invalid
    invalid_closes_stream: Callable[[], bool] = failures.invalid_closes_stream

    # dialback, authoritative role
    answer_verification: Callable[..., DialbackVerify | None] = answers.answer_verification

    # dialback, initiating role
    result_is_expected: Callable[[Pair, Set[Pair]], bool] = answers.result_is_expected
    queue_may_leave: Callable[[str | None], bool] = answers.queue_may_leave
    senders_share_stream: Callable[[bool], bool] = limits.senders_share_stream

    # stanzas from partners
    pair_of_stanza: Callable[[str | None, str | None], Pair | None] = admission.pair_of_stanza
    pair_is_valid: Callable[[Pair, Set[Pair]], bool] = admission.pair_is_valid
    refusal_of_stanza: Callable[[Pair | None, Set[Pair]], StreamCondition] = admission.refusal_of_stanza
    takes_stanzas_outbound: Callable[[], bool] = limits.takes_stanzas_outbound
    is_answered: Callable[[Element], bool] = failures.is_answered
    stanza_of: Callable[[Element], Element | None] = endings.stanza_of
    refusal_of_element: Callable[[Element], StreamCondition | None] = endings.refusal_of_element

    # stanzas to partners
    bounce_condition: Callable[[Failure], StanzaCondition] = failures.bounce_condition
    is_bounced: Callable[[Element], bool] = failures.is_bounced
    is_handed_over: Callable[[int, int], bool] = limits.is_handed_over
    queue_has_room: Callable[[int, int], bool] = limits.queue_has_room
    leaving_order: Callable[[list[Element]], list[Element]] = limits.leaving_order
    stream_is_reused: Callable[[], bool] = limits.stream_is_reused

    # what an administrator reads
    line_of_message: Callable[..., str | None] = message_log.line_of_message
    """Called as ``line_of_message(stanza, bodies=...)``."""

    # limits and the end of streams
    connection_is_allowed: Callable[[int, int], bool] = limits.connection_is_allowed
    stream_stays: Callable[[AllowedPartner, AllowedPartner | None], bool] = limits.stream_stays
    farewell_to_former: Callable[[AllowedPartner | None], StreamCondition | None] = limits.farewell_to_former
    limits_of_strangers: Callable[[Limits], Limits] = limits.limits_of_strangers
    establishment_timeout: Callable[[GatewaySettings], float | None] = limits.establishment_timeout
    inactivity_timeout: Callable[[GatewaySettings], float | None] = limits.inactivity_timeout
    keep_alive_timeout: Callable[[GatewaySettings, AllowedPartner], float | None] = limits.keep_alive_timeout
    check_interval: Callable[[EdgeSettings], float | None] = liveness.check_interval
    check_timeout: Callable[[EdgeSettings], float | None] = liveness.check_timeout
    check_text: Callable[[], bytes] = liveness.check_text
    checks_unauthenticated: Callable[[], bool] = liveness.checks_unauthenticated
    pings: Callable[[EdgeSettings], bool] = liveness.pings
    is_sign_of_life: Callable[[str | None], bool] = liveness.is_sign_of_life
    is_progress: Callable[[int, int], bool] = liveness.is_progress
    answer_to_violation: Callable[[StreamCondition], StreamCondition | None] = endings.answer_to_violation
    answer_to_error: Callable[[str], StreamCondition | None] = endings.answer_to_error
    closing_timeout: Callable[[EdgeSettings], float | None] = limits.closing_timeout
    closing_is_answered: Callable[[], bool] = endings.closing_is_answered
    farewell: Callable[[], StreamCondition | None] = limits.farewell

    # TLS, SASL and restarts; and whose certificate is good
    negotiation: NegotiationRules = field(default_factory=NegotiationRules)
    trust: TrustRules = field(default_factory=TrustRules)

    # by which edge stanzas go, and what is said when one is lost
    topology: TopologyRules = field(default_factory=TopologyRules)

    # who may reach whom
    access: AccessRules = field(default_factory=AccessRules)

    frontend: FrontEndRules = field(default_factory=FrontEndRules)

    # contacts, subscriptions and presence
    home: HomeRules = field(default_factory=HomeRules)
