"""A matrix makes rows with stable names, and each row fills in the whole file."""

from __future__ import annotations

import pytest

from simulator.document import DocumentError, parse_document
from simulator.scenario.loader import read_scenarios
from simulator.scenario.matrix import fill, rows

STEPS = "steps:\n- gmail.com receives: <a tls='${tls}' sasl='${sasl}'/>\n"


def names(matrix: str) -> list[str]:
    return [name for name, _ in rows(parse_document(f"claim: x\nmatrix: {matrix}\n"))]


def test_lists_make_their_product() -> None:
    assert names("{tls: [required, optional], sasl: [true, null]}") == [
        "required,true",
        "required,none",
        "optional,true",
        "optional,none",
    ]


def test_rows_may_be_added_and_taken_away() -> None:
    matrix = "{tls: [a, b], sasl: [c, d], exclude: [{tls: a, sasl: d}], include: [{tls: e, sasl: f}]}"

    assert names(matrix) == ["a,c", "b,c", "b,d", "e,f"]


def test_rows_may_be_written_out() -> None:
    assert names("[{name: no version, version: null}, {version: '2.0'}]") == ["no-version", "2.0"]


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ("[{a: 1}, {a: 1}]", "two rows are called '1'"),
        ("{a: 1}", "'a' must be a list"),
        ("{a: []}", "'a' must be a list"),
        ("[]", "no rows"),
        ("[a]", "a row is a mapping"),
        ("x", "a mapping of lists, or a list of rows"),
        (f"[{{a: {'x' * 81}}}]", "no readable name"),
        ("[{a: '<>'}]", "no readable name"),
    ],
)
def test_a_matrix_that_is_none_is_refused(matrix: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        names(matrix)


def test_values_fill_texts_keys_and_whole_scalars() -> None:
    text = (
        "claim: With ${tls}\ncovers: ['${id}']\ndeadline: ${seconds}\n"
        "matrix: [{name: first, tls: required, id: A-1, seconds: 0.5, verb: stays connected}]\n"
        "steps:\n- gmail.com connects\n- gmail.com ${verb}\n"
    )
    (scenario,) = read_scenarios(parse_document(text), "file")

    assert scenario.id == "file[first]"
    assert scenario.claim == "With required"
    assert scenario.covers == ("A-1",)
    assert scenario.deadline == 0.5
    assert scenario.steps[1].verb == "stays connected"
    assert scenario.row["seconds"] == 0.5


def test_an_axis_may_name_its_values() -> None:
    matrix = "{set: {one: {tls: a, sasl: b}, other: {tls: c, sasl: d}}, y: [1, 2], exclude: [{set: one, y: 2}]}"

    assert names(matrix) == ["one,1", "other,1", "other,2"]


def test_a_hole_may_ask_for_a_part_of_a_value() -> None:
    text = (
        "claim: With ${set.tls}\nmatrix: {set: {one: {tls: a, id: A-1}}}\ncovers: ['${set.id}']\n"
        "steps:\n- gmail.com receives: <a tls='${set.tls}'/>\n"
    )
    (scenario,) = read_scenarios(parse_document(text), "file")

    assert (scenario.id, scenario.claim, scenario.covers) == ("file[one]", "With a", ("A-1",))


@pytest.mark.parametrize(
    ("hole", "message", "hint"),
    [("set.sasl", "the matrix value 'set' has no 'sasl'", "it has: tls"), ("y.tls", "'y' has no 'tls'", "no mapping")],
)
def test_a_part_that_is_not_there_is_refused(hole: str, message: str, hint: str) -> None:
    text = f"claim: ${{set}} ${{y}} ${{{hole}}}\nmatrix: {{set: {{one: {{tls: a}}}}, y: [b]}}\nsteps: []\n"

    with pytest.raises(DocumentError, match=message) as caught:
        read_scenarios(parse_document(text), "file")

    assert hint in caught.value.hint


def test_rows_share_what_does_not_differ() -> None:
    document = parse_document("claim: ${a}\nmatrix: {a: [1, 2]}\nsteps:\n- one: {x: y}\n- two: {x: '${a}'}\n")
    first, second = (fill(document, row).data["steps"] for _, row in rows(document))

    assert first[0] is second[0]
    assert first[1] != second[1]


def test_a_key_is_filled_whose_value_is_none() -> None:
    document = parse_document("claim: x\nmatrix: [{who: gmail.com}]\nsteps:\n- ${who} connects:\n")

    assert fill(document, rows(document)[0][1]).data["steps"] == [{"gmail.com connects": None}]


def test_a_step_keeps_its_line_in_every_row() -> None:
    text = f"claim: x\nmatrix: {{tls: [a, b], sasl: [c]}}\n{STEPS}"

    assert [one.steps[0].line for one in read_scenarios(parse_document(text), "file")] == [4, 4]
