"""A ledger explains each expected failure, or is refused at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.document import DocumentError, parse_document
from simulator.scenario.ledger import parse_ledger, read_ledger

ENTRY = "- {scenario: dbk/*, reason: it closes, section: XEP-0220 §2.2.1, link: https://example.org/1}\n"


def test_an_entry_knows_its_line() -> None:
    first, second = parse_ledger(parse_document(ENTRY + ENTRY))

    assert (first.line, second.line) == (1, 2)
    assert (first.outcome, first.match) == ("FAIL", "")


def test_scenarios_of_one_cause_are_entries_of_their_own() -> None:
    entries = parse_ledger(parse_document(ENTRY.replace("scenario: dbk/*", 'scenarios: [dbk/a, "dbk/b*"]')))

    assert [entry.scenario for entry in entries] == ["dbk/a", "dbk/b*"]
    assert {(entry.line, entry.reason) for entry in entries} == {(1, "it closes")}


def test_no_file_and_no_entry_are_an_empty_ledger(tmp_path: Path) -> None:
    assert read_ledger(tmp_path / "none.yaml") == []
    assert parse_ledger(parse_document("# nothing\n")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scenario: x\n", "1:1: expected a list, got a mapping"),
        (ENTRY + "- {scenario: x, reason: y, section: z}\n", "2:3: the key 'link' is missing"),
        (ENTRY.replace("scenario: dbk/*", "outcome: FAIL"), "1:3: of what scenario?"),
        (ENTRY.replace("scenario: dbk/*", "scenarios: ['']"), "1:3: of what scenario?"),
        (ENTRY.replace("reason:", "scenarios: [a], reason:"), "1:3: of what scenario?"),
        (ENTRY.replace("it closes", "' '"), "1:21: `reason` is empty"),
        (ENTRY.replace("reason:", "outcome: PASS, reason:"), "1:21: Invalid enum value 'PASS'"),
        (ENTRY.replace("reason:", "because: a, reason:"), "unknown field `because`"),
    ],
)
def test_an_entry_that_explains_nothing_is_refused(text: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        parse_ledger(parse_document(text, "prosody.yaml"))
