"""The decisions about TLS and SASL, one by one and over all settings."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from simulator.gateway.edge import choosing, offering
from simulator.gateway.edge.admission import dialback_is_allowed, refusal_of_method
from simulator.gateway.edge.header import dialback_feature
from simulator.gateway.edge.negotiation_rules import NegotiationRules
from simulator.gateway.edge.offering import Standing
from simulator.gateway.negotiation import TABLE, Method, Negotiation
from simulator.gateway.partner import AllowedPartner
from simulator.gateway.settings import CertificateFiles
from simulator.xmpp.address import normalize_domain

REQUIRED, OPTIONAL, NEVER = Negotiation.REQUIRED, Negotiation.OPTIONAL, Negotiation.NOT_SUPPORTED
ROWS = [settings for settings, row in TABLE.items() if row.methods]


def partner(tls: Negotiation, sasl: Negotiation, dialback: bool) -> AllowedPartner:
    return AllowedPartner(
        identity="gmail.com", tls_negotiation=tls, sasl_negotiation=sasl, support_dialback_negotiation=dialback
    )


def standing(*settings: Any, **facts: Any) -> Standing:
    known: dict[str, Any] = {"has_certificate": True, "secured": False}

    return Standing(partner=partner(*settings) if settings else None, **(known | facts))


def features(one: Standing) -> list[Element]:
    return offering.features(
        one, dialback_is_offered=lambda seen: offering.dialback_is_offered(seen, dialback_is_allowed)
    )


def offered(one: Standing) -> set[str]:
    return {feature.tag.rpartition("}")[2] for feature in features(one)}


@pytest.mark.parametrize("settings", ROWS)
def test_before_tls_what_the_table_has_is_offered(settings: tuple[Negotiation, Negotiation, bool]) -> None:
    methods = TABLE[settings].methods
    expected = {"dialback"} if Method.TCP_DIALBACK in methods else set()
    expected |= {"starttls"} if settings[0] is not NEVER else set()
    assert offered(standing(*settings)) == expected


@pytest.mark.parametrize("acceptable", [False, True])
@pytest.mark.parametrize("settings", [row for row in ROWS if row[0] is not NEVER])
def test_over_tls_what_the_table_has_is_offered(
    settings: tuple[Negotiation, Negotiation, bool], acceptable: bool
) -> None:
    methods = TABLE[settings].methods
    expected = {"dialback"} if Method.TLS_DIALBACK in methods else set()
    expected |= {"mechanisms"} if Method.SASL_OVER_TLS in methods and acceptable else set()
    one = standing(*settings, secured=True, acceptable=acceptable)
    assert offered(one) == expected
    # Once SASL has succeeded there is nothing mandatory any more.
    assert offered(replace(one, authenticated=True)) == expected - {"mechanisms"}
    refusal = offering.refusal_of_powerless(one, features(one))
    assert (refusal is not None) == (not expected and not settings[2])


@pytest.mark.parametrize("settings", ROWS)
@pytest.mark.parametrize("peer_offers", [False, True])
def test_a_plain_stream_goes_on_only_where_tcp_dialback_is_a_method(
    settings: tuple[Negotiation, Negotiation, bool], peer_offers: bool
) -> None:
    methods = TABLE[settings].methods
    possible = choosing.tls_is_possible(settings[0], has_certificate=True)
    secures = choosing.starttls_is_sent(methods, possible, peer_offers)
    stays = not secures and choosing.refusal_without_tls(settings[0], mandatory=False) is None
    assert stays <= (Method.TCP_DIALBACK in methods)
    assert secures == (settings[0] is not NEVER and (peer_offers or Method.TCP_DIALBACK not in methods))


def test_no_method_of_tls_is_at_hand_without_a_certificate() -> None:
    assert choosing.methods_at_hand(frozenset(Method), has_certificate=True) == frozenset(Method)
    assert choosing.methods_at_hand(frozenset(Method), has_certificate=False) == {Method.TCP_DIALBACK}
    assert not choosing.tls_is_possible(REQUIRED, has_certificate=False)


@pytest.mark.parametrize(
    ("facts", "condition"),
    [
        ((OPTIONAL, OPTIONAL, True, {}), "encryption-required"),
        ((NEVER, NEVER, True, {}), "invalid-mechanism"),
        ((OPTIONAL, OPTIONAL, True, {"has_certificate": False}), "invalid-mechanism"),
        ((REQUIRED, NEVER, True, {"secured": True}), "invalid-mechanism"),
        ((REQUIRED, OPTIONAL, True, {"secured": True}), "not-authorized"),
        ((REQUIRED, OPTIONAL, True, {"secured": True, "acceptable": True, "authenticated": True}), "not-authorized"),
        ((REQUIRED, OPTIONAL, True, {"secured": True, "acceptable": True}), None),
    ],
)
def test_an_auth_that_was_not_asked_for_fails(facts: tuple[Any, ...], condition: str | None) -> None:
    *settings, known = facts
    one = standing(*settings, **known)
    assert offering.refusal_of_auth(one, offering.external_is_offered(one)) == condition


@pytest.mark.parametrize(
    ("sender", "to", "condition"),
    [
        ("gmail.com", "contoso.com", None),
        (None, None, None),
        ("mail.gmail.com", "contoso.com", "invalid-from"),
        ("gmail.com", "fabrikam.com", "not-authorized"),
        (None, "fabrikam.com", "not-authorized"),
    ],
)
def test_an_identity_outlives_the_restart(sender: str | None, to: str | None, condition: str | None) -> None:
    refusal = offering.refusal_of_restart(("gmail.com", "contoso.com"), sender, to)
    assert (refusal and refusal.condition) == condition
    assert offering.refusal_of_restart(None, sender, to) is None


@pytest.mark.parametrize(
    ("methods", "mechanisms", "acceptable", "chosen"),
    [
        ({Method.SASL_OVER_TLS}, ("PLAIN", "EXTERNAL"), True, True),
        ({Method.SASL_OVER_TLS}, ("EXTERNAL",), False, False),
        ({Method.SASL_OVER_TLS}, ("PLAIN",), True, False),
        ({Method.TLS_DIALBACK}, ("EXTERNAL",), True, False),
    ],
)
def test_external_is_chosen_for_proof(
    methods: set[Method], mechanisms: tuple[str, ...], acceptable: bool, chosen: bool
) -> None:
    assert choosing.external_is_chosen(methods, mechanisms, acceptable) is chosen


def test_names_that_are_asked_for_are_those_of_the_domain() -> None:
    domain = normalize_domain("BÜCHER.example.")
    assert choosing.sni_of(domain, "host.example") == "xn--bcher-kva.example"
    assert choosing.identity_of(domain, "host.example") == domain


def test_a_domain_without_a_certificate_of_its_own_has_that_of_all() -> None:
    external, own = (CertificateFiles(certificate=name, key=name) for name in ("external", "own"))
    assert choosing.files_of("a.example", external, {"a.example": own}) is own
    assert choosing.files_of("b.example", external, {"a.example": own}) is external


def test_a_policy_names_what_is_missing() -> None:
    assert (refusal_of_method(False), refusal_of_method(True)) == ("policy-violation", "not-authorized")


def test_every_decision_is_a_function() -> None:
    rules = NegotiationRules()
    assert all(callable(getattr(rules, one.name)) for one in fields(NegotiationRules))
    assert rules.order_features([dialback_feature()])
