"""A scenario asks the oracle with what it says itself, and every mistake in the question is told with its place."""

from __future__ import annotations

import pytest

from simulator.document import DocumentError, parse_document
from simulator.scenario.encounter import AUTHENTICATED
from simulator.scenario.foreseen import in_words
from simulator.scenario.loader import load, read_scenarios
from simulator.scenario.model import Scenario
from simulator.scenario.negotiation_table import TABLE
from simulator.world.systems.system import CAPABILITIES
from tests.scenario.encounters import ENCOUNTERS
from tests.test_layout import ROOT

TEXT = """\
claim: x
negotiation: DIRECTION
mutants: MUTANTS
settings:
  gmail.com: {tls: required, sasl: optional, dialback: true}
partners:
  gmail.com: {tls: optional, certificate: CERTIFICATE, external: true, dialback: true}
steps:
- alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hi}
- gmail.com negotiates
- juliet@gmail.com receives a message: Hi
  when: authenticated
- alice@contoso.com is refused:
  when: refused
"""


def text(direction: str = "outbound", certificate: str = "valid", mutants: str = "[]") -> str:
    return TEXT.replace("DIRECTION", direction).replace("CERTIFICATE", certificate).replace("MUTANTS", mutants)


def read(scenario: str) -> Scenario:
    return read_scenarios(parse_document(scenario), "file")[0]


def test_the_oracle_fills_the_step_and_its_alternatives() -> None:
    step = read(text(certificate="self-signed")).steps[1]

    assert step.argument == {"direction": "outbound", "outcome": "dialback over TLS", "back": ["dialback over TLS"]}
    assert step.text == "gmail.com negotiates: dialback over TLS"
    assert [
        (other.verb, other.argument["outcome"], other.because.partition(":")[0]) for other in step.alternatives
    ] == [
        ("negotiates", "refused", "RFC 6120 §13.7.2"),
        ("negotiates", "refused", "RFC 6120 §13.7.2"),
        ("negotiates", "SASL EXTERNAL over TLS", "RFC 7590 §3.4"),
    ]


def test_the_direction_is_part_of_the_question() -> None:
    step = read(text("inbound", "none")).steps[1]

    assert step.argument["outcome"] == "dialback over TLS"
    assert step.argument["direction"] == "inbound"
    assert not step.alternatives


def test_steps_that_nothing_can_come_to_are_left_out() -> None:
    assert [step.when for step in read(text()).steps] == ["", "", "authenticated"]
    assert [step.when for step in read(text(certificate="expired")).steps] == ["", "", "authenticated", "refused"]
    assert [step.index for step in read(text()).steps] == [0, 1, 2]


def test_a_step_after_one_that_was_left_out_keeps_its_line() -> None:
    (refused, after) = read(
        text().replace("certificate: valid, external: true, dialback: true", "external: false, dialback: false")
        + "- alice@contoso.com has received nothing\n"
    ).steps[2:]

    assert (refused.line, after.line) == (13, 15)
    assert (refused.index, after.index) == (2, 3)


@pytest.mark.parametrize(("certificate", "external"), [("expired", "true"), ("valid", "true"), ("valid", "false")])
def test_an_answer_is_not_awaited_from_who_cannot_dial(certificate: str, external: str) -> None:
    scenario = text(certificate=certificate).replace(
        "true, dialback: true}\nsteps", f"{external}, dialback: false}}\nsteps"
    )
    found = read(scenario + "- juliet@gmail.com has received nothing:\n  when: authenticated both ways\n")

    # An expired certificate is of no use to a partner that dials; the system may overlook it where dialback would do.
    assert AUTHENTICATED in {step.when for step in found.steps} or external == "false"
    assert [step.when for step in found.steps if step.verb == "has received nothing"] == (
        [AUTHENTICATED] if (certificate, external) == ("valid", "true") else []
    )


def test_both_ways_need_the_oracle() -> None:
    written = "gmail.com negotiates: {direction: inbound, outcome: dialback over TLS}"

    with pytest.raises(DocumentError, match="`authenticated both ways` needs `negotiation` in the head"):
        read(f"claim: x\nsteps:\n- {written}\n- alice@contoso.com is accepted:\n  when: authenticated both ways\n")


def test_the_row_of_the_settings_is_needed() -> None:
    assert read(text()).needs == {"settings required/optional/dialback"}


def test_rows_are_capabilities_of_systems() -> None:
    assert {settings.capability for settings in TABLE} <= CAPABILITIES.keys()


def test_what_is_not_set_is_as_documented() -> None:
    scenario = text().replace("{tls: required, sasl: optional, dialback: true}", "{}")

    assert read(scenario).needs == {"settings required/required/dialback"}


@pytest.mark.parametrize(
    ("certificate", "found"),
    [("valid", ("downgraded",)), ("expired", ("common", "careless"))],
)
def test_mutants_may_be_named_by_outcome(certificate: str, found: tuple[str, ...]) -> None:
    mutants = "{SASL EXTERNAL over TLS: [downgraded], dialback over TLS: [common, careless]}"

    assert read(text(certificate=certificate, mutants=mutants)).mutants == found


def test_the_argument_may_be_written_out() -> None:
    step = read(
        "claim: x\nsteps:\n- gmail.com negotiates: {direction: inbound, outcome: refused, at: dialback, by: silence}\n"
    ).steps[0]

    assert step.text == "gmail.com negotiates: refused at dialback by silence"


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("negotiation: outbound", "negotiation: sideways", (2, 1), "Invalid enum value 'sideways'"),
        ("negotiation: outbound\n", "", (9, 3), "nothing says what must come of 'negotiates'"),
        ("- gmail.com negotiates\n", "", (2, 1), "is about one step that says: PARTNER negotiates"),
        ("- gmail.com negotiates\n", "- gmail.com negotiates\n- gmail.com negotiates\n", (2, 1), "is about one step"),
        ("- gmail.com negotiates\n", "- x.org negotiates\n", (2, 1), "is about one step"),
        ("  gmail.com: {tls: required", "  x.org: {tls: required", (2, 1), "needs settings for gmail.com"),
        ("tls: required", "tls: maybe", (5, 15), "the oracle knows no tls 'maybe'"),
        ("sasl: optional", "sasl: true", (5, 30), "the oracle knows no sasl True"),
        ("dialback: true}\npartners", "dialback: perhaps}\npartners", (5, 46), "`dialback` is true or false"),
        ("sasl: optional, dialback: true", "sasl: not-supported, dialback: false", (5, 3),
         "these settings are not valid: SASL or dialback must be enabled"),
        ("certificate: valid", "certificate: sha1", (7, 30), "the oracle knows no certificate 'sha1'"),
        ("tls: optional, certificate: valid", "tls: none", (7, 26), "SASL EXTERNAL needs TLS"),
        ("when: refused", "when: lost", (14, 3), "both ways or refused, not 'lost'"),
        ("- alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hi}",
         "- alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hi}\n  when: authenticated", (10, 3),
         "nothing has been negotiated before this step"),
        ("mutants: []", "mutants: {dialback: []}", (3, 11), "no negotiation comes to 'dialback'"),
        ("negotiates\n", "negotiates: {direction: in, outcome: refused}\n", (10, 26), "no direction of a"),
        ("negotiates\n", "negotiates: {direction: inbound}\n", (10, 3), "'negotiates' needs 'outcome'"),
        ("negotiates\n", "negotiates: {direction: inbound, outcome: dialback}\n", (10, 46), "no outcome of a nego"),
        ("negotiates\n", "negotiates: {direction: inbound, outcome: refused, at: home}\n", (10, 64), "no at of a nego"),
        ("negotiates\n", "negotiates: {direction: inbound, outcome: dialback over TLS, at: tls}\n", (10, 3),
         "what is not refused has no `at`"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(old: str, new: str, place: tuple[int, int], message: str) -> None:
    scenario = text()
    assert old in scenario

    with pytest.raises(DocumentError) as caught:
        read(scenario.replace(old, new))

    assert message in caught.value.message
    assert (caught.value.line, caught.value.column) == place


def test_mutants_by_outcome_need_a_negotiation() -> None:
    with pytest.raises(DocumentError, match="mutants by outcome need `negotiation`"):
        read("claim: x\nmutants: {refused: []}\nsteps:\n- gmail.com receives: <a/>\n")


def test_outcomes_are_told_in_words() -> None:
    assert in_words({"outcome": "dialback over TLS"}) == "dialback over TLS"
    assert in_words({"outcome": "refused", "at": "tls"}) == "refused at tls"
    assert in_words({}) == ""


# -- the whole matrix


def test_the_matrix_meets_every_partner_with_every_row_in_both_directions() -> None:
    scenarios = load(ROOT / "scenarios" / "negotiation")
    found = {
        direction: [one for one in scenarios if one.id.startswith(f"negotiation/{direction}[")]
        for direction in ("inbound", "outbound", "invalid-settings")
    }

    # Thirteen rows: two partners without TLS; with it two ways, six certificates (five, as server), two by two.
    assert len(found["inbound"]) == 13 * (2 + 2 * 6 * 4)
    assert len(found["outbound"]) == 13 * (2 + 2 * 5 * 4)
    assert len(found["invalid-settings"]) == 5
    assert len(ENCOUNTERS) > len(found["inbound"]) + len(found["outbound"])


def test_every_row_of_the_table_is_met_and_covered_by_its_requirement() -> None:
    scenarios = load(ROOT / "scenarios" / "negotiation")
    rows = {(need, one) for scenario in scenarios for need in scenario.needs for one in scenario.covers}
    expected = {(settings.capability, f"LYN-{row.number:03}") for settings, row in TABLE.items()}

    assert {row for row in rows if row[0].startswith("settings ") and row[1] not in ("LYN-019", "DNS-046")} == expected
