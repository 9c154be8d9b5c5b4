"""The requirements are all there, each once, and coverage counts them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from simulator.document import DocumentError, parse_document
from simulator.scenario.model import Scenario, Step
from simulator.scenario.requirements import Requirement, coverage, parse_requirements, read_requirements

FILE = Path(__file__).resolve().parents[2] / "scenarios" / "requirements.yaml"

#: Numbered requirements of each family, with the cells that are generated from a table.
TOTALS = {
    "STR": 105, "DNS": 59, "TLS": 44, "CRT": 62, "SAS": 39, "DBK": 72, "MUX": 12, "BID": 14, "SMX": 16, "KEE": 9,
    "STZ": 42, "PRE": 27 + 72, "PRB": 28, "DLV": 10 + 65, "LYN": 39, "ATK": 62, "QRK": 32,
}  # fmt: skip


@pytest.fixture(scope="module")
def requirements() -> list[Requirement]:
    return read_requirements(FILE)


def test_no_requirement_is_lost(requirements: list[Requirement]) -> None:
    assert Counter(requirement.family for requirement in requirements) == TOTALS


def test_every_requirement_can_be_read(requirements: list[Requirement]) -> None:
    for requirement in requirements:
        stimulus, arrow, expected = requirement.sentence.partition(" → ")

        assert stimulus, requirement.id
        assert arrow, requirement.id
        assert expected, requirement.id
        assert requirement.source, requirement.id


def test_the_negotiation_rows_stand_in_order(requirements: list[Requirement]) -> None:
    rows = [one for one in requirements if one.family == "LYN"][:18]

    assert [row.id for row in rows] == [f"LYN-{number:03d}" for number in range(1, 19)]
    assert rows[0].sentence.startswith("TLS Required, SASL Required, dialback True → ")
    assert rows[16].sentence.startswith("TLS NotSupported, SASL NotSupported, dialback True → ")
    assert [row.id for row in rows if "not valid" in row.sentence] == [
        "LYN-006",
        "LYN-012",
        "LYN-014",
        "LYN-016",
        "LYN-018",
    ]


def test_a_requirement_knows_its_line(requirements: list[Requirement]) -> None:
    lines = FILE.read_text(encoding="utf-8").splitlines()

    for requirement in requirements[::50]:
        assert lines[requirement.line - 1] == f"  {requirement.id}:"


def test_a_source_names_its_specifications() -> None:
    one = Requirement(
        id="A-1", family="A", direction="I", level="MUST", source="XEP-0220 §2; RFC 6120 §4, RFC 6120 §5", sentence="s"
    )

    assert one.specifications == ("XEP-0220", "RFC 6120")


TEXT = """\
A:
  A-1: {direction: I, level: MUST, source: RFC 6120 §4, sentence: a → b}
  A-2: {direction: O, level: MAY, source: XEP-0220 §2, sentence: a → b}
  A-3: {direction: B, level: POL, source: XEP-0220 and RFC 6120, sentence: a → b, not-playable: needs DNSSEC}
B:
  B-1: {direction: I, level: SEC, source: practice, sentence: a → b}
"""


def test_coverage_counts_families_and_specifications() -> None:
    scenarios = [
        Scenario(id="x", claim="", covers=("A-1",)),
        Scenario(
            id="y",
            claim="",
            steps=(Step(index=0, actor="gmail.com", verb="connects", text="", line=1, covers=("B-1",)),),
        ),
    ]
    found = coverage(parse_requirements(parse_document(TEXT)), scenarios)

    assert (found.families["A"].covered, found.families["A"].total) == (1, 3)
    assert found.families["A"].missing == ("A-2",)
    assert found.families["A"].excused == {"A-3": "needs DNSSEC"}
    assert (found.families["B"].covered, found.families["B"].missing) == (1, ())
    assert list(found.specifications) == ["RFC 6120", "XEP-0220"]
    assert (found.specifications["XEP-0220"].covered, found.specifications["XEP-0220"].total) == (0, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A:\n  B-1: {direction: I, level: MUST, source: s, sentence: s}\n", "2:3: B-1 is not of the family A"),
        ("A:\n  A-1: {direction: X, level: MUST, source: s, sentence: s}\n", "Invalid enum value 'X'"),
        ("A:\n  A-1: {direction: I, level: MUST, source: s}\n", "the key 'sentence' is missing"),
        ("A:\n  A-1: {direction: I, level: MUST, source: s, sentence: s, x: y}\n", "unknown field `x`"),
    ],
)
def test_a_wrong_requirement_is_refused(text: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        parse_requirements(parse_document(text))
