"""What a partner is able to do is read from a scenario, and nonsense is refused where it stands."""

import pytest

from simulator.document import DocumentError, parse_document
from simulator.scenario.loader import read_scenarios


def read(options: str) -> dict[str, object]:
    text = f"claim: x\npartners: {{gmail.com: {{{options}}}}}\nsteps:\n- gmail.com is disconnected\n"

    return read_scenarios(parse_document(text), "x")[0].partners["gmail.com"].options


def test_abilities_are_options_of_the_partner() -> None:
    assert read("tls: required, certificate: self-signed, external: false, dialback: true") == {
        "tls": "required",
        "certificate": "self-signed",
        "external": False,
        "dialback": True,
    }


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ("tls: requird", "`tls` knows no 'requird'", "did you mean required?"),
        ("tls: true", "`tls` knows no 'True'", "none, optional, required, direct"),
        ("tls: optional, external: sometimes", "`external` is true or false", ""),
        ("dialback: 1", "`dialback` is true or false", ""),
        ("tls: optional, certificate: [expired]", "a certificate is the name of a kind", "s2sim certificates"),
        ("external: true", "SASL EXTERNAL needs TLS", "tls: optional"),
        ("certifcate: expired", "a partner has no key 'certifcate'", "did you mean certificate?"),
    ],
)
def test_nonsense_is_refused(options: str, message: str, hint: str) -> None:
    with pytest.raises(DocumentError) as raised:
        read(options)

    assert raised.value.line == 2
    assert message in str(raised.value)
    assert hint in str(raised.value)
