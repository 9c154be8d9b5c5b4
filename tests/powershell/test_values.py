"""Expressions, objects and how they are printed."""

from __future__ import annotations

import pytest

from simulator.powershell.types import LIST_CHANGE
from tests.powershell.conftest import Play


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("1 + 2 * 3", "7"),
        ("7 / 2; 8 / 2; 7 % 4", "3.5\n4\n3"),
        ("'Required' -eq 'required'", "True"),
        ("'Required' -ceq 'required'", "False"),
        ("$null -eq $null; '' -eq $null", "True\nFalse"),
        ("'a.org' -like '*.ORG'; 'a.org' -like 'b*'", "True\nFalse"),
        ("'Ken Myer' -match 'k.n'", "True"),
        ("1,2,3 -contains 2; 2 -in 1,2; 1,2,3 -ne 2", "True\nTrue\n1\n3"),
        ("-not $true -or $true -and $false", "False"),
        ("$x = 'gmail'; \"$x.com and $($x.Length) `$x\"; '$x'", "gmail.com and 5 $x\n$x"),
        ('\'it\'\'s\'; "a ""b"" `t."', 'it\'s\na "b" \t.'),
        ("$a = 1,2; $a += 3; $a.Count; $a[-1]; $a[9]; @().Count", "3\n3\n0"),
        ("$h = @{Add='a','b'}; $h.Add; $h['add'].Count", "a\nb\n2"),
        ("(New-Thing a).Count; $null.Count; (3).Count", "1\n0\n1"),
        ("$x = 'a'; echo $x/b tag:$x", "a/b"),
        ("'x' -lt 'Y'; 10 -gt 9; '10' -eq 10", "True\nTrue\nTrue"),
        ("7kb; 0x1f; -5; 1.50", "7168\n31\n-5\n1.5"),
    ],
)
async def test_expressions(play: Play, text: str, printed: str) -> None:
    outcome = await play(text)

    if "tag:" in text:
        assert outcome.errors
    else:
        assert outcome.text == printed


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("1 / 0", "OperationNotPossible"),
        ("1 + 'a'", "OperationNotPossible"),
        ("'a' -match '('", "OperationNotPossible"),
        ("$null[0]", "NullArray"),
        ("$true = 1", "VariableNotWritable"),
        ("$x = New-Thing a; $x.Descripton = 1", "PropertyAssignmentException"),
        ("$b = {$c | ForEach-Object $b}; $c = 1; $c | ForEach-Object $b", "CallDepthOverflow"),
    ],
)
async def test_what_cannot_be_computed_is_an_error(play: Play, text: str, identifier: str) -> None:
    assert (await play(text)).errors[-1].identifier == identifier


async def test_an_object_can_be_changed_in_memory(play: Play) -> None:
    await play("$x = New-Thing a -InMemory")
    await play("$x.Description = 'Contact: Ken Myer'\n$x.enablekeepalive = $True")

    assert "Description       : Contact: Ken Myer\nEnableKeepAlive   : True" in (await play("$x")).text


async def test_conditions_choose_objects(play: Play) -> None:
    await play("$a = (New-Thing a -PartnerType Federated), (New-Thing b -Description x)")

    for condition in (
        "{$_.PartnerType -eq 'federated'}",
        "PartnerType -eq federated",
        "PartnerType",
        "{$_.PartnerType}",
    ):
        assert (await play(f"$a | Where-Object {condition} | Select-Object -ExpandProperty Identity")).text == "a"

    assert (await play("$a | ? {$_.Description -eq $Null} | % {$_.Identity}")).text == "a"
    assert (await play("$a | ForEach-Object {Remove-Thing $_.Identity -WhatIf}")).text.count("What if") == 2


async def test_many_properties_are_printed_as_a_list_and_few_as_a_table(play: Play) -> None:
    await play("$a = (New-Thing a), (New-Thing longer -EnableKeepAlive 1)")

    assert (await play("$a | Format-Table Identity, EnableKeep*")).text.split("\n") == [
        "",
        "Identity EnableKeepAlive",
        "-------- ---------------",
        "a",
        "longer   True",
        "",
    ]
    assert (await play("$a | Select-Object Identity -Last 1")).text.split("\n")[1:4] == [
        "Identity",
        "--------",
        "longer",
    ]
    assert (await play("$a | Format-List Identity, Nothing")).text.split("\n")[1:3] == ["Identity : a", "Nothing  :"]


@pytest.mark.parametrize(
    ("given", "after"),
    [
        ({"Add": "c"}, ("a", "b", "c")),
        ({"add": ["c", "A"], "Remove": "B"}, ("a", "c")),
        ({"Replace": ["z"]}, ("z",)),
        (None, ()),
        ("x", ("x",)),
        (["x", "y"], ("x", "y")),
    ],
)
def test_list_modifiers(given: object, after: tuple[str, ...]) -> None:
    assert LIST_CHANGE.convert(given).of(("a", "b")) == after


async def test_commands_can_be_listed(play: Play) -> None:
    assert "New-Thing" in (await play("Get-Command New-* | Format-Table Name")).text
