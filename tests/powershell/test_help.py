"""What the shell says of its own cmdlets."""

from __future__ import annotations

from tests.powershell.conftest import Play


async def test_help_shows_each_set_of_parameters(play: Play) -> None:
    said = (await play("get-help new-thing")).text.splitlines()

    assert said[said.index("SYNTAX") + 1 :] == [
        "    New-Thing [-Identity] <XdsIdentity> [-Description <String>] [-EnableKeepAlive <Boolean>]",
        "        [-PartnerType <PartnerType>] [-ConnectionLimit <UInt32>]",
        "        [-AdditionalDomains <PSListModifier>] [-InMemory] [-WhatIf] [-Confirm] [<CommonParameters>]",
        "",
        "    New-Thing -Domain <String> [-Description <String>] [-EnableKeepAlive <Boolean>]",
        "        [-PartnerType <PartnerType>] [-ConnectionLimit <UInt32>]",
        "        [-AdditionalDomains <PSListModifier>] [-InMemory] [-WhatIf] [-Confirm] [<CommonParameters>]",
    ]


async def test_an_argument_that_may_be_left_out_is_in_brackets(play: Play) -> None:
    said = (await play("help Set-Thing")).text

    assert "    Set-Thing [[-Identity] <XdsIdentity>] [<CommonParameters>]\n" in said
    assert "    Set-Thing [-Instance <PSObject>] [<CommonParameters>]" in said


async def test_a_pattern_lists_what_it_fits(play: Play) -> None:
    listed = [line.split()[1] for line in (await play("Get-Help *-thing")).text.splitlines() if "Cmdlet " in line]

    assert listed == ["New-Thing", "Remove-Thing", "Set-Thing"]
    assert (await play("Get-Help Old-Thing")).errors[0].identifier == "HelpNotFound,Get-Help"
