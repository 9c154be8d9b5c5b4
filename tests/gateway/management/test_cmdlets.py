"""What cmdlets change, what they refuse, and what they print."""

from __future__ import annotations

from itertools import product

import pytest

from simulator.gateway.management.session import Sheet
from simulator.gateway.management.synthetic import time_span
from simulator.gateway.negotiation import NOTES, TABLE, Negotiation
from simulator.gateway.partner import PartnerType
from tests.gateway.management.conftest import Play


@pytest.mark.parametrize(("tls", "sasl", "dialback"), list(product(Negotiation, Negotiation, (True, False))))
async def test_every_row_of_the_negotiation_table(
    play: Play, sheet: Sheet, tls: Negotiation, sasl: Negotiation, dialback: bool
) -> None:
    outcome = await play(
        f"New-CsXmppAllowedPartner far.example -TlsNegotiation {tls} -SaslNegotiation {sasl} "
        f"-SupportDialbackNegotiation ${str(dialback).lower()}"
    )
    row = TABLE[tls, sasl, dialback]

    if row.methods:
        assert not outcome.errors
        assert sheet.configuration.partners[0].methods == row.methods
    else:
        assert not sheet.configuration.partners
        assert outcome.errors[0].message == NOTES[row.note] + "."

    # The page warns of all rows but those whose remark is only for information.
    warned = any(line.stream == "warning" and NOTES[row.note] in line.text for line in outcome.lines)
    assert warned == (bool(row.methods) and row.note.value in ("dialback-inoperative", "sasl-needs-tls"))


async def test_a_new_partner_has_the_documented_defaults_and_is_printed_as_a_list(play: Play, sheet: Sheet) -> None:
    outcome = await play("New-CsXmppAllowedPartner far.example")
    printed = [line.text for line in outcome.lines if line.stream == "output"]

    assert printed == [
        "",
        "Identity                   : far.example",
        "Domain                     : far.example",
        "AdditionalDomains          : {}",
        "ConnectionLimit            :",
        "Description                :",
        "EnableKeepAlive            : True",
        "PartnerType                : PublicUnverified",
        "ProxyFqdn                  :",
        "SaslNegotiation            : Required",
        "TlsNegotiation             : Required",
        "SupportDialbackNegotiation : True",
        "",
    ]


async def test_lists_of_domains_are_added_to_removed_from_and_cleared(play: Play, sheet: Sheet) -> None:
    def domains() -> tuple[str, ...]:
        return sheet.configuration.partners[0].additional_domains

    await play('New-CsXmppAllowedPartner far.example -AdditionalDomains "eu.far.example", other.example')
    assert domains() == ("eu.far.example", "other.example")

    await play('Set-CsXmppAllowedPartner -Identity "far.example" -AdditionalDomains @{Add="na.far.example"}')
    assert domains() == ("eu.far.example", "other.example", "na.far.example")

    await play('Set-CsXmppAllowedPartner far.example -AdditionalDomains @{Remove="Other.Example", "nothing"}')
    assert domains() == ("eu.far.example", "na.far.example")

    await play('Set-CsXmppAllowedPartner -Identity "far.example" -AdditionalDomains $Null')
    assert domains() == ()


async def test_a_partner_from_a_pipe_is_changed_where_it_is_told_to(play: Play, sheet: Sheet) -> None:
    await play("New-CsXmppAllowedPartner gmail.com -SaslNegotiation Optional")
    outcome = await play("Get-CsXmppAllowedPartner | Set-CsXmppAllowedPartner -Description Mail")

    assert not outcome.errors
    (partner,) = sheet.configuration.partners
    assert (partner.description, partner.connection_limit, partner.sasl_negotiation) == ("Mail", None, "Optional")

    await play("Get-CsXmppAllowedPartner | Set-CsXmppAllowedPartner -ConnectionLimit 5")
    assert sheet.configuration.partners[0].connection_limit == 5

    await play("Set-CsXmppAllowedPartner gmail.com -ConnectionLimit $null")
    assert sheet.configuration.partners[0].connection_limit is None


async def test_what_is_not_said_stays(play: Play, sheet: Sheet) -> None:
    await play("New-CsXmppAllowedPartner far.example -PartnerType Federated -Description friends -ConnectionLimit 3")
    await play("Set-CsXmppAllowedPartner far.example -ProxyFqdn proxy.far.example")
    (partner,) = sheet.configuration.partners

    assert partner.partner_type is PartnerType.FEDERATED
    assert (partner.description, partner.connection_limit, partner.proxy_fqdn) == ("friends", 3, "proxy.far.example")


@pytest.mark.parametrize(
    ("text", "identifier", "said"),
    [
        ("New-CsXmppAllowedPartner far.example; New-CsXmppAllowedPartner far.example", "ObjectAlreadyExists", "far.ex"),
        ("New-CsXmppAllowedPartner contoso.com", "InvalidConfiguration", "one of the gateway's own domains"),
        ("New-CsXmppAllowedPartner 'a b'", "InvalidConfiguration", "not a domain name"),
        ("New-CsXmppAllowedPartner far.example -ConnectionLimit 0", "ValueOutOfRange", "ConnectionLimit"),
        ("Set-CsXmppAllowedPartner none.example -Description x", "ObjectNotFound", "does not exist"),
        ("Set-CsXmppAllowedPartner -Description x", "MissingIdentity", "Which partner?"),
        ("Remove-CsXmppAllowedPartner none.example", "ObjectNotFound", "none.example"),
        ("Get-CsXmppAllowedPartner none.example", "ObjectNotFound", "none.example"),
        ("Set-CsXmppAllowedPartner -Instance 3", "InvalidInstance", "no object of Lync"),
        ("Set-CsXmppGatewayConfiguration -Identity site:Redmond -ConnectionLimit 3", "ObjectNotFound", "Global"),
        ("Set-CsXmppGatewayConfiguration -KeepAliveInterval 0", "ValueOutOfRange", "Expected a number > 0."),
        ("Set-CsXmppGatewayConfiguration -ConnectionLimit 0", "ValueOutOfRange", "Expected a number >= 1."),
        ("New-CsXmppAllowedPartner a.org -Tls No1", "CannotConvertArgumentNoMessage", 'to type "TlsNegotiation"'),
        ("Set-CsXmppAllowedPartner a.org -AdditionalDomains b.org,", "MissingArgument", "char:56"),
        ("New-CsExternalAccessPolicy Global", "ObjectAlreadyExists", "Global"),
        ("New-CsExternalAccessPolicy site:Nowhere", "ObjectNotFound", "Nowhere"),
        ("New-CsExternalAccessPolicy service:x", "InvalidScope", "no scope"),
        ("Set-CsExternalAccessPolicy Nothing -EnableXmppAccess $true", "ObjectNotFound", "Tag:Nothing"),
        ("Grant-CsExternalAccessPolicy alice@contoso.com Nothing", "InvalidPolicy", "is not a user policy"),
        ("Grant-CsExternalAccessPolicy alice@contoso.com Global", "InvalidPolicy", "is not a user policy"),
        ("Grant-CsExternalAccessPolicy nobody@contoso.com $null", "ObjectNotFound", "nobody@contoso.com"),
        ("Get-CsUser -LdapFilter 'Department=Finance'", "NoDirectory", "no Active Directory"),
        ("Get-CsUser -Filter {a -eq}", "InvalidFilter", "value expression"),
        ("Set-CsSite Redmond -XmppFederationRoute nowhere.example", "ObjectNotFound", "edge1.contoso.com"),
        ("Set-CsSite Redmond -XmppF edge1.contoso.com -XmppE edge2.contoso.com", "SetTwice", "two names"),
        ("Set-CsAccessEdgeConfiguration -OutgoingTlsCountForFederatedPartners 5", "ValueOutOfRange", "<= 4"),
        ("Set-CsAccessEdgeConfiguration -UseDefaultRouting -EnablePartnerDiscovery 1", "AmbiguousParameterSet", "set"),
        ("New-CsAllowedDomain a.example; New-CsBlockedDomain A.example", "ObjectAlreadyExists", "AllowedDomain"),
        ("Stop-CsWindowsService", "NotRunning", "--control"),
        ("Test-CsXmppIM pool.contoso.com -Receiver romeo@far.example", "NotRunning", "--control"),
        ("Test-CsXmppIM -Receiver romeo@far.example", "MissingMandatoryParameter", "TargetFqdn"),
    ],
)
async def test_what_cannot_be_done_is_refused_and_changes_nothing(
    play: Play, sheet: Sheet, text: str, identifier: str, said: str
) -> None:
    *before, last = text.split("; ")
    await play("; ".join(before))
    earlier = sheet.configuration
    outcome = await play(last)

    assert [error.identifier.split(",")[0] for error in outcome.errors] == [identifier]
    assert said in outcome.text
    assert sheet.configuration == earlier


async def test_what_if_and_a_question_without_anybody_change_nothing(play: Play, sheet: Sheet) -> None:
    outcome = await play("New-CsXmppAllowedPartner far.example -WhatIf")

    assert outcome.text == 'What if: Performing the operation "New-CsXmppAllowedPartner" on target "far.example".'
    assert (await play("New-CsXmppAllowedPartner far.example -Confirm")).errors
    assert not sheet.configuration.partners


async def test_an_object_in_memory_counts_when_it_is_set(play: Play, sheet: Sheet) -> None:
    await play("$x = New-CsExternalAccessPolicy -Identity RedmondAccessPolicy -InMemory")
    await play("$x.EnableFederationAccess = $True\n$x.EnableXmppAccess = 1")
    assert not sheet.configuration.policies

    assert not (await play("Set-CsExternalAccessPolicy -Instance $x")).errors
    assert sheet.configuration.policies[0].enable_xmpp_access

    outcome = await play("$x.EnableXmppAccess = 'maybe'; Set-CsExternalAccessPolicy -Instance $x")
    assert outcome.errors[0].identifier.startswith("InvalidProperty")


async def test_removing_a_policy_takes_it_from_its_holders_and_says_so(play: Play, sheet: Sheet) -> None:
    await play("New-CsExternalAccessPolicy Some; Get-CsUser | Grant-CsExternalAccessPolicy -PolicyName tag:some")
    assert sheet.configuration.users[0].external_access_policy == "Some"

    outcome = await play("Remove-CsExternalAccessPolicy some")
    assert "2 user(s) had Tag:Some" in outcome.text
    assert not sheet.configuration.policies
    assert sheet.configuration.users[0].external_access_policy is None


async def test_removing_the_global_policy_puts_its_defaults_back(play: Play, sheet: Sheet) -> None:
    await play("Set-CsExternalAccessPolicy -EnableFederationAccess $true")
    await play("Remove-CsExternalAccessPolicy Global")

    assert "EnableFederationAccess            : False" in (await play("Get-CsExternalAccessPolicy Global")).text


async def test_xmpp_access_without_federation_is_warned_of(play: Play) -> None:
    outcome = await play("New-CsExternalAccessPolicy Some -EnableXmppAccess $true")

    assert "has no effect without EnableFederationAccess" in outcome.text


async def test_the_policy_that_counts_for_a_user(play: Play) -> None:
    await play("New-CsExternalAccessPolicy site:Redmond; New-CsExternalAccessPolicy Own")
    applicable = "Get-CsExternalAccessPolicy -ApplicableTo '{}' | Select-Object -ExpandProperty Identity"

    assert (await play(applicable.format("Ken Myer"))).text == "Site:Redmond"

    await play("Grant-CsExternalAccessPolicy -Identity sip:kenmyer@contoso.com -PolicyName Own")
    assert (await play(applicable.format("Ken Myer"))).text == "Tag:Own"


def test_latency_is_printed_as_a_time_span() -> None:
    assert time_span(2.536173) == "00:00:02.5361730"
    assert time_span(0) == "00:00:00"
    assert time_span(3725.5) == "01:02:05.5000000"
