"""The organisation's one Access Edge configuration, as `Set-CsAccessEdgeConfiguration` has it.

Knows the settings and what a fresh Lync Server 2013 has in them. Does not know policies or partners; only
`allow_federated_users` concerns XMPP, the others are kept for whoever administers them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from simulator.gateway.settings import Positive


class RoutingMethod(StrEnum):
    """How SIP federation finds a partner's edge."""

    DNS_SRV = "UseDnsSrvRouting"
    DEFAULT = "UseDefaultRouting"


class AccessEdgeConfiguration(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """One for the whole organisation. `discovered_partner_report_period_minutes` is in minutes.

    "Manage Access Edge configuration for your organization" shows these values. COMPAT: the cmdlet's own page says
    False for EnableUserReplicator; the sample is what a server really printed.
    """

    allow_anonymous_users: bool = False
    #: the switch for partners of both kinds, SIP and XMPP: without it nobody federates at all
    allow_federated_users: bool = False
    allow_outside_users: bool = True
    be_clearing_house: bool = False
    certificates_deleted_percentage: Annotated[int, msgspec.Meta(ge=0, le=100)] = 20
    discovered_partner_report_period_minutes: Positive = 60
    discovered_partner_standard_rate: Positive = 20
    enable_archiving_disclaimer: bool = False
    enable_discovered_partner_contacts_limit: bool = True
    enable_partner_discovery: bool = False
    enable_user_replicator: bool = True
    keep_crls_up_to_date_for_peers: bool = True
    mark_source_verifiable_on_outgoing_messages: bool = True
    max_accepted_certificates_stored: Positive = 1000
    max_contacts_per_discovered_partner: Positive = 1000
    max_rejected_certificates_stored: Positive = 500
    outgoing_tls_count_for_federated_partners: Annotated[int, msgspec.Meta(ge=1, le=4)] = 4
    routing_method: RoutingMethod = RoutingMethod.DNS_SRV
