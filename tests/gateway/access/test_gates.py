"""The gates: each one alone stops both directions, says which it is, and nothing else counts for one."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.gateway.access.authorization import Refusal
from simulator.gateway.access.gates import Closed, Gate, policy_is_closed
from simulator.gateway.access.partner_types import Action
from simulator.gateway.access.point import AccessPoint
from simulator.gateway.access.policy import ExternalAccessPolicy
from simulator.gateway.access.rules import AccessRules
from simulator.gateway.configuration import Configuration
from simulator.xmpp.address import Address, parse_address
from simulator.xmpp.errors import StanzaCondition
from tests.gateway.access.conftest import Settings

ALICE, BOB, NOBODY = map(parse_address, ("alice@contoso.com", "bob@contoso.com", "nobody@contoso.com"))
JULIET = parse_address("juliet@federated.example")
STRANGER = parse_address("mallory@stranger.example")

ON: dict[str, Any] = {"enable-federation-access": True, "enable-xmpp-access": True}
CLOSED: dict[str, tuple[dict[str, Any], Gate, int, int, str]] = {
    "site without a route": (
        {"sites": [{"identity": "Redmond"}, {"identity": "Dublin"}]},
        Gate.ROUTE,
        1007,
        504,
        "the site Redmond has no XMPP federation route: Set-CsSite Redmond -XmppFederationRoute EdgeServer:FQDN",
    ),
    "pool without XMPP": (
        {"pools": [{"identity": "edge.contoso.com"}]},
        Gate.ROUTE,
        1007,
        504,
        "the edge pool edge.contoso.com has XMPP federation not enabled: Topology Builder",
    ),
    "federation off": (
        {"access": {"allow-federated-users": False}},
        Gate.FEDERATION,
        1012,
        403,
        "federation is off for everybody: Set-CsAccessEdgeConfiguration -AllowFederatedUsers $true",
    ),
    "policy without federation": (
        {"policies": [{"identity": "Global", "enable-xmpp-access": True}]},
        Gate.POLICY,
        1002,
        403,
        "the policy Global forbids it: Set-CsExternalAccessPolicy -Identity Global -EnableFederationAccess $true",
    ),
    "policy without XMPP": (
        {"policies": [{"identity": "Global", "enable-federation-access": True}]},
        Gate.POLICY,
        1002,
        403,
        "the policy Global forbids it: Set-CsExternalAccessPolicy -Identity Global -EnableXmppAccess $true",
    ),
    "no policy at all": (
        {"policies": []},
        Gate.POLICY,
        1002,
        403,
        "the policy Global forbids it: "
        "Set-CsExternalAccessPolicy -Identity Global -EnableFederationAccess $true -EnableXmppAccess $true",
    ),
    "policy of the site": (
        {"policies": [{"identity": "Global", **ON}, {"identity": "Site:Redmond", "enable-public-cloud-access": True}]},
        Gate.POLICY,
        1002,
        403,
        "the policy Site:Redmond forbids it: "
        "Set-CsExternalAccessPolicy -Identity Site:Redmond -EnableFederationAccess $true -EnableXmppAccess $true",
    ),
    "no partner": (
        {"partners": []},
        Gate.PARTNER,
        1005,
        403,
        "federated.example is no allowed partner: New-CsXmppAllowedPartner federated.example",
    ),
}


def test_nothing_stops_anybody_when_all_gates_are_open(configured: Settings) -> None:
    point = AccessPoint(configured())

    assert point.outbound(ALICE, JULIET) is None
    assert all(
        point.inbound(ALICE, JULIET, action, added=added) is None for action in Action for added in (False, True)
    )


@pytest.mark.parametrize("name", CLOSED)
def test_each_gate_alone_stops_both_directions(configured: Settings, name: str) -> None:
    sections, gate, diagnostics, code, reason = CLOSED[name]
    point = AccessPoint(configured(**sections))
    closed = Closed(gate, diagnostics, reason)

    assert point.outbound(ALICE, JULIET) == closed
    assert point.code(closed) == code
    assert all(
        point.inbound(ALICE, JULIET, action, added=added) == closed for action in Action for added in (False, True)
    )


def test_every_number_says_which_gate_it_was() -> None:
    assert len({AccessRules().diagnostics_of(gate) for gate in Gate}) == len(Gate)


def test_subdomain_is_not_implied_and_additional_domain_counts(configured: Settings) -> None:
    point = AccessPoint(configured())

    assert point.outbound(ALICE, parse_address("a@also.example")) is None
    assert point.outbound(ALICE, parse_address("a@ALSO.example.")) is None
    closed = point.outbound(ALICE, parse_address("a@sub.unverified.example"))
    assert closed is not None
    assert closed.gate is Gate.PARTNER


def test_sip_domains_stop_no_partner_and_let_nobody_in(configured: Settings) -> None:
    point = AccessPoint(configured(blocked_domains=["federated.example"], allowed_domains=["stranger.example"]))

    assert point.outbound(ALICE, JULIET) is None
    assert point.inbound(ALICE, JULIET, Action.MESSAGE, added=False) is None
    assert point.outbound(ALICE, STRANGER) is not None


def test_without_sites_everybody_is_at_the_one_edge(configured: Settings) -> None:
    assert (
        AccessPoint(configured(sites=[], pools=[], users=[{"address": "alice@contoso.com"}])).outbound(ALICE, JULIET)
        is None
    )


def test_route_is_that_of_the_users_own_site(configured: Settings) -> None:
    point = AccessPoint(
        configured(sites=[{"identity": "Redmond", "xmpp-federation-route": "edge.contoso.com"}, {"identity": "Dublin"}])
    )

    assert point.outbound(ALICE, JULIET) is None
    closed = point.outbound(BOB, JULIET)
    assert closed is not None
    assert (closed.gate, "Dublin" in closed.reason) == (Gate.ROUTE, True)


@pytest.mark.parametrize("own", [None, True, False])
@pytest.mark.parametrize("site", [None, True, False])
@pytest.mark.parametrize("everybody", [None, True, False])
def test_nearest_policy_decides_alone(
    configured: Settings, own: bool | None, site: bool | None, everybody: bool | None
) -> None:
    given = {"FedPic": own, "Site:Redmond": site, "Global": everybody}
    policies = [
        {"identity": identity, **(ON if open_ else {})} for identity, open_ in given.items() if open_ is not None
    ]
    granted = {"external-access-policy": "FedPic"} if own is not None else {}
    configuration = configured(policies=policies, users=[{"address": "alice@contoso.com", **granted}])
    expected = own if own is not None else site if site is not None else bool(everybody)

    assert (AccessPoint(configuration).outbound(ALICE, JULIET) is None) is expected


def test_change_of_the_configuration_counts_at_once(configured: Settings) -> None:
    configuration = configured()
    point = AccessPoint(configuration)
    assert point.outbound(ALICE, JULIET) is None
    configuration.adopt(configured(access={}))

    closed = point.outbound(ALICE, JULIET)
    assert closed is not None
    assert closed.gate is Gate.FEDERATION


@given(open_=st.fixed_dictionaries({gate: st.booleans() for gate in Gate if gate is not Gate.AUTHORIZATION}))
def test_first_closed_gate_is_the_one_reported(open_: dict[Gate, bool]) -> None:
    sections: dict[str, Any] = {}

    for gate, name in {
        Gate.ROUTE: "pool without XMPP",
        Gate.FEDERATION: "federation off",
        Gate.POLICY: "policy without XMPP",
        Gate.PARTNER: "no partner",
    }.items():
        if not open_[gate]:
            sections |= CLOSED[name][0]

    point = AccessPoint(Settings()(**sections))
    first = next((gate for gate in Gate if not open_.get(gate, True)), None)

    for found in (point.outbound(ALICE, JULIET), point.inbound(ALICE, JULIET, Action.SEE, added=False)):
        assert (found.gate if found is not None else None) is first


# -- what the sender outside is told


def told(configuration: Configuration, user: Address, contact: Address) -> tuple[StanzaCondition | None, Refusal]:
    """What becomes of a message and of a subscribe."""
    point = AccessPoint(configuration)
    message = point.inbound(user, contact, Action.MESSAGE, added=False)
    request = point.inbound(user, contact, Action.SUBSCRIBE, added=False)

    assert message is not None
    assert request is not None

    return point.answer_to_message(message), point.answer_to_request(request)


@pytest.mark.parametrize("user", [ALICE, NOBODY])
@pytest.mark.parametrize(
    ("name", "contact", "message", "request_"),
    [
        ("federation off", JULIET, StanzaCondition.NOT_ALLOWED, Refusal.ERROR),
        ("no partner", JULIET, StanzaCondition.NOT_ALLOWED, Refusal.ERROR),
        ("policy without XMPP", JULIET, StanzaCondition.SERVICE_UNAVAILABLE, Refusal.SILENT),
        ("pool without XMPP", JULIET, StanzaCondition.SERVICE_UNAVAILABLE, Refusal.SILENT),
    ],
)
def test_refusal_is_the_same_for_users_who_do_not_exist(
    configured: Settings, user: Address, name: str, contact: Address, message: StanzaCondition, request_: Refusal
) -> None:
    assert told(configured(**CLOSED[name][0]), user, contact) == (message, request_)


@pytest.mark.parametrize("user", [ALICE, NOBODY])
@pytest.mark.parametrize(
    ("settings", "message", "request_"),
    [
        ({}, StanzaCondition.SERVICE_UNAVAILABLE, Refusal.SILENT),
        ({"message-refusal": "silent", "request-refusal": "error"}, None, Refusal.ERROR),
        ({"request-refusal": "unsubscribed"}, StanzaCondition.SERVICE_UNAVAILABLE, Refusal.UNSUBSCRIBED),
    ],
)
def test_refusal_of_those_who_were_not_added_can_be_set(
    configured: Settings, user: Address, settings: dict[str, str], message: StanzaCondition | None, request_: Refusal
) -> None:
    contact = parse_address("juliet@unverified.example")

    assert told(configured(authorization=settings), user, contact) == (message, request_)


def test_defects_can_be_seated_in_every_decision(configured: Settings) -> None:
    everything_closed: dict[str, Any] = {"pools": [{"identity": "edge.contoso.com"}], "access": {}, "policies": []}
    rules = replace(
        AccessRules(),
        route_is_closed=lambda *_: None,
        federation_is_closed=lambda _: None,
        policy_is_closed=lambda _: None,
    )

    assert AccessPoint(configured(**everything_closed), rules).outbound(ALICE, JULIET) is None


def test_the_advice_can_be_typed_as_it_stands() -> None:
    policy = ExternalAccessPolicy(identity="Tag:Ken's friends", enable_xmpp_access=True)

    assert policy_is_closed(policy) == (
        "the policy Tag:Ken's friends forbids it: "
        "Set-CsExternalAccessPolicy -Identity 'Tag:Ken''s friends' -EnableFederationAccess $true"
    )
