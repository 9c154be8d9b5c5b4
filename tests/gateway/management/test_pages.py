"""The lines that the documents print: they run as they stand, and do what is said of them there."""

from __future__ import annotations

import msgspec
import pytest

from simulator.gateway.access.gates import Gate
from simulator.gateway.access.point import AccessPoint
from simulator.gateway.configuration import Configuration
from simulator.gateway.management.session import Sheet
from simulator.gateway.negotiation import Method
from simulator.gateway.partner import PartnerType
from simulator.xmpp.address import parse_address
from tests.gateway.management.conftest import GOOGLE_TALK, SETUP, Play

ALICE, ROMEO = parse_address("alice@contoso.com"), parse_address("romeo@gmail.com")
OPEN_ROUTE = "Set-CsSite Redmond -XmppFederationRoute EdgeServer:edge1.contoso.com"


async def test_google_talk_page_runs_and_forgets_xmpp_access(play: Play, sheet: Sheet) -> None:
    outcome = await play(GOOGLE_TALK)
    (partner,) = sheet.configuration.partners

    assert not outcome.errors
    assert partner.identity == "gmail.com"
    assert partner.methods == {Method.TCP_DIALBACK}
    assert not partner.enable_keep_alive
    assert partner.partner_type is PartnerType.PUBLIC_UNVERIFIED
    assert sheet.configuration.access.allow_federated_users

    (policy,) = sheet.configuration.policies
    assert policy.identity == "Tag:FedPic"
    assert policy.enable_federation_access
    assert policy.enable_public_cloud_access
    assert not policy.enable_xmpp_access
    assert {user.external_access_policy for user in sheet.configuration.users} == {"FedPic"}


async def test_google_talk_page_leaves_the_gate_of_policies_closed(play: Play, sheet: Sheet) -> None:
    await play(GOOGLE_TALK)
    sheet.configuration = without_topology(sheet)
    closed = AccessPoint(sheet.configuration).outbound(ALICE, ROMEO)

    assert closed is not None
    assert closed.gate is Gate.POLICY


async def test_setup_page_opens_it(play: Play, sheet: Sheet) -> None:
    outcome = await play(GOOGLE_TALK.splitlines()[0] + "\n" + GOOGLE_TALK.splitlines()[1] + "\n" + SETUP)
    sheet.configuration = without_topology(sheet)

    assert not outcome.errors
    assert AccessPoint(sheet.configuration).outbound(ALICE, ROMEO) is None


def without_topology(sheet: Sheet) -> Configuration:
    """The same without sites and pools: Topology Builder's gate is none of the shell's."""
    users = tuple(msgspec.structs.replace(user, site=None) for user in sheet.configuration.users)

    return msgspec.structs.replace(sheet.configuration, sites=(), pools=(), users=users)


@pytest.mark.parametrize(
    ("text", "identifier", "place"),
    [
        (
            "New-CsExternalAccessPolicy -Identity <name of policy to create.  If site scope, prepend with 'site:'> "
            "-EnableFederationAcces $true -EnablePublicCloudAccess $true",
            "RedirectionNotSupported",
            37,
        ),
        (
            "Set-CsExternalAccessPolicy -Identity <name of the policy being used> EnableXmppAccess $true",
            "RedirectionNotSupported",
            37,
        ),
        ("Set-CsExternalAccessPolicy -Identity FedPic EnableXmppAccess $true", "PositionalParameterNotFound", 44),
        ('Get-CsXmppAllowedPartner - Filter "*.org"', "PositionalParameterNotFound", 27),
        (
            "Set-CsExternalAccessPolicy -Identity Global -EnableFederationAccess $True -EnableOutsideAcess $True",
            "NamedParameterNotFound",
            74,
        ),
        ("Set-CsExternalAccessPolicy -EnablePublicCloudA $true", "AmbiguousParameter", 27),
    ],
)
async def test_what_the_pages_print_wrongly_is_refused_where_it_is_wrong(
    play: Play, text: str, identifier: str, place: int
) -> None:
    outcome = await play(text)

    assert [(error.identifier.split(",")[0], error.extent.start) for error in outcome.errors] == [(identifier, place)]


@pytest.mark.parametrize(
    "text",
    [
        'New-CsXmppAllowedPartner -Identity "contoso.org" -PartnerType "PublicVerified"',
        'New-CsXmppAllowedPartner -Identity "fabrikam.com" -AdditionalDomains "research.fabrikam2.com"',
        'New-CsXmppAllowedPartner -Domain "fabrikam.com"',
        "Get-CsXmppAllowedPartner",
        'Get-CsXmppAllowedPartner -Filter "*.org"',
        'Get-CsXmppAllowedPartner | Where-Object {$_.SaslNegotiation -eq "Required"}',
        'Get-CsXmppAllowedPartner | Set-CsXmppAllowedPartner -SaslNegotiation "Required"',
        "Get-CsXmppAllowedPartner | Remove-CsXmppAllowedPartner",
        'Get-CsXmppAllowedPartner | Where-Object {$_.PartnerType -eq "PublicUnverified"} | Remove-CsXmppAllowedPartner',
        "Get-CsXmppGatewayConfiguration",
        'Set-CsXmppGatewayConfiguration -Identity "global" -ConnectionLimit 1200',
        "Set-CsExternalAccessPolicy -Identity global -EnableFederationAccess $true -EnableXmppAccess $true",
        "New-CsExternalAccessPolicy -Identity site:Redmond -EnableFederationAccess $True -EnableOutsideAccess $True",
        "Get-CsExternalAccessPolicy | Set-CsExternalAccessPolicy -EnableFederationAccess $True",
        "Get-CsExternalAccessPolicy -Filter tag:* | Set-CsExternalAccessPolicy -EnableFederationAccess $True",
        "Get-CsExternalAccessPolicy | Where-Object {$_.EnableFederationAccess -eq $True -and "
        "$_.EnablePublicCloudAccess -eq $True}",
        'Get-CsExternalAccessPolicy -ApplicableTo "kenmyer@contoso.com"',
        "Get-CsExternalAccessPolicy -Filter site:* | Remove-CsExternalAccessPolicy",
        "Get-CsUser -Filter {ExternalAccessPolicy -eq $Null} | Grant-CsExternalAccessPolicy -PolicyName $Null",
        "Get-CsUser | Grant-CsExternalAccessPolicy -PolicyName $Null",
        "Get-CsUser | Format-Table -Property DisplayName, SipAddress -AutoSize",
        'Get-CsUser -Identity "Ken*"',
        "Set-CsSite Redmond -XmppExternalFederationRoute edge2.contoso.com",
        "Set-CsSite -Identity Redmond -XmppFederationRoute EdgeServer:edge2.contoso.com",
        "Get-CsSite | Where-Object {$_.Description -eq $Null} | ForEach-Object "
        '{Set-CsSite $_.Identity -Description "Litwareinc.com"}',
        "Set-CsAccessEdgeConfiguration -UseDnsSrvRouting -EnablePartnerDiscovery $True",
        'New-CsAllowedDomain -Identity "fabrikam.com"',
        "Get-CsAllowedDomain -Filter *fabrikam* | Remove-CsAllowedDomain",
        "Get-CsAllowedDomain | Where-Object {$_.ProxyFqdn -eq $Null} | Remove-CsAllowedDomain",
        'New-CsBlockedDomain -Identity "fabrikam.com" -Comment "Blocked per Ken Myer."',
    ],
)
async def test_examples_of_the_reference_run_as_they_stand(play: Play, text: str) -> None:
    outcome = await play(text)

    assert not outcome.errors, outcome.text


async def test_failing_over_names_the_route_as_the_page_does(play: Play, sheet: Sheet) -> None:
    await play("Set-CsSite Redmond -XmppExternalFederationRoute edge2.contoso.com")
    assert sheet.configuration.sites[0].xmpp_federation_route == "edge2.contoso.com"

    await play(OPEN_ROUTE)
    assert sheet.configuration.sites[0].xmpp_federation_route == "edge1.contoso.com"

    await play("Set-CsSite Redmond -XmppFederationRoute $null")
    assert sheet.configuration.sites[0].xmpp_federation_route is None
