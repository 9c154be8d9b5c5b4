"""Every decision about access, each a field that can be replaced to make a deliberate defect.

Knows what is decided. Does not know in which order the gates are asked: that is `point`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass

from simulator.gateway.access import gates, partner_types
from simulator.gateway.access.authorization import AuthorizationSettings, Refusal
from simulator.gateway.access.gates import Gate
from simulator.gateway.access.partner_types import Action
from simulator.gateway.access.policy import ExternalAccessPolicy, effective_policy
from simulator.gateway.configuration import Configuration
from simulator.gateway.partner import PartnerType
from simulator.gateway.settings import User
from simulator.xmpp.errors import StanzaCondition


def condition_of(gate: Gate) -> StanzaCondition:
    """What the sender outside of a message is told, where it is told anything.

    Where nobody inside may be written to it is not-allowed: RFC 6120 §8.3.3.10, "does not allow any entity to perform
    the action". Where it depends on the user inside the answer is that for a user who does not exist (RFC 6121 §8.5.1):
    §13.10.2 of RFC 6120 warns of answers that tell a stranger who exists.
    """
    return StanzaCondition.NOT_ALLOWED if gate in gates.FOR_EVERYBODY else StanzaCondition.SERVICE_UNAVAILABLE


def message_refusal(gate: Gate, settings: AuthorizationSettings) -> Refusal:
    """How a message that is stopped is refused: only who may write before being added is a matter of choice."""
    return settings.message_refusal if gate is Gate.AUTHORIZATION else Refusal.ERROR


def request_refusal(gate: Gate, settings: AuthorizationSettings) -> Refusal:
    """How a subscribe that is stopped is refused.

    Where no user inside may be reached at all, silence would hide nothing: RFC 6121 §3.1.3 has no words for it, so the
    error of RFC 6120 §8.3.3.10 goes back. A user's own policy or site shows as little as a user who does not exist.
    """
    if gate is Gate.AUTHORIZATION:
        return settings.request_refusal

    return Refusal.ERROR if gate in gates.FOR_EVERYBODY else Refusal.SILENT


def taken_over(before: Configuration, changed: Configuration) -> Configuration:
    """What counts once an administrator has made `changed` of the configuration: all of it, and nothing else.

    "Configure policies to control XMPP federated user access" and the pages of the cmdlets know no change that would
    open or close more than it names.
    """
    return changed


@dataclass(frozen=True)
class AccessRules:
    """What is decided about access; the defaults are right."""

    route_is_closed: Callable[[Configuration, User | None], str | None] = gates.route_is_closed
    federation_is_closed: Callable[[Configuration], str | None] = gates.federation_is_closed
    effective_policy: Callable[[Iterable[ExternalAccessPolicy], str | None, str | None], ExternalAccessPolicy] = (
        effective_policy
    )
    """Called as ``effective_policy(policies, granted, site)``."""
    policy_is_closed: Callable[[ExternalAccessPolicy], str | None] = gates.policy_is_closed
    partner_is_closed: Callable[..., str | None] = gates.partner_is_closed
    """Called as ``partner_is_closed(configuration, contact, allowed=...)``."""
    is_allowed: Callable[[PartnerType, Action, bool], bool] = partner_types.is_allowed
    asks_user: Callable[[PartnerType, AuthorizationSettings], bool] = partner_types.asks_user
    asked_outward: Set[Gate] = frozenset(Gate) - {Gate.AUTHORIZATION}
    asked_inward: Set[Gate] = frozenset(Gate)
    diagnostics_of: Callable[[Gate], int] = gates.diagnostics_of
    code_of: Callable[[Gate], int] = gates.code_of
    condition_of: Callable[[Gate], StanzaCondition] = condition_of
    message_refusal: Callable[[Gate, AuthorizationSettings], Refusal] = message_refusal
    request_refusal: Callable[[Gate, AuthorizationSettings], Refusal] = request_refusal
    taken_over: Callable[[Configuration, Configuration], Configuration] = taken_over
