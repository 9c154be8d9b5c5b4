"""How arguments find parameters, and what is said when they do not."""

from __future__ import annotations

import pytest

from tests.powershell.conftest import Play


async def test_positions_abbreviations_and_colons(play: Play) -> None:
    outcome = await play("New-Thing a.example -Desc 007 -connectionl 0x10 -EnableKeepAlive:$false -PartnerType fed")

    assert outcome.text.split("\n") == [
        "",
        "Identity          : a.example",
        "Description       : 007",
        "EnableKeepAlive   : False",
        "PartnerType       : Federated",
        "ConnectionLimit   : 16",
        "AdditionalDomains :",
        "",
    ]


@pytest.mark.parametrize(
    ("text", "identifier", "column", "message"),
    [
        ("New-Thing a -Foo 1", "NamedParameterNotFound", 13, "matches parameter name 'Foo'"),
        ("New-Thing a -E 1", "AmbiguousParameter", 13, "-EnableKeepAlive -ErrorAction -ErrorVariable."),
        ("New-Thing a -De b -D c", "AmbiguousParameter", 13, "-Description -Debug"),
        ("New-Thing a b", "PositionalParameterNotFound", 13, "accepts argument 'b'"),
        ("New-Thing -Identity a -Domain b", "AmbiguousParameterSet", 23, "Parameter set cannot be resolved"),
        ("New-Thing -Identity a -Identity b", "ParameterAlreadyBound", 23, "specified more than once"),
        ("New-Thing", "MissingMandatoryParameter", 1, "missing mandatory parameters: Identity."),
        ("New-Thing -Identity", "MissingArgument", 11, "Missing an argument for parameter 'Identity'."),
        ("New-Thing -Identity -WhatIf", "MissingArgument", 11, "Missing an argument for parameter 'Identity'."),
        ("New-Thing $null", "ParameterArgumentValidationErrorNullNotAllowed", 11, "because it is null"),
        ("New-Thing ''", "ParameterArgumentValidationErrorEmptyStringNotAllowed", 11, "because it is an empty string"),
        ("New-Thing a -EnableKeepAlive maybe", "CannotConvertArgumentNoMessage", 30, "$True, $False, 1 or 0."),
        ("New-Thing a -PartnerType Nix", "CannotConvertArgumentNoMessage", 26, "PublicVerified, PublicUnverified"),
        ("New-Thing a -PartnerType Public", "CannotConvertArgumentNoMessage", 26, "inability to differentiate"),
        ("New-Thing a -ConnectionLimit -1", "CannotConvertArgumentNoMessage", 30, "too small for a UInt32"),
        ("New-Thing a -ConnectionLimit many", "CannotConvertArgumentNoMessage", 30, "not in a correct format"),
        ("New-Thing a -AdditionalDomains @{Ad='b'}", "CannotConvertArgumentNoMessage", 32, 'not "Ad"'),
        ("3 | Remove-Thing", "InputObjectNotBound", 5, "The input object cannot be bound"),
        ("New-Thing a -WhatIf:maybe", "CannotConvertArgumentNoMessage", 13, "SwitchParameter"),
    ],
)
async def test_wrong_arguments_are_told_where_they_stand(
    play: Play, text: str, identifier: str, column: int, message: str
) -> None:
    outcome = await play(text)
    (error,) = outcome.errors

    assert error.identifier.split(",")[0] == identifier
    assert error.extent.start == column - 1
    assert message in outcome.text.replace("System.Boolean", "SwitchParameter")


async def test_a_missing_dash_is_pointed_out(play: Play) -> None:
    outcome = await play("New-Thing a EnableKeepAlive $true")

    assert outcome.text.split("\n") == [
        "New-Thing : A positional parameter cannot be found that accepts argument 'EnableKeepAlive'.",
        "At line:1 char:13",
        "+ New-Thing a EnableKeepAlive $true",
        "+             ~~~~~~~~~~~~~~~",
        "    + CategoryInfo          : InvalidArgument: (:) [New-Thing], ParameterBindingException",
        "    + FullyQualifiedErrorId : PositionalParameterNotFound,New-Thing",
        "    + Suggestion            : is the dash missing? Did you mean -EnableKeepAlive?",
    ]


async def test_an_unknown_command_names_the_nearest(play: Play) -> None:
    outcome = await play("New-Thng a")

    assert outcome.errors[0].identifier == "CommandNotFoundException"
    assert "The term 'New-Thng' is not recognized as the name of a cmdlet" in outcome.text
    assert "did you mean New-Thing?" in outcome.text


async def test_objects_bind_by_value_and_by_property(play: Play) -> None:
    assert "Removed" not in (await play("$a = (New-Thing one), (New-Thing two)")).text
    assert (await play("$a | Remove-Thing")).text.split() == ["Was", "---", "one", "two"]
    assert (await play("$a | Set-Thing | Format-Table Set")).text.split() == ["Set", "---", "Instance", "Instance"]


async def test_one_object_that_is_refused_does_not_stop_the_others(play: Play) -> None:
    outcome = await play("(New-Thing one), (New-Thing stuck), (New-Thing two) | Remove-Thing")

    assert [error.identifier for error in outcome.errors] == ["Stuck,Remove-Thing"]
    assert [line.text for line in outcome.lines if line.stream == "output"] == ["", "Was", "---", "one", "two", ""]


async def test_what_if_changes_nothing_and_confirm_needs_somebody_to_ask(play: Play) -> None:
    assert (await play("New-Thing a -WhatIf")).text == 'What if: Performing the operation "New-Thing" on target "a".'
    assert (await play("New-Thing a -Confirm")).errors[0].identifier == "HostFunctionNotImplemented,New-Thing"
    assert "VERBOSE: Performing the operation" in (await play("New-Thing a -Verbose")).text
    assert not (await play("Remove-Thing stuck -ErrorAction SilentlyContinue")).lines


async def test_error_action_stop_ends_the_script(play: Play) -> None:
    outcome = await play("Remove-Thing stuck -ErrorAction Stop; New-Thing a")

    assert len(outcome.errors) == 1
    assert "Identity" not in outcome.text
