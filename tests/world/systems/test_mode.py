"""One mode for all partners: which rows of the documented table a server without partners can stand for."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.world.systems import ejabberd, prosody
from simulator.world.systems.mode import CERTIFICATES_ONLY, PLAIN, mode_of
from simulator.world.systems.system import SETTINGS_ROWS, SettingsRefused, SystemSettings

#: every row -> who can be set up so: p for Prosody, e for ejabberd
WHO = {
    "settings required/required/dialback": "pe",
    "settings required/required/no-dialback": "pe",
    "settings required/optional/dialback": "pe",
    "settings required/optional/no-dialback": "pe",
    "settings required/not-supported/dialback": "p",
    "settings required/not-supported/no-dialback": "",
    "settings optional/required/dialback": "pe",
    "settings optional/required/no-dialback": "e",
    "settings optional/optional/dialback": "pe",
    "settings optional/optional/no-dialback": "e",
    "settings optional/not-supported/dialback": "p",
    "settings optional/not-supported/no-dialback": "",
    "settings not-supported/required/dialback": "pe",
    "settings not-supported/required/no-dialback": "",
    "settings not-supported/optional/dialback": "pe",
    "settings not-supported/optional/no-dialback": "",
    "settings not-supported/not-supported/dialback": "pe",
    "settings not-supported/not-supported/no-dialback": "",
}


def settings(tls: str, sasl: str, dialback: bool) -> SystemSettings:
    return SystemSettings(partners={"gmail.com": {"tls": tls, "sasl": sasl, "dialback": dialback}})


@pytest.mark.parametrize(("system", "letter"), [(prosody, "p"), (ejabberd, "e")])
def test_rows_are_declared(system: Any, letter: str) -> None:
    assert system.CAPABILITIES & set(SETTINGS_ROWS) == {row for row, who in WHO.items() if letter in who}
    assert set(WHO) == set(SETTINGS_ROWS)


def test_rows_with_the_same_outcomes_are_one_mode() -> None:
    # "dialback does not operate when both SASL and TLS are required"
    assert mode_of(settings("required", "required", True)) == CERTIFICATES_ONLY
    assert mode_of(settings("required", "optional", False)) == CERTIFICATES_ONLY
    assert mode_of(settings("not-supported", "required", True)) == PLAIN
    # The same methods, but TLS is offered in another way.
    assert mode_of(settings("optional", "optional", False)) != CERTIFICATES_ONLY


def test_first_partner_says_the_mode() -> None:
    required = {"tls": "required", "sasl": "required", "dialback": False}
    plain = {"tls": "not-supported", "sasl": "not-supported", "dialback": True}

    assert mode_of(SystemSettings(partners={"gmail.com": required, "control.example": plain})) == CERTIFICATES_ONLY
    assert mode_of(SystemSettings(partners={"gmail.com": {}})) == CERTIFICATES_ONLY, (
        "as a partner with nothing but a name"
    )
    assert mode_of(SystemSettings()) == PLAIN


@pytest.mark.parametrize("make", [prosody.Prosody, ejabberd.Ejabberd])
async def test_mode_that_cannot_be_is_refused(town: Any, make: Any) -> None:
    given = {"gmail.com": {"tls": "required", "sasl": "not-supported", "dialback": False}}

    with pytest.raises(SettingsRefused, match="cannot be set up"):
        await town.seat(make, partners=given)
