"""Names of domains as a partner compares them, in whichever spelling they come."""

from __future__ import annotations

import pytest

from simulator.world.partner.spelling import as_in_dns, bare_as_in_dns


@pytest.mark.parametrize(
    ("name", "compared"),
    [
        ("GMAIL.com", "gmail.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("XN--bcher-KVA.example", "xn--bcher-kva.example"),
        ("gmail.com.", "gmail.com."),
        ("No Name", "no name"),
        ("", ""),
    ],
)
def test_a_domain_has_one_spelling(name: str, compared: str) -> None:
    assert as_in_dns(name) == compared


@pytest.mark.parametrize(
    ("address", "compared"),
    [
        ("Juliet@GMAIL.com/balcony", "juliet@gmail.com"),
        ("juliet@bücher.example", "juliet@xn--bcher-kva.example"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_an_address_is_bare_and_has_one_spelling(address: str, compared: str) -> None:
    assert bare_as_in_dns(address) == compared
