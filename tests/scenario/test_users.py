"""What a scenario may say of its users, and what a slip in it is told."""

from __future__ import annotations

import pytest

from simulator.document import DocumentError, parse_document
from simulator.scenario.loader import read_scenarios
from simulator.scenario.model import Scenario

TEXT = """\
claim: They talk
users:
  alice@contoso.com: {%s}
steps:
  - alice@contoso.com has received nothing
"""


def read(options: str) -> Scenario:
    [scenario] = read_scenarios(parse_document(TEXT % options, "users.yaml"), "users")

    return scenario


def test_options_of_a_user_are_kept() -> None:
    options = read("devices: [desk, phone], dialect: rfc8048, session: true, first-message: false, site: S, policy: P")

    assert options.users["alice@contoso.com"] == {
        "devices": ["desk", "phone"],
        "dialect": "rfc8048",
        "session": True,
        "first-message": False,
        "site": "S",
        "policy": "P",
    }


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ("device: desk", "a user has no key 'device'", "devices"),
        ("dialect: linc", "no dialect of SIP is called 'linc'", "lync"),
        ("devices: desk", "`devices` is a list of names", ""),
        ("devices: ['']", "`devices` is a list of names", ""),
        ("session: sometimes", "`session` is true or false", ""),
    ],
)
def test_a_slip_is_told_where_it_stands(options: str, message: str, hint: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(options)

    assert caught.value.line == 3
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
