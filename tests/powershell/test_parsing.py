"""Scripts: what is one, and where it is said to be wrong."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulator.powershell.errors import ParseError, Source, render
from simulator.powershell.parser import parse, parse_filter
from simulator.powershell.syntax import Assignment, Command, Literal, Many, ParameterWord, Pipeline, Variable
from tests.powershell.conftest import new_shell


def command(text: str) -> Command:
    (statement,) = parse(text).statements
    assert isinstance(statement, Pipeline)
    (found,) = statement.elements
    assert isinstance(found, Command)

    return found


def test_a_command_has_words_with_their_places() -> None:
    text = "New-Thing gmail.com -TlsNegotiation NotSupported -EnableKeepAlive $false"
    found = command(text)
    domain, tls, tls_value, keep_alive, keep_alive_value = found.elements

    assert found.name == "New-Thing"
    assert isinstance(domain, Literal)
    assert domain.value == "gmail.com"
    assert isinstance(tls, ParameterWord)
    assert text[tls.extent.start : tls.extent.end] == "-TlsNegotiation"
    assert isinstance(tls_value, Literal)
    assert isinstance(keep_alive, ParameterWord)
    assert isinstance(keep_alive_value, Variable)
    assert text[keep_alive_value.extent.start : keep_alive_value.extent.end] == "$false"


def test_typographic_dashes_and_quotes_are_taken_for_plain_ones() -> None:
    parameter, value = command("Get-Thing \u2013Filter \u201c*.org\u201d").elements

    assert isinstance(parameter, ParameterWord)
    assert parameter.name == "Filter"
    assert isinstance(value, Literal)
    assert value.value == "*.org"


def test_a_dash_alone_is_an_argument() -> None:
    values = [
        element.value for element in command('Get-Thing - Filter "*.org"').elements if isinstance(element, Literal)
    ]

    assert values == ["-", "Filter", "*.org"]


def test_lines_go_on_behind_a_backtick_and_a_pipe() -> None:
    (one,) = parse("Get-Thing `\n  -A 1 |\n  Set-Thing # the end\n").statements

    assert len(one.elements if isinstance(one, Pipeline) else ()) == 2


def test_statements_end_at_lines_and_semicolons_and_not_at_comments() -> None:
    script = parse("# nothing\n$x = New-Thing a; $x.B = $true\n<# more\nof it #> Set-Thing -Instance $x\n")

    assert [type(each) for each in script.statements] == [Assignment, Assignment, Pipeline]


def test_commas_make_one_argument() -> None:
    (value,) = command("Format-Table a, b,\n c").elements

    assert isinstance(value, Many)
    assert len(value.items) == 3


@pytest.mark.parametrize(
    ("text", "identifier", "line", "column", "incomplete"),
    [
        ("Set-X -Identity <name of the policy> -A 1", "RedirectionNotSupported", 1, 17, False),
        ("Get-X > file", "RedirectionNotSupported", 1, 7, False),
        ("$x = 'abc", "TerminatorExpectedAtEndOfString", 1, 6, True),
        ('Get-X\n"abc', "TerminatorExpectedAtEndOfString", 2, 1, True),
        ("Get-X (1", "MissingEndParenthesisInExpression", 1, 7, True),
        ("Get-X | Where-Object {$_.A", "MissingEndCurlyBrace", 1, 22, True),
        ("Get-X |", "EmptyPipeElement", 1, 7, True),
        ("Get-X | | Set-X", "EmptyPipeElement", 1, 8, False),
        ("Get-X | 3", "ExpressionsMustBeFirstInPipeline", 1, 9, False),
        ("Get-X)", "UnexpectedToken", 1, 6, False),
        ("@{Add=1; add=2}", "DuplicateKeyInHashLiteral", 1, 10, False),
        ("@{Add 1}", "MissingEqualsInHashLiteral", 1, 7, False),
        ("@{Add=1", "IncompleteHashLiteral", 1, 1, True),
        ("1 -eq", "ExpectedValueExpression", 1, 3, True),
        ("1 -eq b", "ExpectedValueExpression", 1, 3, False),
        ("3 = 4", "InvalidLeftHandSide", 1, 1, False),
        ("Get-X -A:", "ParameterRequiresArgument", 1, 7, False),
        ("if ($true) {Get-X}", "KeywordNotSupported", 1, 1, False),
        ("$x.ToString()", "MethodInvocation", 1, 1, False),
        ("Get-X <# on", "MissingTerminatorMultiLineComment", 1, 7, True),
        ("A & B", "AmpersandNotAllowed", 1, 3, False),
        ("A || B", "InvalidEndOfLine", 1, 3, False),
        ("((((" * 20, "Deep", 1, 42, False),
        ("1" + "+1" * 200, "TooManyOperators", 1, 202, False),
    ],
)
def test_a_mistake_has_a_place(text: str, identifier: str, line: int, column: int, incomplete: bool) -> None:
    with pytest.raises(ParseError) as raised:
        parse(text)

    assert raised.value.identifier == identifier
    assert Source(text).place(raised.value.extent.start) == (line, column)
    assert raised.value.incomplete == incomplete


def test_a_mistake_is_shown_as_powershell_shows_it() -> None:
    text = "Get-X\nSet-X -Identity <name> -A 1"

    with pytest.raises(ParseError) as raised:
        parse(text)

    assert list(render(raised.value, Source(text))) == [
        "At line:2 char:17",
        "+ Set-X -Identity <name> -A 1",
        "+                 ~",
        "The '<' operator is reserved for future use.",
        "    + CategoryInfo          : ParserError: (:) [], ParentContainsErrorRecordException",
        "    + FullyQualifiedErrorId : RedirectionNotSupported",
    ]


# fmt: off
_WORDS = (
    "New-Thing", "Set-Thing", "Get-Command", "Where-Object",
    "|", ";", "-Identity", "-E", "-eq", "-not", "$x", "$_", "$null", "=",
    "+=", "'", '"', "`", "(", ")", "{", "}", "@{", "@(", "$(", ",", ".A", "[",
    "]", "7", "#", "<#", "#>", "<", ">", "&", "a", "*.org", "-like", "-match", "0x1", "1.5",
    "9gb", "/", "%", "-",
)
# fmt: on
_PIECES = st.lists(st.sampled_from([*_WORDS, " ", "\n", "-eq ", "-like "]), max_size=14).map("".join)


@settings(max_examples=500)
@example("$(" * 39)
@example("$a[" * 60)
@example("-not " * 60)
@example('"$(' * 60)
@given(st.one_of(_PIECES, st.text(max_size=40)))
def test_no_text_breaks_the_shell_and_every_error_lies_in_it(text: str) -> None:
    outcome = asyncio.run(new_shell().run(Source(text)))

    for error in outcome.errors:
        assert 0 <= error.extent.start <= len(text)
        assert error.extent.start < error.extent.end <= len(text) + 1

    for condition in (text, f"a -eq {text}"):
        with suppress(ParseError):
            parse_filter(condition)
