"""Every decision about TLS, SASL and restarts on streams with partners: each a pure function, each a field.

Knows what is decided, by which function. Does not know how it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element

from simulator.gateway.edge import admission, choosing, lasting, offering, redirecting
from simulator.gateway.edge.admission import Pair
from simulator.gateway.edge.offering import Standing
from simulator.gateway.edge.redirecting import Place
from simulator.gateway.negotiation import Method, Negotiation
from simulator.gateway.settings import CertificateFiles
from simulator.wire.tls import PEM, TLSOptions
from simulator.xmpp import external, sasl, starttls
from simulator.xmpp.errors import RemoteProtocolError, SASLCondition, StanzaCondition, StreamCondition
from simulator.xmpp.external import InitiatingTable, ReceivingTable


def _external_receiving() -> ReceivingTable:
    return external.RECEIVING


def _external_initiating() -> InitiatingTable:
    return external.INITIATING


@dataclass(frozen=True)
class NegotiationRules:
    """What is decided about how streams are negotiated; the defaults are right."""

    # both roles
    methods_at_hand: Callable[[frozenset[Method], bool], frozenset[Method]] = choosing.methods_at_hand
    tls_options: Callable[[bool], TLSOptions] = choosing.tls_options
    content_of: Callable[[str], PEM] = choosing.content_of
    files_of: Callable[[str, CertificateFiles, Mapping[str, CertificateFiles]], CertificateFiles] = choosing.files_of

    # TLS, receiving role
    starttls_is_offered: Callable[[Standing], bool] = offering.starttls_is_offered
    starttls_is_required: Callable[[Standing], bool] = offering.starttls_is_required
    is_command: Callable[[Element], bool] = offering.is_command
    command_is_followed: Callable[[Element, bool], bool] = offering.command_is_followed
    plaintext_behind_starttls_ends: Callable[[], bool] = offering.plaintext_behind_starttls_ends
    forgets_before_tls: Callable[[], bool] = offering.forgets_before_tls
    id_after_restart: Callable[[str, str], str] = offering.id_after_restart

    # SASL, receiving role
    external_is_offered: Callable[[Standing], bool] = offering.external_is_offered
    refusal_of_auth: Callable[[Standing, bool], SASLCondition | None] = offering.refusal_of_auth
    mechanism_is_ours: Callable[[str | None], bool] = external.mechanism_is_ours
    decode: Callable[[str], bytes | None] = sasl.decode
    judge_authzid: Callable[[str, str], SASLCondition | None] = external.judge_authzid
    attempt_is_allowed: Callable[[int], bool] = external.attempt_is_allowed
    external_receiving: Callable[[], ReceivingTable] = _external_receiving
    data_before_success_ends: Callable[[], bool] = offering.data_before_success_ends
    pairs_of_external: Callable[[str, str, Set[str]], Set[Pair]] = offering.pairs_of_external
    refusal_of_restart: Callable[..., RemoteProtocolError | None] = offering.refusal_of_restart

    # features, receiving role
    features: Callable[..., list[Element]] = offering.features
    order_features: Callable[[list[Element]], list[Element]] = offering.order_features
    dialback_is_offered: Callable[..., bool] = offering.dialback_is_offered
    refusal_of_powerless: Callable[..., RemoteProtocolError | None] = offering.refusal_of_powerless

    # dialback, receiving role
    refusal_of_method: Callable[[bool], StanzaCondition] = admission.refusal_of_method
    certificate_may_vouch: Callable[[bool, bool], bool] = offering.certificate_may_vouch
    certificate_vouches: Callable[[bool], bool] = offering.certificate_vouches

    # TLS, initiating role
    tls_is_possible: Callable[[Negotiation, bool], bool] = choosing.tls_is_possible
    direct_tls_is_looked_for: Callable[[bool, bool], bool] = choosing.direct_tls_is_looked_for
    starttls_is_sent: Callable[[Collection[Method], bool, bool], bool] = choosing.starttls_is_sent
    command: Callable[[], Element] = starttls.command
    failure_ends_stream: Callable[[], bool] = choosing.failure_ends_stream
    refusal_without_tls: Callable[[Negotiation, bool], RemoteProtocolError | None] = choosing.refusal_without_tls
    plaintext_behind_proceed_ends: Callable[[], bool] = choosing.plaintext_behind_proceed_ends
    features_before_tls_count: Callable[[], bool] = choosing.features_before_tls_count
    feature_counts: Callable[[Element, bool], bool] = choosing.feature_counts
    certificate_is_shown: Callable[[], bool] = choosing.certificate_is_shown
    sni_of: Callable[[str, str], str] = choosing.sni_of
    identity_of: Callable[[str, str], str] = choosing.identity_of
    refusal_of_answer: Callable[[str | None, str | None], RemoteProtocolError | None] = choosing.refusal_of_answer
    certificate_matters: Callable[[Collection[Method]], bool] = choosing.certificate_matters
    verification_takes_tls: Callable[[], bool] = choosing.verification_takes_tls

    # SASL, initiating role
    external_is_chosen: Callable[[Collection[Method], Collection[str], bool], bool] = choosing.external_is_chosen
    authzid_of: Callable[[str], str] = choosing.authzid_of
    external_initiating: Callable[[], InitiatingTable] = _external_initiating
    dialback_after_failure: Callable[[Collection[Method], bool], bool] = choosing.dialback_after_failure
    features_after_success_are_awaited: Callable[[], bool] = choosing.features_after_success_are_awaited
    external_authorises_at_once: Callable[[], bool] = choosing.external_authorises_at_once

    # certificates of streams that last
    next_look: Callable[[float, float | None], float | None] = lasting.next_look
    is_over: Callable[[datetime | None, datetime], bool] = lasting.is_over
    lists_are_asked_again: Callable[[], bool] = lasting.lists_are_asked_again
    end_of_trust: Callable[[Sequence[str]], StreamCondition | None] = lasting.end_of_trust

    # peers that send us elsewhere
    place_of: Callable[[str, str], Place | None] = redirecting.place_of
    redirect_is_followed: Callable[[int], bool] = redirecting.redirect_is_followed
    address_is_safe: Callable[[str, str], bool] = redirecting.address_is_safe
