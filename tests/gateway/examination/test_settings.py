"""What the troubleshooting list says of a configuration and of a status, without a network."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.gateway.access.edge import AccessEdgeConfiguration
from simulator.gateway.access.policy import ExternalAccessPolicy
from simulator.gateway.access.site import EdgePool, Site
from simulator.gateway.configuration import Configuration
from simulator.gateway.examination import certificates, services, settings
from simulator.gateway.examination.finding import Finding, Level
from simulator.gateway.settings import CertificateFiles, User
from simulator.world.ca import CertificateAuthority

OPEN = ExternalAccessPolicy(enable_federation_access=True, enable_xmpp_access=True)
SHUT = ExternalAccessPolicy(identity="Shut", enable_federation_access=True)


def lines(findings: Iterable[Finding]) -> list[str]:
    return [f"{each.level}: {each.text} → {each.advice}" for each in findings]


@pytest.fixture
def opened(configuration: Configuration) -> Configuration:
    """A configuration in which everything is as it should be."""
    return msgspec.structs.replace(
        configuration, access=AccessEdgeConfiguration(allow_federated_users=True), policies=(OPEN,), sites=(), pools=()
    )


def test_an_open_way_is_in_order(opened: Configuration) -> None:
    found = [*settings.route(opened), *settings.partners(opened), *settings.gates(opened)]

    assert {each.level for each in found} == {Level.OK}
    assert "all 1 user(s) may write" in lines(found)[-1]


def test_a_switch_that_is_off_keeps_everybody(opened: Configuration) -> None:
    shut = msgspec.structs.replace(opened, access=AccessEdgeConfiguration())

    assert (
        "FAIL: AllowFederatedUsers is False: nobody talks to any partner → "
        "Set-CsAccessEdgeConfiguration -AllowFederatedUsers $true"
    ) in lines(settings.route(shut))
    assert [each.level for each in settings.gates(shut)] == [Level.FAIL]


def test_a_policy_of_some_is_only_worth_a_look(opened: Configuration) -> None:
    users = (*opened.users, *(User(address=f"u{n}@contoso.com", external_access_policy="Shut") for n in range(5)))
    (line,) = lines(settings.gates(msgspec.structs.replace(opened, policies=(OPEN, SHUT), users=users)))

    assert line == (
        "WARN: u0@contoso.com, u1@contoso.com, u2@contoso.com and 2 more may not write: the gate policy is closed → "
        "the policy Tag:Shut forbids it: Set-CsExternalAccessPolicy -Identity Tag:Shut -EnableXmppAccess $true"
    )


def test_a_site_needs_a_route_to_a_pool_with_xmpp(opened: Configuration) -> None:
    sites = (
        Site(identity="Redmond", xmpp_federation_route="edge1.contoso.com"),
        Site(identity="Paris", xmpp_federation_route="edge2.contoso.com"),
        Site(identity="Rome"),
    )
    pools = (
        EdgePool(identity="edge1.contoso.com", enable_xmpp_federation=True),
        EdgePool(identity="edge2.contoso.com"),
    )
    good, unticked, without, _ = lines(settings.route(msgspec.structs.replace(opened, sites=sites, pools=pools)))

    assert good.startswith("OK: the XMPP traffic of the site Redmond leaves by edge1.contoso.com")
    assert unticked == "FAIL: the edge pool edge2.contoso.com has XMPP federation not enabled → Topology Builder"
    assert (
        without
        == "FAIL: the site Rome has no XMPP federation route → Set-CsSite Rome -XmppFederationRoute EdgeServer:FQDN"
    )


def test_settings_that_the_documents_warn_of(configuration: Configuration) -> None:
    (partner,) = configuration.partners
    risky = msgspec.structs.replace(partner, sasl_negotiation="Required")
    (line,) = lines(settings.partners(msgspec.convert(
        {**msgspec.to_builtins(configuration), "partners": [msgspec.to_builtins(risky)]}, Configuration
    )))  # fmt: skip

    assert line.startswith("WARN: SASL needs TLS")
    assert "TCP dialback" in line
    assert lines(settings.partners(msgspec.structs.replace(configuration, partners=())))[0].startswith(
        "WARN: there is no"
    )


STATUS: dict[str, Any] = {
    "services": {"Proxy": {"edge1": "Running", "edge2": "Stopped"}},
    "listening": {"edge": "127.0.0.1:5269", "link": "127.0.0.1:23456", "edge@edge2": "127.0.0.2:5299"},
    "links": [{"edge": "edge1", "up": True, "local": "a:1", "remote": "b:2"}, {"edge": "edge2", "up": False}],
    "streams": [],
}


def test_services_and_links_that_are_down_and_ports_that_are_odd() -> None:
    assert [each.level for each in services.services(STATUS)] == [Level.OK, Level.FAIL]
    found = lines(services.ports(STATUS))

    assert found[0].startswith("WARN: edge@edge2 listens on 5299 and not on 5269")
    assert found[1].startswith("OK: front end and edge edge1 are connected")
    assert found[2].startswith("FAIL: the front end is not connected with the edge edge2")
    assert found[3].startswith("WARN: no stream with a partner is established")
    assert lines(services.ports({**STATUS, "streams": [{}]}))[-1].startswith("OK: 1 stream(s)")


def test_certificates_in_order(configuration: Configuration) -> None:
    assert {each.level for each in certificates.certificates(configuration)} == {Level.OK}


@pytest.mark.parametrize(
    ("days", "level", "said"),
    [(400, Level.FAIL, "expired on"), (-15000, Level.FAIL, "is not valid before"), (360, Level.WARN, "expires on")],
)
def test_certificates_out_of_time(configuration: Configuration, days: int, level: Level, said: str) -> None:
    found = list(certificates.certificates(configuration, datetime.now(UTC) + timedelta(days=days)))

    assert any(each.level is level and each.text.startswith(said) for each in found)


def test_certificates_for_others_or_with_other_keys(
    configuration: Configuration, authority: CertificateAuthority, tmp_path: Path
) -> None:
    good, other = authority.issue("contoso.com"), authority.issue("other.example")
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing")

    def with_external(certificate: object, key: object) -> Configuration:
        files = CertificateFiles(certificate=str(certificate), key=str(key))
        settings = msgspec.structs.replace(configuration.certificates, external=files)

        return msgspec.structs.replace(configuration, certificates=settings)

    def said(certificate: object, key: object) -> str:
        findings = certificates.certificates(with_external(certificate, key))

        return "\n".join(each.text for each in findings if each.level is Level.FAIL)

    assert said(good.certificate, good.key) == ""
    assert said(other.certificate, other.key) == "is for other.example, and not for contoso.com"
    assert said(good.certificate, other.key) == f"{other.key} is not the key of this certificate"
    assert "cannot be read, or holds no certificate" in said(broken, good.key)
    assert "holds no private key" in said(good.certificate, broken)
