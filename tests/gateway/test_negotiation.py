"""The documented negotiation table, row by row, beside what the gateway makes of it."""

import pytest

from simulator.gateway.negotiation import NOTES, TABLE, Negotiation, Note, NotValid, methods, warning

# The rows of the documentation, in its order: number, TLS, SASL, dialback, methods, remark.
DOCUMENTED = """
 1 | Required     | Required     | True  | SASL over TLS                             | dialback-inoperative
 2 | Required     | Required     | False | SASL over TLS                             | none
 3 | Optional     | Required     | True  | SASL over TLS, TLS dialback, TCP dialback | sasl-needs-tls
 4 | Optional     | Required     | False | SASL over TLS                             | sasl-needs-tls
 5 | NotSupported | Required     | True  | TCP dialback                              | sasl-needs-tls
 6 | NotSupported | Required     | False | not valid                                 | cannot-succeed
 7 | Required     | Optional     | True  | SASL over TLS, TLS dialback               | none
 8 | Required     | Optional     | False | SASL over TLS                             | none
 9 | Optional     | Optional     | True  | SASL over TLS, TLS dialback, TCP dialback | sasl-needs-tls
10 | Optional     | Optional     | False | SASL over TLS                             | sasl-needs-tls
11 | NotSupported | Optional     | True  | TCP dialback                              | sasl-needs-tls
12 | NotSupported | Optional     | False | not valid                                 | sasl-needs-tls
13 | Required     | NotSupported | True  | TLS dialback                              | informational
14 | Required     | NotSupported | False | not valid                                 | must-be-enabled
15 | Optional     | NotSupported | True  | TLS dialback, TCP dialback                | informational
16 | Optional     | NotSupported | False | not valid                                 | must-be-enabled
17 | NotSupported | NotSupported | True  | TCP dialback                              | informational
18 | NotSupported | NotSupported | False | not valid                                 | must-be-enabled
"""

ROWS = [[cell.strip() for cell in line.split("|")] for line in DOCUMENTED.strip().splitlines()]


def test_every_combination_is_documented_once() -> None:
    assert [row[0] for row in ROWS] == [str(number) for number in range(1, 19)]
    assert len({tuple(row[1:4]) for row in ROWS}) == len(TABLE) == 18


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"row {row[0]}")
def test_row_is_accepted_or_refused_as_documented(row: list[str]) -> None:
    _, tls, sasl, dialback, expected, note = row
    settings = (Negotiation(tls), Negotiation(sasl), dialback == "True")

    if expected == "not valid":
        with pytest.raises(NotValid) as refusal:
            methods(*settings)

        assert str(refusal.value) == NOTES[Note(note)]
    else:
        assert {method.value for method in methods(*settings)} == set(expected.split(", "))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"row {row[0]}")
def test_row_warns_as_documented(row: list[str]) -> None:
    _, tls, sasl, dialback, _, note = row
    expected = None if note in ("none", "informational") else NOTES[Note(note)]

    assert warning(Negotiation(tls), Negotiation(sasl), dialback == "True") == expected


def test_each_remark_has_its_own_words() -> None:
    assert len(set(NOTES.values())) == len(Note)


@pytest.mark.parametrize(
    ("note", "words"),
    [
        (Note.DIALBACK_INOPERATIVE, ["dialback does not operate", "SASL and TLS are required"]),
        (Note.SASL_NEEDS_TLS, ["SASL needs TLS", "may fail"]),
        (Note.CANNOT_SUCCEED, ["SASL cannot succeed", "TCP dialback is off"]),
        (Note.MUST_BE_ENABLED, ["SASL or dialback must be enabled"]),
    ],
)
def test_remark_says_what_the_documentation_says(note: Note, words: list[str]) -> None:
    assert all(word in NOTES[note] for word in words)
