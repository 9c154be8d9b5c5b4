"""A scenario is shown with everything that its steps allow."""

from __future__ import annotations

from simulator.document import parse_document
from simulator.report import listing
from simulator.scenario.loader import read_scenarios

TEXT = """\
claim: x
negotiation: outbound
settings: {gmail.com: {tls: optional, sasl: required, dialback: true}}
partners: {gmail.com: {tls: optional, certificate: self-signed, external: false}}
steps:
- alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hi}
- gmail.com negotiates
- alice@contoso.com is refused: remote-server-timeout
  when: refused
  level: should
  or: [{expect: policy-violation, because: RFC 6120 §8.3.3.12}]
"""


def test_a_step_is_shown_with_its_alternatives_and_its_condition() -> None:
    shown = list(listing.scenario(read_scenarios(parse_document(TEXT), "file")[0], {}))

    assert shown[shown.index("steps") + 1 :] == [
        "  - alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hi}",
        "  - gmail.com negotiates: dialback over TLS",
        "      or negotiates: refused at tls   (RFC 6120 §13.7.2: a session whose certificate cannot be validated is",
        "         terminated)",
        "      or negotiates: refused at features over TLS   (RFC 6120 §13.7.2: a session whose certificate cannot be",
        "         validated is terminated)",
        "      or negotiates: dialback over TCP"
        "   (RFC 6120 §5.4.3.2: after TLS has failed, another attempt without it)",
        "  - alice@contoso.com is refused: remote-server-timeout   (when refused)   (should)",
        "      or is refused: policy-violation   (RFC 6120 §8.3.3.12)",
    ]


def test_the_defects_that_a_scenario_catches_are_named() -> None:
    mutants = "mutants: [denied-keys-are-good, known-secret]\n"
    shown = list(listing.scenario(read_scenarios(parse_document(TEXT + mutants), "file")[0], {}))

    assert shown[-3:] == ["mutants that must turn it red", "  denied-keys-are-good", "  known-secret"]
